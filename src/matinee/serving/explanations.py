"""Explanations: the past events that carried each recommendation, by the model's arithmetic. Beyond the original."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matinee.data.interactions import FloatArray, LongArray
from matinee.errors import InvalidInput
from matinee.models.contributions import contributions, is_exact
from matinee.serving.asked import MOST_RESULTS
from matinee.serving.scene import Scene

#: Events shown for each item when the call does not say how many.
DEFAULT_EVENTS = 10


@dataclass(frozen=True)
class ExplanationAsked:
    """`items` to explain instead of the best ones; how many `events` to name for each."""

    items: tuple[str, ...]
    events: int


def explanation_asked(params: Mapping[str, Any]) -> tuple[ExplanationAsked, dict[str, Any]]:
    """What is to be explained, and the members of the GetRecommendations call without that.

    Raises `InvalidInput` naming the member.
    """
    call = {name: value for name, value in params.items() if name not in ("itemIds", "numContributions")}
    items, events = params.get("itemIds") or (), params.get("numContributions", DEFAULT_EVENTS)
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise InvalidInput("itemIds must be a list of item IDs.")
    if len(items) > MOST_RESULTS:
        raise InvalidInput(f"itemIds must not hold more than {MOST_RESULTS} items, but holds {len(items)}.")
    if not isinstance(events, int) or isinstance(events, bool) or events < 0:
        raise InvalidInput(f"numContributions must be a whole number from 0, not {events!r}.")
    return ExplanationAsked(tuple(dict.fromkeys(items)), events), call


def explained(scene: Scene, scores: FloatArray, numbers: Sequence[int], events: int) -> dict[str, Any]:
    """For each numbered item the model's score and what carried it; `scores` is (scene.size,).

    `modelScore` = `base` + the contributions + `others`, those of events that are not named. An item that the model
    does not know has neither score nor contributions. `method` is `exact` where the contributions are the terms of a
    sum, else `leave-one-out`: what each event alone makes of the score, `base` being what they do not account for.
    """
    model, state = scene.artifact.model, scene.state
    if scene.deployment.recipe.item_recipe or scene.trend is not None:
        return {"method": "exact", "explanations": [_by_item(scene, scores, number) for number in numbers]}
    known = [number for number in numbers if number < scene.items.n_model and np.isfinite(scores[number])]
    history = scene.history()
    places = state.learned(scene.artifact.n_items)
    added = contributions(model, history, np.array(known, np.int64))
    column = {number: added[:, at] for at, number in enumerate(known)}
    return {
        "method": "exact" if is_exact(model) else "leave-one-out",
        "explanations": [_by_events(scene, scores, number, column.get(number), places, events) for number in numbers],
    }


def _by_events(
    scene: Scene, scores: FloatArray, number: int, added: FloatArray | None, places: LongArray, events: int
) -> dict[str, Any]:
    """`added` (e,) is what the user's events at `places` (e,) of the state add to the item's score."""
    item = {"itemId": scene.items.item_id(number)}
    if added is None:
        return {**item, "contributions": []}
    most = np.argsort(-np.abs(added), kind="stable")
    named = [at for at in most[:events].tolist() if added[at]]
    others = float(added.sum(dtype=np.float64) - added[named].sum(dtype=np.float64))
    score = float(scores[number])
    return {
        **item,
        "modelScore": score,
        "base": score - float(added.sum(dtype=np.float64)),
        "contributions": [_event(scene, int(places[at]), float(added[at])) for at in named],
        "others": others,
    }


def _event(scene: Scene, place: int, contribution: float) -> dict[str, Any]:
    state = scene.state
    return {
        "itemId": scene.items.item_id(int(state.items[place])),
        "eventType": state.names[state.kinds[place]],
        "timestamp": int(state.timestamps[place]),
        "contribution": contribution,
    }


def _by_item(scene: Scene, scores: FloatArray, number: int) -> dict[str, Any]:
    """Of recipes that do not read the user's events: what the item asked about says, or the item's own standing."""
    item, score = {"itemId": scene.items.item_id(number)}, float(scores[number])
    if not np.isfinite(score):
        return {**item, "contributions": []}
    if scene.trend is None and score > 0:
        source = {"itemId": str(scene.asked.item_id), "contribution": score}
        return {**item, "modelScore": score, "base": 0.0, "contributions": [source], "others": 0.0}
    return {**item, "modelScore": score, "base": score, "contributions": [], "others": 0.0}
