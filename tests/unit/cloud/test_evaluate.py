"""AWS's evaluation of policies: a table from its documentation, and what holds for all policies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.cloud.documents import (
    ACCOUNT,
    BUCKET,
    OBJECT,
    OTHER,
    ROLE,
    ROOT,
    SERVICE,
    SESSION,
    USER,
    Document,
    access_document,
    allow,
    bucket_document,
    decide,
    deny,
    document,
    trust_document,
)

from matinee.cloud.evaluate import Layer
from matinee.cloud.request import Context

_READ = document(allow("s3:GetObject"))
_NO_READ = document(allow("s3:ListBucket"))


def _for(principal: Any, **more: Any) -> Document:
    return document(allow("s3:GetObject", f"{BUCKET}/*", Principal=principal, **more))


@pytest.mark.parametrize(
    ("who", "given", "missing"),
    [
        # One account: either the identity's policy or the bucket's is enough.
        ("session", {}, (Layer.IDENTITY,)),
        ("session", {"policies": [_READ]}, ()),
        ("session", {"policies": [_NO_READ]}, (Layer.IDENTITY,)),
        ("session", {"policies": [_NO_READ, _READ]}, ()),
        ("session", {"bucket": _for({"AWS": ROLE})}, ()),
        ("session", {"bucket": _for({"AWS": SESSION})}, ()),
        ("session", {"bucket": _for("*")}, ()),
        ("session", {"bucket": _for({"AWS": "*"})}, ()),
        ("session", {"bucket": _for({"AWS": USER})}, (Layer.IDENTITY,)),
        ("session", {"bucket": _for({"Service": SERVICE})}, (Layer.IDENTITY,)),
        ("user", {"bucket": _for({"AWS": USER})}, ()),
        ("user", {"policies": [_READ]}, ()),
        # The account as principal leaves the decision to the identity's policies.
        ("session", {"bucket": _for({"AWS": ROOT})}, (Layer.IDENTITY,)),
        ("session", {"bucket": _for({"AWS": ACCOUNT}), "policies": [_READ]}, ()),
        # Two accounts: both have to allow.
        ("session", {"owner": OTHER, "policies": [_READ]}, (Layer.RESOURCE,)),
        ("session", {"owner": OTHER, "bucket": _for({"AWS": ROLE})}, (Layer.IDENTITY,)),
        ("session", {"owner": OTHER, "bucket": _for({"AWS": ROLE}), "policies": [_READ]}, ()),
        ("session", {"owner": OTHER, "bucket": _for({"AWS": ROOT}), "policies": [_READ]}, ()),
        # A permissions boundary limits identities' policies and grants to a role, not grants to a session or user.
        ("session", {"policies": [_READ], "boundary": _READ}, ()),
        ("session", {"policies": [_READ], "boundary": _NO_READ}, (Layer.BOUNDARY,)),
        ("session", {"boundary": _READ}, (Layer.IDENTITY,)),
        ("session", {"bucket": _for({"AWS": ROLE}), "boundary": _NO_READ}, (Layer.BOUNDARY,)),
        ("session", {"bucket": _for({"AWS": SESSION}), "boundary": _NO_READ}, ()),
        ("user", {"bucket": _for({"AWS": USER}), "boundary": _NO_READ}, ()),
        # A service has no identity policies: the bucket decides.
        ("service", {}, (Layer.RESOURCE,)),
        ("service", {"bucket": _for({"Service": SERVICE})}, ()),
        ("service", {"bucket": _for({"Service": ["ec2.amazonaws.com", SERVICE]})}, ()),
        ("service", {"bucket": _for({"Service": "ec2.amazonaws.com"})}, (Layer.RESOURCE,)),
        ("service", {"bucket": _for({"AWS": ROLE})}, (Layer.RESOURCE,)),
        ("service", {"bucket": _for("*")}, ()),
        ("service", {"bucket": _for({"Federated": "cognito-identity.amazonaws.com"})}, (Layer.RESOURCE,)),
        # Everything that is not excepted.
        ("session", {"policies": [document({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})]}, ()),
        (
            "session",
            {"policies": [document({"Effect": "Allow", "NotAction": "s3:Get*", "Resource": "*"})]},
            (Layer.IDENTITY,),
        ),
        ("session", {"policies": [document({"Effect": "Allow", "Action": "*", "NotResource": BUCKET})]}, ()),
        (
            "session",
            {"policies": [document({"Effect": "Allow", "Action": "*", "NotResource": f"{BUCKET}/*"})]},
            (Layer.IDENTITY,),
        ),
        # Patterns of actions and resources.
        ("session", {"policies": [document(allow("S3:get*", f"{BUCKET}/in/?.csv"))]}, ()),
        ("session", {"policies": [document(allow("s3:GetObject", BUCKET))]}, (Layer.IDENTITY,)),
        ("session", {"policies": [document(allow("s3:GetObject", f"{BUCKET}/IN/*"))]}, (Layer.IDENTITY,)),
    ],
)
def test_without_a_deny_each_kind_that_has_a_say_must_allow(
    who: str, given: dict[str, Any], missing: tuple[Layer, ...]
) -> None:
    decision = decide(who, **given)
    assert decision.missing == missing
    assert decision.allowed is not bool(missing)


_DENY_ALL_BUT_BOB = {"Effect": "Deny", "Action": "*", "Resource": "*", "NotPrincipal": {"AWS": USER}}


@pytest.mark.parametrize(
    "given",
    [
        {"policies": [document(allow(), deny("s3:*"))]},
        {"policies": [document(allow()), document(deny("s3:GetObject", OBJECT))]},
        {"bucket": document(allow(Principal="*"), deny(Principal="*"))},
        {"bucket": document(allow(Principal="*"), deny(Principal={"AWS": ROLE}))},
        {"bucket": document(allow(Principal="*"), deny(Principal={"AWS": ROOT}))},
        {"policies": [_READ], "boundary": document(allow(), deny())},
        {"policies": [_READ], "bucket": document(_DENY_ALL_BUT_BOB)},
    ],
)
def test_any_deny_refuses_and_is_named(given: dict[str, Any]) -> None:
    decision = decide(**given)
    assert not decision.allowed
    assert [statement.effect for statement in decision.by] == ["Deny"]
    assert decision.missing == ()


def _not_principal(*arns: str, service: str | None = None) -> Document:
    named: Document = {"AWS": list(arns)} if arns else {}
    excepted = {**named, **({"Service": service} if service else {})}
    return document(allow(Principal="*"), {**_DENY_ALL_BUT_BOB, "NotPrincipal": excepted})


def test_an_exception_of_a_deny_names_the_identity_and_its_account() -> None:
    decision = decide(bucket=_not_principal(ROLE, ROOT))
    assert decision.allowed
    assert decision.assumed == ()


@pytest.mark.parametrize("named", [ROLE, ROOT])
def test_an_exception_that_names_only_one_of_both_is_read_in_favour(named: str) -> None:
    decision = decide(bucket=_not_principal(named))
    assert decision.allowed
    assert [statement.effect for statement in decision.assumed] == ["Deny"]


def test_an_exception_of_a_deny_never_holds_for_an_identity_with_a_boundary() -> None:
    assert not decide(bucket=_not_principal(ROLE, ROOT), boundary=document(allow())).allowed


def test_an_exception_for_the_service_is_none_for_the_role() -> None:
    written = _not_principal(service=SERVICE)
    assert decide("service", bucket=written).allowed
    assert not decide("session", bucket=written, policies=[_READ]).allowed


def test_a_deny_with_a_condition_that_is_not_met_does_nothing() -> None:
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    written = document(allow(Principal="*"), deny(Principal="*", Condition=insecure))
    assert decide(bucket=written, context=Context.of({"aws:SecureTransport": "true"})).allowed
    assert not decide(bucket=written, context=Context.of({"aws:SecureTransport": "false"})).allowed


def test_an_allow_with_a_condition_that_is_not_met_gives_nothing() -> None:
    written = document(allow(Condition={"StringLike": {"s3:prefix": "in/*"}}))
    listing: dict[str, Any] = {"action": "s3:ListBucket", "on": BUCKET, "policies": [written]}
    assert decide(**listing, context=Context.of({"s3:prefix": "in/films/"})).allowed
    assert not decide(**listing, context=Context.of({"s3:prefix": "out/"})).allowed
    assert not decide(**listing).allowed


def test_what_cannot_be_known_is_read_in_favour_and_told() -> None:
    org = {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}
    written = document(allow(Principal="*"), deny(Principal="*", Condition=org))
    decision = decide(bucket=written, context=Context.of({}, unknown=["aws:PrincipalOrgID"]))
    assert decision.allowed
    assert [statement.effect for statement in decision.assumed] == ["Deny"]
    assert not decide(bucket=written).allowed


def test_a_variable_in_a_resource_stands_for_its_value() -> None:
    written = document(allow("s3:GetObject", f"{BUCKET}/${{aws:PrincipalTag/folder}}/*"))
    assert decide(policies=[written], context=Context.of({"aws:PrincipalTag/folder": "in"})).allowed
    assert not decide(policies=[written], context=Context.of({"aws:PrincipalTag/folder": "out"})).allowed
    assert not decide(policies=[written]).allowed


def test_a_variable_without_a_value_makes_no_exception() -> None:
    written = document({"Effect": "Allow", "Action": "*", "NotResource": f"{BUCKET}/${{aws:PrincipalTag/none}}"})
    assert not decide(policies=[written]).allowed


@pytest.mark.parametrize(
    ("principal", "policies", "allowed"),
    [
        ({"AWS": ROOT}, [], False),
        ({"AWS": ROOT}, [document(allow("sts:AssumeRole"))], True),
        ({"AWS": USER}, [], True),
        ({"Service": SERVICE}, [document(allow("sts:AssumeRole"))], False),
    ],
)
def test_a_role_is_reached_through_its_trust_policy_only(
    principal: Document, policies: list[Document], allowed: bool
) -> None:
    written = document(allow("sts:AssumeRole", ROLE, Principal=principal))
    assert decide("user", action="sts:AssumeRole", on=ROLE, policies=policies, bucket=written).allowed is allowed


_KEYS = {"aws:SourceAccount": (ACCOUNT, OTHER), "s3:prefix": ("in/", "out/"), "aws:SourceVpce": ("vpce-1",)}
_CONDITIONS = st.sampled_from(sorted(_KEYS)).flatmap(
    lambda key: st.builds(
        lambda operator, value: {operator: {key: value}},
        st.sampled_from(["StringEquals", "StringNotEquals", "StringLikeIfExists", "ForAnyValue:StringEquals"]),
        st.sampled_from([*_KEYS[key], "*"]),
    )
)
_STATEMENTS = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Action": st.sampled_from(["*", "s3:GetObject", "s3:Get*", "s3:ListBucket"]),
        "Resource": st.sampled_from(["*", BUCKET, f"{BUCKET}/*", OBJECT]),
    },
    optional={"Condition": _CONDITIONS},
)
_NAMED = st.sampled_from(["*", {"AWS": ROLE}, {"AWS": ROOT}, {"Service": SERVICE}, {"AWS": USER}])
_FOR_BUCKETS = st.builds(lambda statement, named: {**statement, "Principal": named}, _STATEMENTS, _NAMED)
_CONTEXTS = st.builds(
    lambda known, unknown: Context.of({k: v for k, v in known.items() if v}, unknown),
    st.fixed_dictionaries({key: st.sampled_from([None, *values]) for key, values in _KEYS.items()}),
    st.sets(st.sampled_from(sorted(_KEYS))),
)
_SITUATIONS = st.fixed_dictionaries(
    {
        "who": st.sampled_from(["service", "session", "user"]),
        "owner": st.sampled_from([ACCOUNT, OTHER]),
        "context": _CONTEXTS,
        "identity": st.lists(_STATEMENTS, max_size=3),
        "bucket": st.lists(_FOR_BUCKETS, max_size=3),
        "boundary": st.none() | st.lists(_STATEMENTS, max_size=3),
    }
)


def _allowed(situation: dict[str, Any]) -> bool:
    boundary = situation["boundary"]
    return decide(
        situation["who"],
        owner=situation["owner"],
        context=situation["context"],
        policies=[document(*situation["identity"])],
        bucket=document(*situation["bucket"]),
        boundary=None if boundary is None else document(*boundary),
    ).allowed


def _with(situation: dict[str, Any], part: str, statement: Document) -> dict[str, Any]:
    return {**situation, part: [*(situation[part] or []), statement]}


@given(_SITUATIONS, _STATEMENTS, _NAMED, st.sampled_from(["identity", "bucket"]))
def test_one_more_deny_never_allows(situation: dict[str, Any], statement: Document, named: Any, part: str) -> None:
    added = {**statement, "Effect": "Deny", **({"Principal": named} if part == "bucket" else {})}
    assert _allowed(situation) or not _allowed(_with(situation, part, added))


@given(_SITUATIONS, _STATEMENTS, _NAMED, st.sampled_from(["identity", "bucket"]))
def test_one_more_allow_never_refuses(situation: dict[str, Any], statement: Document, named: Any, part: str) -> None:
    added = {**statement, "Effect": "Allow", **({"Principal": named} if part == "bucket" else {})}
    assert _allowed(_with(situation, part, added)) or not _allowed(situation)


@given(_SITUATIONS, st.randoms(use_true_random=False))
def test_the_order_of_statements_is_irrelevant(situation: dict[str, Any], chance: Any) -> None:
    shuffled = {**situation, **{part: list(situation[part]) for part in ("identity", "bucket")}}
    for part in ("identity", "bucket"):
        chance.shuffle(shuffled[part])
    assert _allowed(shuffled) is _allowed(situation)


@given(_SITUATIONS)
def test_a_boundary_never_allows(situation: dict[str, Any]) -> None:
    assert _allowed({**situation, "boundary": None}) or not _allowed(situation)


@given(_SITUATIONS)
def test_nothing_is_allowed_without_an_allow(situation: dict[str, Any]) -> None:
    for part in ("identity", "bucket"):
        situation[part] = [{**statement, "Effect": "Deny"} for statement in situation[part]]
    assert not _allowed(situation)


@given(_SITUATIONS)
def test_a_deny_of_everything_refuses(situation: dict[str, Any]) -> None:
    assert not _allowed(_with(situation, "bucket", deny(Principal="*")))


@given(_SITUATIONS, st.fixed_dictionaries({key: st.sampled_from(values) for key, values in _KEYS.items()}))
def test_knowing_more_never_turns_a_refusal_around(situation: dict[str, Any], values: dict[str, str]) -> None:
    context = situation["context"]
    learned = {key: value for key, value in values.items() if context.values(key) is None}
    assert _allowed(situation) or not _allowed({**situation, "context": context.with_values(learned)})


def test_the_documented_policies_fit_together() -> None:
    assert decide("session", policies=[access_document()]).allowed
    assert decide("service", bucket=bucket_document()).allowed
    context = Context.of({"aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"arn:aws:personalize:us-east-1:{ACCOUNT}:x"})
    trust = document({**trust_document()["Statement"][0], "Resource": ROLE})
    assert decide("service", action="sts:AssumeRole", on=ROLE, bucket=trust, context=context).allowed
