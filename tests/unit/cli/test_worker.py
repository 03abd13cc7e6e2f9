"""`matinee worker`: the settings that its options change."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from matinee.cli.app import app
from matinee.jobs import worker
from matinee.settings import Settings


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings of the workers that were started, which do nothing here: a real one ends its process."""
    found: list[Settings] = []

    def run_worker(settings: Settings, *, watch_parent: bool = False) -> None:
        found.append(settings)

    monkeypatch.setattr(worker, "run_worker", run_worker)
    return found


@pytest.mark.parametrize(
    ("options", "environment", "kept"),
    [
        ([], {}, False),
        (["--aws-quotas"], {}, True),
        ([], {"MATINEE_AWS_QUOTAS": "1"}, True),
        (["--aws-quotas"], {"MATINEE_AWS_QUOTAS": "0"}, True),
    ],
)
def test_the_quotas_of_the_service_are_kept_when_option_or_setting_says_so(
    options: list[str], environment: dict[str, str], kept: bool, started: list[Settings]
) -> None:
    done = CliRunner(env=environment).invoke(app, ["worker", *options])
    assert done.exit_code == 0, done.output
    assert [settings.aws_quotas for settings in started] == [kept]
