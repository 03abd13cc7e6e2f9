"""The full softmax over the catalogue, in chunks, with a user's seen items left out of it (torch)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

#: Positions whose logits are held at once.
_POSITIONS_AT_ONCE = 256


def seen_masked_cross_entropy(queries: Tensor, items: Tensor, targets: Tensor, first_seen: Tensor | None) -> Tensor:
    """The mean over positions of -Σ_target w log softmax(query · items), w shared among a position's targets.

    `queries` (b, t, d), `items` (n_items, d), `targets` (b, t, ahead) with -1 for none. `first_seen` (b, n_items) is
    the position from which an item is left out of the softmax unless it is a target; None leaves out nothing.
    """
    loss: Tensor = _SeenMaskedCrossEntropy.apply(queries, items, targets, first_seen)  # type: ignore[no-untyped-call]
    return loss


class _SeenMaskedCrossEntropy(torch.autograd.Function):
    """Value and gradients are computed together, a chunk of windows at a time, so that no more than a chunk's logits
    (windows, t, n_items) exist at once and none are computed twice.
    """

    @staticmethod
    def forward(ctx: Any, queries: Tensor, items: Tensor, targets: Tensor, first_seen: Tensor | None) -> Tensor:
        """Loss and gradients, the latter kept for `backward`."""
        b, t, _ = queries.shape
        valid = targets >= 0
        weights = valid / valid.sum(dim=2, keepdim=True).clamp(min=1)  # (b, t, ahead)
        count = valid[:, :, 0].sum()
        grad_queries, grad_items = torch.zeros_like(queries), torch.zeros_like(items)
        total = queries.new_zeros(())
        position = torch.arange(t, device=queries.device, dtype=torch.int16)[None, :, None]
        step = max(1, _POSITIONS_AT_ONCE // t)
        for begin in range(0, b, step):
            chunk = slice(begin, begin + step)
            logits = queries[chunk] @ items.T  # (chunk, t, n_items)
            # A missing target repeats the first one with weight 0.
            index = torch.where(valid[chunk], targets[chunk], targets[chunk][:, :, :1]).clamp(min=0)
            weight = weights[chunk]
            wanted = logits.gather(2, index)
            if first_seen is not None:
                logits.masked_fill_(first_seen[chunk][:, None, :] <= position, -torch.inf)
                logits.scatter_(2, index, wanted)
            norm = logits.logsumexp(dim=2, keepdim=True)
            total += (weight * (norm - wanted)).sum()
            # d loss / d logits = softmax · Σ weights - weights at the targets
            error = logits.sub_(norm).exp_().mul_(weight.sum(dim=2, keepdim=True))
            error.scatter_add_(2, index, -weight)
            grad_queries[chunk] = error @ items
            grad_items += error.flatten(0, 1).T @ queries[chunk].flatten(0, 1)
        ctx.save_for_backward(grad_queries / count, grad_items / count)
        return total / count

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """The gradients that `forward` computed."""
        grad_queries, grad_items = ctx.saved_tensors
        return grads[0] * grad_queries, grads[0] * grad_items, None, None
