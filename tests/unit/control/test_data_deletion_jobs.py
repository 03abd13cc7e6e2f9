"""Data deletion jobs: states of their own, newest first."""

from __future__ import annotations

import pytest
from tests.unit.control.tenant import ROLE, Tenant

from matinee.errors import InvalidInput, LimitExceeded

SOURCE = {"dataLocation": "s3://bucket/users/"}


def start(tenant: Tenant, group: str, name: str = "j", location: str | None = None) -> str:
    """Ask for a deletion."""
    source = SOURCE if location is None else {"dataLocation": location}
    answer = tenant.create_data_deletion_job(jobName=name, datasetGroupArn=group, dataSource=source, roleArn=ROLE)
    return str(answer["dataDeletionJobArn"])


def test_trap_2_its_states_have_no_prefix(tenant: Tenant) -> None:
    arn = start(tenant, tenant.group())
    seen = [tenant.status(arn)]
    assert "numDeleted" not in tenant.shown(arn)
    tenant.begin()
    seen.append(tenant.status(arn))
    tenant.work()
    shown = tenant.shown(arn)
    assert [*seen, shown["status"]] == ["PENDING", "IN_PROGRESS", "COMPLETED"]
    assert (shown["numDeleted"], shown["dataSource"], shown["roleArn"]) == (3, SOURCE, ROLE)


def test_a_failed_job_says_why(tenant: Tenant) -> None:
    arn = start(tenant, tenant.group())
    tenant.fail("The file has no column USER_ID.")
    shown = tenant.shown(arn)
    assert (shown["status"], shown["failureReason"]) == ("FAILED", "The file has no column USER_ID.")


def test_a_bad_location_is_refused(tenant: Tenant) -> None:
    with pytest.raises(InvalidInput, match=r"^Invalid Data location\."):
        start(tenant, tenant.group(), location="https://host/users.csv")


def test_the_newest_is_listed_first_and_pages_go_back_in_time(tenant: Tenant) -> None:
    group = tenant.group()
    arns = [start(tenant, group, f"j{number}") for number in range(5)]
    first = tenant.list_data_deletion_jobs(datasetGroupArn=group, maxResults=2)
    start(tenant, group, "later")
    rest = tenant.list_data_deletion_jobs(datasetGroupArn=group, nextToken=first["nextToken"])
    listed = [job["dataDeletionJobArn"] for page in (first, rest) for job in page["dataDeletionJobs"]]
    assert listed == arns[::-1]


def test_real_quotas_allow_five_unfinished_jobs_in_a_group(limited: Tenant) -> None:
    group = limited.group()
    for number in range(5):
        start(limited, group, f"j{number}")
    with pytest.raises(LimitExceeded, match="More than 5 resources"):
        start(limited, group, "j5")
    start(limited, limited.group("books"), "j5")
