"""The whole server in one process: real database, real operations, no worker."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.unit.api.live import clients, get, serving

from matinee.api.aws.signature import Key, MemoryKeys
from matinee.api.aws.stored_keys import SqlKeys
from matinee.api.server import Server, application, for_tenants, stored_keys
from matinee.api.worker import WorkerProcess
from matinee.errors import SettingsProblem
from matinee.settings import Settings
from matinee.storage import access_keys
from matinee.storage.metadata import Database


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

    assert (status, json.loads(body)["checks"]) == (200, {"database": "ok", "models": "ok"})


def test_not_ready_without_the_worker_that_it_should_have(settings: Settings) -> None:
    class NeverStarted(WorkerProcess):
        def start(self) -> None:
            """As if it died at once."""

    with serving(application(settings, worker=NeverStarted(settings))) as url:
        status, _, body = get(url, "/readyz")

    assert (status, json.loads(body)["checks"]["worker"]) == (503, "WorkerMissing")


@pytest.mark.parametrize("host", ["::", "192.0.2.1", "example.org"])
def test_any_credentials_are_not_taken_from_other_machines(settings: Settings, host: str) -> None:
    with pytest.raises(SettingsProblem, match=r"takes any credentials.*`matinee keys create`, or use --host"):
        Server(settings, host=host).run(print)


def test_with_keys_other_addresses_may_be_listened_on(settings: Settings) -> None:
    keys = MemoryKeys.of(Key("AKID", "secret", "111122223333"))

    # Only the address is what fails here: 192.0.2.1 belongs to no machine.
    with pytest.raises(SettingsProblem, match="Cannot listen on"):
        Server(settings, host="192.0.2.1", key_store=keys).run(print)


def with_a_key(settings: Settings, *, enabled: bool = True) -> None:
    """Make the first key, as `matinee keys create` would."""
    database = Database(settings.effective_database_url)
    database.upgrade()
    key = access_keys.create(database, "111122223333")
    access_keys.enable(database, key.access_key, enabled=enabled)
    database.close()


@pytest.mark.parametrize("enabled", [True, False])
def test_a_stored_key_lets_other_addresses_be_listened_on(settings: Settings, enabled: bool) -> None:
    with_a_key(settings, enabled=enabled)

    with pytest.raises(SettingsProblem, match="Cannot listen on"):
        Server(settings, host="192.0.2.1").run(print)


def test_requiring_keys_lets_other_addresses_be_listened_on(settings: Settings) -> None:
    with pytest.raises(SettingsProblem, match="Cannot listen on"):
        Server(settings, host="192.0.2.1", require_keys=True).run(print)


def test_without_keys_there_is_no_key_store(settings: Settings) -> None:
    assert stored_keys(settings) is None


def test_the_key_store_has_the_keys_of_the_metadata(settings: Settings) -> None:
    with_a_key(settings)

    found = stored_keys(settings)

    assert isinstance(found, SqlKeys)
    found.close()


def test_required_keys_that_are_not_there_are_told(settings: Settings) -> None:
    with capture_logs() as logged:
        found = stored_keys(settings, required=True)

    assert found is not None
    found.close()
    assert [(line["log_level"], "matinee keys create" in line["event"]) for line in logged] == [("warning", True)]


def test_accounts_reach_no_files_but_those_that_are_meant_for_them(settings: Settings) -> None:
    roots = (Path("/srv/films"),)

    assert for_tenants(settings).file_roots == (settings.home / "files",)
    assert for_tenants(replace(settings, file_roots=roots)).file_roots == roots
