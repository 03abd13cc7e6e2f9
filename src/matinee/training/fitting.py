"""One fit of a plan, with what a training is given beside interactions: item features and the objective."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from matinee.data.interactions import FloatArray, Interactions
from matinee.evaluation.event_weights import NAME as WEIGHTED_NDCG
from matinee.evaluation.event_weights import weighted_ndcg
from matinee.evaluation.lists import Lists
from matinee.evaluation.metrics import DoubleArray
from matinee.evaluation.splits import Split
from matinee.models.base import FitOptions, ItemFeatures, Model
from matinee.models.registry import model_class
from matinee.recipes.models import ModelPlan
from matinee.training.catalogue import with_texts
from matinee.training.features import item_features, trained_columns
from matinee.training.objective import AVERAGE_REWARDS, Objective, rewards
from matinee.training.snapshot import Snapshot


@dataclass(frozen=True)
class Given:
    """`columns` of Items make up the `features`; `rewards` (n_items,) is the column of the `objective`.

    `weighs_events`: there is an eventsConfig, whose weights the metrics tell of.
    """

    columns: tuple[str, ...] = ()
    features: ItemFeatures | None = None
    objective: Objective | None = None
    rewards: FloatArray | None = None
    weighs_events: bool = False

    @classmethod
    def of(cls, snapshot: Snapshot, solution_config: Mapping[str, Any]) -> Self:
        """What a solution's trainings are given; raises `JobFailed` when the objective has no values."""
        objective = Objective.of(solution_config)
        return cls(
            columns=trained_columns(snapshot, solution_config),
            features=with_texts(item_features(snapshot, solution_config), snapshot, solution_config),
            objective=objective,
            rewards=None if objective is None else objective.values(snapshot.log.item_ids, snapshot.items),
            weighs_events=bool(solution_config.get("eventsConfig")),
        )

    def fit(self, plan: ModelPlan, data: Interactions, options: FitOptions) -> Model:
        """The plan's model, fitted, with the objective's bonus."""
        model = model_class(plan.model)(dict(plan.config)).fit(data, self.features, options)
        if self.objective is None or self.rewards is None:
            return model
        return self.objective.adjust(model, self.rewards)

    def per_case(self, split: Split, lists: Lists) -> dict[str, DoubleArray]:
        """What the service measures only where there is an objective, or a configuration of events: each (cases,)."""
        found: dict[str, DoubleArray] = {}
        if self.rewards is not None:
            found[AVERAGE_REWARDS] = rewards(lists, self.rewards)
        if self.weighs_events:
            found[WEIGHTED_NDCG] = weighted_ndcg(split, lists)
        return found

    def describe(self) -> dict[str, Any]:
        """What the manifest says of it."""
        about: dict[str, Any] = {"item_columns": list(self.columns)}
        if self.objective is not None:
            about["objective"] = {"attribute": self.objective.attribute, "sensitivity": self.objective.sensitivity}
        return about
