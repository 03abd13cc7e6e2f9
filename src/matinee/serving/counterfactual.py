"""Another version judged on the log of answers: what it would have shown at each place that exploration filled.

One decision is one place of a logged answer, given what stood above it. The other version's choice there is the best
item that it would have had left for that user at that moment, without exploration. Only answers from after the
version's training count: earlier ones may have been trained on, and their clicks would speak for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from matinee.control import lifecycle
from matinee.control.context import Caller
from matinee.control.records import Resource
from matinee.errors import InvalidInput
from matinee.evaluation.counterfactual import Decisions, Doubles, fold_of, item_rewards
from matinee.recipes.catalogue import Call, Method, find
from matinee.serving.asked import Asked
from matinee.serving.deployments import Deployment
from matinee.serving.freshness import View
from matinee.serving.ranking import best
from matinee.serving.scene import Scene, Stage, scores_of
from matinee.serving.streamed_events import StreamedEvent
from matinee.serving.user_state import user_state
from matinee.storage.metadata import Database, events, recommendations, session_links
from matinee.storage.objects import ObjectStore
from matinee.training.artifact import Artifact

#: Answers that are replayed together.
_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Replayed:
    """The decisions of `answers` answers to `users` users; what a reward model that has not seen a decision expects of
    what was `shown` there and of what the other version would have shown, `expected`: (n,) each."""

    answers: int
    users: int
    decisions: Decisions
    shown: Doubles
    expected: Doubles


@dataclass(frozen=True)
class _Place:
    """One place: what stood there with what chance, what the other version has for it (None: nothing), the answer."""

    item: str
    propensity: float
    other: str | None
    answer: str
    user: str


class Replay:
    """Asks a version what it would have answered, moment by moment."""

    def __init__(self, database: Database, objects: ObjectStore, version: Resource) -> None:
        """Raises `InvalidInput` for a version that has no model or answers no GetRecommendations for a user."""
        recipe, prefix = find(version["recipeArn"]), version.private.get("artifact")
        if recipe.call is not Call.RECOMMENDATIONS or recipe.item_recipe or recipe.method is Method.TRENDS:
            raise InvalidInput(f"{version.arn} is of {recipe.name}, which does not recommend items to a user.")
        if prefix is None or version.status != "ACTIVE":
            raise InvalidInput(f"{version.arn} is {version.status}; only an ACTIVE version can be judged.")
        self._database, self._stage, self._version = database, Stage(objects), version
        self._artifact = Artifact.open(objects.local(prefix))
        self._deployment = Deployment(
            arn=version.arn,
            account=version.account,
            region=version.region,
            status="ACTIVE",
            group_arn=version["datasetGroupArn"],
            recipe=recipe,
            config={},
            artifact=self._artifact,
            prefix=prefix,
            version=(version.seq,),
        )

    def decisions(self, arn: str, clicks: Sequence[str], most: int) -> Replayed:
        """The decisions of the newest `most` explored answers of a campaign or recommender; a click is worth 1.

        `clicks` are event types. Raises `InvalidInput` where there is no log, no answer since the training, no click.
        """
        with ExitStack() as resources:
            view = View(self._database, 1, resources)
            rows = self._answers(view.connection, arn, most)
            places = [place for some in _blocks(rows) for place in self._places(view, some)]
            clicked = self._clicked(view.connection, {row.id for row in rows}, clicks, min(row.at for row in rows))
        if not any((place.answer, place.item) in clicked for place in places):
            raise InvalidInput(
                f"No event of type {' or '.join(clicks)} carries the recommendationId of one of these {len(rows)} "
                "answers and the itemId of what it explored. Send recommendationId with PutEvents, or name other types."
            )
        rewards = np.array([(place.answer, place.item) in clicked for place in places], np.float64)
        return _replayed(places, rewards, len(rows))

    def _answers(self, connection: sa.Connection, arn: str, most: int) -> list[Any]:
        c = recommendations.c
        explored = sa.and_(c.arn == arn, c.group_arn == self._deployment.group_arn, c.propensities.is_not(None))
        query = sa.select(c.id, c.user_id, c["items"], c.propensities, c.at).where(explored).order_by(c.seq.desc())
        since = int(self._version.private.get(lifecycle.ARTIFACT_AT, self._version.updated_at))
        # JSON null is a value to a database; it is told from SQL's here.
        newest = connection.execute(query.where(c.at > since).limit(most))
        rows: list[Any] = [row for row in newest if row.propensities]
        if rows:
            return rows
        if any(row.propensities for row in connection.execute(query.limit(most))):
            raise InvalidInput(
                f"All logged answers of {arn} are older than {self._version.arn}, which may have been trained on what "
                "came of them. Let the campaign go on for a while, then ask again."
            )
        raise InvalidInput(
            f"There are no logged answers with exploration of {arn} in the dataset group of {self._version.arn}. Its "
            "itemExplorationConfig must explore (explorationWeight above 0), there must be young items, and "
            "MATINEE_RECOMMENDATION_LOG_DAYS and MATINEE_RECOMMENDATION_LOG_EXPLORED must be above 0."
        )

    def _places(self, view: View, rows: Sequence[Any]) -> Iterator[_Place]:
        scenes = [self._scene(view, row) for row in rows]
        for row, scene, scores in zip(rows, scenes, scores_of(scenes), strict=True):
            order = [scene.items.item_id(int(n)) for n in best(scores, scene.automatic(), len(row.items))]
            taken = {item for item, chance in zip(row.items, row.propensities, strict=True) if chance is None}
            for item, chance in zip(row.items, row.propensities, strict=True):
                if chance is not None and chance > 0:
                    other = next((one for one in order if one not in taken), None)
                    yield _Place(item, min(1.0, chance), other, row.id, row.user_id or row.id)
                taken.add(item)

    def _scene(self, view: View, row: Any) -> Scene:
        """What the version is asked about: the user with the events that had come in before the answer."""
        deployment, artifact = self._deployment, self._artifact
        group, items = self._stage.catalogue(view, deployment.group_arn, artifact)
        streamed = _before(view.connection, deployment.group_arn, row.user_id, row.at) if row.user_id else ()
        history = artifact.user_history(row.user_id or "")
        asked = Asked(
            arn=deployment.arn,
            kind="solution",
            user_id=row.user_id,
            item_id=None,
            results=len(row.items),
            filter=None,
            promotion=None,
            context={},
            metadata={},
            now=row.at // 1000,
        )
        state = user_state(history, artifact.event_types, streamed, items, artifact.trained_types)
        attributes = self._stage.attributes(view, group, artifact, row.user_id)
        caller = Caller(deployment.account, deployment.region)
        return Scene(view, caller, asked, deployment, artifact, group, items, state, attributes=attributes)

    def _clicked(
        self, connection: sa.Connection, answers: set[str], clicks: Sequence[str], since: int
    ) -> set[tuple[str, str]]:
        """(answer, item) of every click on one of the answers."""
        query = sa.select(events.c.item_id, events.c.details).where(
            events.c.group_arn == self._deployment.group_arn,
            events.c.received_at >= since,
            sa.func.lower(events.c.event_type).in_(sorted(one.lower() for one in clicks)),
        )
        found = (((details or {}).get("recommendationId"), item) for item, details in connection.execute(query))
        return {(answer, str(item)) for answer, item in found if answer in answers}


def _before(connection: sa.Connection, group_arn: str, user: str, moment: int) -> list[StreamedEvent]:
    """A user's events that had arrived before `moment`, epoch ms, with those of their sessions, oldest first."""
    c, links = events.c, session_links.c
    sessions = sa.select(links.session_id).where(links.group_arn == group_arn, links.user_id == user)
    anonymous = sa.and_(c.user_id.is_(None), sa.or_(c.session_id == user, c.session_id.in_(sessions)))
    query = sa.select(c.item_id, c.event_type, c.sent_at).where(
        c.group_arn == group_arn,
        c.item_id.is_not(None),
        c.received_at < moment,
        sa.or_(c.user_id == user, anonymous),
    )
    rows = connection.execute(query.order_by(c.sent_at, c.seq)).all()
    return [StreamedEvent(item, kind.lower(), sent_at) for item, kind, sent_at in rows]


def _replayed(places: Sequence[_Place], rewards: Doubles, answers: int) -> Replayed:
    names = sorted({place.item for place in places} | {place.other for place in places if place.other is not None})
    number = {name: at for at, name in enumerate(names)}
    users = {user: at for at, user in enumerate(dict.fromkeys(place.user for place in places))}
    items = np.array([number[place.item] for place in places], np.int64)
    others = np.array([-1 if place.other is None else number[place.other] for place in places], np.int64)
    groups = np.array([users[place.user] for place in places], np.int64)
    propensities = np.array([place.propensity for place in places], np.float64)
    decisions = Decisions(rewards, propensities, (items == others).astype(np.float64), groups)
    model, fold = item_rewards(items, rewards, groups, len(names)), fold_of(groups)
    expected = np.where(others < 0, 0.0, model[fold, np.maximum(others, 0)])
    return Replayed(answers, len(users), decisions, model[fold, items], expected)


def _blocks(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (rows[begin : begin + _AT_ONCE] for begin in range(0, len(rows), _AT_ONCE))
