"""The softmax over the catalogue or a sample of it, in chunks, with a user's seen items left out of it (torch)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

#: Positions whose logits are held at once.
_POSITIONS_AT_ONCE = 256


def seen_masked_cross_entropy(
    queries: Tensor,
    items: Tensor,
    targets: Tensor,
    weights: Tensor,
    seen: Sequence[Tensor] | None,
    offset: Tensor | None = None,
) -> Tensor:
    """The mean over positions of -Σ_target w log softmax(query · items + offset).

    `queries` (b, t, d), `items` (n, d), `targets` (b, t, ahead) with -1 for none and their `weights` w, 0 for none.
    `seen` lists for each window the (position · n + item) that are left out of the softmax unless they are a target;
    None leaves out nothing. `offset` (n,) is the log of how many items each stands for, where `items` is a sample; a
    target stands for itself.
    """
    loss: Tensor = _SeenMaskedCrossEntropy.apply(queries, items, targets, weights, seen, offset)  # type: ignore[no-untyped-call]
    return loss


class _SeenMaskedCrossEntropy(torch.autograd.Function):
    """Value and gradients are computed together, a chunk of windows at a time, so that no more than a chunk's logits
    (windows, t, n) exist at once and none are computed twice. Passes over the logits are what costs beside the matrix
    products: the softmax is never normalised, its factor goes to the small operand of each product.
    """

    @staticmethod
    def forward(
        ctx: Any,
        queries: Tensor,
        items: Tensor,
        targets: Tensor,
        weights: Tensor,
        seen: Sequence[Tensor] | None,
        offset: Tensor | None,
    ) -> Tensor:
        """Loss and gradients, the latter kept for `backward`."""
        b, t, _ = queries.shape
        n = len(items)
        count = (targets[:, :, 0] >= 0).sum()
        grad_queries, grad_items = torch.zeros_like(queries), torch.zeros_like(items)
        total = queries.new_zeros(())
        step = max(1, _POSITIONS_AT_ONCE // t)
        for begin in range(0, b, step):
            chunk = slice(begin, begin + step)
            query, weight = queries[chunk], weights[chunk]
            index = torch.where(weight > 0, targets[chunk], targets[chunk][:, :, :1]).clamp(min=0)
            logits = query @ items.T  # (chunk, t, n)
            wanted = logits.gather(2, index)
            if offset is not None:
                logits += offset
                logits.scatter_(2, index, wanted)
            top = logits.amax(dim=2, keepdim=True)
            share = logits.sub_(top).exp_()
            if seen is not None:
                kept = share.gather(2, index)
                hidden = [places + window * t * n for window, places in enumerate(seen[chunk])]
                share.view(-1)[torch.cat(hidden)] = 0
                share.scatter_(2, index, kept)
            mass = share.sum(dim=2, keepdim=True)
            total += (weight * (mass.log() + top - wanted)).sum()
            # d loss / d logits = Σ weights · share / mass - weights at the targets
            factor = weight.sum(dim=2, keepdim=True) / mass
            share.scatter_add_(2, index, -weight / factor.clamp(min=1e-30))
            grad_queries[chunk] = (share @ items) * factor
            grad_items.addmm_(share.flatten(0, 1).T, (query * factor).flatten(0, 1))
        ctx.save_for_backward(grad_queries / count, grad_items / count)
        return total / count

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None, None, None]:
        """The gradients that `forward` computed."""
        grad_queries, grad_items = ctx.saved_tensors
        return grads[0] * grad_queries, grads[0] * grad_items, None, None, None, None
