"""Values as text."""

from __future__ import annotations

from typing import Any

import pytest

from matinee.serving.metadata import as_text, wanted_columns


@pytest.mark.parametrize(
    ("value", "text"),
    [(130.0, "130.0"), (1979, "1979"), (True, "true"), (False, "false"), ("A|B", "A|B")],
)
def test_point_11_values_are_text(value: Any, text: str) -> None:
    assert as_text(value) == text


def test_a_request_without_metadata_needs_nothing_enabled() -> None:
    assert wanted_columns({}, None, enabled=False, results=500) == ()
