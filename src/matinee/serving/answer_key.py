"""What an answer depends on, as one key: equal keys, equal answers, in whichever process. See ADR 10."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from weakref import WeakKeyDictionary

from matinee import __version__
from matinee.data.interactions import FloatArray
from matinee.filters.syntax import Dataset
from matinee.models.transformer.elapsed import UNKNOWN, bucket_of
from matinee.recipes.catalogue import Method
from matinee.serving.asked import Asked, FilterAsked
from matinee.serving.exploration import exploration_of
from matinee.serving.scene import Scene, Stage
from matinee.serving.user_state import UserState

#: Changes whenever the same parts are to give another answer. Processes of two versions may share one Redis.
FORMAT = 2
_MOST_COUNTED = 64


class AnswerKeys:
    """Makes keys; keeps the digests of what many calls have in common."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._states: WeakKeyDictionary[UserState, tuple[str, int | None]] = WeakKeyDictionary()
        self._kept_counts: OrderedDict[int, tuple[FloatArray, str]] = OrderedDict()
        self._lock = threading.Lock()

    def key(self, scene: Scene) -> str | None:
        """The key of a call's answer; None when it must not be given twice. Raises as naming its filters does."""
        if exploration_of(scene.deployment.recipe, scene.deployment.config) is not None:
            return None
        state, newest = self._state(scene)
        parts = [
            FORMAT,
            __version__,
            scene.deployment.arn,
            scene.deployment.version,
            scene.group.version,
            _records(scene),
            _members(scene.asked),
            [self._filter(scene, asked) for asked in _filters(scene.asked)],
            state,
            None if scene.trend is None else self._counted(scene.trend),
            None if scene.recent is None else self._counted(scene.recent),
            None if scene.attributes is None else scene.attributes.tobytes().hex(),
            _age(scene, newest),
        ]
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=20).hexdigest()

    def age(self, scene: Scene) -> tuple[int | None, int]:
        """When the newest event was that the model reads, None where it reads no time, and its bucket now."""
        newest = self._state(scene)[1] if _reads_time(scene) else None
        return newest, _age(scene, newest)

    def _state(self, scene: Scene) -> tuple[str, int | None]:
        """A digest of what is known of the user, and when the newest event was that the model reads."""
        kept = self._states.get(scene.state)
        if kept is None:
            state = scene.state
            digest = hashlib.blake2b(digest_size=20)
            for array in (state.items, state.timestamps, state.kinds):
                digest.update(array.tobytes() + b"|")
            digest.update(json.dumps([state.names, sorted(state.trained or ()), list(state.strangers)]).encode())
            read = state.histories(scene.artifact.n_items).timestamps
            kept = digest.hexdigest(), int(read[-1]) if len(read) else None
            with self._lock:
                self._states[state] = kept
        return kept

    def _counted(self, counts: FloatArray) -> str:
        """A digest of what serving counted itself."""
        with self._lock:
            kept = self._kept_counts.get(id(counts))
            # The id may have been given to another array since; what is kept keeps its own alive.
            if kept is None or kept[0] is not counts:
                kept = counts, hashlib.blake2b(counts.tobytes(), digest_size=20).hexdigest()
                self._kept_counts[id(counts)] = kept
                while len(self._kept_counts) > _MOST_COUNTED:
                    self._kept_counts.popitem(last=False)
            return kept[1]

    def _filter(self, scene: Scene, asked: FilterAsked) -> list[object]:
        """The state of a filter, its values, and of the user's record what it may read."""
        stored = self._stage.stored_filter(scene.view, scene.caller, asked.arn)
        reads_user = stored.tree is not None and stored.tree.uses(Dataset.CURRENT_USER)
        return [asked.arn, stored.version, asked.values, self._stage.current_user(scene) if reads_user else None]


def _age(scene: Scene, newest: int | None) -> int:
    """How long ago the newest event was, in the model's own buckets: models of sequences read it."""
    return UNKNOWN if newest is None or not _reads_time(scene) else bucket_of(scene.asked.now - newest)


def _reads_time(scene: Scene) -> bool:
    return scene.asked.now >= 0 and scene.deployment.recipe.method is Method.SEQUENCE


def _records(scene: Scene) -> object:
    """Up to where the records of items are read: imported parts, and the newest streamed one."""
    records = scene.items.records
    return None if records is None else [records.dataset.arn, records.dataset.created, records.parts, records.last]


def _filters(asked: Asked) -> list[FilterAsked]:
    promoted = None if asked.promotion is None else asked.promotion.filter
    return [one for one in (asked.filter, promoted) if one is not None]


def _members(asked: Asked) -> list[object]:
    promotion = asked.promotion
    return [
        asked.user_id,
        asked.item_id,
        asked.results,
        asked.inputs,
        asked.context,
        asked.metadata,
        asked.filter is not None,
        None if promotion is None else [promotion.name, promotion.percent],
    ]
