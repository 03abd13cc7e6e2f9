"""Next-Best-Action: the probability that a user takes each action, by a logistic regression that is then calibrated.

logit(u, a) = c_a + x_u · w_a + b_ua · h, where x_u are the user's numbers (the tastes that their items show, their
attributes), w_a = v + V_a + Σ_f z_af U_f is made of what all actions share, what those with the same attributes z_a
share, and the action's own, and b_ua is what the user did about actions before. Source of the calibration: J. Platt,
"Probabilistic Outputs for Support Vector Machines", 1999, fitted on users that the regression has not seen (3 folds).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse, special

from matinee.data.interactions import FloatArray, IntArray
from matinee.errors import ArtifactProblem, JobFailed
from matinee.models.arrays import read_arrays, write_arrays
from matinee.models.base import ARRAYS, FitOptions, Progress
from matinee.models.histories import weighted_rows

Doubles: TypeAlias = NDArray[np.float64]
Vector: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.float64]]"
Wide: TypeAlias = "sparse.csr_array[np.float64, tuple[int, int]]"

_FOLDS = 3
#: Inverse strengths of the regularisation that are tried, the one with the least log loss on unseen users is kept.
_STRENGTHS = (0.03, 0.3, 3.0)
#: The strength of the calibration, which is hardly regularised.
_CALIBRATION = 1e4
#: When a regression has converged, and after how many steps it ends whether it has or not.
_GRADIENT, _STEPS = 1e-4, 2000
#: A probability is never told as certain.
_LEAST, _MOST = 1e-4, 1 - 1e-4
_NAMES = ("bias", "weights", "behaviour", "calibration", "shown")
#: How many observations an action that nobody was shown counts as having, with the others' mean rate.
PRIOR_STRENGTH = 4.0


@dataclass(frozen=True)
class Examples:
    """What is learned from, one row for each exposure: `user` numbers the user (n,), `x` (n, d) is told of them,
    `action` (n,) they were shown, `behaviour` (n, h) is what came before, `taken` (n,) what became of it."""

    user: IntArray
    x: FloatArray
    action: IntArray
    behaviour: FloatArray
    taken: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.user)

    def select(self, keep: NDArray[np.bool_]) -> Examples:
        """The rows that `keep` (n,) masks."""
        return Examples(self.user[keep], self.x[keep], self.action[keep], self.behaviour[keep], self.taken[keep])


@dataclass(frozen=True)
class NextBestActionConfig:
    """`period_days`: within how many days an action counts as taken. `strength` is what the fit chose, 0 before it."""

    period_days: int = 14
    strength: float = 0.0


class NextBestAction:
    """Propensities of numbered actions; those that no example shows have none."""

    name = "next-best-action"

    def __init__(self, config: NextBestActionConfig | Mapping[str, Any] | None = None) -> None:
        if config is None:
            config = NextBestActionConfig()
        self.config = config if isinstance(config, NextBestActionConfig) else NextBestActionConfig(**config)
        self.bias: FloatArray = np.zeros(0, np.float32)
        self.weights: FloatArray = np.zeros((0, 0), np.float32)
        self.behaviour: FloatArray = np.zeros(0, np.float32)
        self.calibration: FloatArray = np.array([1, 0], np.float32)
        self.shown: FloatArray = np.zeros(0, np.float32)

    @property
    def n_actions(self) -> int:
        """The number of actions that the model was given."""
        return len(self.bias)

    @property
    def fitted(self) -> bool:
        """Whether there was enough to learn from."""
        return bool(self.shown.any())

    def fit(self, examples: Examples, z: FloatArray, options: FitOptions) -> Self:
        """Learn from at least two examples, not all of the same outcome; `z` (n_actions, f) are actions' attributes.

        The same examples and seed give the same model. Raises `JobFailed` when there is nothing to learn from and
        `JobStopped` when asked to stop.
        """
        if not enough_to_learn(examples.taken):
            raise JobFailed("There must be actions that were taken and actions that were not. Import more events.")
        options.raise_if_stopped()
        design = _design(examples, z)
        folds = np.random.default_rng(options.seed).integers(_FOLDS, size=int(examples.user.max()) + 1)[examples.user]
        unseen, loss = {}, {}
        for at, strength in enumerate(_STRENGTHS):
            own = options.portion(at / (len(_STRENGTHS) + 1), (at + 1) / (len(_STRENGTHS) + 1))
            unseen[strength] = _unseen_logits(design, examples.taken, folds, strength, own)
            loss[strength] = _log_loss(unseen[strength], examples.taken)
        best = min(loss, key=lambda strength: loss[strength])
        self.config = NextBestActionConfig(self.config.period_days, best)
        slope, offset = _regress(unseen[best][:, None].astype(np.float64), examples.taken, _CALIBRATION, options)
        # A slope that is not positive would turn the order round: nothing was learned but the mean.
        self.calibration = np.array([max(float(slope[0]), 0.0), offset], np.float32)
        coefficients, intercept = _regress(design, examples.taken, best, options)
        self._take(coefficients, intercept, examples, z)
        told = f"{self.name}: trained on {len(examples):,} exposures"
        options.on_progress(Progress(1.0, told, 0.0, {"log_loss": loss[best]}))
        return self

    def propensities(self, x: FloatArray, behaviour: FloatArray) -> FloatArray:
        """The probability of each action (n_actions,) for a user; 0 for an action that no example shows.

        `x` (d,) is told of the user, `behaviour` (n_actions, h) is what they did about each action.
        """
        if not self.fitted:
            return np.zeros(self.n_actions, np.float32)
        logits = self.bias + self.weights @ x + behaviour @ self.behaviour
        found = np.clip(special.expit(self.calibration[0] * logits + self.calibration[1]), _LEAST, _MOST)
        return np.where(self.shown > 0, found, 0).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write everything that `load` needs into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        write_arrays(folder / ARRAYS, {name: getattr(self, name) for name in _NAMES})

    @classmethod
    def load(cls, folder: Path, config: Mapping[str, Any]) -> Self:
        """The model that `save` wrote. Raises `ArtifactProblem` naming what is missing."""
        model, arrays = cls(config), read_arrays(folder / ARRAYS)
        for name in _NAMES:
            if name not in arrays:
                raise ArtifactProblem(f"{folder / ARRAYS} has no array {name!r}. Train again.")
            setattr(model, name, arrays[name])
        return model

    def config_dict(self) -> dict[str, Any]:
        """The configuration as JSON-ready values."""
        return asdict(self.config)

    def _take(self, coefficients: Doubles, intercept: float, examples: Examples, z: FloatArray) -> None:
        """Add up, for each action, what its own column, its attributes and all actions have in common."""
        n, f, d, h = len(z), z.shape[1], examples.x.shape[1], examples.behaviour.shape[1]
        own, of_z, v, own_x, z_x, self_h = np.split(coefficients, np.cumsum([n, f, d, n * d, f * d]))
        self.bias = (intercept + own + z @ of_z).astype(np.float32)
        self.weights = (v[None, :] + own_x.reshape(n, d) + z @ z_x.reshape(f, d)).astype(np.float32)
        self.behaviour = self_h[:h].astype(np.float32)
        self.shown = np.bincount(examples.action, minlength=n).astype(np.float32)


def enough_to_learn(taken: NDArray[np.bool_]) -> bool:
    """Whether a regression can be fitted to these outcomes at all."""
    return len(taken) >= 2 and bool(taken.any()) and not bool(taken.all())


def _design(examples: Examples, z: FloatArray) -> Wide:
    """Columns: the action, its attributes, the user, user by action, user by attributes, behaviour."""
    n, d = len(examples), examples.x.shape[1]
    rows = np.arange(n)
    action = weighted_rows(rows, examples.action, np.ones(n, np.float32), (n, len(z)))
    columns = (examples.action[:, None] * d + np.arange(d, dtype=np.int32)).ravel()
    crossed = weighted_rows(np.repeat(rows, d), columns, examples.x.ravel(), (n, len(z) * d))
    attributes = z[examples.action]
    shared = (attributes[:, :, None] * examples.x[:, None, :]).reshape(n, -1)
    dense = (attributes, examples.x, shared, examples.behaviour)
    of_z, of_x, of_both, before = (sparse.csr_array(block.astype(np.float32)) for block in dense)
    blocks = [action, of_z, of_x, crossed, of_both, before]
    return sparse.csr_array(sparse.hstack(blocks, format="csr"), dtype=np.float64)


def _unseen_logits(
    design: Wide, taken: NDArray[np.bool_], folds: NDArray[np.int64], strength: float, options: FitOptions
) -> FloatArray:
    """The logit of each row by a regression on the other folds (n,)."""
    logits = np.zeros(len(taken), np.float64)
    for fold in range(_FOLDS):
        rest = folds != fold
        if enough_to_learn(taken[rest]):
            coefficients, intercept = _regress(design[rest], taken[rest], strength, options)
            logits[~rest] = design[~rest] @ coefficients + intercept
        told = f"next-best-action: strength {strength:g}, part {fold + 1} of {_FOLDS}"
        options.on_progress(Progress((fold + 1) / _FOLDS, told))
    return logits.astype(np.float32)


def _regress(
    design: Wide | Doubles, taken: NDArray[np.bool_], strength: float, options: FitOptions
) -> tuple[Doubles, float]:
    """Coefficients (columns,) and intercept of a logistic regression with an L2 penalty of 1 / `strength`.

    By L-BFGS over the mean loss of the rows; the intercept is not penalised. Each step asks whether to stop.
    """
    n, columns = design.shape
    penalty, signs = 1 / (strength * n), np.where(taken, 1.0, -1.0)

    def loss(point: Vector) -> tuple[float, Vector]:
        options.raise_if_stopped()
        coefficients = point[:-1]
        margins = signs * (design @ coefficients + point[-1])
        slopes = -signs * special.expit(-margins) / n
        gradient = np.append(design.T @ slopes + penalty * coefficients, slopes.sum()).reshape(-1)
        mean = float(np.logaddexp(0, -margins).mean())
        return mean + penalty / 2 * float(coefficients @ coefficients), gradient

    found = optimize.minimize(
        loss,
        np.zeros(columns + 1),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _STEPS, "maxls": 50, "gtol": _GRADIENT, "ftol": 64 * np.finfo(np.float64).eps},
    )
    return found.x[:-1], float(found.x[-1])


def _log_loss(logits: FloatArray, taken: NDArray[np.bool_]) -> float:
    return float(np.logaddexp(0, np.where(taken, -logits, logits).astype(np.float64)).mean())
