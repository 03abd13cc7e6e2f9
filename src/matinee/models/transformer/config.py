"""The settings of the causal transformer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

#: Epochs for a million events, and how they change with the number of events: 50,000 events get about 11.
_EPOCHS_AT_A_MILLION = 5
_EPOCHS_POWER = 0.25
_EPOCHS_RANGE = (2, 40)

#: Training events of which at most this share may repeat an earlier item for the history to be masked.
REPEATS_ALLOWED = 0.02


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes, schedule and what is masked.

    `dimension` d, `layers`, `heads`, `length` L (the longest history read), `epochs` (None: by the number of events),
    `batch_events` (positions a step), `learning_rate` (peak, after `warmup` of all steps, then cosine to 0).
    `mask_seen` leaves a user's earlier items out of the softmax; "auto" does so when at most 2% of events repeat.
    `ahead` is how many of the next items count as targets at each position.
    `patience` ends the training after that many epochs without a better validation; None never does.
    """

    dimension: int = 64
    layers: int = 2
    heads: int = 2
    length: int = 100
    dropout: float = 0.2
    epochs: int | None = None
    batch_events: int = 1024
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    warmup: float = 0.05
    ahead: int = 4
    embedding_scale: float = 0.1
    mask_seen: bool | Literal["auto"] = "auto"
    patience: int | None = None

    def __post_init__(self) -> None:
        if self.dimension % self.heads:
            raise ValueError(f"dimension {self.dimension} must be a multiple of heads {self.heads}")

    def epochs_for(self, events: int) -> int:
        """How many epochs to train on `events` events."""
        if self.epochs is not None:
            return self.epochs
        low, high = _EPOCHS_RANGE
        wanted = round(_EPOCHS_AT_A_MILLION * math.pow(1e6 / max(1, events), _EPOCHS_POWER))
        return min(high, max(low, wanted))
