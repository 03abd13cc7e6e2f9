"""What every model must do. A model's test class inherits `ModelSuite` and says how to build the model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from matinee.data.interactions import FloatArray, Histories, Interactions
from matinee.errors import JobFailed, JobStopped
from matinee.evaluation.metrics import top_items
from matinee.models.artifact import read_model, write_model
from matinee.models.base import FitOptions, ItemFeatures, Model, Progress, RelatedItemsModel

N_USERS, N_ITEMS, UNUSED_ITEM = 40, 30, 29


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


class ModelSuite:
    """Every model passes all of this."""

    @classmethod
    def make(cls) -> Model:
        """A fresh model, small enough to fit within a second."""
        raise AssertionError("a suite says how to build its model")

    @pytest.fixture(scope="class")
    @classmethod
    def fitted(cls) -> Model:
        return cls.make().fit(interactions(), None, FitOptions(seed=3))

    def test_scores_every_item_as_float32(self, fitted: Model) -> None:
        scores = fitted.score(batch((0, 2), (1,), ()))
        assert scores.shape == (3, N_ITEMS)
        assert scores.dtype == np.float32

    def test_an_item_without_events_is_minus_infinity_and_others_are_finite(self, fitted: Model) -> None:
        scores = fitted.score(batch((0, 2), ()))
        assert np.isneginf(scores[:, UNUSED_ITEM]).all()
        assert np.isfinite(np.delete(scores, UNUSED_ITEM, axis=1)).all()

    def test_refitting_gives_the_same_scores(self, fitted: Model) -> None:
        again = self.make().fit(interactions(), None, FitOptions(seed=3))
        np.testing.assert_array_equal(again.score(batch((0, 2), (5,))), fitted.score(batch((0, 2), (5,))))

    def test_saved_and_loaded_scores_are_equal(self, fitted: Model, tmp_path: Path) -> None:
        write_model(fitted, tmp_path)
        loaded = read_model(tmp_path, verify_sums=True)
        asked = batch((0, 2, 4), (1,), ())
        assert type(loaded) is type(fitted)
        assert loaded.config == fitted.config
        np.testing.assert_array_equal(loaded.score(asked), fitted.score(asked))

    def test_a_loaded_model_can_be_saved_again(self, fitted: Model, tmp_path: Path) -> None:
        write_model(fitted, tmp_path / "first")
        write_model(read_model(tmp_path / "first"), tmp_path / "second")
        np.testing.assert_array_equal(read_model(tmp_path / "second").score(history(3)), fitted.score(history(3)))

    def test_config_survives_its_dictionary(self) -> None:
        model = self.make()
        assert model.Config(**model.config_dict()) == model.config

    def test_batch_and_single_scores_agree(self, fitted: Model) -> None:
        together = fitted.score(batch((0, 2, 4), (), (7,)))
        for row, alone in enumerate((history(0, 2, 4), history(), history(7))):
            np.testing.assert_allclose(fitted.score(alone)[0], together[row], rtol=1e-3, atol=1e-4)

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
        scores = fitted.score(batch((0, 2), ()))
        scores[:, np.arange(N_ITEMS)] = -np.inf
        assert (top_items(scores) == -1).all()
        np.testing.assert_array_equal(fitted.score(history(0, 2)), fitted.score(history(0, 2)))

    @pytest.mark.parametrize("known", [0, N_ITEMS // 2])
    def test_metadata_may_be_missing_for_some_items_or_all(self, known: int) -> None:
        model = self.make().fit(interactions(), partly_described(known), FitOptions(seed=3))
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

    def test_progress_ends_at_one_and_never_falls(self) -> None:
        seen: list[Progress] = []
        self.make().fit(interactions(), None, FitOptions(on_progress=seen.append))
        fractions = [progress.fraction for progress in seen]
        assert fractions[-1] == 1.0
        assert fractions == sorted(fractions)
        assert all(0 <= fraction <= 1 for fraction in fractions)

    def test_loading_and_scoring_never_import_torch(self, fitted: Model, tmp_path: Path) -> None:
        write_model(fitted, tmp_path)
        program = (
            "import sys, numpy as np\n"
            "from pathlib import Path\n"
            "from matinee.data.interactions import Histories\n"
            "from matinee.models.artifact import read_model\n"
            "model = read_model(Path(sys.argv[1]))\n"
            "model.score(Histories.one(np.array([1], np.int32), np.array([1], np.int64)))\n"
            "sys.exit('torch' in sys.modules)\n"
        )
        done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()


class PersonalSuite(ModelSuite):
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
