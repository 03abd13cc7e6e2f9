"""What is known of users and of the occasions of events, as numbers: in trainings, and in the requests that follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import polars as pl

from matinee.data.interactions import FloatArray, InteractionLog
from matinee.data.schemas import Schema
from matinee.training.columns import ColumnEncoder

#: Columns of Interactions that say what an event is, not on what occasion it happened.
_OF_EVENTS = frozenset(
    {
        "USER_ID",
        "ITEM_ID",
        "TIMESTAMP",
        "EVENT_TYPE",
        "EVENT_VALUE",
        "IMPRESSION",
        "RECOMMENDATION_ID",
        "EVENT_ATTRIBUTION_SOURCE",
    }
)

#: A value that fewer users share is not read: it says more of who they are than of what they like.
_FEWEST_USERS = 5


@dataclass(frozen=True)
class InputColumns:
    """How the `context` of a request or event and the `attributes` of a user are read."""

    context: ColumnEncoder = field(default_factory=ColumnEncoder)
    attributes: ColumnEncoder = field(default_factory=ColumnEncoder)

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """The columns that `as_dict` told."""
        return cls(**{name: ColumnEncoder.from_dict(one) for name, one in told.items()})

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {"context": self.context.as_dict(), "attributes": self.attributes.as_dict()}

    def context_row(self, context: Mapping[str, str]) -> FloatArray | None:
        """The context of a request, keys in any case, as (1, c); None where no context was trained on."""
        if not self.context.width:
            return None
        return self.context.encode([{key.upper(): value for key, value in context.items()}])

    def attribute_row(self, record: Mapping[str, Any]) -> FloatArray | None:
        """A user's record, column to value, as (1, a); None where no attributes were trained on."""
        return self.attributes.encode([record]) if self.attributes.width else None


def occasion_columns(schema: Schema | None) -> tuple[str, ...]:
    """The columns of Interactions that may say on what occasion an event happened."""
    return () if schema is None else tuple(field.name for field in schema.fields if field.name not in _OF_EVENTS)


def with_inputs(
    log: InteractionLog, users: pl.DataFrame, interactions_schema: Schema | None, users_schema: Schema | None
) -> tuple[InteractionLog, InputColumns]:
    """The log with its `occasions` and its users' records as numbers beside the events; and how they were read."""
    frame = pl.DataFrame() if log.occasions is None else log.occasions
    context = ColumnEncoder.of(frame, interactions_schema, keep=frame.columns)
    data = log.interactions
    if context.width:
        data = replace(data, context=context.encode_frame(frame))
    attributes = ColumnEncoder()
    if "USER_ID" in users.columns:
        ids = pl.DataFrame({"USER_ID": log.user_ids}, schema={"USER_ID": pl.String()})
        own = ids.join(users, on="USER_ID", how="left", maintain_order="left")
        attributes = ColumnEncoder.of(own, users_schema, least=_FEWEST_USERS)
        if attributes.width:
            data = replace(data, attributes=attributes.encode_frame(own).toarray())
    return replace(log, interactions=data, occasions=None), InputColumns(context, attributes)


def narrowed(
    log: InteractionLog, columns: InputColumns, solution_config: Mapping[str, Any]
) -> tuple[InteractionLog, InputColumns]:
    """The same with the columns alone that a solution lets be trained on."""
    context, of_context = columns.context.places(_kept(solution_config, "INTERACTIONS", columns.context))
    attributes, of_users = columns.attributes.places(_kept(solution_config, "USERS", columns.attributes))
    data = log.interactions
    if data.context is not None:
        data = replace(data, context=data.context[:, of_context] if context.width else None)
    if data.attributes is not None:
        data = replace(data, attributes=data.attributes[:, of_users] if attributes.width else None)
    return replace(log, interactions=data), InputColumns(context, attributes)


def _kept(solution_config: Mapping[str, Any], dataset: str, encoder: ColumnEncoder) -> Sequence[str]:
    """The columns of a dataset that `includedDatasetColumns`, or all but `excludedDatasetColumns`, leave."""
    config: Mapping[str, Any] = solution_config.get("trainingDataConfig") or {}
    named = {
        member: {kind.upper(): frozenset(names) for kind, names in (config.get(member) or {}).items()}
        for member in ("includedDatasetColumns", "excludedDatasetColumns")
    }
    included = named["includedDatasetColumns"].get(dataset)
    excluded = named["excludedDatasetColumns"].get(dataset, frozenset())
    return [
        column
        for column in dict.fromkeys((*(name for name, _ in encoder.categories), *(one[0] for one in encoder.numbers)))
        if (included is None or column in included) and column not in excluded
    ]
