"""The expressions of metric attributions: SUM(Items.COLUMN), SUM(Interactions.COLUMN) and SAMPLECOUNT()."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SUM = re.compile(r"SUM\(\s*(ITEMS|INTERACTIONS)\.(\w+)\s*\)", re.IGNORECASE)
_COUNT = re.compile(r"SAMPLECOUNT\(\s*\)", re.IGNORECASE)


@dataclass(frozen=True)
class Expression:
    """What is added up: a column of a dataset (`ITEMS` or `INTERACTIONS`), or the events themselves."""

    dataset: str | None = None
    column: str | None = None

    @property
    def function(self) -> str:
        """Its name in report files."""
        return "samplecount" if self.dataset is None else "sum"

    @property
    def place(self) -> str | None:
        """`ITEMS.PRICE`: what is added up, in upper case; None for a count."""
        return None if self.dataset is None else f"{self.dataset}.{self.column}".upper()


@dataclass(frozen=True)
class Metric:
    """One metric of an attribution. It counts events that arrived at `since`, epoch milliseconds, or later."""

    number: int
    name: str
    event_type: str
    expression: Expression
    since: int

    @classmethod
    def stored(cls, metric: Mapping[str, Any], created_at: int) -> Metric:
        """A metric as the attribution's row holds it; `created_at` is the attribution's."""
        expression = parse(metric["expression"]) or Expression()
        since = max(created_at, metric.get("since", 0))
        return cls(metric["number"], metric["metricName"], metric["eventType"], expression, since)


def parse(text: str) -> Expression | None:
    """The expression, its column as it was written; None when it is none."""
    summed = _SUM.fullmatch(text.strip())
    if summed is not None:
        return Expression(summed.group(1).upper(), summed.group(2))
    return Expression() if _COUNT.fullmatch(text.strip()) else None
