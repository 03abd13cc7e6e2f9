"""What real programs rely on of recommendations and events: the points of the survey of such programs, by number."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from tests.clients.data import ITEMS
from tests.clients.films import Films
from tests.clients.house import ROLE, House, describe, listed, settle
from tests.clients.services import raw_answers

from matinee.demo.clients import Clients, wait_until_gone
from matinee.demo.embedded import EmbeddedServer

Put = Callable[[str, str, bytes], str]
V2, SIMS, POPULAR = "aws-user-personalization-v2", "aws-sims", "aws-popularity-count"


@pytest.fixture(scope="module")
def catalogue(clients: Clients, films: Films, films_folder: Path, films_bucket: str) -> dict[str, dict[str, str]]:
    """The items of the films' group, imported now; each row by item ID."""
    control = clients.control
    schema = control.create_schema(name="films-items", schema=ITEMS)["schemaArn"]
    dataset = control.create_dataset(
        name="films-items", datasetGroupArn=films.group, schemaArn=schema, datasetType="Items"
    )["datasetArn"]
    settle(clients, "Dataset", dataset)
    job = control.create_dataset_import_job(
        jobName="films-items",
        datasetArn=dataset,
        dataSource={"dataLocation": f"s3://{films_bucket}/items.csv"},
        roleArn=ROLE,
    )["datasetImportJobArn"]
    assert settle(clients, "DatasetImportJob", job) == "ACTIVE"
    header, *lines = (films_folder / "items.csv").read_text().splitlines()
    rows = [dict(zip(header.split(","), line.split(","), strict=True)) for line in lines if '"' not in line]
    return {row["ITEM_ID"]: row for row in rows}


def _filter(clients: Clients, films: Films, expression: str) -> str:
    """An ACTIVE filter of the films' group."""
    name = f"filter-{uuid.uuid4().hex[:8]}"
    arn = clients.control.create_filter(name=name, datasetGroupArn=films.group, filterExpression=expression)
    assert settle(clients, "Filter", arn["filterArn"]) == "ACTIVE"
    return str(arn["filterArn"])


def _items(clients: Clients, campaign: str, **request: Any) -> list[str]:
    answer = clients.runtime.get_recommendations(campaignArn=campaign, **request)
    return [item["itemId"] for item in answer["itemList"]]


def test_point_11_metadata_comes_in_lower_case_and_as_text(
    clients: Clients, films: Films, catalogue: dict[str, dict[str, str]]
) -> None:
    answer = clients.runtime.get_recommendations(
        campaignArn=films.campaigns[V2], userId="2", metadataColumns={"ITEMS": ["TITLE", "PRICE"]}
    )
    known = [item for item in answer["itemList"] if item["itemId"] in catalogue]
    assert known
    for item in known:
        row = catalogue[item["itemId"]]
        assert item["metadata"] == {"title": row["TITLE"], "price": row["PRICE"]}
        assert re.fullmatch(r"\d+\.0", item["metadata"]["price"])


@pytest.mark.parametrize("sent_at", [1_750_000_000, 1_750_000_000.25], ids=["int", "float"])
def test_point_12_an_event_may_name_its_item_in_the_properties_only(
    clients: Clients, films: Films, sent_at: float
) -> None:
    unseen = _filter(clients, films, 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")')
    user = f"buyer-{uuid.uuid4()}"
    ask: dict[str, Any] = {"userId": user, "filterArn": unseen, "numResults": 10}
    before = _items(clients, films.campaigns[POPULAR], **ask)
    event: Any = {"eventType": "purchase", "sentAt": sent_at, "properties": json.dumps({"itemId": before[0]})}
    with raw_answers(clients.events) as answers:
        clients.events.put_events(
            trackingId=films.tracking_id,
            userId=user,
            sessionId="shop",
            eventList=[event],
        )
    assert (answers[-1].status_code, answers[-1].content) == (200, b"")
    assert _items(clients, films.campaigns[POPULAR], **ask)[:9] == before[1:]


def test_point_12_an_empty_user_is_taken(server: EmbeddedServer, films: Films) -> None:
    session = boto3.session.Session("anyone", "anything", region_name="us-east-1")
    config = Config(parameter_validation=False)
    events: Any = session.client("personalize-events", endpoint_url=server.url, config=config)
    answer = events.put_events(
        trackingId=films.tracking_id,
        userId="",
        sessionId="nobody",
        eventList=[{"eventType": "watch", "sentAt": 1_750_000_000, "itemId": "1"}],
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_point_12_deletions_answer_with_an_empty_body(clients: Clients, house: House) -> None:
    control = clients.control
    schema = control.create_schema(name=house.new_name(), schema=ITEMS)["schemaArn"]
    with raw_answers(control) as answers:
        control.delete_schema(schemaArn=schema)
    assert (answers[-1].status_code, answers[-1].content) == (200, b"")


def test_point_12_a_tracker_makes_a_dataset_that_can_be_deleted(clients: Clients, house: House) -> None:
    control, group = clients.control, house.fresh_group()
    tracker = control.create_event_tracker(name=house.new_name(), datasetGroupArn=group)["eventTrackerArn"]
    settle(clients, "EventTracker", tracker)
    (dataset,) = (summary["datasetArn"] for summary in listed(clients, "Dataset", datasetGroupArn=group))
    assert dataset.endswith("/EVENT_INTERACTIONS")
    settle(clients, "Dataset", dataset)
    control.delete_event_tracker(eventTrackerArn=tracker)
    control.delete_dataset(datasetArn=dataset)
    wait_until_gone(lambda: describe(clients, "Dataset", dataset))


@pytest.mark.parametrize("prefix", ["", "answers/"], ids=["root-of-the-bucket", "folder"])
def test_point_13_trap_12_batch_answers_stand_in_the_order_of_the_input(
    clients: Clients, films: Films, put: Put, s3_endpoint: str, prefix: str
) -> None:
    bucket = f"batch-{uuid.uuid4().hex[:8]}"
    asked = [{"userId": "1"}, {"itemId": "1"}, {"userId": "2"}]
    source = put("batch-input", "users.json", "\n".join(map(json.dumps, asked)).encode())
    put(bucket, "there/already", b"")
    job = clients.control.create_batch_inference_job(
        jobName=bucket,
        solutionVersionArn=films.versions[V2],
        numResults=3,
        jobInput={"s3DataSource": {"path": source}},
        jobOutput={"s3DataDestination": {"path": f"s3://{bucket}/{prefix}"}},
        roleArn=ROLE,
    )["batchInferenceJobArn"]
    assert settle(clients, "BatchInferenceJob", job) == "ACTIVE", describe(clients, "BatchInferenceJob", job)
    s3 = boto3.client("s3", endpoint_url=s3_endpoint)
    check = s3.get_object(Bucket=bucket, Key=f"{prefix}_CHECK")
    assert check["Body"].read() == b""
    output = s3.get_object(Bucket=bucket, Key=f"{prefix}users.json.out")
    assert output["LastModified"] > describe(clients, "BatchInferenceJob", job)["creationDateTime"]
    first, second, third = (json.loads(line) for line in output["Body"].read().splitlines())
    for line, given in ((first, asked[0]), (third, asked[2])):
        assert (line["input"], line["error"]) == (given, None)
        assert len(line["output"]["recommendedItems"]) == len(line["output"]["scores"]) == 3
    assert second["input"] == asked[1]
    assert second["output"]["recommendedItems"] == []
    assert second["error"] == "User error: Required fields for the provided recipe are userId"


def test_point_14_ranking_returns_every_item_the_unknown_last(clients: Clients, house: House) -> None:
    given = ["not-a-film", "3", "1", "2"]
    answer = clients.runtime.get_personalized_ranking(campaignArn=house.ranking_campaign, userId="1", inputList=given)
    ranking = answer["personalizedRanking"]
    assert sorted(item["itemId"] for item in ranking) == sorted(given)
    assert ranking[-1] == {"itemId": "not-a-film"}
    assert sum(item["score"] for item in ranking[:-1]) == pytest.approx(1, abs=1e-5)
    assert re.fullmatch(r"RID-[0-9a-f-]{36}", answer["recommendationId"])


def test_point_14_there_are_25_results_unless_asked_otherwise(clients: Clients, films: Films) -> None:
    assert len(_items(clients, films.campaigns[V2], userId="3")) == 25
    assert len(_items(clients, films.campaigns[V2], userId="3", numResults=3)) == 3


def test_point_14_related_items_have_no_score(clients: Clients, films: Films) -> None:
    answer = clients.runtime.get_recommendations(campaignArn=films.campaigns[SIMS], itemId="1")
    assert answer["itemList"]
    assert all(set(item) == {"itemId"} for item in answer["itemList"])


def test_point_14_recommenders_give_no_score(clients: Clients, house: House) -> None:
    answer = clients.runtime.get_recommendations(recommenderArn=house.arns["Recommender"], userId="1")
    assert len(answer["itemList"]) == 25
    assert all(set(item) == {"itemId"} for item in answer["itemList"])


@pytest.mark.parametrize(
    "expression",
    [
        'EXCLUDE ItemID WHERE Items.GENRES IN ("Drama")',
        'exclude itemid where ITEMS.genres in ("Drama")',
        'INCLUDE ItemID WHERE Items.GENRES NOT IN ("Drama")',
        'EXCLUDE ItemID WHERE items.GENRES IN ("Drama") | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")',
    ],
)
def test_point_15_genres_in_any_spelling(
    clients: Clients, films: Films, catalogue: dict[str, dict[str, str]], expression: str
) -> None:
    chosen = _items(clients, films.campaigns[V2], userId="4", filterArn=_filter(clients, films, expression))
    known = [catalogue[item]["GENRES"].split("|") for item in chosen if item in catalogue]
    assert known
    assert not [genres for genres in known if "Drama" in genres]


@pytest.mark.parametrize("value", ['"200"', "200"], ids=["quoted", "bare"])
def test_point_15_numbers_quoted_or_not(
    clients: Clients, films: Films, catalogue: dict[str, dict[str, str]], value: str
) -> None:
    cheap = _filter(clients, films, "INCLUDE ItemID WHERE Items.PRICE >= 100 AND Items.PRICE < $MOST")
    chosen = _items(clients, films.campaigns[V2], userId="4", filterArn=cheap, filterValues={"MOST": value})
    assert set(chosen) == {str(number) for number in range(10, 20)} & set(_all_items(clients, films))


def test_point_15_several_values_in_quotes(
    clients: Clients, films: Films, catalogue: dict[str, dict[str, str]]
) -> None:
    some = _filter(clients, films, "INCLUDE ItemID WHERE Items.GENRES IN ($GENRES)")
    values = {"GENRES": '"Comedy","War"'}
    chosen = _items(clients, films.campaigns[V2], userId="4", filterArn=some, filterValues=values)
    known = [set(catalogue[item]["GENRES"].split("|")) for item in chosen if item in catalogue]
    assert known
    assert all(genres & {"Comedy", "War"} for genres in known)


def test_point_15_the_current_item(clients: Clients, films: Films, catalogue: dict[str, dict[str, str]]) -> None:
    alike = _filter(clients, films, "INCLUDE ItemID WHERE Items.GENRES IN CurrentItem.GENRES")
    item = next(iter(catalogue))
    chosen = _items(clients, films.campaigns[SIMS], itemId=item, filterArn=alike)
    own = set(catalogue[item]["GENRES"].split("|"))
    known = [set(catalogue[other]["GENRES"].split("|")) for other in chosen if other in catalogue]
    assert known
    assert all(genres & own for genres in known)


def _all_items(clients: Clients, films: Films) -> list[str]:
    return _items(clients, films.campaigns[V2], userId="4", numResults=500)
