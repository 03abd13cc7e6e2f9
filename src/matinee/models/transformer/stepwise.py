"""The encoder for histories one by one, in NumPy: what their events give is kept, a question takes one position more.

The network is causal. Keys and values of all positions but the last are the same whenever and on whatever occasion the
history is asked about, so that they are kept, as language models keep theirs. The last position reads when it is asked.
Parity with the network is tested; scores differ by rounding.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from scipy.special import erf

from matinee.data.interactions import FloatArray, LongArray
from matinee.models.arrays import AnyArray
from matinee.models.transformer.elapsed import UNKNOWN, since
from matinee.models.transformer.gates import Gates, gate_arrays, swiglu

#: PyTorch's default of LayerNorm, and what its variance is kept above.
_EPSILON = 1e-5
#: The names of a layer's arrays in the model's file, and of those behind the last layer.
_LAYER = ("into", "into_bias", "out", "out_bias", "up", "up_bias", "down", "down_bias", "distance")
_END = ("norm", "norm_bias")
_PREFIX = "step_"
_TIMES = "step_times"
#: What the logits of positions start from that a history does not have.
_NOWHERE = np.float32(-1e9)
_ONE, _HALF, _ROOT_HALF = np.float32(1), np.float32(0.5), np.float32(math.sqrt(0.5))


@dataclass(frozen=True, eq=False)
class Layer:
    """One block with its norms and 1/√d_head folded into the matrices behind them.

    `into` (d, 3d) gives query, key and value; `distance` (heads, length) is the bias of attention for each distance.
    With `gates` the rows of `up` give those of a SwiGLU; `times` (heads, buckets) is the bias for each time ago.
    """

    into: FloatArray
    into_bias: FloatArray
    out: FloatArray
    out_bias: FloatArray
    up: FloatArray
    up_bias: FloatArray
    down: FloatArray
    down_bias: FloatArray
    distance: FloatArray
    gates: Gates | None = None
    times: FloatArray | None = None

    @cached_property
    def bias(self) -> FloatArray:
        """The bias of attention from each position to each, causal: (heads, length, length)."""
        position = np.arange(self.distance.shape[1])
        back = position[:, None] - position[None, :]
        return np.where(back >= 0, self.distance[:, np.maximum(back, 0)], _NOWHERE)

    @cached_property
    def one(self) -> Layer:
        """The same layer for one position whose mean is taken out before: with less to be done between the matrices.

        What it adds to a position has mean 0, too, so that norms need no means, and GELU's constants are in `up` and
        `down`: with z = x/√2, x (1 + erf(x/√2)) / 2 is √½ z (1 + erf z). Behind a gate there is a mean again, so that
        this is a layer without gates only.
        """
        if self.gates is not None:
            return self
        return replace(
            self,
            out=self.out - self.out.mean(axis=1, keepdims=True),
            out_bias=self.out_bias - self.out_bias.mean(),
            up=self.up * _ROOT_HALF,
            up_bias=self.up_bias * _ROOT_HALF,
            down=(self.down - self.down.mean(axis=1, keepdims=True)) * _ROOT_HALF,
            down_bias=self.down_bias - self.down_bias.mean(),
        )


@dataclass(frozen=True, eq=False)
class Kept:
    """What a history's events give: `keys`, `values` (layers, heads, n, d_head) of the n positions before the last.

    `last` (d,) embeds the last position without the time to the question and without its context. `times` (n + 1,) are
    those of the events, epoch seconds, -1 for START, where attention reads them.
    """

    keys: FloatArray
    values: FloatArray
    last: FloatArray
    times: LongArray | None = None

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        times = 0 if self.times is None else self.times.nbytes
        return self.keys.nbytes + self.values.nbytes + self.last.nbytes + times


@dataclass(frozen=True, eq=False)
class Stepwise:
    """The encoder of `network.Encoder`: `layers`, then a norm; `norm` and `norm_bias` are (d,)."""

    layers: tuple[Layer, ...]
    norm: FloatArray
    norm_bias: FloatArray

    @classmethod
    def of(cls, arrays: Mapping[str, AnyArray]) -> Self | None:
        """The one that `arrays` gave; None from a model that was trained before there was one."""
        if f"{_PREFIX}norm" not in arrays:
            return None
        # Copies: matrices of some KB are read faster from memory of their own than from a mapped file.
        found = {name: np.array(arrays[_PREFIX + name]) for name in (*_LAYER, *_END)}
        gates = Gates.of(arrays, len(found["into"]))
        times = [None] * len(gates) if _TIMES not in arrays else list(np.array(arrays[_TIMES]))
        layers = (
            Layer(**{name: found[name][at] for name in _LAYER}, gates=gates[at], times=times[at])
            for at in range(len(gates))
        )
        return cls(tuple(layers), found["norm"], found["norm_bias"])

    def arrays(self) -> dict[str, FloatArray]:
        """Named arrays for the model's file, those of the layers stacked."""
        layers = {_PREFIX + name: np.stack([getattr(one, name) for one in self.layers]) for name in _LAYER}
        layers |= gate_arrays([one.gates for one in self.layers if one.gates is not None])
        times = [one.times for one in self.layers if one.times is not None]
        layers |= {_TIMES: np.stack(times)} if times else {}
        return {**layers, **{_PREFIX + name: getattr(self, name) for name in _END}}

    def keep(self, embedded: FloatArray, last: FloatArray, times: LongArray | None = None) -> Kept:
        """What to keep of the positions before the last, `embedded` (n, d), and of the `last` (d,).

        `times` (n + 1,) as in `Kept`.
        """
        n, d = embedded.shape
        heads = len(self.layers[0].distance)
        keys = np.empty((len(self.layers), heads, n, d // heads), np.float32)
        values = np.empty_like(keys)
        if not n:
            return Kept(keys, values, last, times)
        # Each position is asked about when the next event comes.
        ago = None if times is None else since(times[:-1], np.where(times[:-1] < 0, -1, times[1:]))
        x = embedded * np.float32(math.sqrt(d))
        for at, layer in enumerate(self.layers):
            if at < len(self.layers) - 1:
                parts = (_standard(x) @ layer.into + layer.into_bias).reshape(n, 3, heads, d // heads)
                keys[at], values[at] = parts[:, 1].transpose(1, 0, 2), parts[:, 2].transpose(1, 0, 2)
                mixed = _mixed(layer, parts[:, 0].transpose(1, 0, 2), keys[at], values[at], ago)
                if layer.gates is None:
                    x = x + (mixed @ layer.out + layer.out_bias)
                    x = x + _gelu_of_many(_standard(x) @ layer.up + layer.up_bias) @ layer.down + layer.down_bias
                else:
                    _add_gated(x, mixed, layer, layer.gates)
            else:  # nobody reads the last layer's output at these positions
                parts = (_standard(x) @ layer.into[:, d:] + layer.into_bias[d:]).reshape(n, 2, heads, d // heads)
                keys[at], values[at] = parts[:, 0].transpose(1, 0, 2), parts[:, 1].transpose(1, 0, 2)
        return Kept(keys, values, last, times)

    def queries(self, kept: Sequence[Kept], added: FloatArray, now: Sequence[int] = ()) -> FloatArray:
        """The queries (b, d) after the last positions of b histories, together; the matrices are read once.

        `added` (b, d) is what was not known of the last positions when the rest was kept, `now` the times of the
        questions, epoch seconds, -1 for unknown; only where attention reads times.
        """
        b, d = added.shape
        gated = self.layers[0].gates is not None
        scales = _scales_of_any if gated else _scales
        heads, longest = kept[0].keys.shape[1], max(one.keys.shape[2] for one in kept)
        x = np.array([one.last for one in kept])
        x += added
        if not gated:
            x -= np.add.reduce(x, axis=1, keepdims=True) / np.float32(d)
        x *= np.float32(math.sqrt(d))
        # Positions are counted from the last one; what a shorter history lacks weighs nothing.
        logits = np.full((b, heads, longest + 1), _NOWHERE, np.float32)
        ago = None if self.layers[0].times is None else _until_now(kept, now, longest)
        for at, layer in enumerate(self.layers):
            one = layer.one
            parts = x @ one.into
            parts *= scales(x)
            parts += one.into_bias
            mixed = _mixed_at_last(at, one, parts.reshape(b, 3, heads, d // heads), kept, logits, ago)
            if one.gates is None:
                _add_to_last(x, mixed, one)
            else:
                _add_gated(x, mixed, one, one.gates)
        if gated:
            x -= np.add.reduce(x, axis=1, keepdims=True) / np.float32(d)
        x *= _scales(x)
        x *= self.norm
        x += self.norm_bias
        return x


def _mixed(
    layer: Layer, queries: FloatArray, keys: FloatArray, values: FloatArray, ago: LongArray | None
) -> FloatArray:
    """Causal attention of (heads, n, d_head) arrays, the heads side by side: (n, d); `ago` (n, n) times in buckets."""
    heads, n, width = queries.shape
    weights = queries @ keys.transpose(0, 2, 1)
    weights += layer.bias[:, :n, :n]
    if layer.times is not None:
        weights += layer.times[:, ago]
    weights -= weights.max(axis=2, keepdims=True)
    np.exp(weights, out=weights)
    mixed: FloatArray = (weights @ values) / weights.sum(axis=2, keepdims=True)
    return mixed.transpose(1, 0, 2).reshape(n, heads * width)


def _mixed_at_last(
    at: int, layer: Layer, parts: FloatArray, kept: Sequence[Kept], logits: FloatArray, ago: LongArray | None
) -> FloatArray:
    """Attention of layer number `at` at the last positions, the heads side by side: (b, d).

    `parts` (b, 3, heads, d_head) are their query, key and value; `logits` (b, heads, longest + 1) is overwritten where
    histories have positions; `ago` (b, longest + 1) are the buckets of the time since, where the layer reads them.
    """
    b, longest = len(parts), logits.shape[2] - 1
    query, key, value = parts.transpose(1, 0, 2, 3)
    lengths = [history.keys.shape[2] for history in kept]
    for row, (history, n) in enumerate(zip(kept, lengths, strict=True)):
        np.matmul(history.keys[at], query[row, :, :, None], out=logits[row, :, longest - n : longest, None])
    np.einsum("bhd,bhd->bh", query, key, out=logits[:, :, longest])
    weights = logits + layer.distance[:, longest::-1]
    if layer.times is not None:
        weights += layer.times[:, ago].transpose(1, 0, 2)
    weights -= np.maximum.reduce(weights, axis=2, keepdims=True)
    np.exp(weights, out=weights)
    mixed: FloatArray = weights[:, :, longest:] * value
    for row, (history, n) in enumerate(zip(kept, lengths, strict=True)):
        mixed[row] += np.matmul(weights[row, :, None, longest - n : longest], history.values[at])[:, 0]
    mixed /= np.add.reduce(weights, axis=2, keepdims=True)
    return mixed.reshape(b, -1)


def _until_now(kept: Sequence[Kept], now: Sequence[int], longest: int) -> LongArray:
    """The bucket of the time from each event to the question (b, longest + 1), the events counted from the last one."""
    found = np.full((len(kept), longest + 1), UNKNOWN, np.int64)
    for row, (history, asked) in enumerate(zip(kept, now, strict=True)):
        assert history.times is not None  # noqa: S101
        question = np.array([asked if history.times[-1] >= 0 else -1])
        found[row, longest + 1 - len(history.times) :] = since(history.times, question)[0]
    return found


def _add_to_last(x: FloatArray, mixed: FloatArray, one: Layer) -> None:
    """Add to positions x (b, d) of mean 0 what attention `mixed` (b, d) and the MLP give, by a layer's `one`."""
    x += mixed @ one.out
    x += one.out_bias
    inner = x @ one.up
    inner *= _scales(x)
    inner += one.up_bias
    share = erf(inner)
    share += _ONE
    inner *= share
    x += inner @ one.down
    x += one.down_bias


def _add_gated(x: FloatArray, mixed: FloatArray, layer: Layer, gates: Gates) -> None:
    """Add to positions x (n, d), in place, what attention `mixed` (n, d) and the MLP give through the gates."""
    x += gates.on_attention(x, mixed @ layer.out + layer.out_bias)
    inner = swiglu(_standard(x) @ layer.up + layer.up_bias)
    x += gates.on_mlp(x, inner @ layer.down + layer.down_bias)


def folded(
    weight: FloatArray, bias: FloatArray, norm: FloatArray, norm_bias: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """A linear layer (out, in) behind a norm's gain and bias (in,), as the matrix (in, out) and bias of both.

    The matrix takes the mean from what it multiplies, too: only the division by the deviation is left.
    """
    matrix = (weight.astype(np.float64) * norm).T
    matrix -= matrix.mean(axis=0)
    return np.ascontiguousarray(matrix, np.float32), (bias + weight.astype(np.float64) @ norm_bias).astype(np.float32)


def _standard(x: FloatArray) -> FloatArray:
    """Rows (n, d) over their deviations; what they are multiplied by takes out the means."""
    standard: FloatArray = x * _scales_of_any(x)
    return standard


def _scales_of_any(x: FloatArray) -> FloatArray:
    """What a norm multiplies rows (n, d) by, once their means are taken out: (n, 1)."""
    d = np.float32(x.shape[1])
    mean = x.sum(axis=1) / d
    variance = np.maximum(np.einsum("nd,nd->n", x, x) / d - mean * mean, 0)
    scales: FloatArray = (1 / np.sqrt(variance + np.float32(_EPSILON)))[:, None]
    return scales


def _scales(x: FloatArray) -> FloatArray | np.float32:
    """What a norm multiplies rows (b, d) of mean 0 by: (b, 1), a number for one row."""
    if len(x) == 1:
        return np.float32(1 / math.sqrt(x[0].dot(x[0]) / x.shape[1] + _EPSILON))
    squares = np.einsum("bd,bd->b", x, x)
    squares /= np.float32(x.shape[1])
    squares += np.float32(_EPSILON)
    scales: FloatArray = (_ONE / np.sqrt(squares))[:, None]
    return scales


def _gelu_of_many(x: FloatArray) -> FloatArray:
    """x (1 + erf(x / √2)) / 2, overwriting x, with an erf that is off by 2·10⁻⁷ at most and ten times faster for many.

    Source: M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions", 7.1.26.
    """
    z = np.abs(x)
    z *= _ROOT_HALF
    t = _ONE / (z * np.float32(0.3275911) + _ONE)
    polynomial = t * np.float32(1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        polynomial += np.float32(coefficient)
        polynomial *= t
    z *= z
    np.negative(z, out=z)
    np.exp(z, out=z)
    polynomial *= z  # 1 - erf(|x| / √2)
    polynomial -= _ONE
    # x/2 · (1 + sign(x) e) with e = 1 - polynomial: |x|/2 · e + x/2
    e = np.abs(x)
    e *= polynomial
    x -= e
    x *= _HALF
    return x
