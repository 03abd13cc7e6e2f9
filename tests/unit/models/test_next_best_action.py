"""The regression over actions: order, honest probabilities, storage, repeatability."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from matinee.errors import ArtifactProblem, JobFailed, JobStopped
from matinee.evaluation.actions import area_under_curve, calibration_error
from matinee.models.base import FitOptions, Progress
from matinee.models.next_best_action import Examples, NextBestAction, _regress, enough_to_learn

ACTIONS, D = 4, 3
Z = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]], np.float32)  # the last is shown to nobody


def examples(n: int = 1200, seed: int = 0) -> tuple[Examples, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Outcomes of known probabilities: one of a user's numbers favours the first two actions, and costs the others."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, D)).astype(np.float32)
    action = random.integers(ACTIONS, size=n).astype(np.int32)
    truth = expit(np.where(action < 2, 1.5, -1.5) * x[:, 0] - 0.5)
    user = random.integers(n // 4, size=n).astype(np.int32)
    return Examples(user, x, action, np.zeros((n, 2), np.float32), random.random(n) < truth), truth


@pytest.fixture(scope="module")
def fitted() -> NextBestAction:
    return NextBestAction().fit(examples()[0], Z, FitOptions(seed=1))


def told(model: NextBestAction, asked: Examples) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    nothing = np.zeros((len(Z), 2), np.float32)
    rows = zip(asked.x, asked.action, strict=True)
    return np.array([model.propensities(x, nothing)[action] for x, action in rows], np.float32)


def test_probabilities_order_users_and_are_honest(fitted: NextBestAction) -> None:
    asked, truth = examples(seed=9)
    found = told(fitted, asked)
    assert area_under_curve(found, asked.taken) > area_under_curve(truth.astype(np.float32), asked.taken) - 0.03
    assert calibration_error(found, truth.astype(np.float32)) < 0.04


def test_an_action_that_nobody_was_shown_reads_zero(fitted: NextBestAction) -> None:
    found = fitted.propensities(np.zeros(D, np.float32), np.zeros((len(Z), 2), np.float32))
    assert found[ACTIONS] == 0
    assert ((found[:ACTIONS] > 0) & (found[:ACTIONS] < 1)).all()


def test_the_same_examples_give_the_same_model(fitted: NextBestAction) -> None:
    again = NextBestAction().fit(examples()[0], Z, FitOptions(seed=1))
    np.testing.assert_array_equal(again.weights, fitted.weights)
    assert again.config == fitted.config


def test_saved_and_loaded_are_equal(fitted: NextBestAction, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    loaded = NextBestAction.load(tmp_path, fitted.config_dict())
    asked = examples(50, seed=3)[0]
    np.testing.assert_array_equal(told(loaded, asked), told(fitted, asked))
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ArtifactProblem, match="missing"):
        NextBestAction.load(tmp_path, {})


def test_without_a_fit_everything_reads_zero() -> None:
    model = NextBestAction()
    model.bias = model.shown = np.zeros(3, np.float32)
    assert model.propensities(np.zeros(D, np.float32), np.zeros((3, 2), np.float32)).tolist() == [0, 0, 0]


def test_a_request_to_stop_is_honoured() -> None:
    with pytest.raises(JobStopped):
        NextBestAction().fit(examples(100)[0], Z, FitOptions(should_stop=lambda: True))


def test_one_outcome_is_not_enough_to_learn() -> None:
    assert not enough_to_learn(np.ones(5, np.bool_))
    assert not enough_to_learn(np.zeros(0, np.bool_))
    assert enough_to_learn(np.array([True, False]))


def test_the_regression_is_scikit_learns() -> None:
    from sklearn.linear_model import LogisticRegression

    told, _ = examples(300)
    design = np.concatenate([told.x, told.behaviour], axis=1).astype(np.float64)
    expected = LogisticRegression(C=0.3, tol=1e-8, max_iter=2000).fit(design, told.taken)
    coefficients, intercept = _regress(design, told.taken, 0.3, FitOptions())
    np.testing.assert_allclose(coefficients, expected.coef_[0], atol=2e-3)
    assert intercept == pytest.approx(expected.intercept_[0], abs=2e-3)


def test_a_request_to_stop_is_heard_within_a_regression() -> None:
    told, _ = examples(300)
    with pytest.raises(JobStopped):
        _regress(
            told.x.astype(np.float64), told.taken, 0.3, FitOptions(should_stop=iter([False, False, True]).__next__)
        )


def test_progress_rises_to_one_and_ends_with_the_loss() -> None:
    seen: list[Progress] = []
    NextBestAction().fit(examples(300)[0], Z, FitOptions(on_progress=seen.append))
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert len(set(fractions)) > 9
    assert fractions[-1] == 1.0
    assert 0 < seen[-1].metrics["log_loss"] < 0.7


def test_outcomes_that_are_all_alike_are_refused() -> None:
    told, _ = examples(20)
    with pytest.raises(JobFailed, match="actions that were taken"):
        NextBestAction().fit(told.select(told.taken), Z, FitOptions())
