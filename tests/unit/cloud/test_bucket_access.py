"""What stands between the service and a bucket: the cases that users meet, and that the advice mends them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cloud.documents import (
    ACCOUNT,
    BUCKET,
    JOB,
    OTHER,
    REGION,
    ROLE,
    SERVICE,
    Document,
    access_document,
    allow,
    bucket_document,
    deny,
    document,
    resource,
    role,
    trust_document,
)

from matinee.cloud.bucket_access import Examination, Finding, examine
from matinee.cloud.personalize_requests import Asker, Use

_READ = Use("films", "in/", ("in/a.csv", "in/b.csv"))
_WRITE = Use("films", "out/", ("out/result",), writes=True)
_WHOLE = Use("films", "in/a.csv", ("in/a.csv",))


def _examine(
    bucket: Document | None = None, *, uses: tuple[Use, ...] = (_READ,), asker: str = JOB, **given: Any
) -> Examination:
    return examine(role(**given), {"films": None if bucket is None else resource(bucket)}, uses, Asker.of(asker))


def _found(bucket: Document | None, **given: Any) -> list[str]:
    return [finding.policy for finding in _examine(bucket, **given).findings]


def _only(bucket: Document | None, **given: Any) -> Finding:
    (finding,) = _examine(bucket, **given).findings
    return finding


def test_the_documented_policies_are_enough() -> None:
    examination = _examine(bucket_document())
    assert examination == Examination((), ())


@pytest.mark.parametrize("use", [_READ, _WHOLE])
def test_so_are_least_privileges(use: Use) -> None:
    listing = allow("s3:ListBucket", BUCKET, Condition={"StringLike": {"s3:prefix": "in/*"}})
    reading = allow("s3:GetObject", f"{BUCKET}/in/*")
    service = {"Principal": {"Service": SERVICE}}
    bucket = document({**listing, **service}, {**reading, **service})
    assert _found(bucket, uses=(use,), policies=[document(listing, reading)]) == []


def test_everything_missing_is_told_at_once() -> None:
    trust = trust_document(service="lambda.amazonaws.com")
    assert _found(None, trust=trust, policies=[]) == ["trust policy", "role policy", "bucket policy"]


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:SourceAccount": OTHER}},
        {"StringEquals": {"aws:SourceAcount": ACCOUNT}},
        {"StringEquals": {"aws:SourceArn": f"arn:aws:personalize:{REGION}:{ACCOUNT}:*"}},
        {"StringLike": {"aws:SourceArn": f"arn:aws:personalize:eu-west-1:{ACCOUNT}:*"}},
        {"ArnLike": {"aws:SourceArn": f"arn:aws:personalise:*:{ACCOUNT}:*"}},
        {"StringEquals": {"sts:ExternalId": "films"}},
    ],
)
def test_a_trust_policy_with_a_condition_that_the_service_does_not_meet(condition: Document) -> None:
    finding = _only(bucket_document(), trust=trust_document(condition))
    assert finding.policy == "trust policy"
    assert f"aws:SourceAccount {ACCOUNT} and aws:SourceArn {JOB}" in finding.sentence
    assert finding.addition == trust_document()["Statement"][0]


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        {"ArnLike": {"aws:SourceArn": f"arn:aws:personalize:*:{ACCOUNT}:*"}},
        {"StringLike": {"aws:SourceArn": f"arn:aws:personalize:{REGION}:{ACCOUNT}:dataset-import-job/*"}},
    ],
)
def test_a_trust_policy_with_a_condition_that_the_service_meets(condition: Document) -> None:
    assert _found(bucket_document(), trust=trust_document(condition)) == []


def test_a_trust_policy_for_another_action() -> None:
    trust = document({**trust_document()["Statement"][0], "Action": "sts:TagSession"})
    assert _found(bucket_document(), trust=trust) == ["trust policy"]


def test_a_trust_policy_that_denies() -> None:
    denying = {**trust_document({})["Statement"][0], "Effect": "Deny"}
    finding = _only(bucket_document(), trust=document(*trust_document()["Statement"], denying))
    assert finding.policy == "trust policy"
    assert "statement 2 of the trust policy of role personalize denies sts:AssumeRole" in finding.sentence


@pytest.mark.parametrize(
    ("statement", "action", "resource_"),
    [
        (allow(["s3:GetObject", "s3:ListBucket"], BUCKET), "s3:GetObject", f"{BUCKET}/*"),
        (allow(["s3:GetObject", "s3:ListBucket"], f"{BUCKET}/*"), "s3:ListBucket", BUCKET),
        (allow("s3:GetObject", f"{BUCKET}/*"), "s3:ListBucket", BUCKET),
        (allow(["s3:Get*", "s3:List*"], [BUCKET, f"{BUCKET}/in/b.csv"]), "s3:GetObject", f"{BUCKET}/*"),
    ],
)
def test_a_role_policy_that_lacks_one_of_both(statement: Document, action: str, resource_: str) -> None:
    finding = _only(bucket_document(), policies=[document(statement)])
    assert finding.policy == "role policy"
    assert finding.addition == {"Effect": "Allow", "Action": [action], "Resource": [resource_]}


def test_a_role_policy_for_the_bucket_and_its_objects_swapped() -> None:
    swapped = document(allow("s3:ListBucket", f"{BUCKET}/*"), allow("s3:GetObject", BUCKET))
    finding = _only(bucket_document(), policies=[swapped])
    assert finding.sentence == (
        f"Missing in the policies of role personalize: s3:ListBucket on {BUCKET} and s3:GetObject on "
        f"{BUCKET}/in/a.csv. Add the statement"
    )


def test_the_managed_policy_covers_only_buckets_named_after_the_service() -> None:
    full = access_document("*personalize*", "s3:GetObject", "s3:ListBucket")
    assert _found(bucket_document(), policies=[full]) == ["role policy"]


def test_a_variable_that_roles_do_not_have() -> None:
    written = document(allow("s3:ListBucket", BUCKET), allow("s3:GetObject", f"{BUCKET}/${{aws:username}}/*"))
    assert _found(bucket_document(), policies=[written]) == ["role policy"]


@pytest.mark.parametrize(
    "bucket",
    [
        None,
        bucket_document("other"),
        access_document("films", Principal={"AWS": ROLE}),
        access_document("films", Principal={"Service": "personalize.us-east-1.amazonaws.com"}),
        bucket_document(Condition={"StringEquals": {"aws:SourceAccount": OTHER}}),
        bucket_document(Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:personalize:eu-west-1:{ACCOUNT}:*"}}),
    ],
)
def test_a_bucket_policy_that_does_not_let_the_service_in(bucket: Document | None) -> None:
    finding = _only(bucket)
    assert finding.policy == "bucket policy"
    assert finding.addition == {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": ["s3:ListBucket", "s3:GetObject"],
        "Resource": [BUCKET, f"{BUCKET}/*"],
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }


_VPC_ONLY = {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}


@pytest.mark.parametrize(
    "condition",
    [
        _VPC_ONLY,
        {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}},
        {"StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-1"}},
        {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"ArnNotEquals": {"aws:PrincipalArn": ROLE}},
        {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/admin"}},
        {"Null": {"aws:PrincipalAccount": "true"}},
        {"Bool": {"aws:PrincipalIsAWSService": "true"}},
        {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
    ],
)
def test_a_deny_that_the_service_or_the_role_meets(condition: Document) -> None:
    bucket = document(*bucket_document()["Statement"], deny(Sid="Guard", Principal="*", Condition=condition))
    finding = _only(bucket)
    assert finding.policy == "bucket policy"
    assert finding.sentence.startswith(
        "Refused: statement 2 (Guard) of the bucket policy of films denies s3:ListBucket"
    )


@pytest.mark.parametrize(
    "condition",
    [
        {"Bool": {"aws:SecureTransport": "false"}},
        {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
        {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}, "Bool": {"aws:PrincipalIsAWSService": "false"},
         "ArnNotEquals": {"aws:PrincipalArn": ROLE}},
        {"StringNotEquals": {"aws:PrincipalServiceName": SERVICE}, "ArnNotLike": {"aws:PrincipalArn": [ROLE]}},
        {"DateGreaterThan": {"aws:CurrentTime": "2200-01-01T00:00:00Z"}},
    ],
)  # fmt: skip
def test_a_deny_that_leaves_both_alone(condition: Document) -> None:
    bucket = document(*bucket_document()["Statement"], deny(Principal="*", Condition=condition))
    assert _examine(bucket) == Examination((), ())


def test_a_data_perimeter_is_read_in_favour_of_the_role() -> None:
    perimeter = {
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    }
    examination = _examine(document(*bucket_document()["Statement"], deny(Principal="*", Condition=perimeter)))
    assert examination.findings == ()
    assert [statement.place for statement in examination.assumed] == ["statement 2 of the bucket policy of films"]


def test_a_deny_in_the_roles_own_policies() -> None:
    finding = _only(bucket_document(), policies=[access_document(), document(deny("s3:Get*"))])
    assert finding.policy == "role policy"
    assert finding.addition is None
    assert "denies s3:GetObject on arn:aws:s3:::films/in/a.csv to role personalize" in str(finding)


def test_a_boundary_that_does_not_reach_so_far() -> None:
    finding = _only(bucket_document(), boundary=document(allow("s3:List*")))
    assert finding.policy == "permissions boundary"
    assert finding.addition == {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"{BUCKET}/*"]}


def test_writing_needs_put_in_both_policies() -> None:
    assert _found(bucket_document(), uses=(_READ, _WRITE)) == ["role policy", "bucket policy"]
    actions = ("s3:GetObject", "s3:ListBucket", "s3:PutObject")
    bucket, own = bucket_document("films", *actions), access_document("films", *actions)
    assert _found(bucket, uses=(_READ, _WRITE), policies=[own]) == []


def test_headers_that_a_write_has_to_carry_are_read_in_favour() -> None:
    actions = ("s3:ListBucket", "s3:PutObject")
    unencrypted = {"Null": {"s3:x-amz-server-side-encryption": "true"}}
    guard = deny("s3:PutObject", Principal="*", Condition=unencrypted)
    bucket = document(*bucket_document("films", *actions)["Statement"], guard)
    examination = _examine(bucket, uses=(_WRITE,), policies=[access_document("films", *actions)])
    assert examination.findings == ()
    assert len(examination.assumed) == 1


def test_another_partition_has_its_own_arns() -> None:
    asker = f"arn:aws-cn:personalize:cn-north-1:{ACCOUNT}:dataset-import-job/films"
    finding = _examine(None, asker=asker).findings[-1]
    assert finding.addition is not None
    assert finding.addition["Resource"] == ["arn:aws-cn:s3:::films", "arn:aws-cn:s3:::films/*"]


@pytest.mark.parametrize("uses", [(_READ,), (_WRITE,), (_READ, _WRITE), (_WHOLE,)])
@pytest.mark.parametrize("guard", [None, deny(Principal="*", Condition=_VPC_ONLY), deny(Principal="*")])
@pytest.mark.parametrize("bounded", [False, True])
def test_the_advice_mends_what_was_found(uses: tuple[Use, ...], guard: Document | None, bounded: bool) -> None:
    written = {
        "trust policy": trust_document(service="lambda.amazonaws.com"),
        "role policy": document(),
        "permissions boundary": document(),
        "bucket policy": document(*([dict(guard)] if guard else [])),
    }

    def look() -> tuple[Finding, ...]:
        boundary = written["permissions boundary"] if bounded else None
        own: dict[str, Any] = {
            "trust": written["trust policy"],
            "policies": [written["role policy"]],
            "boundary": boundary,
        }
        return _examine(written["bucket policy"], uses=uses, **own).findings

    for _ in range(3):  # what a Deny hides shows after it is mended
        for finding in look():
            statements = written[finding.policy]["Statement"]
            assert finding.addition is not None
            if "Effect" in finding.addition:
                statements.append(finding.addition)
            else:
                statements[0]["Condition"] = {**statements[0].get("Condition", {}), **finding.addition}
    assert look() == ()
