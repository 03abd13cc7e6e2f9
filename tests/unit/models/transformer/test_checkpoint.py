"""A checkpoint puts every part of the state where the network is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from matinee.models.transformer.checkpoint import Checkpoints


def learned(network: nn.Module) -> torch.optim.Optimizer:
    """An optimizer after one step on the network."""
    optimizer = torch.optim.AdamW(network.parameters())
    torch.autograd.backward(network(torch.ones(1, 3)).sum())
    optimizer.step()
    return optimizer


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_state_follows_its_parameter_to_its_device(tmp_path: Path, device: str) -> None:
    checkpoints, network = Checkpoints(tmp_path, b"one"), nn.Linear(3, 2)
    checkpoints.write(network, learned(network), epoch=1, step=1, best=None)
    elsewhere = nn.Linear(3, 2, device=device)
    optimizer = torch.optim.AdamW(elsewhere.parameters())

    assert checkpoints.restore(elsewhere, optimizer) == (1, 1, None)

    for parameter in elsewhere.parameters():
        state = optimizer.state[parameter]
        assert {name: value.device.type for name, value in state.items()} == dict.fromkeys(state, device)
        assert state.keys() == {"step", "exp_avg", "exp_avg_sq"}
