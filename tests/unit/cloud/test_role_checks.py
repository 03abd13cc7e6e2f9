"""When roles are checked, and what is said when one is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.unit.cloud.account import Account
from tests.unit.cloud.documents import JOB, OTHER, allow, bucket_document, deny, document

from matinee.cloud import role_checks
from matinee.cloud.personalize_requests import Use
from matinee.cloud.role_checks import check_role
from matinee.errors import JobFailed, SettingsProblem
from matinee.settings import Settings
from matinee.storage.s3_reading import insufficient_privileges


@pytest.fixture(autouse=True)
def _fresh_process() -> None:
    """What is said once in a process has not been said."""
    role_checks._say_that_nothing_is_checked.cache_clear()


def _check(account: Account, role: str | None = "", **given: Any) -> list[Any]:
    """Check with the settings `given`; returns the log lines."""
    settings = Settings(home=Path("unused"), **{"iam_endpoint_url": account.endpoint, **given})
    with capture_logs() as logs:
        check_role(settings, account.role_arn if role == "" else role, JOB, [Use(account.name, "in/", ("in/a.csv",))])
    return logs


def test_a_role_that_may_passes_in_silence(account: Account) -> None:
    account.create_role()
    account.grant()
    account.set_bucket_policy()
    assert _check(account) == []


def test_a_refusal_is_the_services_sentence_and_what_is_missing(account: Account) -> None:
    account.create_role()
    account.set_bucket_policy()
    with pytest.raises(JobFailed) as refusal:
        _check(account)
    bucket = f"arn:aws:s3:::{account.name}"
    assert str(refusal.value) == (
        "Insufficient privileges for accessing data in S3. Please look at https://docs.aws.amazon.com/personalize/"
        "latest/dg/granting-personalize-s3-access.html#attach-bucket-policy and fix bucket policy on "
        f"{account.name}. Missing in the policies of role {account.name}: s3:ListBucket on {bucket} and s3:GetObject "
        f'on {bucket}/in/a.csv. Add the statement {{"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], '
        f'"Resource": ["{bucket}", "{bucket}/*"]}}'
    )


def test_a_role_that_is_not_there_is_named(account: Account) -> None:
    with pytest.raises(JobFailed) as refusal:
        _check(account)
    assert str(refusal.value).startswith(insufficient_privileges(account.name))
    assert f"The role {account.role_arn} does not exist" in str(refusal.value)


def test_a_role_of_another_account_is_named_without_asking(account: Account) -> None:
    with pytest.raises(JobFailed, match=f"belongs to account {OTHER}"):
        _check(account, f"arn:aws:iam::{OTHER}:role/personalize", iam_endpoint_url="http://127.0.0.1:9")


def test_a_pass_in_favour_is_logged(account: Account) -> None:
    account.create_role()
    account.grant()
    perimeter = {
        "StringNotEquals": {"aws:PrincipalOrgID": "o-1"},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
    }
    guard = deny(Principal="*", Condition=perimeter)
    account.set_bucket_policy(document(*bucket_document(account.name)["Statement"], guard))
    (line,) = _check(account)
    assert line["statements"] == [f"statement 2 of the bucket policy of {account.name}"]
    assert "aws:PrincipalOrgID" in line["keys"]


def test_without_an_iam_endpoint_the_check_is_skipped_and_that_is_said_once(account: Account) -> None:
    (line,) = _check(account, iam_endpoint_url=None)
    assert "no IAM endpoint is configured" in line["event"]
    assert _check(account, iam_endpoint_url=None) == []


def test_never_is_never(account: Account) -> None:
    (line,) = _check(account, check_roles="never")
    assert "MATINEE_CHECK_ROLES is never" in line["event"]


def test_always_asks_the_iam_that_boto3_finds(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", account.endpoint)
    with pytest.raises(JobFailed, match="does not exist"):
        _check(account, iam_endpoint_url=None, check_roles="always")


def test_a_job_without_a_role_or_without_a_bucket_is_not_checked(account: Account) -> None:
    assert _check(account, None) == []
    settings = Settings(iam_endpoint_url=account.endpoint)
    with capture_logs() as logs:
        check_role(settings, account.role_arn, JOB, [])
    assert logs == []


def test_the_policies_of_every_bucket_are_read(account: Account) -> None:
    account.create_role()
    account.grant(document(allow("s3:*")))
    account.set_bucket_policy()
    uses = [Use(account.name, "in/", ("in/a.csv",)), Use(account.name, "out/", ("out/x",), writes=True)]
    with pytest.raises(JobFailed, match=rf"Missing in the bucket policy of {account.name}: s3:PutObject on"):
        check_role(Settings(iam_endpoint_url=account.endpoint), account.role_arn, JOB, uses)


def test_the_settings_come_from_the_environment() -> None:
    environment = {"MATINEE_CHECK_ROLES": "Always", "AWS_ENDPOINT_URL_IAM": "http://127.0.0.1:5000"}
    settings = Settings.from_environment(environment)
    assert (settings.check_roles, settings.iam_endpoint_url) == ("always", "http://127.0.0.1:5000")
    with pytest.raises(SettingsProblem, match="MATINEE_CHECK_ROLES must be auto, always or never, not 'yes'"):
        Settings.from_environment({"MATINEE_CHECK_ROLES": "yes"})
