"""The causal transformer as a model: fit asks torch, score asks ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime

from matinee.data.interactions import FloatArray, Histories, Interactions
from matinee.errors import ArtifactProblem
from matinee.models.arrays import AnyArray
from matinee.models.base import FitOptions, ItemFeatures, Model, Occasion
from matinee.models.transformer.config import REPEATS_ALLOWED, TransformerConfig
from matinee.models.transformer.described import described
from matinee.models.transformer.elapsed import BUCKETS, UNKNOWN, bucket_of, since
from matinee.models.transformer.inputs import InputWeights
from matinee.models.transformer.padding import padded, padded_times
from matinee.models.transformer.stepwise import Kept, Stepwise
from matinee.models.validation import Validation

#: The file of the encoder in a model's folder.
ENCODER = "encoder.onnx"

#: Histories encoded at once: bounds the attention weights of a batch, which should stay in the processor's cache.
_HISTORIES_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class Remembered:
    """A history in steps; `newest` is the time of its newest event, epoch seconds, None of an empty one."""

    kept: Kept
    newest: int | None

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.kept.nbytes


class Transformer(Model):
    """score(u) = query(history of u) · item, query a causal transformer's output after the newest item."""

    name = "transformer"
    Config = TransformerConfig
    timed = True

    def __init__(self, config: TransformerConfig | Mapping[str, object] | None = None) -> None:
        super().__init__(config)
        self.items: FloatArray = np.zeros((1, self.config.dimension), np.float32)
        self.elapsed: FloatArray = np.zeros((BUCKETS + 1, self.config.dimension), np.float32)
        self.beside = InputWeights()
        self.encoder = b""
        self.steps: Stepwise | None = None
        self._session: onnxruntime.InferenceSession | None = None

    def _fit(self, data: Interactions, features: ItemFeatures | None, options: FitOptions) -> None:
        self.learn_from(data, features, None, options)

    def learn_from(
        self, data: Interactions, features: ItemFeatures | None, validation: Validation | None, options: FitOptions
    ) -> None:
        """`fit` with a validation part, disjoint from `data`, that is reported after each epoch. Imports torch.

        With `features` an item without events is known, too, where anything is known of it.
        """
        from matinee.models.transformer.training import train

        born = np.bincount(data.item, minlength=data.n_items) > 0
        matrix = None if features is None else described(features, born, self.config.text_components, options)
        if matrix is not None and not matrix.nnz:
            matrix = None
        self._set_known(born if matrix is None else born | (np.diff(matrix.indptr) > 0))
        trained = train(
            data,
            self.config,
            mask_seen=masks_seen(self.config, data),
            validation=validation,
            options=options,
            features=matrix,
        )
        self.items, self.elapsed, self.encoder = trained.items, trained.elapsed, trained.encoder
        self.beside, self.steps = trained.beside, trained.steps
        self._session = _session(self.encoder)

    def queries(self, histories: Histories) -> FloatArray:
        """The query vectors (len(histories), d) of histories of known items."""
        assert self._session is not None  # noqa: S101
        found = np.empty((len(histories), self.items.shape[1]), np.float32)
        # Alike in length, so that little of a batch is padding.
        order = np.argsort(np.diff(histories.indptr), kind="stable")
        for begin in range(0, len(histories), _HISTORIES_AT_ONCE):
            rows = order[begin : begin + _HISTORIES_AT_ONCE]
            part = histories if len(rows) == len(histories) == 1 else histories.take(rows)
            read = padded(part, self.n_items, self.config.length)
            embedded = self.beside.add(self.items[read.items] + self.elapsed[read.elapsed], part, read.lengths)
            given = {"history": embedded, "length": read.lengths}
            if self.config.time_bias:
                given["since"] = since(*padded_times(part, read))
            found[rows] = self._session.run(None, given)[0]
        return found

    def _score(self, histories: Histories) -> FloatArray:
        scores: FloatArray = self.queries(histories) @ self.items[:-1].T
        return scores

    def remember(self, histories: Histories) -> Remembered | None:
        """Keys and values of the history's positions; None of a model trained before there were steps."""
        if self.steps is None:
            return None
        known = replace(self._known_only(histories), now=None, context=None)
        read = padded(known, self.n_items, self.config.length)
        embedded = self.beside.add(self.items[read.items], known, read.lengths)[0]
        before = embedded[:-1] + self.elapsed[read.elapsed[0, :-1]]
        newest = int(known.timestamps[-1]) if len(known.items) else None
        times = padded_times(known, read)[0][0] if self.config.time_bias else None
        return Remembered(self.steps.keep(before, embedded[-1], times), newest)

    def recall(self, memories: Sequence[Remembered], occasions: Sequence[Occasion]) -> FloatArray:
        """The scores (b, n_items), by one step of the encoder."""
        assert self.steps is not None  # noqa: S101
        asked = list(zip(memories, occasions, strict=True))
        added = self.elapsed[[_bucket(memory.newest, occasion.now) for memory, occasion in asked]]
        if self.beside.context is not None:
            for row, (_, occasion) in enumerate(asked):
                if occasion.context is not None:
                    added[row] += (occasion.context @ self.beside.context)[0]
        queries = self.steps.queries([memory.kept for memory in memories], added, [one.now for one in occasions])
        # One query by the routine for vectors, which has less to set up.
        scores = (self.items[:-1] @ queries[0])[None, :] if len(queries) == 1 else queries @ self.items[:-1].T
        if len(self.unknown):
            scores[:, self.unknown] = -np.inf
        return scores

    def save(self, folder: Path) -> None:
        """Embeddings as safetensors, the encoder as ONNX."""
        super().save(folder)
        (folder / ENCODER).write_bytes(self.encoder)

    @classmethod
    def load(cls, folder: Path, config: Any) -> Self:
        """The model that `save` wrote; embeddings are memory-mapped."""
        model = super().load(folder, config)
        try:
            model.encoder = (folder / ENCODER).read_bytes()
        except FileNotFoundError:
            raise ArtifactProblem(f"{folder / ENCODER} is missing. Train again, or restore the file.") from None
        try:
            model._session = _session(model.encoder)
        except Exception as error:  # ONNX Runtime raises classes of its own, each a bare Exception
            raise ArtifactProblem(f"{folder / ENCODER} cannot be read: {error}. Train again.") from error
        return model

    def _arrays(self) -> Mapping[str, AnyArray]:
        steps = {} if self.steps is None else self.steps.arrays()
        return {"items": self.items, "elapsed": self.elapsed, **self.beside.arrays(), **steps}

    def _restore(self, arrays: Mapping[str, AnyArray]) -> None:
        self.items, self.elapsed = arrays["items"], arrays["elapsed"]
        self.beside, self.steps = InputWeights.of(arrays), Stepwise.of(arrays)


def masks_seen(config: TransformerConfig, data: Interactions) -> bool:
    """Whether seen items are left out of the softmax; by "auto" when users hardly ever repeat an item in `data`."""
    return repeat_share(data) <= REPEATS_ALLOWED if config.mask_seen == "auto" else bool(config.mask_seen)


def repeat_share(data: Interactions) -> float:
    """The share of events whose user already had an event with that item."""
    pairs = np.unique(data.user.astype(np.int64) * data.n_items + data.item)
    return 1 - len(pairs) / max(1, len(data))


def _bucket(newest: int | None, now: int) -> int:
    """The bucket of the time from the newest event to the question."""
    return UNKNOWN if newest is None or now < 0 else bucket_of(now - newest)


def _session(encoder: bytes) -> onnxruntime.InferenceSession:
    """An ONNX Runtime session of one thread: requests run beside one another, not a request over all cores."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(encoder, options, providers=["CPUExecutionProvider"])
