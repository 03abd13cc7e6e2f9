"""The causal transformer as a model: fit asks torch, score asks ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime

from matinee.data.interactions import FloatArray, Histories, Interactions
from matinee.errors import ArtifactProblem
from matinee.models.arrays import AnyArray
from matinee.models.base import FitOptions, ItemFeatures, Model
from matinee.models.transformer.config import REPEATS_ALLOWED, TransformerConfig
from matinee.models.transformer.described import described
from matinee.models.transformer.elapsed import BUCKETS
from matinee.models.transformer.inputs import InputWeights
from matinee.models.transformer.padding import padded
from matinee.models.validation import Validation

#: The file of the encoder in a model's folder.
ENCODER = "encoder.onnx"

#: Histories encoded at once: bounds the attention weights of a batch.
_HISTORIES_AT_ONCE = 256


class Transformer(Model):
    """score(u) = query(history of u) · item, query a causal transformer's output after the newest item."""

    name = "transformer"
    Config = TransformerConfig

    def __init__(self, config: TransformerConfig | Mapping[str, object] | None = None) -> None:
        super().__init__(config)
        self.items: FloatArray = np.zeros((1, self.config.dimension), np.float32)
        self.elapsed: FloatArray = np.zeros((BUCKETS + 1, self.config.dimension), np.float32)
        self.beside = InputWeights()
        self.encoder = b""
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
        matrix = None if features is None else described(features, born)
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
        self.beside = trained.beside
        self._session = _session(self.encoder)

    def queries(self, histories: Histories) -> FloatArray:
        """The query vectors (len(histories), d) of histories of known items."""
        assert self._session is not None  # noqa: S101
        found = np.empty((len(histories), self.items.shape[1]), np.float32)
        for begin in range(0, len(histories), _HISTORIES_AT_ONCE):
            rows = np.arange(begin, min(begin + _HISTORIES_AT_ONCE, len(histories)))
            part = histories if len(rows) == len(histories) else histories.take(rows)
            read = padded(part, self.n_items, self.config.length)
            embedded = self.beside.add(self.items[read.items] + self.elapsed[read.elapsed], part, read.lengths)
            found[rows] = self._session.run(None, {"history": embedded, "length": read.lengths})[0]
        return found

    def _score(self, histories: Histories) -> FloatArray:
        scores: FloatArray = self.queries(histories) @ self.items[:-1].T
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
        return {"items": self.items, "elapsed": self.elapsed, **self.beside.arrays()}

    def _restore(self, arrays: Mapping[str, AnyArray]) -> None:
        self.items, self.elapsed = arrays["items"], arrays["elapsed"]
        self.beside = InputWeights.of(arrays)


def masks_seen(config: TransformerConfig, data: Interactions) -> bool:
    """Whether seen items are left out of the softmax; by "auto" when users hardly ever repeat an item in `data`."""
    return repeat_share(data) <= REPEATS_ALLOWED if config.mask_seen == "auto" else bool(config.mask_seen)


def repeat_share(data: Interactions) -> float:
    """The share of events whose user already had an event with that item."""
    pairs = np.unique(data.user.astype(np.int64) * data.n_items + data.item)
    return 1 - len(pairs) / max(1, len(data))


def _session(encoder: bytes) -> onnxruntime.InferenceSession:
    """An ONNX Runtime session of one thread: requests run beside one another, not a request over all cores."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(encoder, options, providers=["CPUExecutionProvider"])
