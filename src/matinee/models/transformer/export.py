"""The trained encoder as an ONNX model, and as the arrays that take one position at a time (torch)."""

from __future__ import annotations

import math
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from matinee.data.interactions import FloatArray
from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.gates import Gates
from matinee.models.transformer.network import Block, Encoder, LastQuery
from matinee.models.transformer.stepwise import Layer, Stepwise, folded

_OPSET = 17


def onnx_encoder(encoder: Encoder, config: TransformerConfig) -> bytes:
    """The encoder as ONNX: `history` (batch, time, d) and `length` (batch,) to `query` (batch, d).

    Histories are embedded, padded on the right and at most `config.length` long. With `config.time_bias` there is
    `since` (batch, time, time), too.
    """
    module = LastQuery(encoder).cpu().eval()
    example: tuple[Tensor, ...] = torch.zeros(2, 3, config.dimension), torch.tensor([3, 2])
    axes = {"history": {0: "batch", 1: "time"}, "length": {0: "batch"}, "query": {0: "batch"}}
    if config.time_bias:
        example = *example, torch.zeros(2, 3, 3, dtype=torch.int64)
        axes["since"] = {0: "batch", 1: "time", 2: "time"}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        # The classic exporter announces its end and, tracing, that shapes are Python numbers; both are known here.
        warnings.simplefilter("ignore")
        path = Path(folder) / "encoder.onnx"
        torch.onnx.export(
            module,
            example,
            path,
            input_names=["history", "length", "since"][: len(example)],
            output_names=["query"],
            dynamic_axes=axes,
            opset_version=_OPSET,
            dynamo=False,
        )
        return path.read_bytes()


def stepwise_encoder(encoder: Encoder) -> Stepwise:
    """The encoder as arrays: what a process that serves computes one history with."""
    blocks = [block for block in encoder.blocks if isinstance(block, Block)]
    return Stepwise(tuple(map(_layer, blocks)), _array(encoder.norm.weight), _array(encoder.norm.bias))


def _layer(block: Block) -> Layer:
    into, into_bias = _behind(block.query_key_value, block.norm_attention)
    d = into.shape[0]
    scale = np.ones(3 * d, np.float32)
    scale[:d] = 1 / math.sqrt(d // block.heads)
    up, down = (one for one in block.mlp.modules() if isinstance(one, nn.Linear))
    up_matrix, up_bias = _behind(up, block.norm_mlp)
    return Layer(
        into=into * scale,
        into_bias=into_bias * scale,
        out=np.ascontiguousarray(_array(block.out.weight).T),
        out_bias=_array(block.out.bias),
        up=up_matrix,
        up_bias=up_bias,
        down=np.ascontiguousarray(_array(down.weight).T),
        down_bias=_array(down.bias),
        distance=_array(block.distance_bias),
        gates=_gates(block),
        times=None if block.time_bias is None else _array(block.time_bias),
    )


def _gates(block: Block) -> Gates | None:
    attention, mlp = block.gate_attention, block.gate_mlp
    if attention is None or mlp is None:
        return None
    into = (np.ascontiguousarray(_array(one.weight).T) for one in (attention, mlp))
    return Gates(next(into), _array(attention.bias), next(into), _array(mlp.bias))


def _behind(linear: nn.Linear, norm: nn.LayerNorm) -> tuple[FloatArray, FloatArray]:
    """The linear layer with the norm before it folded in."""
    return folded(_array(linear.weight), _array(linear.bias), _array(norm.weight), _array(norm.bias))


def _array(tensor: Tensor) -> FloatArray:
    found: FloatArray = tensor.detach().float().cpu().numpy().copy()
    return found
