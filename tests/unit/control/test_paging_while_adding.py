"""Pages of a List while resources are added, on both databases: nothing skipped, nothing repeated."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.unit.control.tenant import Tenant

BEFORE, WRITERS, EACH = 25, 4, 15


@pytest.fixture
def filled(tenant: Tenant) -> Tenant:
    """A tenant with `BEFORE` schemas."""
    for number in range(BEFORE):
        tenant.schema(f"before-{number:02d}")
    return tenant


def pages(tenant: Tenant, size: int, between: Callable[[], object] = lambda: None) -> list[str]:
    """The names on all pages of ListSchemas in turn, `between` called before each page but the first."""
    found: list[str] = []
    token: dict[str, Any] = {}
    while True:
        answer = tenant.list_schemas(maxResults=size, **token)
        assert len(answer["schemas"]) <= size
        found += [summary["name"] for summary in answer["schemas"]]
        if "nextToken" not in answer:
            return found
        token = {"nextToken": answer["nextToken"]}
        between()


@pytest.mark.parametrize("size", [1, 7])
def test_what_is_added_between_pages_comes_last_and_once(filled: Tenant, size: int) -> None:
    names = [f"added-{number}" for number in range(5)]
    waiting = list(names)
    seen = pages(filled, size, between=lambda: filled.schema(waiting.pop(0)) if waiting else None)
    before = [f"before-{number:02d}" for number in range(BEFORE)]
    added = len(names) - len(waiting)
    assert added
    # What is added while the last page is fetched belongs to no page any more.
    assert seen == [*before, *names[:added]]


def test_pages_read_while_others_write_are_the_beginning_of_the_whole(filled: Tenant) -> None:
    """A row that becomes visible late, with a number already passed, would be skipped here."""

    def write(writer: int) -> None:
        for number in range(EACH):
            filled.schema(f"writer-{writer}-{number}")

    with ThreadPoolExecutor(WRITERS) as pool:
        writing = [pool.submit(write, writer) for writer in range(WRITERS)]
        readings = [pages(filled, 3)]
        while not all(one.done() for one in writing):
            readings.append(pages(filled, 3))
        for one in writing:
            one.result()
    whole = pages(filled, 100)
    assert len(whole) == len(set(whole)) == BEFORE + WRITERS * EACH
    for seen in readings:
        assert seen == whole[: len(seen)]
        assert len(seen) >= BEFORE
