"""Gates multiply what they are told to, and survive as arrays."""

from __future__ import annotations

import numpy as np

from matinee.data.interactions import FloatArray
from matinee.models.transformer.gates import Gates, gate_arrays, swiglu


def gates(seed: int) -> Gates:
    random = np.random.default_rng(seed)
    matrices: list[FloatArray] = [random.standard_normal((3, 3)).astype(np.float32) for _ in range(2)]
    biases: list[FloatArray] = [random.standard_normal(3).astype(np.float32) for _ in range(2)]
    return Gates(matrices[0], biases[0], matrices[1], biases[1])


def test_each_gate_is_the_sigmoid_of_what_is_added_to() -> None:
    one, x = gates(0), np.random.default_rng(1).standard_normal((4, 3)).astype(np.float32)
    ones = np.ones_like(x)
    expected = 1 / (1 + np.exp(-(x @ one.attention + one.attention_bias)))
    np.testing.assert_allclose(one.on_attention(x, ones.copy()), expected, rtol=1e-5)
    expected = 1 / (1 + np.exp(-(x @ one.mlp + one.mlp_bias)))
    np.testing.assert_allclose(one.on_mlp(x, 2 * ones), 2 * expected, rtol=1e-5)


def test_swiglu_is_the_first_half_by_its_sigmoid_by_the_second() -> None:
    found = swiglu(np.array([[2.0, -1.0, 3.0, 5.0]], np.float32))
    np.testing.assert_allclose(found, [[3 * 2 / (1 + np.exp(-2)), 5 * -1 / (1 + np.e)]], rtol=1e-5)


def test_gates_are_kept_as_arrays_and_missing_ones_are_none() -> None:
    given = [gates(0), gates(1)]
    again = Gates.of(gate_arrays(given), 2)
    for one, other in zip(given, again, strict=True):
        assert other is not None
        np.testing.assert_array_equal(one.mlp, other.mlp)
        np.testing.assert_array_equal(one.attention_bias, other.attention_bias)
    assert gate_arrays([]) == {}
    assert Gates.of({}, 2) == [None, None]
