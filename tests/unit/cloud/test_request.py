"""What a request carries."""

from __future__ import annotations

from matinee.cloud.request import Context, Principal


def test_keys_are_alike_in_any_case() -> None:
    context = Context.of({"aws:SourceAccount": "1"}, unknown=["aws:PrincipalOrgID"])
    assert context.values("AWS:sourceaccount") == ("1",)
    assert context.values("aws:principalorgid") is None


def test_what_is_neither_known_nor_unknown_is_absent() -> None:
    assert Context.of({}, unknown=["s3:x-amz-*"]).values("s3:prefix") == ()


def test_an_unknown_key_may_be_a_pattern() -> None:
    assert Context.of({}, unknown=["aws:ResourceTag/*"]).values("aws:resourcetag/Team") is None


def test_a_known_value_goes_before_an_unknown_pattern() -> None:
    context = Context.of({}, unknown=["s3:*"]).with_values({"s3:prefix": "in/"})
    assert context.values("s3:Prefix") == ("in/",)


def test_a_sessions_arn_leaves_the_roles_path_out() -> None:
    principal = Principal.role("arn:aws-cn:iam::123456789012:role/a/b/reader", "s")
    assert principal.session == "arn:aws-cn:sts::123456789012:assumed-role/reader/s"
    assert principal.account == "123456789012"
