"""The parity page speaks of everything in the service models, and of nothing else."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache

import pytest
from docs import parity
from docs.parity_evidence import NotUnderstood, handlers, holds
from docs.parity_models import Member, members_of, models

STATUSES = (parity.SUPPORTED, parity.DIFFERS, parity.NOT_VERIFIED)


@cache
def sections() -> dict[str, str]:
    """Operation to what the page says of it."""
    page = parity.parity_page()
    return dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", page, flags=re.DOTALL | re.MULTILINE))


def test_all_79_operations_have_their_section() -> None:
    assert set(sections()) == set(models())
    assert len(sections()) == 79


@pytest.mark.parametrize("operation", sorted(models()))
def test_every_member_stands_in_its_section_once_for_each_side(operation: str) -> None:
    for answered, side in ((False, "request"), (True, "answer")):
        lines = [line for line in sections()[operation].splitlines() if line.startswith(f"- {side}, ")]
        listed = [path for line in lines for path in re.findall(r"[ *]`([\w.]+)`[*,:\n]|`([\w.]+)`$", line)]
        told = [first or second for first, second in listed]
        for member in members_of(operation):
            if member.answered is answered:
                assert member.path in told, f"{side} {member.path}"


@pytest.mark.parametrize("note", parity.notes(), ids=lambda note: f"{note.operations[0]} {note.says[:30]}")
def test_a_note_names_what_exists(note: parity.Note) -> None:
    assert note.status in STATUSES
    assert note.says.endswith((".", "}"))
    for operation in note.operations:
        assert any(fnmatchcase(name, operation) for name in models()), operation
    for pattern in note.members:
        named = [name for name in models() if any(fnmatchcase(name, one) for one in note.operations)]
        paths = [member.path for name in named for member in members_of(name)]
        assert any(fnmatchcase(path, pattern) for path in paths), pattern
    assert note.only is None or holds(note.only) in (True, False)


def test_every_operation_has_a_handler() -> None:
    assert set(handlers()) == set(models())


def test_a_member_that_no_code_names_has_no_standing() -> None:
    assert parity.member_standing("CreateDataset", Member("neverHeardOf", False, False), []) is None


def test_without_evidence_there_is_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parity, "named_by", lambda module: frozenset())
    with pytest.raises(parity.NoEvidence, match=r"CreateFilter\.filterExpression"):
        parity.parity_page()


def test_a_condition_without_meaning_is_refused() -> None:
    with pytest.raises(NotUnderstood):
        holds("perhaps: export")


def test_a_place_that_is_not_there_is_refused() -> None:
    with pytest.raises(parity.NoEvidence, match="does not exist"):
        parity.check_exists("matinee.control.paging:nothing")
