"""Delivery rules: which events of a dataset group have fresh recommendations sent where. Made by `matinee rules`."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from matinee.control.context import Caller
from matinee.control.records import now_ms
from matinee.errors import InvalidInput, ResourceAlreadyExists, ResourceNotFound
from matinee.filters.syntax import Dataset
from matinee.filters.written import Alternatives, read, written
from matinee.storage.metadata import deliveries, delivery_rules


@dataclass(frozen=True)
class Terms:
    """What a rule says beside its names. `when` is a condition as it was given, `checked` what the check made of it.

    `to` is a destination. `secrets` sign webhooks, the newest first; they stay out of the value's text, as does the
    destination, which may hold a password.
    """

    to: str = field(repr=False)
    event_type: str | None = None
    when: str | None = None
    checked: Alternatives = ()
    results: int = 25
    filter_arn: str | None = None
    tracking_id: str | None = None
    needs_item: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Rule:
    """One rule. `source_arn` is the campaign or recommender that recommends."""

    id: str
    account: str
    region: str
    name: str
    group_arn: str
    source_arn: str
    tracker_arn: str | None
    terms: Terms
    delivered: int
    created_at: int

    @property
    def caller(self) -> Caller:
        """In whose name recommendations are asked for."""
        return Caller(self.account, self.region)

    def asks(self, dataset: Dataset) -> bool:
        """Whether the condition looks at a dataset."""
        return any(one.field.dataset is dataset for conjunction in self.terms.checked for one in conjunction)


@dataclass(frozen=True)
class Standing:
    """A rule and what waits for it, or was given up."""

    rule: Rule
    pending: int
    dead: int


def add(
    connection: sa.Connection, caller: Caller, name: str, group_arn: str, source: str, tracker: str | None, terms: Terms
) -> Rule:
    """Write a rule; raises `ResourceAlreadyExists` when the account has one of the name in the region."""
    if any(rule.name == name for rule in every(connection, caller.account, caller.region)):
        raise ResourceAlreadyExists(f"There is a rule {name} already. Remove it first, or choose another name.")
    rule = Rule(str(uuid.uuid4()), caller.account, caller.region, name, group_arn, source, tracker, terms, 0, now_ms())
    connection.execute(sa.insert(delivery_rules).values({**vars(rule), "terms": _kept(terms)}))
    return rule


def find(connection: sa.Connection, account: str, region: str, name: str) -> Rule:
    """The rule of this name; raises `ResourceNotFound`, naming those there are."""
    rules = every(connection, account, region)
    for rule in rules:
        if rule.name == name:
            return rule
    names = ", ".join(rule.name for rule in rules) or "none"
    raise ResourceNotFound(f"Account {account} has no rule {name} in {region}; it has: {names}.")


def every(connection: sa.Connection, account: str | None = None, region: str | None = None) -> list[Rule]:
    """The rules of an account and region, or all, by age."""
    query = sa.select(delivery_rules).order_by(delivery_rules.c.created_at, delivery_rules.c.name)
    if account is not None:
        query = query.where(delivery_rules.c.account == account)
    if region is not None:
        query = query.where(delivery_rules.c.region == region)
    return [_rule(row._mapping) for row in connection.execute(query)]


def of_groups(connection: sa.Connection, groups: Collection[str]) -> dict[str, list[Rule]]:
    """The rules of some dataset groups; a group without any is left out."""
    query = sa.select(delivery_rules).where(delivery_rules.c.group_arn.in_(groups))
    found: dict[str, list[Rule]] = {}
    for row in connection.execute(query.order_by(delivery_rules.c.created_at)):
        found.setdefault(row.group_arn, []).append(_rule(row._mapping))
    return found


def standings(connection: sa.Connection, account: str | None = None, region: str | None = None) -> list[Standing]:
    """Rules with the number of deliveries that wait and of dead letters."""
    count = sa.select(deliveries.c.rule_id, deliveries.c.state, sa.func.count().label("n"))
    counted = {
        (row.rule_id, row.state): int(row.n)
        for row in connection.execute(count.group_by(deliveries.c.rule_id, deliveries.c.state))
    }
    return [
        Standing(rule, counted.get((rule.id, "PENDING"), 0), counted.get((rule.id, "DEAD"), 0))
        for rule in every(connection, account, region)
    ]


def change_secrets(connection: sa.Connection, rule: Rule, secrets: Sequence[str]) -> None:
    """Sign with these from the next attempt on."""
    if not rule.terms.secrets:
        raise InvalidInput(f"The rule {rule.name} signs nothing: only webhooks are signed.")
    terms = {**_kept(rule.terms), "secrets": list(secrets)}
    connection.execute(sa.update(delivery_rules).where(delivery_rules.c.id == rule.id).values(terms=terms))


def remove(connection: sa.Connection, rule_ids: Collection[str]) -> int:
    """Forget rules together with what waits for them and their dead letters; returns how many deliveries went."""
    gone = connection.execute(sa.delete(deliveries).where(deliveries.c.rule_id.in_(rule_ids))).rowcount
    connection.execute(sa.delete(delivery_rules).where(delivery_rules.c.id.in_(rule_ids)))
    return gone


def _rule(row: Mapping[Any, Any]) -> Rule:
    kept = dict(row["terms"])
    terms = Terms(**{**kept, "checked": read(kept["checked"]), "secrets": tuple(kept["secrets"])})
    return Rule(**{**row, "terms": terms})


def _kept(terms: Terms) -> dict[str, Any]:
    return {**vars(terms), "checked": written(terms.checked), "secrets": list(terms.secrets)}
