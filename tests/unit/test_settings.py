"""Settings: read from the environment, refused by the variable's name."""

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any

import pytest

from matinee.errors import SettingsProblem
from matinee.quotas import QUOTAS
from matinee.settings import Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = Settings.from_environment({})
    assert (settings.auto_training, settings.keep_versions, settings.threads) == (True, 0, 1)


#: A value of each setting whose words are few.
_WORDS = {
    "account_id": "999999999999",
    "quotas": f"{next(iter(QUOTAS))}=7",
    "check_roles": "always",
    "segment_output_key": "recommendedUsers",
    "log_level": "DEBUG",
}


def _another_value(one: Field[Any]) -> str:
    """A value that is not the setting's default."""
    if one.name in _WORDS:
        return _WORDS[one.name]
    if isinstance(one.default, bool):
        return "false" if one.default else "true"
    if isinstance(one.default, int):
        return str(one.default + 1)
    return "0.5" if isinstance(one.default, float) else "elsewhere"


@pytest.mark.parametrize("one", fields(Settings), ids=lambda one: str(one.metadata["variable"]))
def test_every_setting_is_read(one: Field[Any]) -> None:
    settings = Settings.from_environment({one.metadata["variable"]: _another_value(one)})
    assert getattr(settings, one.name) != one.default


def test_trainings_on_a_gpu_are_asked_for() -> None:
    given = {"MATINEE_DEVICE": "cuda:1", "MATINEE_BFLOAT16": "on", "MATINEE_COMPILE": "on"}
    settings = Settings.from_environment(given)
    assert (settings.device, settings.bfloat16, settings.compiled) == ("cuda:1", True, True)
    settings = Settings.from_environment({})
    assert (settings.device, settings.bfloat16, settings.compiled) == ("cpu", False, False)


@pytest.mark.parametrize(("text", "value"), [("on", True), ("OFF", False), ("0", False), ("true", True)])
def test_automatic_training_is_on_or_off(text: str, value: bool) -> None:
    assert Settings.from_environment({"MATINEE_AUTO_TRAINING": text}).auto_training is value


def test_the_number_of_versions_to_keep() -> None:
    assert Settings.from_environment({"MATINEE_KEEP_VERSIONS": "3"}).keep_versions == 3


def test_trials_that_may_run_at_the_same_time() -> None:
    assert Settings.from_environment({}).tuning_parallel == 1
    assert Settings.from_environment({"MATINEE_TUNING_PARALLEL": "4"}).tuning_parallel == 4


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("MATINEE_AUTO_TRAINING", "weekly"),
        ("MATINEE_KEEP_VERSIONS", "-1"),
        ("MATINEE_KEEP_VERSIONS", "all"),
        ("MATINEE_THREADS", "0"),
        ("MATINEE_BFLOAT16", "16"),
        ("MATINEE_COMPILE", "maybe"),
        ("MATINEE_TUNING_PARALLEL", "0"),
        ("MATINEE_EXPLORATION_REFRESH", "-1"),
        ("MATINEE_RECOMMENDATION_LOG_EXPLORED", "1.5"),
        ("MATINEE_RECOMMENDATION_LOG_OTHERS", "all"),
        ("MATINEE_RECOMMENDATION_LOG_ROWS", "0"),
        ("MATINEE_ACCOUNT", "12"),
        ("MATINEE_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_its_variable(variable: str, text: str) -> None:
    with pytest.raises(SettingsProblem, match=variable):
        Settings.from_environment({variable: text})
