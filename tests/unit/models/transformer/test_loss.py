"""The chunked softmax gives the value and the gradients of the plain one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from matinee.models.transformer.loss import seen_masked_cross_entropy

B, T, D, N = 3, 5, 4, 11


def inputs(ahead: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Queries and items with gradients, targets of which some are missing, their weights, and what is seen where."""
    torch.manual_seed(0)
    queries = torch.randn(B, T, D, requires_grad=True)
    items = torch.randn(N, D, requires_grad=True)
    targets = torch.randint(0, N, (B, T, ahead))
    targets[1, 3:] = -1
    if ahead > 1:
        targets[0, 4, 1:] = -1
    weights = torch.rand(B, T, ahead) * (targets >= 0)
    return queries, items, targets, weights, torch.rand(B, T, N) < 0.4


def plain(
    queries: Tensor, items: Tensor, targets: Tensor, weights: Tensor, seen: Tensor | None, offset: Tensor
) -> Tensor:
    """The definition, position by position."""
    losses = []
    for b in range(B):
        for t in range(T):
            there = targets[b, t] >= 0
            wanted = targets[b, t][there]
            if not len(wanted):
                continue
            moved = offset.clone()
            moved[wanted] = 0
            logits = items @ queries[b, t] + moved
            if seen is not None:
                hidden = seen[b, t].clone()
                hidden[wanted] = False
                logits = logits.masked_fill(hidden, -torch.inf)
            losses.append(-(weights[b, t][there] * torch.log_softmax(logits, 0)[wanted]).sum())
    return torch.stack(losses).mean()


@pytest.mark.parametrize("ahead", [1, 3])
@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("at_once", [1, 7, 1000])
@pytest.mark.parametrize("sampled", [True, False])
def test_value_and_gradients_are_those_of_the_definition(
    ahead: int, masked: bool, at_once: int, sampled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matinee.models.transformer.loss._POSITIONS_AT_ONCE", at_once)
    queries, items, targets, weights, seen = inputs(ahead)
    offset = torch.rand(N) * 3 if sampled else torch.zeros(N)
    if sampled:
        offset[2] = -torch.inf
    expected = plain(queries, items, targets, weights, seen if masked else None, offset)
    places = [window.flatten().nonzero().squeeze(1) for window in seen] if masked else None
    found = seen_masked_cross_entropy(queries, items, targets, weights, places, offset if sampled else None)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    for ours, theirs in zip(
        torch.autograd.grad(found, (queries, items)), torch.autograd.grad(expected, (queries, items)), strict=True
    ):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-6)
