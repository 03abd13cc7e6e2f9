"""The blend: transformers, EASE, ridge and popularities, standardised and weighted as a validation part asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import FloatArray, Histories, Interactions
from matinee.models.arrays import AnyArray
from matinee.models.base import FitOptions, ItemFeatures, Model, Occasion, Progress
from matinee.models.ease import EASE, EASEConfig
from matinee.models.histories import rows_of
from matinee.models.one_row import OneRow, Remembered, Standing, Voice, shrunk
from matinee.models.popularity import Popularity, PopularityConfig
from matinee.models.recent import EventsInTime, Recent, RecentConfig
from matinee.models.ridge import Ridge, RidgeConfig
from matinee.models.transformer.config import REPEATS_ALLOWED, TransformerConfig
from matinee.models.transformer.model import Transformer, repeat_share
from matinee.models.validation import Validation, hold_out
from matinee.models.weighting import fit_weights

#: The share of a blend's training time that its transformer takes, for progress only.
_TRANSFORMER_TIME = 0.9
#: Training events between which a second transformer is worth its time: fewer say too little, of more one is enough.
_TWO_MEMBERS = (20_000, 150_000)
#: What a further transformer's seed is away from the one before.
_SEED_STEP = 1_000
#: Validation scores held at once for every part: 2²³ float32 values, 32 MB.
_SCORES_AT_ONCE = 2**23


@dataclass(frozen=True)
class BlendConfig:
    """The parts' own configurations (None leaves a part out) and how their weights are found.

    `members` transformers that differ in nothing but their seed share their weight evenly; None takes two between
    20,000 and 150,000 training events, where what one of them learns is still much by chance, else one.

    EASE and the ridge say n / (n + `shrink_events`) of their weight for a history of n events: standardised scores of
    linear models are as loud after two events as after two hundred, and know far less. None takes the median length of
    the histories that weights are fitted on. Where there are none, all parts count the same, whatever the history.

    Weights are fitted on `validation_users` of the users and on the newest tenth of events of `validation_tails` of
    them, on `validation_limit` cases at most; the transformer is not shown these events, the parts that are quick to
    fit are fitted again with them. `seen` says what becomes of items in the
    history: "last" ranks them behind all others, "keep" does nothing, "auto" ranks them last when at most 2% of
    training events repeat an item, as in ratings: a list of films already rated would help nobody.
    """

    transformer: TransformerConfig | None = field(default_factory=TransformerConfig)
    ease: EASEConfig | None = field(default_factory=EASEConfig)
    ridge: RidgeConfig | None = field(default_factory=RidgeConfig)
    popularity: PopularityConfig | None = field(default_factory=PopularityConfig)
    recent: RecentConfig | None = field(default_factory=RecentConfig)
    shrink_events: float | None = None
    members: int | None = None
    validation_users: float = 0.04
    validation_tails: float = 0.3
    validation_limit: int = 900
    seen: Literal["auto", "last", "keep"] = "auto"

    def __post_init__(self) -> None:
        for part, (_, config) in PARTS.items():
            given = getattr(self, part)
            if isinstance(given, Mapping):
                object.__setattr__(self, part, config(**given))
        if self.seen not in ("auto", "last", "keep"):
            raise ValueError(f"seen must be auto, last or keep, not {self.seen!r}")
        if self.members is not None and self.members < 1:
            raise ValueError(f"members must be 1 or more, not {self.members}")
        if self.shrink_events is not None and self.shrink_events < 0:
            raise ValueError(f"shrink_events must be 0 or more, not {self.shrink_events}")
        if not self.parts(1):
            raise ValueError("a blend needs at least one part")

    def parts(self, members: int) -> dict[str, Model]:
        """The parts that take part, not fitted, by name; further transformers are "transformer_2" and so on."""
        found: dict[str, Model] = {}
        for part, (model, _) in PARTS.items():
            config = getattr(self, part)
            if config is not None:
                names = [part, *(f"{part}_{at}" for at in range(2, members + 1))] if model is Transformer else [part]
                found |= {name: model(config) for name in names}
        return found

    def members_for(self, events: int) -> int:
        """How many transformers to train on `events` events."""
        if self.members is not None:
            return self.members
        low, high = _TWO_MEMBERS
        return 2 if low <= events < high else 1


#: The parts by their name in `BlendConfig`, each with its model and configuration.
PARTS: Mapping[str, tuple[type[Model], type]] = {
    "transformer": (Transformer, TransformerConfig),
    "ease": (EASE, EASEConfig),
    "ridge": (Ridge, RidgeConfig),
    "popularity": (Popularity, PopularityConfig),
    "recent": (Recent, RecentConfig),
}
#: The parts that say less of short histories.
_SHRUNK = ("ease", "ridge")


class Blend(Model):
    """score(u) = Σ_part w_part say_part(n) (s_part - mean) / deviation, over the items that are known.

    say_part(n) is 1, but n / (n + `shrink_events`) for EASE and the ridge, n being the events of the history. The
    direction of the weights is the one that ranks the validation events best, their length the one under which
    softmax(score) makes those events most likely: the softmax of a row reads as the chance of each item to be next.
    """

    name = "blend"
    Config = BlendConfig
    timed = True

    def __init__(self, config: BlendConfig | Mapping[str, object] | None = None) -> None:
        super().__init__(config)
        self.parts: dict[str, Model] = self.config.parts(self.config.members or 1)
        self.weights: FloatArray = np.ones(len(self.parts), np.float32)
        self.shrink = 0.0
        self.seen_last = False
        self.cold: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._one_row: OneRow | None = None

    @property
    def recent_days(self) -> float | None:
        """Those of the part that counts what is popular lately."""
        part = self.parts.get("recent")
        return None if part is None else part.recent_days

    def _fit(self, data: Interactions, features: ItemFeatures | None, options: FitOptions) -> None:
        config, self._one_row = self.config, None
        self.parts = config.parts(config.members_for(len(data)))
        limit = min(config.validation_limit, _SCORES_AT_ONCE // data.n_items)
        train, held_out = hold_out(
            data, users=config.validation_users, tails=config.validation_tails, limit=limit, seed=options.seed
        )
        validation = held_out if len(train) and len(held_out.truth.items) else None
        train = data if validation is None else train
        self.shrink = 0.0 if validation is None else self._shrink_for(validation)
        self.seen_last = config.seen == "last" or (config.seen == "auto" and repeat_share(data) <= REPEATS_ALLOWED)
        self._fit_transformers(train, features, validation, options)
        self._take_in_cold(data)
        if validation is not None:
            self._fit_others(train, options)
            self.weights = self._fit_weights(validation, train)
        options.on_progress(Progress(_TRANSFORMER_TIME, "blend: weights", None, dict(self._named_weights())))
        self._fit_others(data, options)

    def _shrink_for(self, validation: Validation) -> float:
        """The configured `shrink_events`, or the median length of the validation's histories."""
        given = self.config.shrink_events
        return float(np.median(np.diff(validation.histories.indptr)) if given is None else given)

    def _take_in_cold(self, data: Interactions) -> None:
        """Items without events that the transformer places by their metadata are known."""
        born = np.bincount(data.item, minlength=data.n_items) > 0
        part = self.parts.get("transformer")
        self.cold = np.zeros_like(born) if part is None else part.known & ~born
        self._set_known(born | self.cold)

    def _fit_transformers(
        self, train: Interactions, features: ItemFeatures | None, validation: Validation | None, options: FitOptions
    ) -> None:
        """The long part: its progress is the blend's. Each transformer has a seed and checkpoints of its own."""
        members = self._members()
        for at, (name, member) in enumerate(members.items()):

            def report(progress: Progress, at: int = at) -> None:
                left, rest = progress.seconds_left, len(members) - 1 - at
                if left is not None and 0 < progress.fraction < 1:
                    left += rest * left / (1 - progress.fraction)
                done = (at + progress.fraction) / len(members) * _TRANSFORMER_TIME
                options.on_progress(replace(progress, fraction=done, seconds_left=left))

            kept = None if options.checkpoints is None else options.checkpoints / name
            own = replace(options, seed=options.seed + at * _SEED_STEP, on_progress=report, checkpoints=kept)
            member.learn_from(train, features, validation, own)

    def _members(self) -> dict[str, Transformer]:
        """The transformers among the parts."""
        return {name: part for name, part in self.parts.items() if isinstance(part, Transformer)}

    def _fit_others(self, data: Interactions, options: FitOptions) -> None:
        """The parts that are quick to fit; their own progress is not worth reporting."""
        quiet = FitOptions(options.seed, options.threads, options.device, should_stop=options.should_stop)
        for part in self.parts.values():
            if not isinstance(part, Transformer):
                part.fit(data, None, quiet)

    def _fit_weights(self, validation: Validation, train: Interactions) -> FloatArray:
        """The weights (parts,) that rank the validation events best, the same of every transformer.

        What was popular lately is counted in `train` up to each question, as it will be when questions come.
        """
        hidden = np.zeros((len(validation), self.n_items), np.bool_)
        hidden[:, ~self.known | self.cold] = True
        if self.seen_last:
            hidden[rows_of(validation.histories.indptr), validation.histories.items] = True
        hidden[rows_of(validation.truth.indptr), validation.truth.items] = False
        histories, recent = validation.histories, self.parts.get("recent")
        if isinstance(recent, Recent):
            counted = EventsInTime.of(train).counted(histories.asked(), recent.config.window_days)
            histories = replace(histories, recent=counted)
        scores, members = self._standardised(histories), len(self._members())
        if members < 2:
            return fit_weights(scores, hidden, validation)
        # The transformers come first among the parts.
        together = np.concatenate([scores[:members].mean(axis=0, keepdims=True), scores[members:]])
        weights = fit_weights(together, hidden, validation)
        return np.concatenate([np.repeat(weights[:1] / np.float32(members), members), weights[1:]])

    def _standardised(self, histories: Histories) -> FloatArray:
        """Every part's scores with mean 0 over the items with events: (parts, b, n_items), unknown 0.

        Their deviation is 1, or what the part is to say of a history of that length. A cold item, one without events,
        is to most parts what it is to everybody: nothing. It counts as their mean.
        """
        found = np.zeros((len(self.parts), len(histories), self.n_items), np.float32)
        aside = np.flatnonzero(~self.known | self.cold)
        lengths = np.diff(histories.indptr)
        for out, (name, part) in zip(found, self.parts.items(), strict=True):
            scores = part.score(_one_for_all(histories) if not part.personal else histories)
            placed = np.flatnonzero(self.cold & part.known)
            cold = scores[:, placed]
            if len(part.unknown) > len(self.unknown):
                # Items of held-out users alone: too rare for the part to say anything good of them.
                scores[:, part.unknown] = np.inf
                scores[:, part.unknown] = scores.min(axis=1, keepdims=True)
            scores[:, aside] = 0
            count = self.n_items - len(aside)
            mean = scores.sum(axis=1, keepdims=True) / count
            scores -= mean
            scores[:, aside] = 0
            deviation = np.sqrt(np.einsum("bn,bn->b", scores, scores) / count)[:, None]
            scores[:, placed] = cold - mean
            np.divide(scores, np.maximum(deviation, 1e-12), out=out)
            if name in _SHRUNK:
                out *= shrunk(lengths, self.shrink)[:, None]
        return found

    def say(self, name: str, events: int) -> float:
        """What share of its weight the part called `name` has for a history of so many events."""
        return float(shrunk(np.array([events]), self.shrink)[0]) if name in _SHRUNK else 1.0

    def _score(self, histories: Histories) -> FloatArray:
        if len(histories) == 1:
            return self._score_one(histories)[None, :]
        scores: FloatArray = np.tensordot(self.weights, self._standardised(histories), axes=1)
        if self.seen_last:
            row = rows_of(histories.indptr)
            lowest = np.ptp(scores, axis=1) + 1
            seen = np.zeros(scores.shape, np.bool_)
            seen[row, histories.items] = True
            scores -= seen * lowest[:, None]
        return scores

    def _score_one(self, histories: Histories) -> FloatArray:
        """As `_score` for a batch of one, (n_items,), to rounding."""
        scores = self._alone().score(histories)
        if self.seen_last and len(histories.items):
            scores[np.unique(histories.items)] -= np.ptp(scores) + 1
        return scores

    def _alone(self) -> OneRow:
        """The parts as a batch of one is scored by."""
        if self._one_row is None:  # made on first use: fitting asks for batches before the weights are there
            aside = np.flatnonzero(~self.known | self.cold)
            parts = []
            for (name, part), weight in zip(self.parts.items(), self.weights.astype(np.float32), strict=True):
                placed = np.flatnonzero(self.cold & part.known)
                standing = Standing.of(part, aside, placed, len(self.unknown))
                parts.append(Voice(part, standing, weight, self.shrink if name in _SHRUNK else 0.0))
            self._one_row = OneRow.of(parts, self.n_items)
        return self._one_row

    def remember(self, histories: Histories) -> Remembered | None:
        """What the parts keep of the history, and the sum of those that no occasion changes."""
        return self._alone().remember(self._known_only(histories))

    def recall(self, memories: Sequence[Remembered], occasions: Sequence[Occasion]) -> FloatArray:
        """The scores (b, n_items), to rounding those of `score`."""
        scores = self._alone().recall(memories, occasions)
        if self.seen_last:
            lowest = np.maximum.reduce(scores, axis=1) - np.minimum.reduce(scores, axis=1) + np.float32(1)
            for row, down, memory in zip(scores, lowest, memories, strict=True):
                row[memory.seen] -= down
        if len(self.unknown):
            scores[:, self.unknown] = -np.inf
        return scores

    def _named_weights(self) -> Mapping[str, float]:
        return {f"weight_{name}": float(weight) for name, weight in zip(self.parts, self.weights, strict=True)}

    def save(self, folder: Path) -> None:
        """Weights here, every part in a folder of its own."""
        super().save(folder)
        for name, part in self.parts.items():
            part.save(folder / name)

    @classmethod
    def load(cls, folder: Path, config: Any) -> Self:
        """The model that `save` wrote."""
        model = super().load(folder, config)
        model.parts = {name: type(part).load(folder / name, part.config) for name, part in model.parts.items()}
        return model

    def _arrays(self) -> Mapping[str, AnyArray]:
        members = np.array([len(self._members())])
        flags = {"seen_last": np.array([self.seen_last]), "members": members, "shrink": np.array([self.shrink])}
        return {"weights": self.weights, "cold": self.cold, **flags}

    def _restore(self, arrays: Mapping[str, AnyArray]) -> None:
        self.weights, self.seen_last = np.array(arrays["weights"]), bool(arrays["seen_last"][0])
        self.cold = np.array(arrays["cold"])
        members = int(arrays["members"][0]) if "members" in arrays else 1
        if "shrink" in arrays:
            self.shrink = float(arrays["shrink"][0])
        else:  # trained before recent popularity took part
            self.config = replace(self.config, recent=None)
        self.parts = self.config.parts(members)


def _one_for_all(histories: Histories) -> Histories:
    """A batch of one in the place of all, where who asks changes nothing; all where they ask at different moments."""
    recent = histories.recent
    if not len(histories) or (recent is not None and recent.strides[0] != 0):
        return histories
    nobody = Histories.one(histories.items[:0], histories.timestamps[:0])
    return nobody if recent is None else replace(nobody, recent=recent[:1])
