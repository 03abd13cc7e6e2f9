"""What events are looked up by: where recommendations came from, and the numbers of items."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import sqlalchemy as sa

from matinee.control import records
from matinee.control.metric_expressions import Metric
from matinee.control.records import Resource
from matinee.jobs.task import Workshop
from matinee.serving.dataset_records import RecordReader
from matinee.serving.freshness import View
from matinee.serving.groups import Groups
from matinee.serving.recommendation_ids import answered_by
from matinee.storage.metadata import recommendations, resources

_AT_ONCE = 500


@dataclass(frozen=True)
class Attribution:
    """One ACTIVE attribution: its row and its metrics."""

    resource: Resource
    metrics: tuple[Metric, ...]

    @classmethod
    def of(cls, resource: Resource) -> Attribution:
        """The attribution of a row."""
        stored = resource.private["metrics"]
        return cls(resource, tuple(Metric.stored(metric, resource.created_at) for metric in stored))

    @property
    def arn(self) -> str:
        """Its ARN."""
        return self.resource.arn

    @property
    def group(self) -> str:
        """Its dataset group's ARN."""
        return str(self.resource["datasetGroupArn"])

    def places(self, dataset: str) -> tuple[str, ...]:
        """What its metrics sum of a dataset, as `ITEMS.PRICE`, each once."""
        summed = (metric.expression for metric in self.metrics if metric.expression.dataset == dataset)
        return tuple(dict.fromkeys(str(expression.place) for expression in summed))

    @property
    def output(self) -> str | None:
        """The folder of its reports, with the closing `/`."""
        destination = self.resource["metricsOutputConfig"].get("s3DataDestination")
        return None if destination is None else f"{destination['path'].rstrip('/')}/"


def attribution_of_group(connection: sa.Connection, group_arn: str) -> Attribution | None:
    """The ACTIVE attribution of a dataset group, if there is one."""
    found = records.newest_child(connection, group_arn, "metric-attribution", "ACTIVE")
    return None if found is None else Attribution.of(found)


def recommended_by(connection: sa.Connection, group_arn: str, ids: Iterable[str]) -> dict[str, str]:
    """Recommendation ID to the ARN of the campaign or recommender of the group that gave it; unknown ones left out.

    The log of answers says it, also of campaigns that are gone; an answer that was not logged tells it by its ID.
    """
    found: dict[str, str] = {}
    wanted = sorted(set(ids))
    rest = iter(wanted)
    while some := list(itertools.islice(rest, _AT_ONCE)):
        query = sa.select(recommendations.c.id, recommendations.c.arn).where(
            recommendations.c.id.in_(some), recommendations.c.group_arn == group_arn
        )
        found.update({row.id: row.arn for row in connection.execute(query)})
    unlogged = [one for one in wanted if one not in found]
    sources = _recommending(connection, group_arn) if unlogged else []
    told = {one: answered_by(one, sources) for one in unlogged}
    return found | {one: arn for one, arn in told.items() if arn is not None}


def _recommending(connection: sa.Connection, group_arn: str) -> list[str]:
    """The campaigns and recommenders of a dataset group."""
    c = resources.c
    solutions = sa.select(c.arn).where(c.kind == "solution", c.parent == group_arn)
    campaign = (c.kind == "campaign") & c.parent.in_(solutions)
    query = sa.select(c.arn).where(campaign | ((c.kind == "recommender") & (c.parent == group_arn)))
    return list(connection.scalars(query.order_by(c.seq)))


def item_values(
    workshop: Workshop, connection: sa.Connection, group_arn: str, places: Sequence[str], items: Iterable[str]
) -> dict[str, Mapping[str, object]]:
    """For each place of Items its numbers by item ID, as the items' newest records have them now."""
    if not places:
        return {}
    with ExitStack() as resources:
        view = _Borrowed(workshop, connection, resources)
        dataset = Groups().get(view, group_arn).datasets.get("ITEMS")
        known = None if dataset is None else RecordReader(workshop.objects).get(view, dataset)
    rows = {item: {} if known is None else known.get(item) for item in set(items)}
    by_place: dict[str, Mapping[str, object]] = {}
    for place in places:
        column = place.partition(".")[2]
        values = {item: {name.upper(): value for name, value in row.items()}.get(column) for item, row in rows.items()}
        by_place[place] = {item: value for item, value in values.items() if isinstance(value, int | float)}
    return by_place


class _Borrowed(View):
    """A view through a connection that is open already."""

    def __init__(self, workshop: Workshop, connection: sa.Connection, resources: ExitStack) -> None:
        super().__init__(workshop.database, None, resources)
        self._connection = connection
