"""The runtime API: GetRecommendations, GetPersonalizedRanking and GetActionRecommendations."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
import orjson
import structlog
from prometheus_client import CollectorRegistry

from matinee.control.context import Caller
from matinee.data.interactions import FloatArray
from matinee.errors import InvalidInput
from matinee.filters.columns import Mask
from matinee.recipes.catalogue import Call
from matinee.serving.actions import ActionRecommender
from matinee.serving.answer_cache import AnswerCache, Elements, Looked
from matinee.serving.answer_key import AnswerKeys
from matinee.serving.answers import EXPLORATION, PROMOTED, ranked, recommended
from matinee.serving.asked import actions_asked, ranking_asked, recommendations_asked
from matinee.serving.capacity import Capacity
from matinee.serving.event_loop import WouldBlock
from matinee.serving.explanations import explained, explanation_asked
from matinee.serving.explorer import Explorer
from matinee.serving.freshness import Freshness, View
from matinee.serving.managed_exploration import ManagedExploration
from matinee.serving.metadata import metadata, wanted_columns
from matinee.serving.preloading import Preloader
from matinee.serving.quick_answers import EncodedCall, QuickAnswer, QuickAnswers
from matinee.serving.ranking import Entry, best, interleave, probabilities, promoted_count
from matinee.serving.recommendation_ids import new_id
from matinee.serving.recommendation_log import RecommendationLog, Recommended
from matinee.serving.scene import Scene, Stage, scores_of
from matinee.serving.trial import interleaved
from matinee.settings import Settings
from matinee.storage.cache.layers import open_caches
from matinee.storage.metadata import Database
from matinee.storage.objects import ObjectStore

_log = structlog.get_logger(__name__)
Done = TypeVar("Done")
Handler = Callable[[Caller, Mapping[str, Any]], dict[str, Any]]


@dataclass(eq=False, slots=True)
class _Begun:
    """A call whose answer is not put together yet; `scores` (scene.size,) once the model was asked.

    `rival` is the other version while an experiment interleaves two, `take_back` what the call undoes to begin anew.
    """

    scene: Scene
    rival: Scene | None
    looked: Looked
    take_back: Callable[[], None] | None
    scores: FloatArray | None = None


class Runtime:
    """The three operations of the runtime API. Handlers are synchronous and may run in several threads at once."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        settings: Settings,
        random: np.random.Generator | None = None,
        clock: Callable[[], float] = time.time,
        *,
        registry: CollectorRegistry | None = None,
        share: float = 1.0,
    ) -> None:
        """`random` places promotions, `clock` tells the time in epoch seconds; tests give their own.

        Metrics go to `registry`. `share` is this process's part of the server's capacity.
        """
        self.settings, self._clock = settings, clock
        self._freshness = Freshness(database)
        self.capacity = Capacity(settings.max_tps, share=share, registry=registry)
        self._stage = Stage(
            objects, settings.trending_refresh, self.capacity, settings.histories_mb, settings.popularity_refresh
        )
        self._answers = AnswerCache(open_caches(settings), AnswerKeys(self._stage), registry)
        #: A quarter of what the cache may take, beside it: entries are the answers' bytes once more.
        self._quick = QuickAnswers(settings.cache_mb * 2**18)
        self._random = np.random.default_rng() if random is None else random
        self.preloader = Preloader(database, self._stage.deployments, self.capacity)
        self._explorer = Explorer(settings.exploration_refresh, self._random)
        self._managed = ManagedExploration(settings.managed_exploration, self._random)
        self._log = RecommendationLog(database, settings, registry)
        self._actions = ActionRecommender(self._stage, self._random)

    def operations(self) -> Mapping[str, Handler]:
        """Operation name to handler."""
        return {
            "GetRecommendations": self.get_recommendations,
            "GetPersonalizedRanking": self.get_personalized_ranking,
            "GetActionRecommendations": self.get_action_recommendations,
        }

    def close(self) -> None:
        """Give back what it holds of the database."""
        self.preloader.close()
        self._log.close()
        self._answers.close()
        self._freshness.close()

    def get_recommendations(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        """The best items for a user, or like an item, best first."""
        with self._freshness.view() as view:
            items, recommendation, _ = self._finished(self._begun(view, caller, params))
        return {"itemList": items, "recommendationId": recommendation}

    def known(self, caller: Caller, body: bytes) -> QuickAnswer | None:
        """The answer to a GetRecommendations with this body, where it was given before and nothing has changed."""
        if not self.settings.cache_mb:
            return None
        with self._freshness.view() as view:
            found = self._quick.find(view.stamp, (caller.account, caller.region, body))
        if found is None or not found.holds(int(self._clock())):
            return None
        # Where one of its places is to show a new item, the answer is made anew.
        return found if not found.places or self._managed.passes(found.places) else None

    def again(self, answer: QuickAnswer) -> bytes:
        """The body of an answer that is given again. Raises `Throttling` as the first time."""
        self.capacity.admit(answer.deployment)
        self._answers.found_quickly()
        return _body(answer.start, new_id(answer.deployment.arn))

    def compute(self, calls: Sequence[EncodedCall]) -> list[bytes | Exception]:
        """The body that answers each GetRecommendations, or what it raised; those of one model are scored together."""
        with self._freshness.view() as view:
            begun = [_tried(view, partial(self._begun, view, call.caller, call.params)) for call in calls]
            self._score_together([one for one in begun if isinstance(one, _Begun)])
            return [
                _tried(view, partial(self._written, view, call, one)) if isinstance(one, _Begun) else one
                for call, one in zip(calls, begun, strict=True)
            ]

    def _begun(self, view: View, caller: Caller, params: Mapping[str, Any]) -> _Begun:
        """A GetRecommendations up to what there is of its answer in the cache."""
        asked = recommendations_asked(params, int(self._clock()))
        scene, *rival = self._stage.scenes(view, caller, asked, Call.RECOMMENDATIONS)
        return _Begun(scene, rival[0] if rival else None, self._answers.look(scene), view.take_back)

    def _score_together(self, begun: Sequence[_Begun]) -> None:
        """Ask each model once for the scores of all calls that need them."""
        alike: dict[int, list[_Begun]] = {}
        for one in begun:
            model = one.scene.alike
            if one.looked.found is None and model is not None:
                alike.setdefault(id(model), []).append(one)
        for group in alike.values():
            try:
                found = list(scores_of([one.scene for one in group]))
            except Exception:  # whose call it is shows when each is scored by itself
                _log.warning("calls could not be scored together", calls=len(group), exc_info=True)
                continue
            for one, scores in zip(group, found, strict=True):
                one.scores = scores

    def _written(self, view: View, call: EncodedCall, begun: _Begun) -> bytes:
        """The body of an answer; kept by the request's bytes where it may be given again."""
        view.take_back = begun.take_back
        items, recommendation, scene = self._finished(begun)
        start = b'{"itemList":' + orjson.dumps(items)
        if scene is not None and view.stamp is not None:
            newest, bucket = self._answers.age(scene)
            places = self._managed.places(scene, 0, len(items))
            until = None if scene.artifact.model.recent_days is None else self._stage.recent_events.good_until()
            answer = QuickAnswer(call.params, scene.deployment, start, newest, bucket, places, until)
            self._quick.keep(view.stamp, (call.caller.account, call.caller.region, call.body), answer)
        return _body(start, recommendation)

    def _finished(self, begun: _Begun) -> tuple[list[dict[str, Any]], str, Scene | None]:
        """The items of an answer and its recommendationId; the scene, where the items hold until something changes."""
        scene, rival, looked = begun.scene, begun.rival, begun.looked
        found = looked.found or self._answers.keep(looked.key, self._recommended(scene, begun.scores))
        found, explored = self._with_new_items(scene, found)
        items = self._mixed(found)
        if rival is not None:
            # While an experiment interleaves two versions: nobody knows the propensities of the mixture.
            other = self._mixed(self._answers.elements(rival, lambda: self._recommended(rival)))
            mixed, teams = interleaved((items, other), begun.scene.asked.results, self._random)
            return mixed, self._logged(scene, mixed, {}, teams), None
        # What is logged, drawn for each call or counted by the clock is not to be given again unseen.
        known = found.kept and not explored
        holds = known and not found.promoted and not self._logs(scene, found) and scene.trend is None
        return items, self._logged(scene, items, found.propensities), scene if holds else None

    def _with_new_items(self, scene: Scene, found: Elements) -> tuple[Elements, bool]:
        """The answer with new items in the places that explore unasked, and whether there are any."""
        places = self._managed.places(scene, len(found.promoted), len(found.others))
        exploring = self._managed.draw(places) if places else []
        if not exploring:
            return found, False
        shown = [scene.number(one["itemId"]) for one in (*found.promoted, *found.others)]
        allowed = scene.automatic() & self._stage.allowed(scene, scene.asked.filter)
        allowed[shown] = False
        others, columns = list(found.others), _metadata_columns(scene)
        chosen = self._managed.choose(self._managed.new_items(scene), allowed, len(exploring))
        for place, item in zip(exploring, chosen, strict=False):
            entry = Entry(item, reason=EXPLORATION)
            others.insert(place, _element(scene, scene.items.item_id(item), entry, columns))
        return found._replace(others=others[:places]), True

    def _mixed(self, found: Elements) -> list[dict[str, Any]]:
        """The elements of one version's answer in the order of their places."""
        return interleave(found.promoted, found.others, self._random) if found.promoted else found.others

    def _logs(self, scene: Scene, found: Elements) -> bool:
        """Whether answers like this one go to the log, always or now and then."""
        return self._log.share(explored=bool(found.propensities), tried=scene.deployment.tried) > 0

    def explain(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        """What carried each recommendation, by the past events that weigh most, `numContributions` of them (10).

        Explained are the best items of this GetRecommendations call, as the model alone sees them, or `itemIds`.
        Returns what `explanations.explained` does. Neither explores nor is logged.
        """
        wanted, call = explanation_asked(params)
        asked = recommendations_asked(call, int(self._clock()))
        with self._freshness.view() as view:
            scene = self._stage.scene(view, caller, asked, Call.RECOMMENDATIONS)
            scene.check_context()
            scores = scene.scores()
            if wanted.items:
                numbers = [scene.number(item) for item in wanted.items]
                strange = [item for item, at in zip(wanted.items, numbers, strict=True) if at >= scene.items.unknown]
                if strange:
                    raise InvalidInput(f"itemIds: there is no item {strange[0]!r} in {scene.deployment.group_arn}.")
            else:
                numbers = best(
                    scores, scene.automatic() & self._stage.allowed(scene, asked.filter), asked.results
                ).tolist()
        return explained(scene, scores, numbers, wanted.events)

    def get_personalized_ranking(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        """The given items in the order of their worth to a user; what the model does not know stands last."""
        asked = ranking_asked(params, int(self._clock()))
        with self._freshness.view() as view:
            scene = self._stage.scene(view, caller, asked, Call.RANKING)
            ranking = self._answers.elements(scene, lambda: self._ranked(scene)).others
        return {"personalizedRanking": ranking, "recommendationId": self._logged(scene, ranking, {})}

    def get_action_recommendations(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        """The actions that a user is likeliest to take, best first, each with its probability; 0.0 when unknown yet."""
        asked = actions_asked(params)
        with self._freshness.view() as view:
            chosen = self._actions.recommend(view, caller, asked)
        actions = [{"actionId": action, "score": score} for action, score in chosen]
        return {"actionList": actions, "recommendationId": new_id(asked.arn)}

    def _recommended(self, scene: Scene, scores: FloatArray | None = None) -> Elements:
        """The steps of GetRecommendations. Without exploration they end the same until something they read changes.

        `scores` (scene.size,) where the model was asked already.
        """
        asked = scene.asked
        scene.check_context()
        columns = _metadata_columns(scene)
        scores = scene.scores() if scores is None else scores
        automatic = scene.automatic()
        allowed = automatic & self._stage.allowed(scene, asked.filter)
        promoted = self._promoted(scene, scores, automatic)
        exploring = self._explorer.explore(scene, scores, _without(allowed, promoted))
        others = recommended(scene, scores, allowed, self._random, exploring=exploring, without=promoted)
        explored = [] if exploring is None else others
        chances = {scene.items.item_id(one.item): one.propensity for one in explored if one.propensity is not None}
        return Elements(_elements(scene, promoted, columns), _elements(scene, others, columns), chances)

    def _ranked(self, scene: Scene) -> Elements:
        """The steps of GetPersonalizedRanking."""
        scene.check_context()
        columns = _metadata_columns(scene)
        scores = scene.scores()
        allowed = self._stage.allowed(scene, scene.asked.filter)
        return Elements([], [_element(scene, item, entry, columns) for item, entry in ranked(scene, scores, allowed)])

    def _logged(
        self,
        scene: Scene,
        elements: Sequence[Mapping[str, Any]],
        propensities: Mapping[str, float],
        teams: Sequence[int] | None = None,
    ) -> str:
        """The answer's recommendationId, under which it is kept for as long as the settings say.

        `propensities` by item ID, of an answer that was explored; `teams` of one that an experiment interleaved.
        """
        deployment = scene.deployment
        recommendation = new_id(deployment.arn)
        share = self._log.share(explored=bool(propensities), tried=deployment.tried)
        if share >= 1 or (share > 0 and self._random.random() < share):
            answer = Recommended(
                id=recommendation,
                group_arn=deployment.group_arn,
                arn=deployment.arn,
                model_arn=deployment.model_arn,
                artifact=deployment.prefix or "",
                user_id=scene.asked.user_id,
                items=[element["itemId"] for element in elements],
                propensities=[propensities.get(one["itemId"]) for one in elements] if propensities else None,
                teams=teams,
            )
            self._log.add(answer)
        return recommendation

    def _promoted(self, scene: Scene, scores: FloatArray, automatic: Mask) -> list[Entry]:
        """The promoted entries, best first: what the promotion's own filter lets through."""
        promotion = scene.asked.promotion
        if promotion is None:
            return []
        if not scene.deployment.recipe.promotable:
            raise InvalidInput(f"promotions are not available for {scene.deployment.recipe.name}. Leave them out.")
        allowed = automatic & self._stage.allowed(scene, promotion.filter)
        count = promoted_count(scene.asked.results, promotion.percent)
        chosen = best(scores, allowed, count)
        shares = probabilities(scores, scene.deployment.recipe.scores, automatic, chosen)
        entries = [Entry(int(item), share, promotion.name) for item, share in zip(chosen, shares, strict=True)]
        # Items that the model has not learned yet can be promoted: the newest records first.
        unscored = np.flatnonzero(allowed & np.isneginf(scores))[::-1][: count - len(entries)]
        return entries + [Entry(int(item), None, promotion.name) for item in unscored]


def _tried(view: View, step: Callable[[], Done]) -> Done | Exception:
    """What a step of one call among several gives or raises; a call that would block leaves no trace."""
    view.take_back = None
    try:
        return step()
    except Exception as error:
        if isinstance(error, WouldBlock):
            view.undo()
        return error


def _body(start: bytes, recommendation: str) -> bytes:
    return b'%b,"recommendationId":"%b"}' % (start, recommendation.encode())


def _without(allowed: Mask, entries: Sequence[Entry]) -> Mask:
    """`allowed` (scene.size,) without the entries' items; itself, changed."""
    if entries:
        allowed[[entry.item for entry in entries]] = False
    return allowed


def _metadata_columns(scene: Scene) -> tuple[str, ...]:
    """The metadata columns that the call asks for, checked."""
    return wanted_columns(
        scene.asked.metadata,
        scene.group.schemas.get("ITEMS"),
        enabled=scene.deployment.metadata_enabled,
        results=scene.asked.results,
    )


def _elements(scene: Scene, entries: Sequence[Entry], columns: Sequence[str]) -> list[dict[str, Any]]:
    names = scene.items.item_names([entry.item for entry in entries])
    return [_element(scene, name, entry, columns) for name, entry in zip(names, entries, strict=True)]


def _element(scene: Scene, item_id: str, entry: Entry, columns: Sequence[str]) -> dict[str, Any]:
    """One element of an answer in the wire's names; what there is nothing to say of is left out."""
    element: dict[str, Any] = {"itemId": item_id}
    if entry.score is not None:
        element["score"] = entry.score
    if entry.promotion is not None:
        element["promotionName"] = entry.promotion
        if scene.deployment.recipe.reasons:
            element["reason"] = [PROMOTED]
    elif entry.reason is not None and scene.deployment.recipe.reasons:
        element["reason"] = [entry.reason]
    if columns:
        element["metadata"] = metadata(scene.items, item_id, columns)
    return element
