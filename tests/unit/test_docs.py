"""The generated pages say what the code says."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

_DOCS = Path(__file__).parents[2] / "docs"
_PAGES = runpy.run_path(str(_DOCS / "generate.py"))["PAGES"]


@pytest.mark.parametrize("name", sorted(_PAGES))
def test_generated_page_is_current(name: str) -> None:
    written = (_DOCS / name).read_text(encoding="utf-8")
    assert written == _PAGES[name](), "run: python docs/generate.py"


def test_every_adr_has_status_context_decision_and_consequences() -> None:
    pages = sorted((_DOCS / "adr").glob("*.md"))
    assert pages
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for part in ("Status:", "## Context", "## Decision", "## Consequences"):
            assert part in text, f"{page.name} lacks {part}"
