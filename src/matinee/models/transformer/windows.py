"""Training sequences: every user's whole history cut into windows, batched with windows of like length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import IntArray, Interactions, LongArray


@dataclass(frozen=True)
class Batch:
    """b windows of at most t positions, padded on the right.

    `inputs` (b, t) holds item numbers, `n_items` at the start of a history and in padding; `targets` (b, t, ahead)
    the items that follow each position, -1 for none. `first_seen` (b, n_items) is the position from which an item has
    been seen (-1: before the window; t or more: not within it).
    """

    inputs: LongArray
    targets: LongArray
    first_seen: NDArray[np.int16] | None


@dataclass(frozen=True)
class Windows:
    """Cuts `data` into windows of `length` positions, about `batch_events` positions a batch.

    A history i_1 … i_n is read as the inputs START, i_1, …, i_{n-1} with the targets i_1, …, i_n. Where the windows
    begin changes with the epoch, so that every target is seen with contexts of different lengths.
    """

    data: Interactions
    length: int
    batch_events: int
    ahead: int
    mask_seen: bool
    seed: int

    def batches(self, epoch: int) -> Iterator[Batch]:
        """The batches of one epoch, the same for the same seed and epoch; every event is a target once."""
        random = np.random.default_rng([self.seed, epoch])
        start, end = self._cut(random)
        order = np.argsort(end - start + random.uniform(0, self.length / 10, len(start)), kind="stable")
        lengths = (end - start)[order]
        groups, first = [], 0
        while first < len(order):
            last = first + 1
            while last < len(order) and (last + 1 - first) * lengths[first : last + 1].max() <= self.batch_events:
                last += 1
            groups.append(order[first:last])
            first = last
        for group in random.permutation(len(groups)):
            yield self._batch(start[groups[group]], end[groups[group]])

    def n_batches(self) -> int:
        """About how many batches an epoch has."""
        return sum(1 for _ in self.batches(0))

    def _cut(self, random: np.random.Generator) -> tuple[LongArray, LongArray]:
        """The first and one past the last target row of every window: each (windows,)."""
        starts, ends = [], []
        for begin, end in zip(self.data.indptr[:-1], self.data.indptr[1:], strict=True):
            if end == begin:
                continue
            size = end - begin
            cuts = np.arange(begin, end, self.length)
            if size > self.length:
                cuts = np.arange(begin + random.integers(1, self.length + 1), end, self.length)
                cuts = np.concatenate([[begin], cuts])
            starts.append(cuts)
            ends.append(np.concatenate([cuts[1:], [end]]))
        return np.concatenate(starts), np.concatenate(ends)

    def _batch(self, start: LongArray, end: LongArray) -> Batch:
        """The windows whose targets are the rows `start` to `end` of the log."""
        n_items, items = self.data.n_items, self.data.item
        lengths = end - start
        position = np.arange(lengths.max())[None, :]
        inside = position < lengths[:, None]
        rows = np.where(inside, start[:, None] + position, 0)
        user = self.data.user[start]
        at_start = start == self.data.indptr[user]
        inputs = np.where(inside, items[rows - 1], n_items).astype(np.int64)
        inputs[at_start, 0] = n_items
        targets = np.full((*rows.shape, self.ahead), -1, np.int64)
        user_end = self.data.indptr[user + 1][:, None]
        for step in range(self.ahead):
            there = inside & (rows + step < user_end)
            targets[:, :, step] = np.where(there, items[np.where(there, rows + step, 0)], -1)
        return Batch(inputs, targets, self._first_seen(start, inputs, user) if self.mask_seen else None)

    def _first_seen(self, start: LongArray, inputs: LongArray, user: IntArray) -> NDArray[np.int16]:
        """`Batch.first_seen`: by position within the window, -1 for everything before it."""
        size, width = inputs.shape
        seen = np.full((size, self.data.n_items + 1), width, np.int16)
        row = np.arange(size)
        for position in range(width - 1, -1, -1):
            seen[row, inputs[:, position]] = position
        for window, (begin, first) in enumerate(zip(start, self.data.indptr[user], strict=True)):
            seen[window, self.data.item[first:begin]] = -1
        return seen[:, :-1]
