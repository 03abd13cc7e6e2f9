"""Policy documents of the Personalize documentation, and requests about them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from matinee.cloud.evaluate import Decision, evaluate
from matinee.cloud.policies import Kind, Policy, parse_policy
from matinee.cloud.reading import Role
from matinee.cloud.request import Context, Principal, Request

ACCOUNT, OTHER, REGION = "123456789012", "210987654321", "us-east-1"
ROLE, ROOT = f"arn:aws:iam::{ACCOUNT}:role/service/personalize", f"arn:aws:iam::{ACCOUNT}:root"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/personalize/s"
USER = f"arn:aws:iam::{ACCOUNT}:user/bob"
SERVICE = "personalize.amazonaws.com"
JOB = f"arn:aws:personalize:{REGION}:{ACCOUNT}:dataset-import-job/films"
BUCKET = "arn:aws:s3:::films"
OBJECT = f"{BUCKET}/in/a.csv"

Document = dict[str, Any]


def document(*statements: Document, version: str = "2012-10-17") -> Document:
    """A policy of these statements."""
    return {"Version": version, "Statement": list(statements)}


def allow(action: Any = "*", resource: Any = "*", **more: Any) -> Document:
    """An Allow statement; `more` are further elements."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "*", resource: Any = "*", **more: Any) -> Document:
    """A Deny statement."""
    return {**allow(action, resource, **more), "Effect": "Deny"}


def trust_document(condition: Document | None = None, service: str = SERVICE) -> Document:
    """The documented trust policy."""
    if condition is None:
        condition = {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "StringLike": {"aws:SourceArn": f"arn:aws:personalize:{REGION}:{ACCOUNT}:*"},
        }
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
            **({"Condition": condition} if condition else {}),
        }
    )


def access_document(bucket: str = "films", *actions: str, **more: Any) -> Document:
    """The documented role policy, and with `Principal` the documented bucket policy."""
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    return document(allow(list(actions or ("s3:GetObject", "s3:ListBucket")), resources, **more))


def bucket_document(bucket: str = "films", *actions: str, **more: Any) -> Document:
    """The documented bucket policy."""
    return access_document(bucket, *actions, Principal={"Service": SERVICE}, **more)


def identity(*documents: Document) -> list[Policy]:
    """Parsed policies of a role or user."""
    return [parse_policy(each, f"policy {n}", Kind.IDENTITY) for n, each in enumerate(documents, 1)]


def resource(written: Document) -> Policy:
    """A parsed bucket policy."""
    return parse_policy(written, "the bucket policy of films", Kind.RESOURCE)


def role(
    trust: Document | None = None,
    policies: Iterable[Document] | None = None,
    boundary: Document | None = None,
    **more: Any,
) -> Role:
    """A role as the documentation wants it, but for what is given."""
    return Role(
        arn=ROLE,
        unique_id="AROAEXAMPLE",
        trust=parse_policy(trust or trust_document(), "the trust policy of role personalize", Kind.TRUST),
        policies=tuple(identity(*([access_document()] if policies is None else policies))),
        boundary=None if boundary is None else parse_policy(boundary, "the boundary", Kind.IDENTITY),
        **more,
    )


PRINCIPALS = {
    "service": Principal.service(SERVICE),
    "session": Principal.role(ROLE, "s"),
    "user": Principal.user(USER),
}


def decide(
    who: str = "session",
    *,
    action: str = "s3:GetObject",
    on: str = OBJECT,
    owner: str = ACCOUNT,
    context: Context | None = None,
    policies: Iterable[Document] = (),
    bucket: Document | None = None,
    boundary: Document | None = None,
) -> Decision:
    """Evaluate one request."""
    return evaluate(
        Request(PRINCIPALS[who], action, on, owner, context or Context.of({})),
        identity=identity(*policies),
        resource=None if bucket is None else resource(bucket),
        boundary=None if boundary is None else identity(boundary)[0],
    )
