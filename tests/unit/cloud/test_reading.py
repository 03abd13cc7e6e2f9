"""Reading roles and bucket policies from IAM and S3."""

from __future__ import annotations

import json

import pytest
from tests.unit.cloud.account import Account
from tests.unit.cloud.documents import access_document, allow, document

from matinee.cloud.reading import read_bucket_policy, read_role
from matinee.errors import DataProblem, JobFailed


def test_a_role_comes_with_every_policy(account: Account) -> None:
    account.create_role(Tags=[{"Key": "team", "Value": "films"}])
    account.grant()
    account.grant(document(allow("s3:PutObject")), "more")
    account.attach(document(allow("s3:List*")), f"list-{account.name}")
    role = read_role(account.role_arn, endpoint_url=account.endpoint)
    assert role is not None
    assert role.unique_id.startswith("AROA")
    assert role.tags == {"team": "films"}
    assert role.name == account.name
    assert role.trust.name == f"the trust policy of role {account.name}"
    assert [policy.name for policy in role.policies] == [
        f"the inline policy access of role {account.name}",
        f"the inline policy more of role {account.name}",
        f"the attached policy list-{account.name} of role {account.name}",
    ]
    assert role.boundary is None


def test_a_managed_policy_counts_in_its_default_version(account: Account) -> None:
    account.create_role()
    arn = account.attach(document(allow("s3:Get*")), f"read-{account.name}")
    newer = json.dumps(document(allow("s3:List*")))
    account.iam.create_policy_version(PolicyArn=arn, PolicyDocument=newer, SetAsDefault=True)
    role = read_role(account.role_arn, endpoint_url=account.endpoint)
    assert role is not None
    assert role.policies[0].statements[0].actions.patterns == ("s3:List*",)


def test_a_boundary_is_read(account: Account) -> None:
    text = json.dumps(document(allow("s3:*")))
    boundary = account.iam.create_policy(PolicyName=f"bound-{account.name}", PolicyDocument=text)["Policy"]["Arn"]
    account.create_role(PermissionsBoundary=boundary)
    role = read_role(account.role_arn, endpoint_url=account.endpoint)
    assert role is not None
    assert role.boundary is not None
    assert role.boundary.name == f"the permissions boundary of role {account.name}"


@pytest.mark.parametrize("arn", ["arn:aws:iam::123456789012:role/no-such-role", "{other}"])
def test_there_is_no_such_role(account: Account, arn: str) -> None:
    account.create_role()
    other = account.role_arn.replace("/service/", "/")
    assert read_role(arn.format(other=other), endpoint_url=account.endpoint) is None


def test_a_policy_of_a_bucket(account: Account) -> None:
    assert read_bucket_policy(account.name) is None
    account.set_bucket_policy()
    policy = read_bucket_policy(account.name)
    assert policy is not None
    assert policy.name == f"the bucket policy of {account.name}"
    assert policy.statements[0].actions.patterns == ("s3:GetObject", "s3:ListBucket")


def test_a_bucket_policy_that_cannot_be_understood_is_named(account: Account) -> None:
    account.set_bucket_policy({**access_document(account.name), "Statements": []})
    with pytest.raises(DataProblem, match=f"^The bucket policy of {account.name} has the unknown element 'Statements'"):
        read_bucket_policy(account.name)


def test_a_bucket_that_cannot_be_asked_is_told(account: Account) -> None:
    with pytest.raises(JobFailed, match=r"could not be checked: S3 answered NoSuchBucket .* to GetBucketPolicy"):
        read_bucket_policy(f"{account.name}-other")


def test_iam_that_does_not_answer_is_told(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(JobFailed, match=r"could not be checked: IAM gave no answer: .*MATINEE_CHECK_ROLES=never"):
        read_role(account.role_arn, endpoint_url="http://127.0.0.1:9")
