"""What a delivery says: the recommendations of the moment it is sent, for the user whose event caused it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matinee.delivery.outbox import Delivery
from matinee.delivery.rules import Rule
from matinee.filters.evaluation import event_facts, may_hold
from matinee.filters.syntax import Dataset
from matinee.serving.dataset_records import RecordReader
from matinee.serving.freshness import Freshness, View
from matinee.serving.groups import Groups
from matinee.serving.runtime import Runtime
from matinee.settings import Settings
from matinee.storage.metadata import Database
from matinee.storage.objects import ObjectStore

#: Dataset of a condition to the type of the dataset that holds its records.
_RECORDS = {Dataset.CURRENT_USER: "USERS", Dataset.ITEMS: "ITEMS"}


class Recommending:
    """Answers for deliveries; used by several threads at once."""

    def __init__(self, database: Database, objects: ObjectStore, settings: Settings) -> None:
        self._runtime = Runtime(database, objects, settings)
        self._objects = objects
        self._freshness = Freshness(database)
        self._groups, self._records = Groups(), RecordReader(objects)
        self._erasures: dict[str, object] = {}

    def data(self, rule: Rule, delivery: Delivery) -> dict[str, Any] | None:
        """The `data` of the CloudEvent; None when the user or the item does not meet the rule's condition after all.

        Raises the `ApiError` with which recommendations are refused.
        """
        if not self._meets(rule, delivery):
            return None
        answer = self._runtime.get_recommendations(rule.caller, _request(rule, delivery))
        event = {name: value for name, value in delivery.event.items() if name != "receivedAt"}
        return {"rule": rule.name, "userId": delivery.user, "event": event, **answer}

    def close(self) -> None:
        """Give back what it holds of the database."""
        self._runtime.close()
        self._freshness.close()

    def _meets(self, rule: Rule, delivery: Delivery) -> bool:
        wanted = [dataset for dataset in _RECORDS if rule.asks(dataset)]
        if not wanted:
            return True  # what the event itself says was asked when it came
        ids = {Dataset.CURRENT_USER: delivery.user, Dataset.ITEMS: delivery.event.get("itemId")}
        with self._freshness.view() as view:
            facts = {dataset: self._record(view, rule.group_arn, dataset, ids[dataset]) for dataset in wanted}
        return may_hold(rule.terms.checked, {Dataset.INTERACTIONS: event_facts(delivery.event), **facts})

    def _record(self, view: View, group_arn: str, dataset: Dataset, one: str | None) -> Mapping[str, Any]:
        group = self._groups.get(view, group_arn)
        if self._erasures.setdefault(group_arn, group.erasures) != group.erasures:
            self._erasures[group_arn] = group.erasures
            self._records = RecordReader(self._objects)  # it may hold users that were deleted since
        held = group.datasets.get(_RECORDS[dataset])
        return {} if held is None or one is None else self._records.get(view, held).get(one)


def _request(rule: Rule, delivery: Delivery) -> dict[str, Any]:
    member = "recommenderArn" if ":recommender/" in rule.source_arn else "campaignArn"
    request = {member: rule.source_arn, "userId": delivery.user, "numResults": rule.terms.results}
    if rule.terms.needs_item:
        request["itemId"] = delivery.event["itemId"]
    if rule.terms.filter_arn is not None:
        request["filterArn"] = rule.terms.filter_arn
    return request
