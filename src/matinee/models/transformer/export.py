"""The trained encoder as an ONNX model (torch)."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import torch

from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.network import Encoder, LastQuery

_OPSET = 17


def onnx_encoder(encoder: Encoder, config: TransformerConfig) -> bytes:
    """The encoder as ONNX: `history` (batch, time, d) and `length` (batch,) to `query` (batch, d).

    Histories are embedded, padded on the right and at most `config.length` long.
    """
    module = LastQuery(encoder).cpu().eval()
    example = torch.zeros(2, 3, config.dimension), torch.tensor([3, 2])
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        # The classic exporter announces its end and, tracing, that shapes are Python numbers; both are known here.
        warnings.simplefilter("ignore")
        path = Path(folder) / "encoder.onnx"
        torch.onnx.export(
            module,
            example,
            path,
            input_names=["history", "length"],
            output_names=["query"],
            dynamic_axes={"history": {0: "batch", 1: "time"}, "length": {0: "batch"}, "query": {0: "batch"}},
            opset_version=_OPSET,
            dynamo=False,
        )
        return path.read_bytes()
