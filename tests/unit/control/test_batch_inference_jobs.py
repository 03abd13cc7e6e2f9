"""Batch inference jobs: places, recipes, filters, numbers."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.control.tenant import INTERACTIONS, RECIPES, ROLE, V2, Tenant, schema_text

from matinee.control import outbox
from matinee.errors import InvalidInput, LimitExceeded, ResourceAlreadyExists, ResourceInUse

SOURCE = {"s3DataSource": {"path": "s3://bucket/users.json"}}
TARGET = {"s3DataDestination": {"path": "s3://bucket/out/"}}
THEMED: dict[str, Any] = {
    "batchInferenceJobMode": "THEME_GENERATION",
    "themeGenerationConfig": {"fieldsForThemeGeneration": {"itemName": "TITLE"}},
}


@pytest.fixture
def version(tenant: Tenant) -> str:
    """An ACTIVE version."""
    return tenant.version(tenant.solution(tenant.group("films")))


def start(tenant: Tenant, version: str, name: str = "j", **params: Any) -> str:
    """Ask for a batch of recommendations."""
    answer = tenant.create_batch_inference_job(
        **{
            "jobName": name,
            "solutionVersionArn": version,
            "jobInput": SOURCE,
            "jobOutput": TARGET,
            "roleArn": ROLE,
            **params,
        }
    )
    return str(answer["batchInferenceJobArn"])


def test_a_job_runs_through_the_observed_states(tenant: Tenant, version: str) -> None:
    arn = start(tenant, version)
    seen = [tenant.status(arn)]
    tenant.begin()
    seen.append(tenant.status(arn))
    tenant.work()
    assert [*seen, tenant.status(arn)] == ["CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE"]


def test_describe_returns_what_create_was_given(tenant: Tenant, version: str) -> None:
    shown = tenant.shown(start(tenant, version, numResults=40))
    assert (shown["jobInput"], shown["jobOutput"], shown["roleArn"]) == (SOURCE, TARGET, ROLE)
    assert (shown["numResults"], shown["batchInferenceJobMode"]) == (40, "BATCH_INFERENCE")
    assert shown["solutionVersionArn"] == version


def test_twenty_five_results_by_default(tenant: Tenant, version: str) -> None:
    assert tenant.shown(start(tenant, version))["numResults"] == 25


def test_the_job_knows_its_group(tenant: Tenant, version: str) -> None:
    start(tenant, version)
    with tenant.database.read() as connection:
        job = outbox.find(connection, tenant.pending()[0])
    assert job is not None
    assert job.payload["datasetGroupArn"] == tenant.caller.arn("dataset-group/films")


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"jobInput": {"s3DataSource": {"path": "http://host/in.json"}}}, r"^Invalid S3 input path\."),
        ({"jobOutput": {"s3DataDestination": {"path": "out"}}}, r"^Invalid S3 output path\."),
        (
            {
                "jobInput": {"s3DataSource": {"path": "s3://b/p/"}},
                "jobOutput": {"s3DataDestination": {"path": "s3://b/p"}},
            },
            r"^Invalid S3 output path\. The output must be a different place",
        ),
        ({"numResults": 501}, "numResults is 501; it must be from 1 to 500"),
        ({"numResults": 0}, "numResults is 0; it must be from 1 to 500"),
        ({"batchInferenceJobMode": "THEME_GENERATION"}, "THEME_GENERATION is for aws-similar-items only"),
        (
            {"themeGenerationConfig": {"fieldsForThemeGeneration": {"itemName": "TITLE"}}},
            "for batchInferenceJobMode THEME_GENERATION only",
        ),
        (
            {"batchInferenceJobConfig": {"itemExplorationConfig": {"explorationWeight": "0.1"}}},
            "has no exploration to set",
        ),
        ({"batchInferenceJobConfig": {"rankingInfluence": {"FRESHNESS": 0.1}}}, "rankingInfluence cannot be given"),
    ],
)
def test_what_does_not_fit_is_refused(tenant: Tenant, version: str, params: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        start(tenant, version, **params)


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        ("aws-item-affinity", "Use CreateBatchSegmentJob"),
        ("aws-trending-now", "does not support batch inference"),
        ("aws-next-best-action", "does not support batch inference"),
    ],
)
def test_recipes_without_batch_are_refused(tenant: Tenant, recipe: str, sentence: str) -> None:
    version = tenant.version(tenant.solution(tenant.group(), recipe=f"{RECIPES}{recipe}"))
    with pytest.raises(InvalidInput, match=sentence):
        start(tenant, version)


def _themed(tenant: Tenant, *fields: Any) -> str:
    """A version of aws-similar-items, in a group whose Items have these fields beside ITEM_ID; none: no Items."""
    group = tenant.group("themed")
    if fields:
        tenant.dataset(group, tenant.schema("items", schema_text("Items", ("ITEM_ID", "string"), *fields)), "Items")
        tenant.work()
    return tenant.version(tenant.solution(group, recipe=f"{RECIPES}aws-similar-items"))


@pytest.mark.usefixtures("later")
def test_a_themed_job_shows_its_mode_and_configuration(tenant: Tenant) -> None:
    plot = {"name": "PLOT", "type": "string", "textual": True}
    version = _themed(tenant, ("TITLE", "string"), plot, ("PRICE", "float"))
    shown = tenant.shown(start(tenant, version, **THEMED))
    assert {member: shown[member] for member in THEMED} == THEMED


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ((), "needs an Items dataset, whose column TITLE"),
        ((("PRICE", "float"),), "itemName is TITLE, which is no text column of the Items dataset; it has ITEM_ID"),
        ((("TITLE", "string"), ("PRICE", "float")), "needs a textual column"),
    ],
)
def test_themes_need_names_and_texts(tenant: Tenant, fields: tuple[Any, ...], sentence: str) -> None:
    version = _themed(tenant, *fields)
    with pytest.raises(InvalidInput, match=sentence):
        start(tenant, version, **THEMED)


def test_the_version_must_be_active(tenant: Tenant) -> None:
    solution = tenant.solution(tenant.group())
    version = tenant.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    with pytest.raises(ResourceInUse, match="status CREATE PENDING"):
        start(tenant, version)


def test_the_filter_must_be_of_the_group_and_of_items(tenant: Tenant, version: str) -> None:
    group, other = tenant.caller.arn("dataset-group/films"), tenant.group("books")
    schema = tenant.schema("i", INTERACTIONS)
    tenant.dataset(group, schema)
    tenant.dataset(other, schema)
    of_users = 'EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("watch")'
    of_items = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'
    wrong = tenant.create_filter(name="users", datasetGroupArn=group, filterExpression=of_users)["filterArn"]
    foreign = tenant.create_filter(name="foreign", datasetGroupArn=other, filterExpression=of_items)["filterArn"]
    pending = tenant.create_filter(name="items", datasetGroupArn=group, filterExpression=of_items)["filterArn"]
    with pytest.raises(ResourceInUse, match="CREATE PENDING"):
        start(tenant, version, filterArn=pending)
    tenant.work()
    with pytest.raises(InvalidInput, match="filters UserID; this job needs one of ItemID"):
        start(tenant, version, filterArn=wrong)
    with pytest.raises(InvalidInput, match="Use a filter of the same dataset group"):
        start(tenant, version, filterArn=foreign)
    assert tenant.shown(start(tenant, version, filterArn=pending))["filterArn"] == pending


def test_a_job_name_can_be_used_once(tenant: Tenant, version: str) -> None:
    arn = start(tenant, version)
    with pytest.raises(ResourceAlreadyExists, match=arn):
        start(tenant, version)


def test_lists_are_narrowed_by_version(tenant: Tenant, version: str) -> None:
    arn = start(tenant, version)
    (summary,) = tenant.list_batch_inference_jobs(solutionVersionArn=version)["batchInferenceJobs"]
    assert (summary["batchInferenceJobArn"], summary["batchInferenceJobMode"]) == (arn, "BATCH_INFERENCE")
    other = tenant.version(tenant.solution(tenant.caller.arn("dataset-group/films"), "other", V2))
    assert tenant.list_batch_inference_jobs(solutionVersionArn=other) == {"batchInferenceJobs": []}


def test_a_running_job_keeps_the_solution(tenant: Tenant, version: str) -> None:
    arn = start(tenant, version)
    solution = version.rpartition("/")[0]
    with pytest.raises(ResourceInUse, match=arn):
        tenant.delete_solution(solutionArn=solution)
    tenant.work()
    tenant.delete_solution(solutionArn=solution)
    tenant.work()
    assert tenant.list_batch_inference_jobs() == {"batchInferenceJobs": []}


def test_real_quotas_allow_five_unfinished_jobs(limited: Tenant) -> None:
    version = limited.version(limited.solution(limited.group()))
    for number in range(5):
        start(limited, version, f"j{number}")
    with pytest.raises(LimitExceeded, match="More than 5 resources with PENDING or IN_PROGRESS status"):
        start(limited, version, "j5")
