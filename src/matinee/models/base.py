"""What every model is: fit on interactions, score histories, save to arrays and load again.

A model knows numbers only: users, items and categories are already indices. A public method checks and
converts; the private hook of the same name does only the mathematics.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from matinee.data.interactions import FloatArray, Histories, IntArray, Interactions, LongArray
from matinee.errors import ArtifactProblem, JobFailed, JobStopped
from matinee.models.arrays import AnyArray, read_arrays, write_arrays

#: The file in which every model keeps its arrays.
ARRAYS = "model.safetensors"


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

    `device` is what PyTorch calls it ("cpu", "cuda"); `bfloat16` multiplies in that precision where the network allows
    it, `compiled` compiles the network before training: both are for GPUs, and change what is learned by rounding.
    `on_progress` is called at least once an epoch or block; `should_stop` is asked at least every few seconds and
    makes the fit raise `matinee.errors.JobStopped`. `checkpoints` is a folder in which a fit may keep its state so
    that the same fit, started again with the same data, configuration and seed, continues from there. `sentences` is
    the folder of the sentence-embedding model that reads texts; None leaves them to TF-IDF.
    """

    seed: int = 0
    threads: int = 1
    device: str = "cpu"
    bfloat16: bool = False
    compiled: bool = False
    on_progress: Callable[[Progress], None] = _silent
    should_stop: Callable[[], bool] = _never
    checkpoints: Path | None = None
    sentences: Path | None = None

    def raise_if_stopped(self) -> None:
        """Raise `JobStopped` when someone has asked the training to stop."""
        if self.should_stop():
            raise JobStopped("The training was stopped on request.")

    def portion(self, begin: float, end: float) -> FitOptions:
        """The options of a part of the work: what it reports, from 0 to 1, counts from `begin` to `end`."""

        def report(progress: Progress) -> None:
            self.on_progress(replace(progress, fraction=begin + (end - begin) * progress.fraction))

        return replace(self, on_progress=report)


#: The options of work that nobody watches or stops.
QUIET = FitOptions()


@dataclass(frozen=True)
class ItemFeatures:
    """What is known of items beside interactions.

    `categories` (n_items, n_categories) is a 0/1 matrix of categorical values; `numbers` (n_items, n_numbers) holds
    standardised numeric columns with 0 for null; `created` (n_items,) is CREATION_TIMESTAMP in epoch seconds.
    `texts` (n_items,) holds each item's name and text, where the items have any; else it is empty.
    """

    categories: sparse.csr_array
    numbers: FloatArray
    created: NDArray[np.int64]
    texts: tuple[str, ...] = ()


class Memory(Protocol):
    """What a model keeps of one history: all that its score needs and that no occasion changes."""

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""


@dataclass(frozen=True)
class Occasion:
    """When a history is asked about, epoch seconds (-1 for unknown), and the `context` (1, c) of the question.

    `recent` (n_items,) is what was counted by then, as in `Histories`; questions of one moment share the array.
    """

    now: int = -1
    context: FloatArray | None = None
    recent: FloatArray | None = None


class Model(ABC):
    """A recommender over item numbers. Subclasses set `name`, `Config` and the hooks.

    Scores are comparable within one row. Higher is better; an item that no training event has is unknown to the
    model and gets -inf. `known` (n_items,) says which items are known, `unknown` holds the numbers of the others.
    Unknown items in a history are passed over.
    """

    name: ClassVar[str]
    Config: ClassVar[type]
    #: Whether `score` reads the history; False for counting models whose answer is the same for everyone.
    personal: ClassVar[bool] = True
    #: Whether `score` reads when and on what occasion it is asked, not only the history.
    timed: ClassVar[bool] = False

    def __init__(self, config: Any = None) -> None:
        """`config` is a `Config`, the mapping that `config_dict` gave, or None for the defaults."""
        if config is None:
            config = self.Config()
        elif isinstance(config, Mapping):
            config = self.Config(**config)
        self.config = config
        self.n_items = 0
        self._set_known(np.zeros(0, np.bool_))

    @property
    def recent_days(self) -> float | None:
        """How many days before a question its `recent` counts; None for a model that does not read it."""
        return None

    # -- training -----------------------------------------------------------------------------------------------

    def fit(self, data: Interactions, features: ItemFeatures | None = None, options: FitOptions = FitOptions()) -> Self:
        """Learn from `data`; returns self. The same data, configuration, threads and seed give the same model.

        Raises `JobFailed` when there is nothing to learn from and `JobStopped` when asked to stop.
        """
        if len(data) == 0:
            raise JobFailed("There are no interactions to train on. Import interactions, or widen what is trained on.")
        options.raise_if_stopped()
        self._set_known(np.bincount(data.item, minlength=data.n_items) > 0)
        self._fit(data, features, options)
        options.on_progress(Progress(1.0, f"{self.name}: trained on {len(data):,} interactions", 0.0))
        return self

    @abstractmethod
    def _fit(self, data: Interactions, features: ItemFeatures | None, options: FitOptions) -> None:
        """Learn from at least one interaction."""

    # -- scoring ------------------------------------------------------------------------------------------------

    def score(self, histories: Histories) -> FloatArray:
        """Scores of all items for each history: (len(histories), n_items). An empty history is allowed."""
        scores = self._score(self._known_only(histories))
        if len(self.unknown):
            scores[:, self.unknown] = -np.inf
        return scores

    @abstractmethod
    def _score(self, histories: Histories) -> FloatArray:
        """A fresh array (len(histories), n_items) of scores for histories of known items only."""

    def remember(self, histories: Histories) -> Memory | None:
        """What `recall` needs of a batch of one, its attributes included; None where nothing is worth keeping."""
        return None

    def recall(self, memories: Sequence[Any], occasions: Sequence[Occasion]) -> FloatArray:
        """The scores (b, n_items) of b histories that this model remembered, each on its occasion; a fresh array.

        To rounding those of `score`.

        Raises `TypeError` from a model that remembers nothing.
        """
        raise TypeError(f"{self.name} remembers no histories")

    def _known_only(self, histories: Histories) -> Histories:
        """The histories without items that the model does not know."""
        items = histories.items
        if not len(self.unknown) and items.min(initial=0) >= 0 and items.max(initial=-1) < self.n_items:
            return histories
        keep = (items >= 0) & (items < self.n_items)
        keep[keep] = self.known[items[keep]]
        if keep.all():
            return histories
        return histories.of_events(np.flatnonzero(keep))

    # -- storage ------------------------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        """Write everything that `load` needs into `folder` (safetensors, ONNX; never pickle)."""
        folder.mkdir(parents=True, exist_ok=True)
        write_arrays(folder / ARRAYS, {"known": self.known, **self._arrays()})

    @classmethod
    def load(cls, folder: Path, config: Any) -> Self:
        """The model that `save` wrote; arrays are memory-mapped. Never imports torch.

        Raises `ArtifactProblem` naming the file that is missing, cut short or lacks an array.
        """
        model = cls(config)
        arrays = read_arrays(folder / ARRAYS)
        try:
            model._set_known(np.array(arrays["known"]))
            model._restore(arrays)
        except KeyError as error:
            raise ArtifactProblem(f"{folder / ARRAYS} has no array {error}. Train again.") from None
        return model

    @abstractmethod
    def _arrays(self) -> Mapping[str, AnyArray]:
        """What was learned, as named arrays."""

    @abstractmethod
    def _restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `_arrays` gave; a missing name raises KeyError."""

    def config_dict(self) -> dict[str, Any]:
        """The configuration as JSON-ready values; `Config(**config_dict)` gives it back."""
        return asdict(self.config)

    def _set_known(self, known: NDArray[np.bool_]) -> None:
        """Set the catalogue's size and which of its items are known."""
        self.known, self.n_items = known, len(known)
        self.unknown: LongArray = np.flatnonzero(~known)


class RelatedItemsModel(Model):
    """A model that also says which items are alike."""

    def score_related(self, items: IntArray) -> FloatArray:
        """Scores of all items as neighbours of each given item: (len(items), n_items); the item itself is -inf."""
        items = np.asarray(items, np.int32)
        inside = (items >= 0) & (items < self.n_items)
        known = inside.copy()
        known[inside] = self.known[items[inside]]
        scores = self._score_related(np.where(known, items, np.int32(-1)))
        if len(self.unknown):
            scores[:, self.unknown] = -np.inf
        rows = np.flatnonzero(inside)
        scores[rows, items[rows]] = -np.inf
        return scores

    @abstractmethod
    def _score_related(self, items: IntArray) -> FloatArray:
        """A fresh array (len(items), n_items) of scores; an item of -1 is one that the model does not know."""
