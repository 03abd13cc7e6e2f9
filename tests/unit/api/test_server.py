"""The whole server in one process: real database, real operations, no worker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.api.live import clients, get, serving

from matinee.api.aws.signature import Key, MemoryKeys
from matinee.api.server import Server, application
from matinee.api.worker import WorkerProcess
from matinee.errors import SettingsProblem
from matinee.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def test_a_resource_that_was_created_is_there_after_a_restart(settings: Settings) -> None:
    with serving(application(settings)) as url:
        arn = clients(url)["personalize"].create_dataset_group(name="films")["datasetGroupArn"]

    with serving(application(settings)) as url:
        group = clients(url)["personalize"].describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]

    assert arn == "arn:aws:personalize:eu-west-1:123456789012:dataset-group/films"
    assert (group["name"], group["status"]) == ("films", "CREATE PENDING")


def test_the_runtime_refuses_an_unknown_campaign(settings: Settings) -> None:
    with serving(application(settings)) as url:
        runtime = clients(url)["personalize-runtime"]
        with pytest.raises(runtime.exceptions.ResourceNotFoundException):
            runtime.get_recommendations(
                campaignArn="arn:aws:personalize:eu-west-1:123456789012:campaign/none", userId="1"
            )


def test_the_events_refuse_an_unknown_tracker(settings: Settings) -> None:
    with serving(application(settings)) as url:
        events = clients(url)["personalize-events"]
        with pytest.raises(events.exceptions.InvalidInputException):
            events.put_events(
                trackingId="none", sessionId="1", eventList=[{"eventType": "click", "sentAt": 1_700_000_000}]
            )


def test_ready_once_the_database_answers(settings: Settings) -> None:
    with serving(application(settings)) as url:
        status, _, body = get(url, "/readyz")

    assert (status, json.loads(body)["checks"]) == (200, {"database": "ok"})


def test_not_ready_without_the_worker_that_it_should_have(settings: Settings) -> None:
    class NeverStarted(WorkerProcess):
        def start(self) -> None:
            """As if it died at once."""

    with serving(application(settings, worker=NeverStarted(settings))) as url:
        status, _, body = get(url, "/readyz")

    assert (status, json.loads(body)["checks"]["worker"]) == (503, "WorkerMissing")


@pytest.mark.parametrize("host", ["::", "192.0.2.1", "example.org"])
def test_any_credentials_are_not_taken_from_other_machines(settings: Settings, host: str) -> None:
    with pytest.raises(SettingsProblem, match=r"takes any credentials.*Use --host 127\.0\.0\.1"):
        Server(settings, host=host).run(print)

    assert not settings.home.exists()


def test_with_keys_other_addresses_may_be_listened_on(settings: Settings) -> None:
    keys = MemoryKeys.of(Key("AKID", "secret", "111122223333"))

    # Only the address is what fails here: 192.0.2.1 belongs to no machine.
    with pytest.raises(SettingsProblem, match="Cannot listen on"):
        Server(settings, host="192.0.2.1", key_store=keys).run(print)
