"""What every model is: fit on interactions, score histories, save to arrays and load again.

A model knows numbers only: users, items and categories are already indices. A public method checks and
converts; the private hook of the same name does only the mathematics.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from matinee.data.interactions import FloatArray, Histories, Interactions, IntArray


@dataclass(frozen=True)
class Progress:
    """One step of a training: `fraction` in [0, 1], `seconds_left` an estimate or None, `metrics` such as loss."""

    fraction: float
    message: str
    seconds_left: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


def _silent(_: Progress) -> None:
    """The default progress callback."""


def _never() -> bool:
    """The default stop callback."""
    return False


@dataclass(frozen=True)
class FitOptions:
    """What a training is given beyond its data and its configuration.

    `on_progress` is called at least once an epoch or block; `should_stop` is asked at least every few seconds and
    makes the fit raise `matinee.errors.JobStopped`. `checkpoints` is a folder in which a fit may keep its state so
    that the same fit, started again with the same data, configuration and seed, continues from there.
    """

    seed: int = 0
    threads: int = 1
    device: str = "cpu"
    on_progress: Callable[[Progress], None] = _silent
    should_stop: Callable[[], bool] = _never
    checkpoints: Path | None = None


@dataclass(frozen=True)
class ItemFeatures:
    """What is known of items beside interactions.

    `categories` (n_items, n_categories) is a 0/1 matrix of categorical values; `numbers` (n_items, n_numbers) holds
    standardised numeric columns with 0 for null; `created` (n_items,) is CREATION_TIMESTAMP in epoch seconds.
    """

    categories: sparse.csr_array
    numbers: FloatArray
    created: NDArray[np.int64]


class Model(ABC):
    """A recommender over item numbers. Subclasses set `name`, `Config` and the hooks.

    Scores are comparable within one row. Higher is better; an item that a model cannot score gets -inf.
    """

    name: ClassVar[str]
    Config: ClassVar[type]
    #: Whether `score` reads the history; False for counting models whose answer is the same for everyone.
    personal: ClassVar[bool] = True

    def __init__(self, config: Any = None) -> None:
        self.config = self.Config() if config is None else config
        self.n_items = 0

    # -- training -----------------------------------------------------------------------------------------------

    @abstractmethod
    def fit(
        self, data: Interactions, features: ItemFeatures | None = None, options: FitOptions = FitOptions()
    ) -> Self:
        """Learn from `data`; returns self. The same data, configuration and seed give the same model."""

    # -- scoring ------------------------------------------------------------------------------------------------

    @abstractmethod
    def score(self, histories: Histories) -> FloatArray:
        """Scores of all items for each history: (len(histories), n_items). An empty history is allowed."""

    # -- storage ------------------------------------------------------------------------------------------------

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write everything that `load` needs into `folder` (safetensors, ONNX; never pickle)."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path, config: Any) -> Self:
        """The model that `save` wrote; arrays are memory-mapped. Never imports torch."""

    def config_dict(self) -> dict[str, Any]:
        """The configuration as JSON-ready values; `Config(**config_dict)` gives it back."""
        return asdict(self.config)


class RelatedItemsModel(Model):
    """A model that also says which items are alike."""

    @abstractmethod
    def score_related(self, items: IntArray) -> FloatArray:
        """Scores of all items as neighbours of each given item: (len(items), n_items); the item itself is -inf."""
