"""What a model of actions must do. It is no `Model`: it reads a user's numbers and says how probable actions are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from tests.contract.model_suite import StopAfter

from matinee.data.interactions import FloatArray
from matinee.errors import ArtifactProblem, JobFailed, JobStopped
from matinee.models.base import ARRAYS, FitOptions, Progress
from matinee.models.next_best_action import Examples, NextBestAction

USERS, NUMBERS, BEHAVIOUR = 40, 3, 2
#: Attributes of four actions; the last action is shown to nobody.
ATTRIBUTES = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
UNSHOWN = 3


def examples(n: int = 240) -> Examples:
    """Exposures to actions that users with a high first number take, but for the third, which the others take."""
    random = np.random.default_rng(4)
    x = random.normal(size=(n, NUMBERS)).astype(np.float32)
    action = random.integers(UNSHOWN, size=n).astype(np.int32)
    before = random.random((n, BEHAVIOUR)).astype(np.float32)
    taken = np.where(action < 2, x[:, 0], -x[:, 0]) + before[:, 0] + random.normal(size=n) > 0.5
    return Examples(random.integers(USERS, size=n).astype(np.int32), x, action, before, taken)


def untold() -> FloatArray:
    """What a user who has done nothing about actions did about each: (actions, BEHAVIOUR)."""
    return np.zeros((len(ATTRIBUTES), BEHAVIOUR), np.float32)


class ActionSuite:
    """A model of actions passes all of this."""

    @classmethod
    def make(cls) -> NextBestAction:
        """A fresh model."""
        raise AssertionError("a suite says how to build its model")

    @classmethod
    def fit_on(cls, options: FitOptions) -> NextBestAction:
        """A fresh model fitted on the examples."""
        return cls.make().fit(examples(), ATTRIBUTES, options)

    @classmethod
    def scored(cls, model: NextBestAction) -> FloatArray:
        """Propensities (users, actions) of some users, one of whom nothing is known."""
        users = np.concatenate([examples().x[:5], np.zeros((1, NUMBERS), np.float32)])
        return np.array([model.propensities(x, untold()) for x in users], np.float32)

    @pytest.fixture(scope="class")
    @classmethod
    def fitted(cls) -> NextBestAction:
        return cls.fit_on(FitOptions(seed=3))

    def test_refitting_gives_the_same_scores(self, fitted: NextBestAction) -> None:
        np.testing.assert_array_equal(self.scored(self.fit_on(FitOptions(seed=3))), self.scored(fitted))

    def test_another_process_gives_the_same_scores(
        self, fitted: NextBestAction, elsewhere: Mapping[str, FloatArray]
    ) -> None:
        np.testing.assert_array_equal(elsewhere[type(self).__name__], self.scored(fitted))

    def test_a_fitted_model_that_is_fitted_again_is_as_new(self, fitted: NextBestAction) -> None:
        model = self.make().fit(examples(60), ATTRIBUTES, FitOptions(seed=1))
        again = model.fit(examples(), ATTRIBUTES, FitOptions(seed=3))
        np.testing.assert_array_equal(self.scored(again), self.scored(fitted))

    def test_saved_and_loaded_scores_are_equal(self, fitted: NextBestAction, tmp_path: Path) -> None:
        fitted.save(tmp_path)
        loaded = type(fitted).load(tmp_path, fitted.config_dict())
        assert loaded.config == fitted.config
        np.testing.assert_array_equal(self.scored(loaded), self.scored(fitted))
        loaded.save(tmp_path / "again")
        np.testing.assert_array_equal((tmp_path / "again" / ARRAYS).read_bytes(), (tmp_path / ARRAYS).read_bytes())

    def test_a_missing_file_is_named(self, fitted: NextBestAction, tmp_path: Path) -> None:
        with pytest.raises(ArtifactProblem, match=ARRAYS):
            type(fitted).load(tmp_path, fitted.config_dict())

    def test_users_who_take_such_actions_are_told_so(self, fitted: NextBestAction) -> None:
        eager = fitted.propensities(np.array([2, 0, 0], np.float32), untold())
        other = fitted.propensities(np.array([-2, 0, 0], np.float32), untold())
        assert (eager[:2] > other[:2]).all()
        assert eager[2] < other[2]

    def test_an_unknown_user_without_a_history_is_answered(self, fitted: NextBestAction) -> None:
        found = fitted.propensities(np.zeros(NUMBERS, np.float32), untold())
        assert found.dtype == np.float32
        assert ((found[:UNSHOWN] > 0) & (found[:UNSHOWN] < 1)).all()

    def test_an_action_that_nobody_was_shown_has_no_chance(self, fitted: NextBestAction) -> None:
        assert (self.scored(fitted)[:, UNSHOWN] == 0).all()

    def test_scoring_leaves_the_model_unchanged(self, fitted: NextBestAction) -> None:
        first = self.scored(fitted)
        kept = first.copy()
        first[:] = 0
        np.testing.assert_array_equal(self.scored(fitted), kept)

    def test_metadata_may_be_missing_for_all_actions(self) -> None:
        bare = self.make().fit(examples(), ATTRIBUTES[:, :0], FitOptions(seed=3))
        assert np.isfinite(self.scored(bare)).all()

    def test_users_of_whom_nothing_is_known_teach_what_is_popular(self) -> None:
        told = examples()
        nothing = Examples(told.user, told.x[:, :0], told.action, told.behaviour[:, :0], told.taken)
        model = self.make().fit(nothing, ATTRIBUTES[:, :0], FitOptions(seed=3))
        found = model.propensities(np.zeros(0, np.float32), untold()[:, :0])
        shares = np.array([told.taken[told.action == action].mean() for action in range(UNSHOWN)])
        assert np.abs(found[:UNSHOWN] - shares).max() < 0.2

    def test_nothing_to_learn_from_is_refused(self) -> None:
        for keep in (np.zeros(len(examples()), np.bool_), examples().taken, ~examples().taken):
            with pytest.raises(JobFailed, match="actions that were taken"):
                self.make().fit(examples().select(keep), ATTRIBUTES, FitOptions())

    @pytest.mark.parametrize("calls", [0, 1, 20])
    def test_a_request_to_stop_is_honoured(self, calls: int) -> None:
        stop = StopAfter(calls)
        with pytest.raises(JobStopped):
            self.fit_on(FitOptions(should_stop=stop))
        assert stop.asked == calls + 1

    def test_progress_ends_at_one_and_never_falls(self) -> None:
        seen: list[Progress] = []
        self.fit_on(FitOptions(on_progress=seen.append))
        fractions = [progress.fraction for progress in seen]
        assert fractions[-1] == 1.0
        assert fractions == sorted(fractions)

    def test_config_survives_its_dictionary(self, fitted: NextBestAction) -> None:
        assert type(fitted)(fitted.config_dict()).config == fitted.config
