"""Training sequences: every user's whole history cut into windows, batched with windows of like length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from matinee.data.interactions import FloatArray, IntArray, Interactions, LongArray
from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.elapsed import UNKNOWN, bucket, since
from matinee.models.transformer.inputs import Inputs, InputWeights, training_inputs


@dataclass(frozen=True)
class Batch:
    """b windows of at most t positions, padded on the right.

    `inputs` (b, t) holds item numbers, `n_items` at the start of a history and in padding; `elapsed` (b, t) the bucket
    of the time until the next event; `targets` (b, t, ahead) the items that follow each position, -1 for none. `seen`
    lists for each window the (position · n_items + item) of items seen by then, None when they stay in the softmax.
    `weights` (b, t, ahead) says how much each target counts: those of a position sum to 1, times the events' own.
    `beside` is what is read beside items and times; `since` (b, t, t) the bucket of the time from each event until
    each position's target, where `config.time_bias` asks for it.
    """

    inputs: LongArray
    elapsed: LongArray
    targets: LongArray
    weights: FloatArray
    seen: tuple[LongArray, ...] | None
    beside: Inputs = field(default_factory=Inputs)
    since: LongArray | None = None


@dataclass(frozen=True)
class Windows:
    """Cuts `data` into windows of `config.length` positions, about `config.batch_events` positions a batch.

    A history i_1 … i_n is read as the inputs START, i_1, …, i_{n-1} with the targets i_1, …, i_n. Where the windows
    begin changes with the epoch, so that every target is seen with contexts of different lengths. The time until the
    next event is hidden at a share `config.hide_elapsed` of the positions: not everyone who asks says when. `beside`
    says by its embeddings what else is read.
    """

    data: Interactions
    config: TransformerConfig
    mask_seen: bool
    seed: int
    beside: InputWeights = field(default_factory=InputWeights)

    def batches(self, epoch: int) -> Iterator[Batch]:
        """The batches of one epoch, the same for the same seed and epoch; every event is a target once."""
        random = np.random.default_rng([self.seed, epoch])
        start, end, groups = self._groups(random)
        for group in random.permutation(len(groups)):
            yield self._batch(start[groups[group]], end[groups[group]], random)

    def n_batches(self) -> int:
        """About how many batches an epoch has."""
        return len(self._groups(np.random.default_rng([self.seed, 0]))[2])

    def _groups(self, random: np.random.Generator) -> tuple[LongArray, LongArray, list[LongArray]]:
        """First and one past the last target row of every window (windows,), and which windows make up each batch."""
        start, end = self._cut(random)
        order = np.argsort(end - start + random.uniform(0, self.config.length / 10, len(start)), kind="stable")
        lengths = (end - start)[order]
        groups, first = [], 0
        while first < len(order):
            last = first + 1
            while (
                last < len(order) and (last + 1 - first) * lengths[first : last + 1].max() <= self.config.batch_events
            ):
                last += 1
            groups.append(order[first:last])
            first = last
        return start, end, groups

    def _cut(self, random: np.random.Generator) -> tuple[LongArray, LongArray]:
        """The first and one past the last target row of every window: each (windows,)."""
        starts, ends = [], []
        for begin, end in zip(self.data.indptr[:-1], self.data.indptr[1:], strict=True):
            if end == begin:
                continue
            size = end - begin
            cuts = np.arange(begin, end, self.config.length)
            if size > self.config.length:
                cuts = np.arange(begin + random.integers(1, self.config.length + 1), end, self.config.length)
                cuts = np.concatenate([[begin], cuts])
            starts.append(cuts)
            ends.append(np.concatenate([cuts[1:], [end]]))
        return np.concatenate(starts), np.concatenate(ends)

    def _batch(self, start: LongArray, end: LongArray, random: np.random.Generator) -> Batch:
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
        targets = np.full((*rows.shape, self.config.ahead), -1, np.int64)
        weights = np.zeros(targets.shape, np.float32)
        user_end = self.data.indptr[user + 1][:, None]
        for step in range(self.config.ahead):
            there = inside & (rows + step < user_end)
            targets[:, :, step] = np.where(there, items[np.where(there, rows + step, 0)], -1)
            weights[:, :, step] = there * np.float32(self.config.ahead_decay) ** step
        weights /= np.maximum(weights.sum(axis=2, keepdims=True), 1e-9)
        if self.data.weight is not None:
            ahead = rows[:, :, None] + np.arange(self.config.ahead)
            weights *= self.data.weight[np.minimum(ahead, len(self.data) - 1)]
        times = self.data.timestamp
        elapsed = bucket(times[rows] - times[rows - 1])
        elapsed[random.random(elapsed.shape) < self.config.hide_elapsed] = UNKNOWN
        elapsed[inputs == n_items] = UNKNOWN
        seen = self._seen(start, inputs, user) if self.mask_seen else None
        beside = training_inputs(self.data, rows, inputs == n_items, self.beside, self.config.hide_inputs, random)
        if not self.config.time_bias:
            return Batch(inputs, elapsed, targets, weights, seen, beside)
        events = np.where(inputs == n_items, -1, times[rows - 1])
        asked = np.where((elapsed == UNKNOWN) | (events < 0), -1, times[rows])
        return Batch(inputs, elapsed, targets, weights, seen, beside, since(events, asked))

    def _seen(self, start: LongArray, inputs: LongArray, user: IntArray) -> tuple[LongArray, ...]:
        """`Batch.seen`: at every position the items up to it, and everything before the window."""
        n_items, width = self.data.n_items, inputs.shape[1]
        at, upto = np.tril_indices(width)
        found = []
        for window, (begin, first) in enumerate(zip(start, self.data.indptr[user], strict=True)):
            within = inputs[window, upto]
            inside = within < n_items
            before = self.data.item[first : max(first, begin - 1)].astype(np.int64)
            every = (np.arange(width)[:, None] * n_items + before[None, :]).ravel()
            found.append(np.concatenate([every, at[inside] * n_items + within[inside]]))
        return tuple(found)
