"""Roles and bucket policies as IAM and S3 hold them, read through boto3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from matinee.cloud.policies import Kind, Policy, parse_policy
from matinee.errors import JobFailed

_NEEDED = (
    "iam:GetRole, iam:ListRolePolicies, iam:GetRolePolicy, iam:ListAttachedRolePolicies, iam:GetPolicy, "
    "iam:GetPolicyVersion and s3:GetBucketPolicy"
)


@dataclass(frozen=True)
class Role:
    """A role with every policy that hangs on it. `unique_id` begins with AROA; `tags` by key."""

    arn: str
    unique_id: str
    trust: Policy
    policies: tuple[Policy, ...]
    boundary: Policy | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The role's name, without its path."""
        return self.arn.rpartition("/")[2]


def read_role(arn: str, *, endpoint_url: str | None = None) -> Role | None:
    """The role with this ARN; `None` when the account that the server's credentials belong to has no such role.

    Raises `JobFailed` when IAM cannot be asked, `DataProblem` when a policy cannot be understood.
    """
    name = arn.rpartition("/")[2]
    with _asked("IAM"):
        client: Any = boto3.client("iam", endpoint_url=endpoint_url)
        try:
            found = client.get_role(RoleName=name)["Role"]
        except client.exceptions.NoSuchEntityException:
            return None
        if found["Arn"] != arn:
            return None
        trust = _parsed(found["AssumeRolePolicyDocument"], f"the trust policy of role {name}", Kind.TRUST)
        boundary = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return Role(
            arn=arn,
            unique_id=found["RoleId"],
            trust=trust,
            policies=(*_inline(client, name), *_attached(client, name)),
            boundary=_managed(client, boundary, f"the permissions boundary of role {name}") if boundary else None,
            tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", ())},
        )


def read_bucket_policy(bucket: str) -> Policy | None:
    """The policy of a bucket, if it has one. Raises `JobFailed` or `DataProblem`, as `read_role` does."""
    with _asked("S3"):
        try:
            document = boto3.client("s3").get_bucket_policy(Bucket=bucket)["Policy"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchBucketPolicy":
                return None
            raise
    return parse_policy(document, f"the bucket policy of {bucket}", Kind.RESOURCE)


def _inline(client: Any, role: str) -> Iterator[Policy]:
    for page in client.get_paginator("list_role_policies").paginate(RoleName=role):
        for name in page["PolicyNames"]:
            document = client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            yield _parsed(document, f"the inline policy {name} of role {role}", Kind.IDENTITY)


def _attached(client: Any, role: str) -> Iterator[Policy]:
    for page in client.get_paginator("list_attached_role_policies").paginate(RoleName=role):
        for policy in page["AttachedPolicies"]:
            name = f"the attached policy {policy['PolicyName']} of role {role}"
            yield _managed(client, policy["PolicyArn"], name)


def _managed(client: Any, arn: str, name: str) -> Policy:
    version = client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return _parsed(document, name, Kind.IDENTITY)


def _parsed(document: Any, name: str, kind: Kind) -> Policy:
    # IAM sends documents percent-encoded; botocore decodes those that are valid JSON and leaves others as they came.
    return parse_policy(unquote(document) if isinstance(document, str) else document, name, kind)


@contextmanager
def _asked(service: str) -> Iterator[None]:
    """Tell why IAM or S3 gave no answer: the check is asked for, so it must not pass by itself."""
    try:
        yield
    except ClientError as error:
        answer = error.response["Error"]
        said = f"{service} answered {answer.get('Code')} ({answer.get('Message')}) to {error.operation_name}"
        raise JobFailed(_cannot(said)) from error
    except BotoCoreError as error:
        raise JobFailed(_cannot(f"{service} gave no answer: {error}")) from error


def _cannot(said: str) -> str:
    return (
        f"The role could not be checked: {said}. Allow the server's own credentials {_NEEDED}, or set "
        "MATINEE_CHECK_ROLES=never to import without the check."
    )
