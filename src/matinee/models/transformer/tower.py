"""The part of item embeddings that comes from metadata: an item that nobody has had yet is placed by it alone (torch).

Source: M. Volkovs, G. Yu and T. Poutanen, "DropoutNet: Addressing Cold Start in Recommender Systems", NIPS 2017.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from matinee.data.interactions import FloatArray
from matinee.models.histories import Sparse, rows_of


class Tower(nn.Module):
    """The embedding of item i is own_i + Σ_k features_ik weights_k; without own_i where it was not `trained`."""

    def __init__(self, features: Sparse, weights: FloatArray, trained: NDArray[np.bool_]) -> None:
        """`features` (n_items, k), `weights` (k, d) to start from, `trained` (n_items,)."""
        super().__init__()
        self.weights = nn.Parameter(torch.from_numpy(weights))
        places = np.stack([rows_of(features.indptr.astype(np.int64)), features.indices.astype(np.int64)])
        # One row more than there are items: START has no metadata.
        shape = features.shape[0] + 1, features.shape[1]
        matrix = torch.sparse_coo_tensor(
            torch.from_numpy(places), torch.from_numpy(features.data), shape, check_invariants=True
        )
        self.features: Tensor
        self.own: Tensor
        self.register_buffer("features", matrix.coalesce(), persistent=False)
        self.register_buffer("own", torch.from_numpy(np.append(trained, True)), persistent=False)

    def forward(self, items: Tensor, without: Tensor | None = None) -> Tensor:
        """Own embeddings (n_items + 1, d) to whole ones; those of the items `without` (n_items,) are left out."""
        own = self.own
        if without is not None:
            own = own & ~nn.functional.pad(without, (0, 1))
        table: Tensor = items * own[:, None] + torch.sparse.mm(self.features, self.weights)
        return table
