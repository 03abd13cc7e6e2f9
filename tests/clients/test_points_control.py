"""What real programs rely on of the control plane: the points of the project's survey of such programs, by number."""

from __future__ import annotations

import json
import re
import threading
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.clients.data import ITEMS, USERS
from tests.clients.films import Films
from tests.clients.house import RECIPES, ROLE, House, arn_member, describe, listed, settle
from tests.clients.requests import RESOURCES
from tests.clients.services import OPERATIONS, python_name, raw_answers

from matinee.demo.clients import Clients, wait_until_gone


def test_point_01_list_recipes_pages(clients: Clients) -> None:
    control = clients.control
    first = control.list_recipes()
    assert len(first["recipes"]) == 12
    rest = control.list_recipes(nextToken=first["nextToken"])
    assert "nextToken" not in rest
    names = [recipe["name"] for page in (first, rest) for recipe in page["recipes"]]
    assert names == sorted(names)
    assert not [name for name in names if "hrnn" in name]
    for recipe in [*first["recipes"], *rest["recipes"]]:
        assert ("domain" in recipe) == recipe["name"].startswith(("aws-ecomm", "aws-vod"))


@pytest.mark.parametrize(("domain", "on_first_page"), [("ECOMMERCE", 5), ("VIDEO_ON_DEMAND", 0)])
def test_point_01_domains_thin_pages_out_after_paging(clients: Clients, domain: Any, on_first_page: int) -> None:
    first = clients.control.list_recipes(domain=domain)
    rest = clients.control.list_recipes(domain=domain, nextToken=first["nextToken"])
    assert len(first["recipes"]) == on_first_page
    assert {recipe["domain"] for recipe in [*first["recipes"], *rest["recipes"]]} == {domain}
    assert len(first["recipes"]) + len(rest["recipes"]) == 5


def test_point_02_arns_are_rebuilt_from_region_account_and_name(
    clients: Clients, house: House, s3_endpoint: str
) -> None:
    account = boto3.client("sts", endpoint_url=s3_endpoint).get_caller_identity()["Account"]
    name = house.requests["CreateDatasetGroup"]["name"]
    with pytest.raises(clients.control.exceptions.ResourceAlreadyExistsException):
        clients.control.create_dataset_group(name=name)
    arn = f"arn:aws:personalize:us-east-1:{account}:dataset-group/{name}"
    assert describe(clients, "DatasetGroup", arn)["name"] == name


def test_point_02_ids_have_the_shapes_that_programs_cut(clients: Clients, house: House) -> None:
    assert re.search(r":event-tracker/[0-9a-f]{8}$", house.arns["EventTracker"])
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", house.tracking_id)
    solution, version = house.arns["Solution"], house.arns["SolutionVersion"]
    assert version.rsplit("/", 1)[0] == solution
    name = describe(clients, "SolutionVersion", version)["name"]
    assert name == f"{solution.split('/')[1]}/{version.split('/')[-1]}"
    assert re.fullmatch(r"[0-9a-f]{8}", version.split("/")[-1])


def test_point_03_exceptions_have_their_names(clients: Clients, house: House) -> None:
    control, group = clients.control, house.arns["DatasetGroup"]
    with pytest.raises(control.exceptions.ResourceNotFoundException):
        control.describe_campaign(campaignArn=f"{house.arns['Campaign']}-gone")
    with pytest.raises(control.exceptions.ResourceInUseException):
        control.delete_dataset_group(datasetGroupArn=group)
    with pytest.raises(control.exceptions.LimitExceededException):
        control.create_event_tracker(name=house.new_name(), datasetGroupArn=group)
    with pytest.raises(control.exceptions.InvalidNextTokenException):
        control.list_schemas(nextToken="not one of ours")
    with pytest.raises(control.exceptions.InvalidInputException):
        control.create_schema(name=house.new_name(), schema="{}")


def test_point_04_deletion_is_asynchronous_and_frees_the_name(clients: Clients, house: House) -> None:
    control = clients.control
    asked: dict[str, Any] = {"name": house.new_name(), "solutionVersionArn": house.arns["SolutionVersion"]}
    campaign = control.create_campaign(**asked)["campaignArn"]
    settle(clients, "Campaign", campaign)
    control.delete_campaign(campaignArn=campaign)
    statuses: list[str] = []

    def look() -> None:
        statuses.append(describe(clients, "Campaign", campaign)["status"])

    wait_until_gone(look)
    assert set(statuses) <= {"DELETE PENDING", "DELETE IN_PROGRESS"}
    assert control.create_campaign(**asked)["campaignArn"] == campaign


def test_point_04_children_that_are_being_deleted_do_not_forbid(clients: Clients, house: House) -> None:
    control, group = clients.control, house.fresh_group()
    schema = control.create_schema(name=house.new_name(), schema=ITEMS)["schemaArn"]
    dataset = control.create_dataset(name="items", datasetGroupArn=group, schemaArn=schema, datasetType="Items")
    settle(clients, "Dataset", dataset["datasetArn"])
    with pytest.raises(control.exceptions.ResourceInUseException):
        control.delete_dataset_group(datasetGroupArn=group)
    control.delete_dataset(datasetArn=dataset["datasetArn"])
    control.delete_dataset_group(datasetGroupArn=group)
    wait_until_gone(lambda: control.describe_dataset_group(datasetGroupArn=group))
    control.delete_schema(schemaArn=schema)


def test_point_04_a_deleted_dataset_frees_the_names_of_its_imports(
    clients: Clients, house: House, films_bucket: str
) -> None:
    control, group, job = clients.control, house.fresh_group(), house.new_name()
    schema = control.create_schema(name=house.new_name(), schema=ITEMS)["schemaArn"]
    arns = []
    for _ in range(2):
        dataset = control.create_dataset(name="items", datasetGroupArn=group, schemaArn=schema, datasetType="Items")
        arn = dataset["datasetArn"]
        settle(clients, "Dataset", arn)
        source: Any = {"dataLocation": f"s3://{films_bucket}/items.csv"}
        made = control.create_dataset_import_job(jobName=job, datasetArn=arn, dataSource=source, roleArn=ROLE)
        arns.append(made["datasetImportJobArn"])
        assert settle(clients, "DatasetImportJob", arns[-1]) == "ACTIVE"
        control.delete_dataset(datasetArn=arn)
        wait_until_gone(lambda arn=arn: control.describe_dataset(datasetArn=arn))  # type: ignore[misc]
    assert arns[0] == arns[1]


def test_point_05_trap_4_a_campaign_serves_the_old_until_its_update_is_done(clients: Clients, films: Films) -> None:
    control, campaign = clients.control, films.campaigns["aws-popularity-count"]
    before = describe(clients, "Campaign", campaign)
    assert "latestCampaignUpdate" not in before
    control.update_campaign(campaignArn=campaign, minProvisionedTPS=7)
    while True:
        shown = describe(clients, "Campaign", campaign)
        update = shown["latestCampaignUpdate"]
        assert shown["status"] == "ACTIVE"
        assert update["minProvisionedTPS"] == 7
        if update["status"] == "ACTIVE":
            break
        assert update["status"] in ("CREATE PENDING", "CREATE IN_PROGRESS")
        assert shown["minProvisionedTPS"] == before["minProvisionedTPS"]
    assert shown["minProvisionedTPS"] == 7
    assert shown["solutionVersionArn"] == films.versions["aws-popularity-count"]


def test_point_05_the_status_of_a_dataset_shows_its_update(clients: Clients, house: House) -> None:
    control, group = clients.control, house.fresh_group()
    narrow, wide = (
        control.create_schema(name=house.new_name(), schema=text)["schemaArn"]
        for text in (
            USERS,
            USERS.replace('{"name": "AGE"', '{"name": "TOWN", "type": ["null", "int"]}, {"name": "AGE"'),
        )
    )
    dataset = control.create_dataset(name="users", datasetGroupArn=group, schemaArn=narrow, datasetType="Users")
    arn = dataset["datasetArn"]
    settle(clients, "Dataset", arn)
    control.update_dataset(datasetArn=arn, schemaArn=wide)
    while (shown := describe(clients, "Dataset", arn))["status"] != "ACTIVE":
        assert shown["status"] in ("UPDATE PENDING", "UPDATE IN_PROGRESS")
        assert shown["latestDatasetUpdate"]["status"] == shown["status"]
        assert shown["schemaArn"] == narrow
    assert shown["schemaArn"] == shown["latestDatasetUpdate"]["schemaArn"] == wide


def test_point_06_a_second_update_while_one_runs_is_refused(clients: Clients, films: Films) -> None:
    """An update is done within a moment, so a few tries may be needed to come in between."""
    control, campaign = clients.control, films.campaigns["aws-sims"]
    refusals = []
    for tps in range(10, 30, 2):
        control.update_campaign(campaignArn=campaign, minProvisionedTPS=tps)
        try:
            control.update_campaign(campaignArn=campaign, minProvisionedTPS=tps + 1)
        except control.exceptions.ResourceInUseException as refusal:
            refusals.append(refusal)
        _wait_for_update(clients, campaign)
        if refusals:
            break
    assert refusals


def test_point_06_the_same_configuration_again_is_refused(clients: Clients, films: Films) -> None:
    campaign = films.campaigns["aws-user-personalization-v2"]
    version = films.versions["aws-user-personalization-v2"]
    with pytest.raises(clients.control.exceptions.InvalidInputException, match="changes nothing"):
        clients.control.update_campaign(campaignArn=campaign, solutionVersionArn=version, minProvisionedTPS=1)


def test_point_07_metrics_of_a_version_in_training_are_in_use(clients: Clients, films: Films) -> None:
    control, solution = clients.control, films.solutions["aws-user-personalization-v2"]
    version = control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    with pytest.raises(control.exceptions.ResourceInUseException):
        control.get_solution_metrics(solutionVersionArn=version)
    control.stop_solution_version_creation(solutionVersionArn=version)
    assert settle(clients, "SolutionVersion", version) == "CREATE STOPPED"


def test_point_07_metrics_have_four_decimals(clients: Clients, films: Films) -> None:
    for version in films.versions.values():
        metrics = clients.control.get_solution_metrics(solutionVersionArn=version)["metrics"]
        assert metrics == {name: round(value, 4) for name, value in metrics.items()}


@pytest.mark.parametrize("resource", RESOURCES)
def test_point_08_trap_4_a_list_has_one_key_and_its_summaries_say_name_status_and_dates(
    houses: tuple[House, House], resource: str
) -> None:
    house, operation = houses[0], f"List{resource}s"
    with raw_answers(house.clients.control) as answers:
        getattr(house.clients.control, python_name(operation))(maxResults=1)
    keys = set(json.loads(answers[-1].content)) - {"nextToken"}
    assert keys == ({"Filters"} if resource == "Filter" else {f"{resource[0].lower()}{resource[1:]}s"})
    for summary in listed(house.clients, resource):
        assert {"creationDateTime", "lastUpdatedDateTime", arn_member(resource)} <= set(summary)
        assert resource == "Schema" or "status" in summary
        assert resource == "SolutionVersion" or {"name", "jobName"} & set(summary)


def test_point_08_describe_returns_what_create_was_given(clients: Clients, house: House) -> None:
    config: Any = {
        "algorithmHyperParameters": {"popularity_discount_factor": "0.25"},
        "featureTransformationParameters": {"max_user_history_length_percentile": "0.9"},
        "trainingDataConfig": {"excludedDatasetColumns": {"Items": ["PRICE"]}},
    }
    solution = clients.control.create_solution(
        name=house.new_name(),
        datasetGroupArn=house.arns["DatasetGroup"],
        recipeArn=f"{RECIPES}aws-sims",
        eventType="watch",
        performAutoTraining=False,
        solutionConfig=config,
    )["solutionArn"]
    shown = describe(clients, "Solution", solution)
    assert shown["solutionConfig"] == config
    assert shown["eventType"] == "watch"


def test_point_08_a_version_has_training_hours_and_a_config_that_may_be_empty(clients: Clients, house: House) -> None:
    shown = describe(clients, "SolutionVersion", house.arns["SolutionVersion"])
    assert isinstance(shown["trainingHours"], float)
    assert shown["solutionConfig"] == {}


def test_point_08_a_recommender_always_shows_its_capacity(clients: Clients, house: House) -> None:
    shown = describe(clients, "Recommender", house.arns["Recommender"])
    assert shown["recommenderConfig"]["minRecommendationRequestsPerSecond"] == 1
    assert "latestRecommenderUpdate" not in shown


def test_point_08_a_recommenders_config_is_changed_and_sent_back(clients: Clients, house: House) -> None:
    """Point 5, too: `latestRecommenderUpdate` is there from the first update on."""
    arn = house.create("Recommender", **{**house.requests["CreateRecommender"], "name": house.new_name()})
    config: Any = describe(clients, "Recommender", arn)["recommenderConfig"]
    config["minRecommendationRequestsPerSecond"] += 1
    clients.control.update_recommender(recommenderArn=arn, recommenderConfig=config)
    while (shown := describe(clients, "Recommender", arn))["latestRecommenderUpdate"]["status"] != "ACTIVE":
        assert shown["status"] == "ACTIVE"
        threading.Event().wait(0.05)
    assert shown["recommenderConfig"] == config


def test_point_09_campaigns_are_listed_by_solution_and_by_version(clients: Clients, house: House) -> None:
    campaign = house.arns["Campaign"]
    for narrowed in ({}, {"solutionArn": house.arns["Solution"]}, {"solutionArn": house.arns["SolutionVersion"]}):
        arns = {summary["campaignArn"] for summary in listed(clients, "Campaign", **narrowed)}
        assert campaign in arns
    other = listed(clients, "Campaign", solutionArn=f"{house.arns['Solution']}/00000000")
    assert other == []


def test_point_16_botocore_has_no_waiters_and_sixteen_paginators(clients: Clients) -> None:
    assert clients.control.waiter_names == []
    control = [name for name, model in OPERATIONS.items() if model.service_model.service_name == "personalize"]
    pageable = [name for name in control if clients.control.can_paginate(python_name(name))]
    assert len(pageable) == 16
    assert "ListDataDeletionJobs" not in pageable


def test_point_16_a_solution_is_active_at_once(clients: Clients, house: House) -> None:
    solution = clients.control.create_solution(
        name=house.new_name(), datasetGroupArn=house.arns["DatasetGroup"], recipeArn=f"{RECIPES}aws-sims"
    )["solutionArn"]
    assert describe(clients, "Solution", solution)["status"] == "ACTIVE"


def test_point_16_everything_else_is_pending_first(clients: Clients, house: House) -> None:
    """The worker may be quicker than the first look, but not each time."""
    looks = []
    for _ in range(5):
        arn = clients.control.create_dataset_group(name=house.new_name())["datasetGroupArn"]
        looks.append(describe(clients, "DatasetGroup", arn)["status"])
    assert set(looks) & {"CREATE PENDING", "CREATE IN_PROGRESS"}
    assert set(looks) <= {"CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE"}


def test_point_16_no_role_is_looked_at_before_it_is_used(clients: Clients, house: House) -> None:
    nobody = "arn:aws:iam::123456789012:role/there-is-none"
    job = clients.control.create_dataset_import_job(
        jobName=house.new_name(),
        datasetArn=house.datasets["ITEMS"],
        dataSource={"dataLocation": house.place("items.csv")},
        roleArn=nobody,
    )["datasetImportJobArn"]
    assert describe(clients, "DatasetImportJob", job)["roleArn"] == nobody


def test_point_17_recorded_sentences(clients: Clients, house: House) -> None:
    prefix = "arn:aws:personalize:us-east-1:123456789012"
    with pytest.raises(ClientError) as refusal:
        clients.control.delete_dataset_group(datasetGroupArn=f"{prefix}:dataset-group/none")
    sentence = f"The given dataset group does not exist: {prefix}:dataset-group/none"
    assert refusal.value.response["Error"]["Message"] == sentence
    with pytest.raises(ClientError) as refusal:
        clients.control.delete_campaign(campaignArn=f"{prefix}:campaign/none")
    assert refusal.value.response["Error"]["Message"] == f"Resource Arn {prefix}:campaign/none does not exist."


def test_point_17_media_type_and_milliseconds(clients: Clients, house: House) -> None:
    with raw_answers(clients.control) as answers:
        describe(clients, "DatasetGroup", house.arns["DatasetGroup"])
    assert answers[-1].headers["content-type"] == "application/x-amz-json-1.1"
    created = re.search(rb'"creationDateTime":(\d+\.\d{1,3})\b', answers[-1].content)
    assert created is not None


def _wait_for_update(clients: Clients, campaign: str) -> None:
    while describe(clients, "Campaign", campaign)["latestCampaignUpdate"]["status"] != "ACTIVE":
        threading.Event().wait(0.05)
