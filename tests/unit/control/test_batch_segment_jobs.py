"""Batch segment jobs: segment recipes, user filters, numbers."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.control.tenant import RECIPES, ROLE, Tenant

from matinee.errors import InvalidInput, LimitExceeded

AFFINITY = f"{RECIPES}aws-item-affinity"
SOURCE = {"s3DataSource": {"path": "s3://bucket/items.json"}}
TARGET = {"s3DataDestination": {"path": "s3://bucket/out/"}}


def start(tenant: Tenant, version: str, name: str = "j", **params: Any) -> str:
    """Ask for segments."""
    answer = tenant.create_batch_segment_job(
        jobName=name, solutionVersionArn=version, jobInput=SOURCE, jobOutput=TARGET, roleArn=ROLE, **params
    )
    return str(answer["batchSegmentJobArn"])


@pytest.fixture
def version(tenant: Tenant) -> str:
    """An ACTIVE version of a segment recipe."""
    return tenant.version(tenant.solution(tenant.group("films"), recipe=AFFINITY))


def test_a_job_shows_what_it_was_given_and_becomes_active(tenant: Tenant, version: str) -> None:
    arn = start(tenant, version, numResults=1_000_000)
    assert tenant.status(arn) == "CREATE PENDING"
    tenant.work()
    shown = tenant.shown(arn)
    assert (shown["status"], shown["numResults"], shown["jobInput"]) == ("ACTIVE", 1_000_000, SOURCE)


def test_only_segment_recipes_make_segments(tenant: Tenant) -> None:
    version = tenant.version(tenant.solution(tenant.group()))
    with pytest.raises(InvalidInput, match="makes no user segments"):
        start(tenant, version)


def test_five_million_users_at_most(tenant: Tenant, version: str) -> None:
    with pytest.raises(InvalidInput, match="it must be from 1 to 5000000"):
        start(tenant, version, numResults=5_000_001)


def test_the_filter_must_be_of_users(tenant: Tenant, version: str) -> None:
    group = tenant.caller.arn("dataset-group/films")
    tenant.dataset(group, tenant.schema())
    expression = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'
    wrong = tenant.create_filter(name="f", datasetGroupArn=group, filterExpression=expression)["filterArn"]
    tenant.work()
    with pytest.raises(InvalidInput, match="filters ItemID; this job needs one of UserID"):
        start(tenant, version, filterArn=wrong)


@pytest.mark.usefixtures("later")
def test_segments_by_attribute_take_no_filter_on_interactions(tenant: Tenant) -> None:
    group = tenant.group("films")
    tenant.dataset(group, tenant.schema())
    expression = 'EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("watch")'
    chosen = tenant.create_filter(name="f", datasetGroupArn=group, filterExpression=expression)["filterArn"]
    tenant.work()
    by_attribute = tenant.version(tenant.solution(group, recipe=f"{RECIPES}aws-item-attribute-affinity"))
    with pytest.raises(InvalidInput, match="aws-item-attribute-affinity does not support"):
        start(tenant, by_attribute, filterArn=chosen)
    by_item = tenant.version(tenant.solution(group, "by-item", recipe=AFFINITY))
    start(tenant, by_item, filterArn=chosen)


def test_lists_are_narrowed_by_version(tenant: Tenant, version: str) -> None:
    arn = start(tenant, version)
    (summary,) = tenant.list_batch_segment_jobs(solutionVersionArn=version)["batchSegmentJobs"]
    assert (summary["batchSegmentJobArn"], summary["solutionVersionArn"]) == (arn, version)


def test_real_quotas_allow_five_unfinished_jobs(limited: Tenant) -> None:
    version = limited.version(limited.solution(limited.group(), recipe=AFFINITY))
    for number in range(5):
        start(limited, version, f"j{number}")
    with pytest.raises(LimitExceeded, match="More than 5 resources"):
        start(limited, version, "j5")
