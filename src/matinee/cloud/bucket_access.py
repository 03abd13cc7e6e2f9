"""May Personalize, given a role, do in a bucket what a job is about to do? If not: what is in the way, what to add.

Three policies have to agree: the role's trust policy lets the service assume it, the role's policies allow the actions
to the role, and the bucket's policy allows them to the service. Source: Amazon Personalize Developer Guide, "Giving
Amazon Personalize access to Amazon S3 resources" and "Cross-service confused deputy prevention".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matinee.cloud import personalize_requests as requests
from matinee.cloud.evaluate import Decision, Layer, evaluate
from matinee.cloud.personalize_requests import SERVICE, Asker, Use
from matinee.cloud.policies import Policy, Statement
from matinee.cloud.reading import Role
from matinee.cloud.request import Request


@dataclass(frozen=True)
class Finding:
    """One thing in the way. `policy`: `trust policy`, `role policy`, `permissions boundary` or `bucket policy`.

    `addition`: the statement to add to it or, where a `Deny` refuses, what to add to that statement's `Condition`;
    `None` when nothing that is added helps.
    """

    policy: str
    sentence: str
    addition: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        return self.sentence if self.addition is None else f"{self.sentence} {json.dumps(self.addition)}"


@dataclass(frozen=True)
class Examination:
    """What was found in the way, nothing when access is granted, and the statements that had to be guessed about."""

    findings: tuple[Finding, ...]
    assumed: tuple[Statement, ...]


_Tried = Sequence[tuple[Request, Decision]]


def examine(role: Role, buckets: Mapping[str, Policy | None], uses: Sequence[Use], asker: Asker) -> Examination:
    """Try every request that the job will make. `buckets`: the policy, if any, of each bucket that `uses` name."""
    assume = requests.assume(role, asker)
    tried = [(assume, evaluate(assume, resource=role.trust))]
    lacking = _untrusted(tried, role, asker)
    for use in uses:
        bucket = buckets[use.bucket]
        as_role = [
            (request, evaluate(request, identity=role.policies, resource=bucket, boundary=role.boundary))
            for request in requests.use_as_role(use, asker, role)
        ]
        as_service = [(request, evaluate(request, resource=bucket)) for request in requests.use_as_service(use, asker)]
        lacking += _role_lacks(as_role, role, use, asker)
        lacking += _bucket_lacks(as_service, use, asker)
        tried += [*as_role, *as_service]
    refusing = _refusing(tried, role, _labels(role, buckets))
    assumed = dict.fromkeys(statement for _, decision in tried for statement in decision.assumed)
    return Examination((*refusing, *lacking), tuple(assumed))


def _labels(role: Role, buckets: Mapping[str, Policy | None]) -> dict[Statement, str]:
    """What kind of policy each statement is in."""
    labelled = [
        ("trust policy", [role.trust]),
        ("role policy", role.policies),
        ("permissions boundary", [role.boundary]),
        ("bucket policy", buckets.values()),
    ]
    return {s: label for label, policies in labelled for policy in policies if policy for s in policy.statements}


def _refusing(tried: _Tried, role: Role, labels: Mapping[Statement, str]) -> list[Finding]:
    """One finding for each `Deny` that refuses, with the first request that it refuses."""
    first: dict[Statement, Request] = {}
    for request, decision in tried:
        for statement in () if decision.allowed else decision.by:
            first.setdefault(statement, request)
    return [_refusal(statement, request, role, labels[statement]) for statement, request in first.items()]


def _refusal(statement: Statement, request: Request, role: Role, label: str) -> Finding:
    who = f"role {role.name}" if request.principal.account else SERVICE
    refused = f"{statement.place} denies {request.action} on {request.resource} to {who}."
    if label != "bucket policy":
        return Finding(label, f"Refused: {refused} Take this request out of it.")
    exemption = {"Bool": {"aws:PrincipalIsAWSService": "false"}, "ArnNotEquals": {"aws:PrincipalArn": role.arn}}
    return Finding(label, f"Refused: {refused} Exempt the service and the role: add to its Condition", exemption)


def _untrusted(tried: _Tried, role: Role, asker: Asker) -> list[Finding]:
    """What the trust policy lacks: the statement of the documentation, for every resource of the account and region."""
    if not any(decision.missing for _, decision in tried):
        return []
    source = f"arn:{asker.partition}:personalize:{asker.region}:{asker.account}:*"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": asker.account},
            "StringLike": {"aws:SourceArn": source},
        },
    }
    problem = (
        f"Missing in the trust policy of role {role.name}: sts:AssumeRole for {SERVICE}, asked with aws:SourceAccount "
        f"{asker.account} and aws:SourceArn {asker.arn}. Add the statement"
    )
    return [Finding("trust policy", problem, statement)]


def _role_lacks(tried: _Tried, role: Role, use: Use, asker: Asker) -> list[Finding]:
    places = {
        Layer.IDENTITY: ("role policy", f"the policies of role {role.name}"),
        Layer.BOUNDARY: ("permissions boundary", f"the permissions boundary of role {role.name}"),
    }
    found = []
    for layer, (label, place) in places.items():
        if lacking := [request for request, decision in tried if layer in decision.missing]:
            statement = {"Effect": "Allow", **_lacked(lacking, use, asker)}
            found.append(Finding(label, f"Missing in {place}: {_first_of_each(lacking)}. Add the statement", statement))
    return found


def _bucket_lacks(tried: _Tried, use: Use, asker: Asker) -> list[Finding]:
    lacking = [request for request, decision in tried if decision.missing]
    if not lacking:
        return []
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        **_lacked(lacking, use, asker),
        "Condition": {"StringEquals": {"aws:SourceAccount": asker.account}},
    }
    problem = f"Missing in the bucket policy of {use.bucket}: {_first_of_each(lacking)} for {SERVICE}."
    return [Finding("bucket policy", f"{problem} Add the statement", statement)]


def _first_of_each(lacking: Iterable[Request]) -> str:
    """Each action with the first resource that it was tried on."""
    first: dict[str, str] = {}
    for request in lacking:
        first.setdefault(request.action, request.resource)
    return " and ".join(f"{action} on {resource}" for action, resource in first.items())


def _lacked(lacking: Iterable[Request], use: Use, asker: Asker) -> dict[str, list[str]]:
    """The actions that are lacking, on the bucket for the listing and on what lies in it for the objects."""
    actions = dict.fromkeys(request.action for request in lacking)
    bucket = f"arn:{asker.partition}:s3:::{use.bucket}"
    on = {"s3:ListBucket": bucket}
    return {"Action": list(actions), "Resource": [on.get(action, f"{bucket}/*") for action in actions]}
