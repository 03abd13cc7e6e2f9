"""Gated residuals in NumPy: what a gated block does otherwise than one without gates (`network.Block`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from scipy.special import expit

from matinee.data.interactions import FloatArray
from matinee.models.arrays import AnyArray

#: What the names of the gates' arrays in a model's file begin with.
_PREFIX = "step_gate_"


@dataclass(frozen=True, eq=False)
class Gates:
    """The gates of one block: matrices (d, d) and biases (d,) for what attention and the MLP add to a position."""

    attention: FloatArray
    attention_bias: FloatArray
    mlp: FloatArray
    mlp_bias: FloatArray

    @classmethod
    def of(cls, arrays: Mapping[str, AnyArray], layers: int) -> list[Self | None]:
        """The gates of each layer that `gate_arrays` gave; None for each of a model without."""
        names = [field.name for field in fields(cls)]
        if _PREFIX + names[0] not in arrays:
            return [None] * layers
        found = {name: np.array(arrays[_PREFIX + name]) for name in names}
        return [cls(**{name: found[name][at] for name in names}) for at in range(layers)]

    def on_attention(self, x: FloatArray, found: FloatArray) -> FloatArray:
        """sigmoid(W x + b) ⊙ what attention found of positions x, all (n, d); overwrites `found`."""
        found *= expit(x @ self.attention + self.attention_bias)
        return found

    def on_mlp(self, x: FloatArray, found: FloatArray) -> FloatArray:
        """sigmoid(W x + b) ⊙ what the MLP found of positions x, all (n, d); overwrites `found`."""
        found *= expit(x @ self.mlp + self.mlp_bias)
        return found


def gate_arrays(gates: list[Gates]) -> dict[str, FloatArray]:
    """Named arrays for the model's file, those of the layers stacked; none without gates."""
    if not gates:
        return {}
    return {_PREFIX + field.name: np.stack([getattr(one, field.name) for one in gates]) for field in fields(Gates)}


def swiglu(x: FloatArray) -> FloatArray:
    """silu(gate) ⊙ value (n, inner) of the rows [gate, value] (n, 2 · inner)."""
    inner = x.shape[1] // 2
    found: FloatArray = expit(x[:, :inner])
    found *= x[:, :inner]
    found *= x[:, inner:]
    return found
