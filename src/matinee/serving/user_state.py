"""What is known of a user at the moment of a request: the history at training with the streamed events in it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Histories, IntArray, LongArray
from matinee.serving.item_table import ItemTable
from matinee.serving.streamed_events import HORIZON, StreamedEvent
from matinee.training.artifact import Artifact, UserHistory

MOST_STATES = 20_000


@dataclass(frozen=True, eq=False)
class UserState:
    """Events oldest first: `items` (n,) numbers of the item table, `timestamps` (n,) epoch seconds, `kinds` (n,).

    `kinds` indexes `names`, the event types in lower case. `trained` are the types that the model learned from with the
    numbers it has for them, -1 for no type; None when it took every event alike. `strangers` numbers the IDs that
    nothing is known of beyond these events; their numbers follow the table's.
    """

    items: LongArray
    timestamps: LongArray
    kinds: NDArray[np.int16]
    names: tuple[str, ...]
    trained: Mapping[str, int] | None
    strangers: Mapping[str, int]

    def histories(self, n_model: int) -> Histories:
        """What the model scores for: the events on its own items and of the types that it learned from."""
        keep, types = self.learned(n_model), None
        if self.trained is not None:
            types = np.array([self.trained.get(name, -1) for name in self.names], np.int16)[self.kinds[keep]]
        items = self.items[keep].astype(np.int32)
        return Histories(np.array([0, len(items)], np.int64), items, self.timestamps[keep], event_types=types)

    def learned(self, n_model: int) -> LongArray:
        """The numbers, oldest first, of the events that `histories` holds."""
        keep = self.items < n_model
        if self.trained is not None:
            known = np.array([name in self.trained for name in self.names], dtype=np.bool_)
            keep &= known[self.kinds]
        return np.flatnonzero(keep)

    def of_types(self, types: frozenset[str] | None) -> NDArray[np.int64]:
        """Items of the user's newest 100 events of each of `types` (lower case; None for every type)."""
        found = [
            self.items[np.flatnonzero(self.kinds == kind)[-HORIZON:]]
            for kind, name in enumerate(self.names)
            if types is None or name in types
        ]
        return np.concatenate(found) if found else np.zeros(0, np.int64)


class UserStates:
    """States as they were last built, kept as long as what they are built from is the same."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, str], tuple[ItemTable, Sequence[StreamedEvent], UserState]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, artifact: Artifact, user_id: str, streamed: Sequence[StreamedEvent], items: ItemTable) -> UserState:
        """The state of a user with these streamed events."""
        key = (id(artifact), user_id)
        with self._lock:
            kept = self._kept.get(key)
        # The table keeps its artifact alive, so an artifact of the same id is the same artifact.
        if kept is not None and kept[0] is items and kept[1] is streamed:
            return kept[2]
        history = artifact.user_history(user_id)
        state = user_state(history, artifact.event_types, streamed, items, artifact.trained_types)
        with self._lock:
            self._kept[key] = (items, streamed, state)
            self._kept.move_to_end(key)
            if len(self._kept) > MOST_STATES:
                self._kept.popitem(last=False)
        return state


def user_state(
    history: UserHistory,
    event_types: Sequence[str],
    streamed: Sequence[StreamedEvent],
    items: ItemTable,
    trained: Sequence[str] | None = None,
) -> UserState:
    """The state of a user with `history` at training, whose types index `event_types`, and these streamed events.

    `trained` are the types that the model learned from, all of them when it is None.

    A streamed event that was there at training already counts once, as does one sent twice (spec 9.1).
    """
    # The last name is that of an imported event without a type, numbered -1 or, where no event has one, 0.
    learned = event_types if trained is None else trained
    names = [*(name.lower() for name in event_types), ""]
    kinds = {name: at for at, name in reversed(list(enumerate(names)))}
    # Two spellings of one type at training are one type here.
    canonical = np.array([kinds[name] for name in names], dtype=np.int16)
    old_kinds = canonical[history.event_types]
    known = _repeatable(history, old_kinds, streamed)
    added: list[tuple[int, int, int]] = []
    strangers: dict[str, int] = {}
    for event in streamed:
        if event.event_type not in kinds:
            kinds[event.event_type] = len(names)
            names.append(event.event_type)
        item = items.number(event.item_id)
        if item == items.unknown:
            item = strangers.setdefault(event.item_id, items.table.n + len(strangers))
        row = (item, event.sent_at, kinds[event.event_type])
        if row not in known:
            known.add(row)
            added.append(row)
    new = np.array(added, dtype=np.int64).reshape(-1, 3)
    timestamps = np.concatenate([history.timestamps, new[:, 1]])
    order = np.argsort(timestamps, kind="stable")
    return UserState(
        items=np.concatenate([history.items.astype(np.int64), new[:, 0]])[order],
        timestamps=timestamps[order],
        kinds=np.concatenate([old_kinds, new[:, 2].astype(np.int16)])[order],
        names=tuple(names),
        trained={"": -1} | {name.lower(): at for at, name in enumerate(learned)} if learned else None,
        strangers=strangers,
    )


def _repeatable(
    history: UserHistory, kinds: NDArray[np.int16], streamed: Sequence[StreamedEvent]
) -> set[tuple[int, int, int]]:
    """The events of the history that a streamed one could repeat: none, as a rule, since training came before."""
    if not streamed or not len(history):
        return set()
    late = history.timestamps >= streamed[0].sent_at
    items: IntArray = history.items[late]
    return set(zip(items.tolist(), history.timestamps[late].tolist(), kinds[late].tolist(), strict=True))
