"""The chunked softmax gives the value and the gradients of the plain one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from matinee.models.transformer.loss import seen_masked_cross_entropy

B, T, D, N = 3, 5, 4, 11


def inputs(ahead: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Queries and items with gradients, targets of which some are missing, and first_seen."""
    torch.manual_seed(0)
    queries = torch.randn(B, T, D, requires_grad=True)
    items = torch.randn(N, D, requires_grad=True)
    targets = torch.randint(0, N, (B, T, ahead))
    targets[1, 3:] = -1
    if ahead > 1:
        targets[0, 4, 1:] = -1
    return queries, items, targets, torch.randint(-1, T + 1, (B, N), dtype=torch.int16)


def plain(queries: Tensor, items: Tensor, targets: Tensor, first_seen: Tensor | None) -> Tensor:
    """The definition, position by position."""
    losses = []
    for b in range(B):
        for t in range(T):
            wanted = targets[b, t][targets[b, t] >= 0]
            if not len(wanted):
                continue
            logits = items @ queries[b, t]
            if first_seen is not None:
                hidden = first_seen[b] <= t
                hidden[wanted] = False
                logits = logits.masked_fill(hidden, -torch.inf)
            losses.append(-torch.log_softmax(logits, 0)[wanted].mean())
    return torch.stack(losses).mean()


@pytest.mark.parametrize("ahead", [1, 3])
@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_value_and_gradients_are_those_of_the_definition(
    ahead: int, masked: bool, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matinee.models.transformer.loss._POSITIONS_AT_ONCE", at_once)
    queries, items, targets, first_seen = inputs(ahead)
    seen = first_seen if masked else None
    expected = plain(queries, items, targets, seen)
    found = seen_masked_cross_entropy(queries, items, targets, seen)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    for ours, theirs in zip(
        torch.autograd.grad(found, (queries, items)), torch.autograd.grad(expected, (queries, items)), strict=True
    ):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-6)
