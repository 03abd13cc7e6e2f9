"""A gated block is as large as one without gates, and its gates let through what they say."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.network import Block, Encoder

PLAIN = TransformerConfig(dimension=16, layers=2, heads=2, length=9, dropout=0.0)


def block(gated: bool) -> Block:
    torch.manual_seed(0)
    return Block(replace(PLAIN, gated=gated)).eval()


def weights(one: Block) -> int:
    return sum(parameter.numel() for parameter in one.parameters() if parameter.ndim == 2)


def test_gates_cost_no_weights() -> None:
    assert weights(block(gated=True)) == weights(block(gated=False))


def test_a_network_without_gates_starts_from_the_numbers_that_it_always_did() -> None:
    names = set(dict(block(gated=False).named_parameters()))
    assert not any("gate" in name for name in names)
    assert {"mlp.0.weight", "mlp.2.weight"} < names


def test_closed_gates_let_nothing_through_and_open_ones_all() -> None:
    one, x = block(gated=True), torch.randn(2, 5, 16)
    gates = [gate for gate in (one.gate_attention, one.gate_mlp) if gate is not None]
    assert len(gates) == 2
    with torch.no_grad():
        for gate in gates:
            gate.weight.zero_()
            gate.bias.fill_(-1e4)
        torch.testing.assert_close(one(x), x)
        for gate in gates:
            gate.bias.fill_(1e4)
        attended = x + one.attention(one.norm_attention(x))
        torch.testing.assert_close(one(x), attended + one.mlp(one.norm_mlp(attended)))


@pytest.mark.parametrize("gated", [False, True])
def test_the_last_position_alone_is_that_of_all(gated: bool) -> None:
    torch.manual_seed(1)
    encoder, x = Encoder(replace(PLAIN, gated=gated)).eval(), torch.randn(3, 7, 16)
    last = torch.tensor([6, 0, 3])
    torch.testing.assert_close(encoder.last(x, last), encoder(x)[torch.arange(3), last], rtol=1e-5, atol=1e-5)
