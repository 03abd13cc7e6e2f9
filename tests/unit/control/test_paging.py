"""Pages: nothing skipped, nothing repeated, no token but one's own."""

from __future__ import annotations

import base64

import pytest
from tests.unit.control.tenant import Tenant

from matinee.control.paging import position_of, token_of
from matinee.errors import InvalidNextToken


def names(page: dict[str, object]) -> list[str]:
    """The names of the schemas on a page."""
    listed = page["schemas"]
    assert isinstance(listed, list)
    return [summary["name"] for summary in listed]


def test_pages_follow_the_order_of_creation(tenant: Tenant) -> None:
    made = ["b", "a", "d", "c", "e"]
    for name in made:
        tenant.schema(name)
    seen, token = [], None
    while True:
        page = tenant.list_schemas(maxResults=2, **({"nextToken": token} if token else {}))
        assert len(page["schemas"]) <= 2
        seen += names(page)
        token = page.get("nextToken")
        if token is None:
            break
    assert seen == made


def test_a_full_last_page_has_no_token(tenant: Tenant) -> None:
    tenant.schema("a")
    tenant.schema("b")
    assert "nextToken" not in tenant.list_schemas(maxResults=2)


def test_what_comes_and_goes_between_pages_neither_skips_nor_repeats(tenant: Tenant) -> None:
    arns = [tenant.schema(name) for name in "abcd"]
    first = tenant.list_schemas(maxResults=2)
    tenant.delete_schema(schemaArn=arns[1])
    tenant.delete_schema(schemaArn=arns[3])
    tenant.schema("e")
    rest = tenant.list_schemas(nextToken=first["nextToken"])
    assert names(first) + names(rest) == ["a", "b", "c", "e"]


def test_a_hundred_by_default(tenant: Tenant) -> None:
    for number in range(101):
        tenant.schema(f"s{number}")
    page = tenant.list_schemas()
    assert len(page["schemas"]) == 100
    assert names(tenant.list_schemas(nextToken=page["nextToken"])) == ["s100"]


@pytest.mark.parametrize(
    "token", ["x", "AAAA", "ä", "  ", base64.urlsafe_b64encode(b"0" * 12 + b"5").decode(), "=" * 40]
)
def test_a_made_up_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidNextToken, match="start again without it"):
        position_of("listing", token)


def test_an_altered_token_is_refused() -> None:
    token = token_of("listing", 41)
    raw = bytearray(base64.urlsafe_b64decode(token))
    raw[-1] ^= 1
    with pytest.raises(InvalidNextToken):
        position_of("listing", base64.urlsafe_b64encode(bytes(raw)).decode())


def test_a_token_stands_for_its_position_in_its_own_listing() -> None:
    assert position_of("listing", token_of("listing", 41)) == 41
    with pytest.raises(InvalidNextToken):
        position_of("another", token_of("listing", 41))


def test_a_token_of_another_list_is_refused(tenant: Tenant) -> None:
    tenant.schema("a")
    tenant.schema("b")
    token = tenant.list_schemas(maxResults=1)["nextToken"]
    with pytest.raises(InvalidNextToken):
        tenant.list_dataset_groups(nextToken=token)


def test_a_token_of_another_region_is_refused(tenant: Tenant) -> None:
    tenant.schema("a")
    tenant.schema("b")
    token = tenant.list_schemas(maxResults=1)["nextToken"]
    with pytest.raises(InvalidNextToken):
        Tenant(tenant.plane, region="eu-west-1").list_schemas(nextToken=token)
