"""The simulation of exploration, small: posterior sampling finds good new items at less cost than epsilon-greedy."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks/exploration.py"


@pytest.fixture(scope="module")
def simulation() -> ModuleType:
    """The benchmark's module."""
    spec = importlib.util.spec_from_file_location("exploration_benchmark", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_posterior_sampling_discovers_at_less_cost_than_epsilon_greedy(simulation: ModuleType) -> None:
    setting = simulation.Setting(old=60, new=20, good=3, groups=2, requests=1500)
    found = {policy: simulation.simulate(policy, setting, 2) for policy in simulation.POLICIES}
    none, greedy, posterior = (found[policy] for policy in simulation.POLICIES)
    assert (none.discovered, posterior.discovered) == (0, 3)
    assert posterior.wasted < 0.8 * greedy.wasted
    assert posterior.regret < greedy.regret
    assert posterior.late_clicks > none.late_clicks


def test_the_page_names_every_policy_with_its_figures(simulation: ModuleType) -> None:
    setting = simulation.Setting(old=30, new=5, good=1, groups=2, requests=100)
    text = simulation.page(setting, 2, simulation.compare(setting, 2), 1.0)
    assert all(f"| {policy} |" in text for policy in simulation.POLICIES)
