"""What every model must do. A model's test class inherits `ModelSuite` and says how to build the model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy import sparse

from matinee.data.interactions import FloatArray, Histories, Interactions
from matinee.errors import JobFailed, JobStopped
from matinee.models.artifact import read_model, write_model
from matinee.models.base import FitOptions, ItemFeatures, Model, Occasion, Progress, RelatedItemsModel
from matinee.serving.ranking import best

N_USERS, N_ITEMS, UNUSED_ITEM = 40, 30, 29
#: What a model is fitted on: events alone, with metadata of half the items, with all else that a log can say.
PLAIN, DESCRIBED, INFORMED = "plain", "described", "informed"


def interactions(seed: int = 5, n_users: int = N_USERS, n_items: int = N_ITEMS) -> Interactions:
    """A log in which items of like parity go together; the last item has no event."""
    random = np.random.default_rng(seed)
    user, item = [], []
    for number in range(n_users):
        liked = np.arange(number % 2, n_items - 1, 2)
        chosen = random.permutation(liked)[: random.integers(3, len(liked) + 1)]
        user += [number] * len(chosen)
        item += chosen.tolist()
    time = np.arange(len(user), dtype=np.int64) * 60 + 1_000_000
    return Interactions.of(np.array(user, np.int32), np.array(item, np.int32), time, n_users=n_users, n_items=n_items)


def history(*items: int) -> Histories:
    """A batch of one history, an event a minute."""
    return Histories.one(np.array(items, np.int32), np.arange(len(items), dtype=np.int64) * 60 + 2_000_000)


def batch(*histories: tuple[int, ...]) -> Histories:
    """A batch of histories, each with an event a minute."""
    indptr = np.concatenate([[0], np.cumsum([len(h) for h in histories])]).astype(np.int64)
    items = np.array([item for h in histories for item in h], np.int32)
    minutes = np.array([minute for h in histories for minute in range(len(h))], np.int64)
    return Histories(indptr, items, minutes * 60 + 2_000_000)


def partly_described(known: int) -> ItemFeatures:
    """What is known of the first `known` items; of the others nothing is: no category, null numbers, no text."""
    some = np.arange(N_ITEMS) < known
    categories = sparse.csr_array(np.stack([some & (np.arange(N_ITEMS) % 2 == one) for one in (0, 1)], 1), dtype="f4")
    numbers = np.where(some, np.linspace(-1, 1, N_ITEMS), 0).astype(np.float32)[:, None]
    texts = tuple(f"film {number % 2}" if one else "" for number, one in enumerate(some))
    return ItemFeatures(categories, numbers, np.zeros(N_ITEMS, np.int64), texts)


def informed_interactions() -> Interactions:
    """The same log with types, weights and contexts of its events, and attributes of its users."""
    log = interactions()
    random = np.random.default_rng(6)
    context = sparse.csr_array(np.eye(2, dtype=np.float32)[log.item % 2])
    return replace(
        log,
        event_type=random.integers(0, 2, len(log)).astype(np.int16),
        weight=np.where(np.arange(len(log)) % 2, 1.5, 0.5).astype(np.float32),
        context=context,
        attributes=np.eye(2, dtype=np.float32)[np.arange(N_USERS) % 2],
    )


def informed(histories: Histories) -> Histories:
    """The histories with types of events, attributes of users and the occasion, a minute after the last event."""
    side = np.eye(2, dtype=np.float32)[np.arange(len(histories)) % 2]
    return replace(
        histories,
        now=2_000_000 + 60 * np.diff(histories.indptr),
        event_types=(np.arange(len(histories.items)) % 2).astype(np.int16),
        context=side,
        attributes=side,
    )


class StopAfter:
    """Asks to stop from the question after the first `calls` ones on; `asked` counts them."""

    def __init__(self, calls: int) -> None:
        self.calls, self.asked = calls, 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.asked > self.calls


@dataclass(frozen=True)
class Fitted:
    """A model that a suite fitted, and what it told meanwhile."""

    model: Model
    seen: tuple[Progress, ...]


_FITTED: dict[tuple[str, str], Fitted] = {}


def fitted_once(suite: type[ModelSuite], given: str) -> Fitted:
    """The suite's model as fitted on what is `given`; nobody changes it."""
    if (key := (suite.__name__, given)) not in _FITTED:
        seen: list[Progress] = []
        model = suite.fit_on(given, FitOptions(seed=3, on_progress=seen.append))
        _FITTED[key] = Fitted(model, tuple(seen))
    return _FITTED[key]


class ModelSuite:
    """Every model passes all of this."""

    #: What the model is fitted on in the tests that say `given`.
    givens: ClassVar[tuple[str, ...]] = (PLAIN, DESCRIBED, INFORMED)
    #: Whether it remembers histories.
    remembers: ClassVar[bool] = False

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Tests with an argument `given` run for each of `givens`."""
        if "given" in metafunc.fixturenames:
            metafunc.parametrize("given", self.givens)

    @classmethod
    def make(cls) -> Model:
        """A fresh model, small enough to fit within a second."""
        raise AssertionError("a suite says how to build its model")

    @classmethod
    def features(cls) -> ItemFeatures:
        """The metadata of half the items."""
        return partly_described(N_ITEMS // 2)

    @classmethod
    def fit_on(cls, given: str, options: FitOptions) -> Model:
        """A fresh model fitted on what is `given`."""
        log = informed_interactions() if given == INFORMED else interactions()
        return cls.make().fit(log, None if given == PLAIN else cls.features(), options)

    @classmethod
    def asked(cls, given: str) -> Histories:
        """Four histories, asked as the model was trained."""
        histories = batch((0, 2, 4), (1,), (), (7, 5, 3, 5))
        return informed(histories) if given == INFORMED else histories

    @classmethod
    def scored(cls, given: str) -> FloatArray:
        """What the model that was fitted once makes of `asked`."""
        return fitted_once(cls, given).model.score(cls.asked(given))

    @pytest.fixture(scope="class")
    @classmethod
    def fitted(cls) -> Model:
        return fitted_once(cls, PLAIN).model

    # -- fitted on everything that may be given -----------------------------------------------------------------

    def test_scores_are_finite_of_known_items_and_minus_infinity_of_others(self, given: str) -> None:
        model, scores = fitted_once(type(self), given).model, self.scored(given)
        assert scores.shape == (4, model.n_items)
        assert scores.dtype == np.float32
        assert np.isfinite(scores[:, model.known]).all()
        assert np.isneginf(scores[:, ~model.known]).all()
        assert not model.known[UNUSED_ITEM]

    def test_refitting_gives_the_same_scores(self, given: str) -> None:
        again = self.fit_on(given, FitOptions(seed=3))
        np.testing.assert_array_equal(again.score(self.asked(given)), self.scored(given))

    def test_another_process_gives_the_same_scores(self, given: str, elsewhere: Mapping[str, FloatArray]) -> None:
        np.testing.assert_array_equal(elsewhere[f"{type(self).__name__}.{given}"], self.scored(given))

    def test_saved_and_loaded_scores_are_equal(self, given: str, tmp_path: Path) -> None:
        model = fitted_once(type(self), given).model
        write_model(model, tmp_path)
        loaded = read_model(tmp_path, verify_sums=True)
        assert type(loaded) is type(model)
        assert loaded.config == model.config
        np.testing.assert_array_equal(loaded.score(self.asked(given)), self.scored(given))

    def test_batch_and_single_scores_agree(self, given: str) -> None:
        model, asked, together = fitted_once(type(self), given).model, self.asked(given), self.scored(given)
        for row in range(len(asked)):
            alone = model.score(asked.take(np.array([row])))
            np.testing.assert_allclose(alone[0], together[row], rtol=1e-3, atol=1e-4)

    def test_what_is_remembered_is_recalled_as_scored(self, given: str) -> None:
        model, asked = fitted_once(type(self), given).model, self.asked(given)
        alone = [asked.take(np.array([row])) for row in range(len(asked))]
        memories = [model.remember(replace(one, now=None, context=None)) for one in alone]
        assert [memory is not None for memory in memories] == [self.remembers] * len(alone)
        if not self.remembers:
            with pytest.raises(TypeError, match="remembers no histories"):
                Model.recall(model, memories, [])
            return
        assert all(memory is not None and memory.nbytes > 0 for memory in memories)
        occasions = [Occasion(int(one.asked()[0]), one.context) for one in alone]
        np.testing.assert_allclose(model.recall(memories, occasions), self.scored(given), rtol=1e-3, atol=1e-3)

    def test_progress_ends_at_one_and_never_falls(self, given: str) -> None:
        fractions = [progress.fraction for progress in fitted_once(type(self), given).seen]
        assert fractions[-1] == 1.0
        assert fractions == sorted(fractions)
        assert all(0 <= fraction <= 1 for fraction in fractions)

    # -- fitted on events alone ---------------------------------------------------------------------------------

    def test_a_loaded_model_can_be_saved_again(self, fitted: Model, tmp_path: Path) -> None:
        write_model(fitted, tmp_path / "first")
        write_model(read_model(tmp_path / "first"), tmp_path / "second")
        np.testing.assert_array_equal(read_model(tmp_path / "second").score(history(3)), fitted.score(history(3)))

    def test_config_survives_its_dictionary(self) -> None:
        model = self.make()
        assert model.Config(**model.config_dict()) == model.config

    def test_unknown_items_in_a_history_are_passed_over(self, fitted: Model) -> None:
        np.testing.assert_array_equal(fitted.score(history(-1, 4, UNUSED_ITEM, N_ITEMS + 3)), fitted.score(history(4)))

    def test_a_history_of_unknown_items_scores_as_an_empty_one(self, fitted: Model) -> None:
        np.testing.assert_array_equal(fitted.score(history(UNUSED_ITEM)), fitted.score(history()))

    def test_a_history_longer_than_any_seen_is_scored(self, fitted: Model) -> None:
        scores = fitted.score(history(*(n % UNUSED_ITEM for n in range(700))))
        assert np.isfinite(scores[0, :UNUSED_ITEM]).all()

    def test_an_empty_batch_gives_no_rows(self, fitted: Model) -> None:
        assert fitted.score(batch()).shape == (0, N_ITEMS)

    def test_scoring_leaves_the_model_unchanged(self, fitted: Model) -> None:
        first = fitted.score(history(1, 3))
        kept = first.copy()
        first[:] = 0
        np.testing.assert_array_equal(fitted.score(history(1, 3)), kept)

    def test_a_catalogue_of_one_item(self) -> None:
        log = interactions()
        data = Interactions.of(log.user, np.zeros_like(log.item), log.timestamp, n_users=N_USERS, n_items=1)
        scores = self.make().fit(data).score(batch((0,), ()))
        assert scores.shape == (2, 1)
        assert np.isfinite(scores).all()

    def test_a_single_event_is_enough(self) -> None:
        one = Interactions.of(
            np.zeros(1, np.int32), np.array([2], np.int32), np.ones(1, np.int64), n_users=1, n_items=4
        )
        scores = self.make().fit(one).score(history())
        assert np.isfinite(scores[0, 2])
        assert np.isneginf(np.delete(scores[0], 2)).all()

    def test_a_fitted_model_that_is_fitted_again_is_as_new(self, fitted: Model) -> None:
        model = self.make().fit(interactions(seed=8), None, FitOptions(seed=1))
        model.score(history(1))
        again = model.fit(interactions(), None, FitOptions(seed=3))
        np.testing.assert_array_equal(again.score(batch((0, 2), (5,), ())), fitted.score(batch((0, 2), (5,), ())))

    def test_where_every_item_is_filtered_nothing_is_listed(self, fitted: Model) -> None:
        scores = fitted.score(history(0, 2))[0]
        assert len(best(scores, np.zeros(N_ITEMS, np.bool_), 25)) == 0
        assert len(best(scores, np.arange(N_ITEMS) == UNUSED_ITEM, 25)) == 0
        assert best(scores, np.arange(N_ITEMS) == 4, 25).tolist() == [4]

    def test_metadata_may_be_missing_for_all_items(self) -> None:
        model = self.make().fit(interactions(), partly_described(0), FitOptions(seed=3))
        assert np.isfinite(model.score(batch((0, 2), ()))[:, :UNUSED_ITEM]).all()

    def test_a_user_of_unknown_items_only_is_answered(self, fitted: Model) -> None:
        scores = fitted.score(history(N_ITEMS + 7, -1))
        assert np.isfinite(scores[0, :UNUSED_ITEM]).all()

    def test_nothing_to_learn_from_is_refused(self) -> None:
        nothing = interactions().select(np.zeros(len(interactions()), np.bool_))
        with pytest.raises(JobFailed, match="no interactions"):
            self.make().fit(nothing)

    def test_a_request_to_stop_is_honoured(self) -> None:
        with pytest.raises(JobStopped):
            self.make().fit(interactions(), None, FitOptions(should_stop=lambda: True))

    def test_loading_and_scoring_never_import_torch(self, torch_imported: Collection[str]) -> None:
        assert type(self).__name__ not in torch_imported


class LearningSuite(ModelSuite):
    """A model that takes a while to fit."""

    def test_a_request_to_stop_is_heard_within_the_fit(self, given: str) -> None:
        stop = StopAfter(1)
        with pytest.raises(JobStopped):
            self.fit_on(given, FitOptions(should_stop=stop))
        assert stop.asked == 2


class PersonalSuite(LearningSuite):
    """A model that reads the history."""

    def test_the_history_changes_the_answer(self, fitted: Model) -> None:
        even, odd = fitted.score(batch((0, 2, 4, 6), (1, 3, 5, 7)))
        assert not np.array_equal(even, odd)

    def test_items_that_go_together_are_found(self, fitted: Model) -> None:
        scores = fitted.score(batch((0, 2, 4, 6), (1, 3, 5, 7)))
        unseen_even, unseen_odd = np.arange(8, UNUSED_ITEM, 2), np.arange(9, UNUSED_ITEM, 2)
        assert scores[0, unseen_even].mean() > scores[0, unseen_odd].mean()
        assert scores[1, unseen_odd].mean() > scores[1, unseen_even].mean()


class RelatedSuite(PersonalSuite):
    """A model that relates items."""

    @staticmethod
    def related(model: Model, *items: int) -> FloatArray:
        assert isinstance(model, RelatedItemsModel)
        return model.score_related(np.array(items, np.int32))

    def test_an_item_is_not_its_own_neighbour(self, fitted: Model) -> None:
        scores = self.related(fitted, 4, 7)
        assert np.isneginf(scores[0, 4])
        assert np.isneginf(scores[1, 7])

    def test_items_of_the_same_users_are_nearer(self, fitted: Model) -> None:
        scores = self.related(fitted, 4)[0]
        assert scores[np.arange(6, UNUSED_ITEM, 2)].mean() > scores[np.arange(5, UNUSED_ITEM, 2)].mean()

    def test_an_unknown_item_gets_finite_scores_for_known_items(self, fitted: Model) -> None:
        scores = self.related(fitted, -1, UNUSED_ITEM, N_ITEMS + 5)
        assert np.isfinite(scores[:, :UNUSED_ITEM]).all()
        assert np.isneginf(scores[:, UNUSED_ITEM]).all()

    def test_related_scores_survive_saving(self, fitted: Model, tmp_path: Path) -> None:
        write_model(fitted, tmp_path)
        np.testing.assert_array_equal(self.related(read_model(tmp_path), 3), self.related(fitted, 3))


class DescribedSuite(LearningSuite):
    """A model that reads metadata of items."""

    def test_items_that_are_described_alike_are_nearer(self) -> None:
        described, other = np.arange(2, N_ITEMS // 2, 2), np.arange(1, N_ITEMS // 2, 2)
        scores = fitted_once(type(self), DESCRIBED).model.score(history(0))[0]
        assert scores[described].mean() > scores[other].mean()


class InformedSuite(PersonalSuite):
    """A model that reads event types, contexts, times and attributes of users, and remembers histories."""

    remembers = True

    @pytest.mark.parametrize("what", ["now", "event_types", "context", "attributes"])
    def test_what_is_known_of_the_occasion_counts(self, what: str) -> None:
        nothing: dict[str, Any] = {what: None}
        untold = fitted_once(type(self), INFORMED).model.score(replace(self.asked(INFORMED), **nothing))
        assert not np.allclose(untold, self.scored(INFORMED))

    def test_the_weights_of_events_count(self) -> None:
        log = replace(informed_interactions(), weight=None)
        even = self.make().fit(log, self.features(), FitOptions(seed=3))
        assert not np.allclose(even.score(self.asked(INFORMED)), self.scored(INFORMED))
