"""Texts as vectors by a sentence-embedding model in a local folder: the extra `matinee[sentences]`, read by fastembed.

The folder is what sentence-transformers and its ONNX exports publish: `tokenizer.json`, `tokenizer_config.json` and
`onnx/model.onnx` or `model.onnx`. Nothing is downloaded, and torch is not needed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from matinee.data.interactions import FloatArray
from matinee.errors import JobFailed
from matinee.models.arrays import AnyArray
from matinee.models.base import QUIET, FitOptions, Progress
from matinee.models.texts import unit_rows

_MODELS = ("onnx/model.onnx", "model.onnx")
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json")
#: Where sentence-transformers says how the vectors of words become that of the sentence.
_POOLING = Path("1_Pooling/config.json")
_DIGEST = "sentence_model"
_TEXTS_AT_ONCE = 64


class SentenceEncoder:
    """Encodes with the model in `folder`. Where a `digest` of it is given, another model in its place is refused."""

    def __init__(self, folder: Path, digest: bytes = b"") -> None:
        self.folder, self.digest = folder, digest

    def encode(self, texts: Sequence[str], options: FitOptions = QUIET) -> FloatArray:
        """Rows of length 1, or 0 for an empty text: (len(texts), dimension).

        Raises `JobFailed` where the extra is not installed, or the folder does not hold the model, and `JobStopped`
        between batches.
        """
        model = _loaded(self.folder)
        if self.digest and self.digest != (found := model_digest(self.folder)):
            raise JobFailed(
                f"{self.folder} holds another sentence model ({found.hex()[:12]}) than the one of the training "
                f"({self.digest.hex()[:12]}). Put that one back, or train again."
            )
        told = [text if text.strip() else " " for text in texts]
        rows: list[FloatArray] = []
        for at, row in enumerate(model.embed(told, batch_size=_TEXTS_AT_ONCE)):
            if at % _TEXTS_AT_ONCE == 0:
                options.raise_if_stopped()
                options.on_progress(Progress(at / len(told), f"texts: {at:,} of {len(told):,}"))
            rows.append(row)
        vectors = np.array(rows, np.float32).reshape(len(texts), -1)
        vectors[[not text.strip() for text in texts]] = 0
        return unit_rows(vectors)

    def arrays(self) -> dict[str, AnyArray]:
        """What tells this model from another: its SHA-256."""
        return {_DIGEST: np.frombuffer(model_digest(self.folder), np.uint8)}

    @classmethod
    def from_arrays(cls, folder: Path, arrays: Mapping[str, AnyArray]) -> SentenceEncoder:
        """The encoder of a saved model; the folder is looked at when a text is encoded. A missing array: KeyError."""
        return cls(folder, arrays[_DIGEST].tobytes())


def model_digest(folder: Path) -> bytes:
    """The SHA-256 of the model and its tokenizer."""
    digest = hashlib.sha256()
    for name in (_model_file(folder), *_TOKENIZER):
        digest.update((folder / name).read_bytes())
    return digest.digest()


def _model_file(folder: Path) -> str:
    """The ONNX file, relative to `folder`; raises `JobFailed` for whatever is missing."""
    found = next((name for name in _MODELS if (folder / name).is_file()), None)
    missing = [name for name in _TOKENIZER if not (folder / name).is_file()]
    if found is None or missing:
        wanted = missing or [" or ".join(_MODELS)]
        raise JobFailed(
            f"{folder} is not a sentence-embedding model: {', '.join(wanted)} is missing. Set MATINEE_SENTENCE_MODEL "
            "to a folder with an ONNX export of a sentence-transformers model and its tokenizer."
        )
    return found


@lru_cache(maxsize=2)
def _loaded(folder: Path) -> Any:
    """fastembed's model of the folder."""
    try:
        from fastembed import TextEmbedding
        from fastembed.common.model_description import ModelSource, PoolingType
    except ImportError:
        raise JobFailed(
            "Sentence embeddings need an extra that is not installed: pip install 'matinee[sentences]'. "
            "Without MATINEE_SENTENCE_MODEL, texts are compared by TF-IDF."
        ) from None
    file, name = _model_file(folder), f"matinee:{folder.absolute()}"
    if name.lower() not in {str(known["model"]).lower() for known in TextEmbedding.list_supported_models()}:
        TextEmbedding.add_custom_model(
            model=name,
            pooling=PoolingType.CLS if _reads_first_word(folder) else PoolingType.MEAN,
            normalization=True,
            sources=ModelSource(hf=name),
            dim=0,
            model_file=file,
        )
    try:
        return TextEmbedding(name, threads=1, specific_model_path=str(folder), local_files_only=True)
    except Exception as error:  # ONNX Runtime and tokenizers raise bare classes of their own
        raise JobFailed(f"The sentence model in {folder} cannot be read: {error}.") from error


def _reads_first_word(folder: Path) -> bool:
    """Whether the sentence is its first word's vector; the mean of all is usual."""
    try:
        told = json.loads((folder / _POOLING).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    return bool(told.get("pooling_mode_cls_token"))
