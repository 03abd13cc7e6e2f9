"""Batch segments: the users drawn to each line's item or attributes, in the service's recorded form."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from tests.unit.jobs.orders import add_users, put_event, read_lines, run, segment_job, trained, write_lines
from tests.unit.jobs.rig import GROUP, House, arn, write_csv

from matinee.storage.metadata import dataset_parts

JOB = arn("batch-segment-job/segment")
AFFINITY, BY_ATTRIBUTE = "aws-item-affinity", "aws-item-attribute-affinity"
_ITEMS_SCHEMA = {
    "type": "record",
    "name": "Items",
    "fields": [
        {"name": "ITEM_ID", "type": "string"},
        {"name": "GENRES", "type": ["null", "string"], "categorical": True},
        {"name": "PRICE", "type": ["null", "float"]},
    ],
    "version": "1.0",
}


def two_tastes(folder: Path) -> str:
    """60 users: even ones meet films 0 to 39, odd ones films 40 to 79, each 25 of them; the file's location."""
    rows = [
        (f"user{user}", f"film{(user // 2 + 3 * n) % 40 + 40 * (user % 2)}", 1_000_000 + 60 * n + user)
        for user in range(60)
        for n in range(25)
    ]
    return write_csv(folder / "interactions.csv", rows)


def add_items(house: House, folder: Path) -> None:
    """An Items dataset: films below 40 are Comedy, of these every second also Action; others are Drama."""
    house.add(arn("schema/items"), "schema", None, None, {"schema": json.dumps(_ITEMS_SCHEMA)})
    dataset = arn("dataset/films/ITEMS")
    described = {"datasetGroupArn": GROUP, "datasetType": "ITEMS", "schemaArn": arn("schema/items")}
    house.add(dataset, "dataset", GROUP, "ACTIVE", described)
    genres = ["Drama" if n >= 40 else "Comedy|Action" if n % 2 else "Comedy" for n in range(80)]
    frame = pl.DataFrame(
        {"ITEM_ID": [f"film{n}" for n in range(80)], "GENRES": genres, "PRICE": [float(n) for n in range(80)]}
    )
    path = folder / "items.parquet"
    frame.write_parquet(path)
    house.objects.put_file("datasets/items.parquet", path)
    part = {"dataset_arn": dataset, "job_arn": "job", "object_key": "datasets/items.parquet", "rows": 80, "bytes": 1}
    with house.database.transaction() as connection:
        connection.execute(sa.insert(dataset_parts).values(**part, created_at=1))


@pytest.fixture
def affinity(house: House, tmp_path: Path) -> str:
    """A version of item-affinity on users of two tastes."""
    house.imported(two_tastes(tmp_path))
    return trained(house, tmp_path, AFFINITY)


def tastes(users: list[str]) -> set[int]:
    """The parities of users."""
    return {int(user.removeprefix("user")) % 2 for user in users}


def test_users_drawn_to_an_item_come_first_and_lines_keep_their_order(
    house: House, affinity: str, tmp_path: Path
) -> None:
    lines = [{"itemId": "film50"}, {"itemId": "film3"}]
    source = write_lines(tmp_path / "in" / "films.json", lines)
    assert run(house, segment_job(house, affinity, source, f"file://{tmp_path}/out/")) == "DONE"
    answered = read_lines(tmp_path / "out" / "films.json.out")
    assert [line["input"] for line in answered] == lines
    assert all(set(line) == {"input", "output", "error"} and line["error"] is None for line in answered)
    assert [tastes(line["output"]["usersList"]) for line in answered] == [{1}, {0}]
    assert [len(line["output"]["usersList"]) for line in answered] == [5, 5]
    assert (tmp_path / "out" / "_CHECK").read_bytes() == b""
    assert house.status(JOB) == ("ACTIVE", None)


def test_a_version_has_the_metrics_of_segments(house: House, affinity: str) -> None:
    version = house.resource(affinity)
    assert version is not None
    metrics = version.private["metrics"]
    assert set(metrics) == {"coverage", "hits_at_1_percent", "recall_at_1_percent"}
    assert all(0 <= value <= 1 for value in metrics.values())


def test_users_who_had_the_item_come_last_where_nobody_returns(house: House, affinity: str, tmp_path: Path) -> None:
    source = write_lines(tmp_path / "in.json", [{"itemId": "film3"}])
    run(house, segment_job(house, affinity, source, f"file://{tmp_path}/out", numResults=60))
    (line,) = read_lines(tmp_path / "out" / "in.json.out")
    had = {row[0] for row in house.rows() if row[1] == "film3"}
    users = line["output"]["usersList"]
    assert len(users) == len(set(users)) == 60
    assert set(users[-len(had) :]) == had


def test_a_bad_line_says_why_and_an_unknown_item_gets_users(house: House, affinity: str, tmp_path: Path) -> None:
    lines = [{"itemId": "film3"}, {"userId": "user1"}, "not json", {"itemId": "never seen"}, {"itemId": ["a"]}]
    source = write_lines(tmp_path / "in.json", lines)
    assert run(house, segment_job(house, affinity, source, f"file://{tmp_path}/out")) == "DONE"
    answered = read_lines(tmp_path / "out" / "in.json.out")
    assert [line["error"] is None for line in answered] == [True, False, False, True, False]
    assert answered[1]["error"] == "User error: Required fields for the provided recipe are itemId"
    assert answered[2]["output"] == {"usersList": []}
    assert len(answered[3]["output"]["usersList"]) == 5
    job = house.resource(JOB)
    assert job is not None
    assert (job.private["lines"], job.private["failed"]) == (5, 3)


def test_the_guides_key_can_be_asked_for(house: House, affinity: str, tmp_path: Path) -> None:
    guided = House(replace(house.settings, segment_output_key="recommendedUsers"), house.database, house.objects)
    source = write_lines(tmp_path / "in.json", [{"itemId": "film3"}])
    run(guided, segment_job(house, affinity, source, f"file://{tmp_path}/out"))
    (line,) = read_lines(tmp_path / "out" / "in.json.out")
    assert len(line["output"]["recommendedUsers"]) == 5


def test_attributes_describe_the_items(house: House, tmp_path: Path) -> None:
    house.imported(two_tastes(tmp_path))
    add_items(house, tmp_path)
    version = trained(house, tmp_path, BY_ATTRIBUTE)
    asked = [
        'ITEMS.genres = "Drama"',
        'ITEMS.genres = "Comedy" AND ITEMS.genres = "Action"',
        "ITEMS.price = 7",
        'ITEMS.genres = "Horror"',
        'ITEMS.genres IN ("Drama")',
        'ITEMS.genres = "Drama" OR ITEMS.price = 1',
        'ITEMS.colour = "red"',
        'ITEMS.genres = "Drama" | EXCLUDE ItemID WHERE ITEMS.price = 1',
    ]
    source = write_lines(tmp_path / "in.json", [{"itemAttributes": one} for one in asked])
    assert run(house, segment_job(house, version, source, f"file://{tmp_path}/out")) == "DONE"
    answered = read_lines(tmp_path / "out" / "in.json.out")
    assert [tastes(line["output"]["usersList"]) for line in answered[:3]] == [{1}, {0}, {0}]
    assert [line["error"] is None for line in answered] == [True, True, True, *[False] * 5]
    assert "meets ITEMS.genres" in answered[3]["error"]
    assert {"with = and AND only" in answered[at]["error"] for at in (4, 5, 7)} == {True}


def test_attributes_that_tell_no_items_apart_fail_the_training(house: House, tmp_path: Path) -> None:
    house.imported(two_tastes(tmp_path))
    assert run(house, house.train_job("a1", BY_ATTRIBUTE)) == "FAILED"
    status, reason = house.status(arn("solution/s/a1"))
    assert status == "CREATE FAILED"
    assert str(reason).startswith("Did not find any attribute to train on.")


def test_a_filter_of_users_takes_each_lines_values(house: House, affinity: str, tmp_path: Path) -> None:
    add_users(house, tmp_path / "users", {f"user{n}": "vip" if n < 6 else "other" for n in range(60)})
    only = arn("filter/only")
    expression = "INCLUDE UserID WHERE Users.ABOUT IN ($KIND)"
    house.add(only, "filter", None, "ACTIVE", {"datasetGroupArn": GROUP, "filterExpression": expression})
    values = [{"KIND": '"vip"'}, {"KIND": '"nobody"'}, {}]
    lines = [{"itemId": "film3", "filterValues": value} for value in values]
    source = write_lines(tmp_path / "in.json", lines)
    run(house, segment_job(house, affinity, source, f"file://{tmp_path}/out", filterArn=only, numResults=60))
    vip, nobody, refused = read_lines(tmp_path / "out" / "in.json.out")
    assert sorted(vip["output"]["usersList"]) == [f"user{n}" for n in range(6)]
    assert nobody["output"]["usersList"] == []
    assert "KIND" in refused["error"]


def test_a_filter_of_events_knows_those_streamed_since(house: House, affinity: str, tmp_path: Path) -> None:
    seen = arn("filter/seen")
    expression = 'EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("*")'
    house.add(seen, "filter", None, "ACTIVE", {"datasetGroupArn": GROUP, "filterExpression": expression})
    had = {row[0] for row in house.rows() if row[1] == "film3"}
    newcomer = next(f"user{n}" for n in range(0, 60, 2) if f"user{n}" not in had)
    put_event(house, newcomer, "film3")
    source = write_lines(tmp_path / "in.json", [{"itemId": "film3"}])
    run(house, segment_job(house, affinity, source, f"file://{tmp_path}/out", filterArn=seen, numResults=60))
    (line,) = read_lines(tmp_path / "out" / "in.json.out")
    assert set(line["output"]["usersList"]) == {f"user{n}" for n in range(60)} - had - {newcomer}
