"""AUC, Brier score, calibration, and the metrics of actions, by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from matinee.evaluation.actions import action_metrics, area_under_curve, brier, calibration_error


def test_the_area_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(4)
    scores, taken = random.integers(8, size=300).astype(np.float32), random.random(300) < 0.3
    assert area_under_curve(scores, taken) == pytest.approx(roc_auc_score(taken, scores))


def test_one_outcome_alone_has_no_order() -> None:
    assert area_under_curve(np.array([0.1, 0.9], np.float32), np.array([True, True])) == 0.5


def test_brier_by_hand() -> None:
    assert brier(np.array([0.5, 1.0], np.float32), np.array([0.0, 1.0], np.float32)) == 0.125


def test_honest_probabilities_have_no_calibration_error_and_bold_ones_do() -> None:
    truth = np.linspace(0, 1, 1000, dtype=np.float32)
    assert calibration_error(truth, truth) == 0
    assert calibration_error(np.full(1000, 0.9, np.float32), truth) == pytest.approx(0.4, abs=0.001)


def test_precision_and_recall_are_averaged_over_actions() -> None:
    action = np.array([0, 0, 0, 1, 1], np.int32)
    recommended = np.array([True, True, False, False, False])
    taken = np.array([True, False, True, True, False])
    found = action_metrics(action, np.array([0.9, 0.8, 0.1, 0.3, 0.2], np.float32), recommended, taken, 4)
    assert found == {"coverage": 0.25, "precision": 0.5, "recall": 0.25, "auc": 0.5}
