"""Policy documents: what is read, and that what is wrong is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.cloud.documents import allow, bucket_document, document, trust_document

from matinee.cloud.policies import Kind, parse_policy
from matinee.errors import DataProblem


def test_a_documented_bucket_policy_is_read() -> None:
    (statement,) = parse_policy(json.dumps(bucket_document()), "the bucket policy", Kind.RESOURCE).statements
    assert statement.effect == "Allow"
    assert statement.actions.patterns == ("s3:GetObject", "s3:ListBucket")
    assert statement.resources is not None
    assert statement.resources.patterns == ("arn:aws:s3:::films", "arn:aws:s3:::films/*")
    assert statement.principals is not None
    assert statement.principals.named == (("Service", "personalize.amazonaws.com"),)


def test_a_documented_trust_policy_has_two_conditions_and_no_resource() -> None:
    (statement,) = parse_policy(trust_document(), "the trust policy", Kind.TRUST).statements
    assert [condition.key for condition in statement.conditions] == ["aws:SourceAccount", "aws:SourceArn"]
    assert statement.resources is None


def test_one_statement_may_stand_alone() -> None:
    written = {"Version": "2012-10-17", "Statement": allow(Sid="Read")}
    (statement,) = parse_policy(written, "policy p", Kind.IDENTITY).statements
    assert statement.place == "statement 1 (Read) of policy p"


def test_everyone_is_every_account_and_every_service() -> None:
    (statement,) = parse_policy(document(allow(Principal="*")), "p", Kind.RESOURCE).statements
    assert statement.principals is not None
    assert statement.principals.named == (("AWS", "*"), ("Service", "*"))


def test_the_not_forms_are_negated() -> None:
    written = {"Effect": "Deny", "NotAction": "s3:*", "NotResource": ["a", "b"], "NotPrincipal": {"AWS": "1"}}
    (statement,) = parse_policy(document(written), "p", Kind.RESOURCE).statements
    assert statement.actions.negated
    assert statement.resources is not None
    assert statement.resources.negated
    assert statement.principals is not None
    assert statement.principals.negated


def test_conditions_may_hold_numbers_and_booleans() -> None:
    condition = {"Bool": {"aws:SecureTransport": False}, "NumericLessThan": {"s3:max-keys": [10, 2.5]}}
    (statement,) = parse_policy(document(allow(Condition=condition)), "p", Kind.IDENTITY).statements
    assert [each.values for each in statement.conditions] == [("false",), ("10", "2.5")]


@pytest.mark.parametrize(("version", "variables"), [("2012-10-17", True), ("2008-10-17", False)])
def test_variables_came_with_the_second_version(version: str, variables: bool) -> None:
    (statement,) = parse_policy(document(allow(), version=version), "p", Kind.IDENTITY).statements
    assert statement.variables is variables


def test_a_policy_without_a_version_is_of_the_first() -> None:
    (statement,) = parse_policy({"Statement": [allow()]}, "p", Kind.IDENTITY).statements
    assert not statement.variables


def test_what_is_not_json_is_told_with_its_line() -> None:
    with pytest.raises(DataProblem, match=r"bucket policy of films is not JSON: .*line 2"):
        parse_policy('{"Version":\n nothing}', "the bucket policy of films", Kind.RESOURCE)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ([], "must be a JSON object with Version and Statement"),
        ({"Version": "2012-10-18", "Statement": []}, "has Version '2012-10-18', which must be one of 2012-10-17"),
        ({"Statements": []}, "has the unknown element 'Statements'"),
        ({"Version": "2012-10-17"}, "needs Statement, an object or a list"),
    ],
)
def test_a_wrong_policy_is_named(written: Any, sentence: str) -> None:
    with pytest.raises(DataProblem, match=f"^The policy of r {sentence}"):
        parse_policy(written, "the policy of r", Kind.IDENTITY)


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("Allow", "must be a JSON object"),
        ({**allow(), "Actions": []}, "has the unknown element 'Actions'; known are Sid"),
        ({**allow(), "Effect": "allow"}, "has Effect 'allow', which must be 'Allow' or 'Deny'"),
        ({"Effect": "Allow", "Resource": "*"}, "needs Action or NotAction"),
        ({**allow(), "NotAction": "*"}, "has both Action and NotAction"),
        ({"Effect": "Allow", "Action": "*"}, "needs Resource"),
        ({**allow(), "Principal": "*"}, "cannot have Principal"),
        ({**allow(), "Action": {"s3": "*"}}, "has a value in Action that is not text"),
        ({**allow(), "Condition": {"StringEquals": "x"}}, "has a Condition that is not of the form"),
        ({**allow(), "Condition": {"StringEqual": {"a:b": "x"}}}, "has the unknown condition operator 'StringEqual'"),
        ({**allow(), "Condition": {"Bool": {"a:b": None}}}, "has a value in Condition.Bool.a:b that is not text"),
    ],
)
def test_a_wrong_statement_is_named_with_its_number(statement: Any, sentence: str) -> None:
    with pytest.raises(DataProblem, match=f"^Statement 2 of p {sentence}"):
        parse_policy(document(allow(), statement), "p", Kind.IDENTITY)


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (allow(), "needs Principal"),
        (allow(Principal="personalize.amazonaws.com"), "needs Principal"),
        (allow(Principal={"Services": "x"}), "has a Principal of unknown type 'Services'"),
        (allow(Principal="*", NotPrincipal="*"), "has both Principal and NotPrincipal"),
    ],
)
def test_a_bucket_policy_says_whom_it_means(statement: Any, sentence: str) -> None:
    with pytest.raises(DataProblem, match=f"^Statement 1 of p {sentence}"):
        parse_policy(document(statement), "p", Kind.RESOURCE)


def test_a_trust_policy_has_no_resource() -> None:
    with pytest.raises(DataProblem, match="cannot have Resource"):
        parse_policy(document(allow(Principal="*")), "p", Kind.TRUST)
