"""Users by how much they are drawn to an item or to attributes, for many queries at once. Spec 10.3.

All users pass by in blocks, and only the best of them are kept: memory does not grow with the number of lines, and with
the number of users only as far as they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from matinee.control.context import Caller
from matinee.control.records import Resource
from matinee.data.interactions import FloatArray, Histories, LongArray
from matinee.errors import ApiError, InvalidInput, JobFailed
from matinee.filters import check
from matinee.filters.columns import Mask
from matinee.filters.evaluation import Request, allowed
from matinee.filters.syntax import Compared, Condition, Dataset, Field, Filter, Placeholder, Target, Verb
from matinee.filters.table import Table
from matinee.models.affinity import Affinity
from matinee.recipes.catalogue import find
from matinee.serving.asked import FilterAsked
from matinee.serving.batch_input import id_of, texts_of, told
from matinee.serving.freshness import View
from matinee.serving.groups import Group
from matinee.serving.item_table import ItemTable
from matinee.serving.scene import Stage
from matinee.serving.user_table import UsersOfItem, user_table
from matinee.storage.metadata import Database
from matinee.storage.objects import ObjectStore
from matinee.training.artifact import Artifact

#: Queries of one pass over the users, as many as a file of the service may hold (spec 10.3).
MOST_AT_ONCE = 500
#: Users kept for the queries of one pass together, 12 bytes each while they are chosen.
_MOST_KEPT = 4_000_000
_USERS_AT_ONCE = 2048
_LEAST_ROOM = 65_536


@dataclass(frozen=True)
class SegmentAnswer:
    """What became of one line: user IDs, the most drawn first; or an error."""

    users: Sequence[str] = ()
    error: str | None = None


@dataclass(frozen=True)
class _Query:
    """One line: numbers of the items (k,), whose sum counts, and the filter that its users must pass."""

    items: LongArray
    item_id: str | None
    filter: Filter | None


class _Best:
    """The `k` best users so far, with room for as many again before the worst are dropped."""

    def __init__(self, k: int) -> None:
        self._k = k
        self._scores: list[FloatArray] = []
        self._users: list[LongArray] = []
        self._held = 0

    def add(self, scores: FloatArray, users: LongArray) -> None:
        """Consider these users."""
        self._scores.append(scores)
        self._users.append(users.astype(np.int32))
        self._held += len(users)
        if self._held > 2 * max(self._k, _LEAST_ROOM):
            self._keep(np.sort)

    def users(self) -> LongArray:
        """The best, best first; ties by number."""
        self._keep(lambda places: places)
        return self._users[0].astype(np.int64)

    def _keep(self, order: Callable[[LongArray], LongArray]) -> None:
        scores = np.concatenate([np.zeros(0, np.float32), *self._scores])
        users = np.concatenate([np.zeros(0, np.int32), *self._users])
        best = order(np.lexsort((users, -scores))[: self._k])
        self._scores, self._users, self._held = [scores[best]], [users[best]], len(best)


class Segmenter:
    """Answers the lines of a batch segment job with the users of a solution version, as they were at its training."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        version: Resource,
        *,
        results: int,
        filter_arn: str | None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Opens the artifact of `version`; `check` is called now and then and may raise to stop.

        Raises `JobFailed` without a model that makes segments, `ArtifactProblem` for a damaged one.
        """
        prefix = version.private.get("artifact")
        artifact = None if prefix is None else Artifact.open(objects.local(prefix))
        if artifact is None or not isinstance(artifact.model, Affinity):
            raise JobFailed(f"{version.arn} has no trained model of segments. Train the solution again.")
        self._database, self._stage = database, Stage(objects)
        self._artifact, self._model = artifact, artifact.model
        self._caller = Caller(account=version.account, region=version.region)
        self._group_arn, self._recipe = version["datasetGroupArn"], find(version["recipeArn"])
        self._results, self._filter_arn, self._check = min(results, artifact.n_users), filter_arn, check
        self._views = 0

    @property
    def at_once(self) -> int:
        """How many lines to give to one `segments`."""
        return max(1, min(MOST_AT_ONCE, _MOST_KEPT // max(1, self._results)))

    def segments(self, values: Sequence[Any]) -> list[SegmentAnswer]:
        """What becomes of each line, a JSON value, in order. One that cannot be answered has its error."""
        answers: dict[int, SegmentAnswer] = {}
        with ExitStack() as resources:
            self._views += 1
            view = View(self._database, self._views, resources)
            group, items = self._stage.catalogue(view, self._group_arn, self._artifact)
            queries: dict[int, _Query] = {}
            masks: dict[int, Mask] = {}
            users = self._users(view, group) if self._filter_arn is not None else None
            for at, value in enumerate(values):
                try:
                    queries[at] = query = self._query(view, group, items, value)
                    if users is not None and query.filter is not None:
                        masks[at] = self._allowed(view, users, query.filter, query.item_id)
                except ApiError as refusal:
                    answers[at] = SegmentAnswer(error=told(refusal))
        best = {at: _Best(self._results) for at in queries}
        for begin in range(0, self._artifact.n_users if queries else 0, _USERS_AT_ONCE):
            self._check()
            end = min(begin + _USERS_AT_ONCE, self._artifact.n_users)
            numbers = np.arange(begin, end)
            scores = self._scores(self._artifact.histories(begin, end), list(queries.values()))
            for at, own in zip(queries, scores, strict=True):
                kept = masks[at][begin:end] if at in masks else slice(None)
                best[at].add(own[kept], numbers[kept])
        names = self._artifact.user_ids
        for at in queries:
            answers[at] = SegmentAnswer([names[int(user)] for user in best[at].users()])
        return [answers[at] for at in range(len(values))]

    def _scores(self, users: Histories, queries: Sequence[_Query]) -> list[FloatArray]:
        """Each query's scores (len(users),); queries of one item are looked up together."""
        single = [at for at, query in enumerate(queries) if len(query.items) == 1]
        found: dict[int, FloatArray] = {}
        if single:
            together = self._model.each(users, np.concatenate([queries[at].items for at in single]))
            found = {at: np.ascontiguousarray(together[:, column]) for column, at in enumerate(single)}
        return [found[at] if at in found else self._model.drawn(users, queries[at].items) for at in range(len(queries))]

    def _query(self, view: View, group: Group, items: ItemTable, given: Any) -> _Query:
        """What one line asks for. Raises `InvalidInput`, for missing members in the service's recorded words."""
        if not isinstance(given, Mapping):
            raise InvalidInput("User error: a line of the input must be a JSON object.")
        values = texts_of(given, "filterValues")
        if values and self._filter_arn is None:
            raise InvalidInput("User error: filterValues are given, but the job has no filterArn.")
        if self._recipe.item_recipe:
            member, item_id = "itemId", id_of(given.get("itemId"), "itemId")
            found = None if item_id is None else np.array([_number(self._artifact, item_id)])
        else:
            member, item_id = "itemAttributes", None
            expression = given.get("itemAttributes")
            found = matching(str(expression), group, items) if expression else None
        if found is None:
            raise InvalidInput(f"User error: Required fields for the provided recipe are {member}")
        bound = None
        if self._filter_arn is not None:
            asked = FilterAsked(self._filter_arn, values)
            bound = self._stage.bound(view, self._caller, asked, self._group_arn, Target.USER)
        return _Query(found, item_id, bound)

    def _users(self, view: View, group: Group) -> Table:
        dataset = group.datasets.get("USERS")
        return user_table(self._artifact, None if dataset is None else self._stage.records(view, dataset))

    def _allowed(self, view: View, users: Table, bound: Filter, item_id: str | None) -> Mask:
        """The users that a filter lets through (n_users,)."""
        if item_id is None and bound.uses(Dataset.INTERACTIONS):
            raise InvalidInput(f"Filters on Interactions cannot be used with {self._recipe.name}: it asks for no item.")
        events = UsersOfItem(view, self._artifact, self._group_arn, item_id or "")
        return allowed(bound, users, Request(events=events))


def _number(artifact: Artifact, item_id: str) -> int:
    found = artifact.item_index(item_id)
    return -1 if found is None else found


def matching(expression: str, group: Group, items: ItemTable) -> LongArray:
    """The model's items that an expression describes (k,): `ITEMS.genres = "Comedy" AND ITEMS.price = 5`.

    Raises `InvalidInput` for anything but fields of Items compared with `=` and joined by AND, and when it describes no
    item that the model knows.
    """
    tree = check(f"INCLUDE ItemID WHERE {expression}", group.schemas)
    if len(tree.expressions) > 1 or tree.expressions[0].guards or tree.expressions[0].verb is not Verb.INCLUDE:
        raise InvalidInput(_ONLY_EQUAL)
    (conditions, *others) = tree.expressions[0].alternatives
    if others or not all(_is_equality(condition) for condition in conditions):
        raise InvalidInput(_ONLY_EQUAL)
    found = np.flatnonzero(items.table.where((conditions,))[: items.n_model])
    if not len(found):
        raise InvalidInput(f"No item that users have interacted with meets {expression}.")
    return found


def _is_equality(condition: Condition) -> bool:
    if not isinstance(condition, Compared) or isinstance(condition.value, Placeholder | Field):
        return False
    return condition.operator == "=" and condition.field.dataset is Dataset.ITEMS


_ONLY_EQUAL = (
    'itemAttributes takes conditions on Items with = and AND only, such as ITEMS.genres = "Comedy" AND '
    'ITEMS.genres = "Action".'
)
