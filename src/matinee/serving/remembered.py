"""Histories as models keep them between requests: what a model makes of a user's events, until there are others.

An entry belongs to one `UserState`, which every event, model and catalogue makes anew: what was kept of the state
before it can never be found again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from matinee.data.interactions import FloatArray, Histories
from matinee.models.base import Memory, Model
from matinee.serving.user_state import UserState

#: Bytes that an entry takes beside what the model keeps: the state, and a place in the table.
OVERHEAD = 4096


@dataclass(frozen=True, eq=False)
class _Entry:
    """What `model` keeps of `state`, `attributes` being the bytes of what it reads of the user's record."""

    model: Model
    state: UserState
    attributes: bytes
    memory: Memory

    @property
    def nbytes(self) -> int:
        return self.memory.nbytes + OVERHEAD


class RememberedHistories:
    """At most `limit` bytes of memories, the least recently used dropped first. Safe to share between threads."""

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._kept: OrderedDict[tuple[int, str], _Entry] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes in use."""
        return self._size

    def find(
        self,
        model: Model,
        user_id: str,
        state: UserState,
        attributes: FloatArray | None,
        history: Callable[[], Histories],
    ) -> Memory | None:
        """What the model remembers of a user in this state; None where it remembers nothing.

        `history` gives the batch of one that the state and the attributes (1, a) make.
        """
        if not self._limit:
            return None
        told = b"" if attributes is None else attributes.tobytes()
        # The entry keeps its model alive, so a model of the same id is the same model.
        key = (id(model), user_id)
        with self._lock:
            entry = self._kept.get(key)
            if entry is not None:
                self._kept.move_to_end(key)
        if entry is None or entry.state is not state or entry.attributes != told:
            memory = model.remember(history())
            if memory is None:
                return None
            entry = _Entry(model, state, told, memory)
            self._keep(key, entry)
        return entry.memory

    def forget(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._kept.clear()
            self._size = 0

    def _keep(self, key: tuple[int, str], entry: _Entry) -> None:
        with self._lock:
            before = self._kept.pop(key, None)
            self._size += entry.nbytes - (0 if before is None else before.nbytes)
            self._kept[key] = entry
            while self._size > self._limit:
                self._size -= self._kept.popitem(last=False)[1].nbytes
