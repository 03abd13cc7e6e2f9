"""The settings of the causal transformer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

#: Epochs for a million events, and how they change with the number of events: 50,000 events get about 12.
_EPOCHS_AT_A_MILLION = 8
_EPOCHS_POWER = 0.14
_EPOCHS_RANGE = (2, 40)

#: Training events of which at most this share may repeat an earlier item for the history to be masked.
REPEATS_ALLOWED = 0.02


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes, schedule and what is masked.

    `dimension` d, `layers`, `heads`, `length` L (the longest history read), `epochs` (None: by the number of events),
    `batch_events` (positions a step), `learning_rate` (peak, after `warmup` of all steps, then cosine to 0).
    `mask_seen` leaves a user's earlier items out of the softmax; "auto" does so when at most 2% of events repeat.
    `ahead` is how many of the next items count as targets at each position, each `ahead_decay` times what the one
    before it counts. The time until the next event is read, except at a share `hide_elapsed` of the positions.
    `item_dropout` of the items are read and scored by their metadata alone in each batch, where there is any.
    Event types, contexts and attributes of users are read where there are any, but for a share `hide_inputs` of them.
    Above `full_softmax_items` items the softmax runs over about `negatives` items drawn for each batch.
    `patience` ends the training after that many epochs in a row whose validation is more than 5% below the best, and
    the last epoch before them is kept; None always trains to the end. Without a validation part nothing is looked at.
    `gated` puts gates on what each layer adds to its input and a SwiGLU in place of the MLP, with as many weights:
    worth its time where there are many layers. `time_bias` lets each layer weigh an event by how long before the moment
    asked for it was, beside by how many events it was before: what HSTU does, for about a tenth more time.
    `text_components` numbers say what an item's text does, beside the rest of its metadata. "auto" is 16 where items
    have texts and nothing else, so that those without events are placed at all, and 0 where categories or numbers say
    it already: models that were measured with these stay what they are.
    """

    dimension: int = 64
    layers: int = 2
    heads: int = 2
    length: int = 100
    dropout: float = 0.2
    epochs: int | None = None
    batch_events: int = 1024
    learning_rate: float = 8e-3
    weight_decay: float = 0.01
    warmup: float = 0.05
    ahead: int = 4
    ahead_decay: float = 0.5
    hide_elapsed: float = 0.1
    item_dropout: float = 0.05
    hide_inputs: float = 0.3
    full_softmax_items: int = 20_000
    negatives: int = 2_048
    embedding_scale: float = 0.1
    mask_seen: bool | Literal["auto"] = "auto"
    patience: int | None = 3
    gated: bool = False
    time_bias: bool = False
    text_components: int | Literal["auto"] = "auto"

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
