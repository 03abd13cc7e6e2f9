"""Filters as requests name them: by ARN, checked once, bound to the request's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from matinee.control import records
from matinee.control.context import Caller
from matinee.errors import InvalidInput, ResourceNotFound
from matinee.filters import check
from matinee.filters.binding import bind
from matinee.filters.syntax import Dataset, Filter, Target
from matinee.serving.freshness import FreshCache, View
from matinee.serving.groups import Groups

_GOING = ("DELETE PENDING", "DELETE IN_PROGRESS")


@dataclass(frozen=True, eq=False)
class StoredFilter:
    """A filter resource. `tree` is None until it is ACTIVE; `version` tells one state of it from the next."""

    status: str
    group_arn: str
    tree: Filter | None
    version: tuple[object, ...]


class AppliedFilters:
    """Filters by ARN, as of each request."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._cache: FreshCache[str, StoredFilter] = FreshCache(self._load, 4096)

    def bound(
        self,
        view: View,
        caller: Caller,
        arn: str,
        values: Mapping[str, str],
        *,
        group_arn: str,
        target: Target,
        related: bool,
    ) -> Filter:
        """The filter with this ARN, its placeholders filled; `related` says whether there is a current item.

        Raises `ResourceNotFound` when the caller has no such filter, `InvalidInput` when it is not ACTIVE, belongs to
        another group, filters something else, or the values do not fit.
        """
        stored = self.stored(view, caller, arn)
        if stored.tree is None:
            raise InvalidInput(f"The filter {arn} is {stored.status}; it can be used when it is ACTIVE.")
        if stored.group_arn != group_arn:
            raise InvalidInput(f"The filter {arn} belongs to another dataset group ({stored.group_arn}).")
        if stored.tree.target is not target:
            raise InvalidInput(f"The filter {arn} is for {stored.tree.target}; this call needs one for {target}.")
        if stored.tree.uses(Dataset.CURRENT_ITEM) and not related:
            raise InvalidInput(f"The filter {arn} uses CurrentItem, which only related-items recommendations have.")
        return bind(stored.tree, values)

    def stored(self, view: View, caller: Caller, arn: str) -> StoredFilter:
        """The caller's filter with this ARN, in whatever state; raises `ResourceNotFound` when there is none."""
        if arn.split(":")[3:5] != [caller.region, caller.account] or not arn.split(":")[5].startswith("filter/"):
            raise ResourceNotFound.of(arn)
        return self._cache.get(view, arn)

    def _load(self, view: View, arn: str, previous: StoredFilter | None) -> StoredFilter:
        row = records.find(view.connection, arn)
        if row is None or row.status in _GOING:
            raise ResourceNotFound.of(arn)
        group = self._groups.get(view, row["datasetGroupArn"])
        version = (row.seq, row.updated_at, group.version)
        if previous is not None and previous.version == version:
            return previous
        tree = check(row["filterExpression"], group.schemas) if row.status == "ACTIVE" else None
        return StoredFilter(str(row.status), row["datasetGroupArn"], tree, version)
