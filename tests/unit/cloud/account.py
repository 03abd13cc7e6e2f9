"""An AWS account on moto's server: a bucket and a role of the same name, each with the policies that a test wants."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from tests.unit.cloud.documents import Document, access_document, bucket_document, trust_document


@dataclass(frozen=True)
class Account:
    """The account behind `endpoint`; `name` is the name of the bucket and of the role."""

    endpoint: str
    name: str

    @property
    def iam(self) -> Any:
        """A client of IAM."""
        return boto3.client("iam", endpoint_url=self.endpoint, region_name="us-east-1")

    @property
    def role_arn(self) -> str:
        """The role's ARN, as programs make it: with the account that STS names."""
        identity = boto3.client("sts", endpoint_url=self.endpoint, region_name="us-east-1").get_caller_identity()
        return f"arn:aws:iam::{identity['Account']}:role/service/{self.name}"

    def create_role(self, trust: Document | None = None, **more: Any) -> None:
        """The role, with the documented trust policy unless another one is given."""
        document = json.dumps(trust or trust_document())
        self.iam.create_role(RoleName=self.name, Path="/service/", AssumeRolePolicyDocument=document, **more)

    def grant(self, document: Document | None = None, name: str = "access") -> None:
        """An inline policy of the role, the documented one unless another one is given."""
        text = json.dumps(document or access_document(self.name))
        self.iam.put_role_policy(RoleName=self.name, PolicyName=name, PolicyDocument=text)

    def attach(self, document: Document, name: str) -> str:
        """A managed policy, attached to the role; returns its ARN."""
        policy = self.iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))["Policy"]
        self.iam.attach_role_policy(RoleName=self.name, PolicyArn=policy["Arn"])
        return str(policy["Arn"])

    def set_bucket_policy(self, document: Mapping[str, Any] | None = None) -> None:
        """The bucket's policy, the documented one unless another one is given."""
        client = boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1")
        client.put_bucket_policy(Bucket=self.name, Policy=json.dumps(document or bucket_document(self.name)))
