"""The objective of a solution: a column of Items to be raised beside relevance, and the metric that tells how far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl

from matinee.data.interactions import FloatArray
from matinee.errors import JobFailed
from matinee.evaluation.lists import Lists
from matinee.evaluation.metrics import DoubleArray
from matinee.models.adjusted import Adjusted
from matinee.models.base import Model

AVERAGE_REWARDS = "average_rewards_at_k"
#: How many deviations of a user's scores an item gains that stands one deviation above the mean of the column.
STRENGTHS: Mapping[str, float] = {"OFF": 0.0, "LOW": 0.2, "MEDIUM": 0.5, "HIGH": 1.0}
#: Deviations of the column beyond which an item gains or loses no more.
_BOUND = 2.5
_LEAST_REWARD = 1e-6


@dataclass(frozen=True)
class Objective:
    """`attribute` is a numeric column of Items, `sensitivity` one of OFF, LOW, MEDIUM and HIGH."""

    attribute: str
    sensitivity: str

    @classmethod
    def of(cls, solution_config: Mapping[str, Any]) -> Self | None:
        """The objective of a solution; None without one. With OFF there is one that changes nothing."""
        given: Mapping[str, Any] = solution_config.get("optimizationObjective") or {}
        if not given.get("itemAttribute"):
            return None
        return cls(str(given["itemAttribute"]), str(given.get("objectiveSensitivity") or "OFF"))

    @property
    def strength(self) -> float:
        """How much the column counts beside the scores."""
        return STRENGTHS[self.sensitivity]

    def values(self, item_ids: Sequence[str], items: pl.DataFrame) -> FloatArray:
        """The column for each item (n_items,), NaN where there is no value.

        Raises `JobFailed` when no item has one.
        """
        found = np.full(len(item_ids), np.nan)
        if self.attribute in items.columns:
            rows = pl.DataFrame({"ITEM_ID": list(item_ids)}, schema={"ITEM_ID": pl.String()}).join(
                items.select("ITEM_ID", value=pl.col(self.attribute).cast(pl.Float64)),
                on="ITEM_ID",
                how="left",
                maintain_order="left",
            )
            found = rows["value"].fill_null(float("nan")).to_numpy()
        if not np.isfinite(found).any():
            raise JobFailed(
                f"The optimization objective {self.attribute} has no value for any item that is trained on. "
                "Import items with values in that column, or make the solution without the objective."
            )
        return found.astype(np.float32)

    def adjust(self, model: Model, values: FloatArray) -> Model:
        """`model`, fitted, with the bonus of `values` (n_items,); itself where the objective is OFF."""
        if self.strength == 0:
            return model
        return Adjusted.of(model, bonus=bonus(values), strength=self.strength)


def bonus(values: FloatArray) -> FloatArray:
    """`values` (n_items,) with mean 0 and deviation 1 over the items that have one, within ±2.5; 0 for the others."""
    there = np.isfinite(values)
    scale = float(values[there].std()) or 1.0
    found = np.zeros(len(values), np.float32)
    found[there] = np.clip((values[there] - values[there].mean()) / scale, -_BOUND, _BOUND)
    return found


def rewards(lists: Lists, values: FloatArray) -> DoubleArray:
    """The share of the reward to be had that each list of 25 reaches: (cases,). Their mean is the metric (spec 5.2).

    A user's reward is the sum of the objective, scaled to (0, 1] over the items, over the items they went on to have:
    those in the list, divided by all. `values` (n_items,).
    """
    there = np.isfinite(values)
    low, high = float(values[there].min()), float(values[there].max())
    reward = np.where(there, (values - low) / max(high - low, 1e-12), 0.0) + _LEAST_REWARD
    reward = np.minimum(reward, 1.0)
    worth = reward[lists.wanted_item]
    in_list = (lists.ranked[lists.wanted_row] == lists.wanted_item[:, None]).any(axis=1)
    reached = np.bincount(lists.wanted_row, worth * in_list, minlength=len(lists))
    possible = np.bincount(lists.wanted_row, worth, minlength=len(lists))
    found: DoubleArray = reached / np.maximum(possible, _LEAST_REWARD)
    return found
