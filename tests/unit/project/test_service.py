"""Where requests go, and with which credentials."""

from __future__ import annotations

import pytest
from tests.unit.project import stage

from matinee.project.service import AWS_POLL_SECONDS, OWN_POLL_SECONDS, Service, ServiceRefused


def test_without_an_endpoint_it_is_aws() -> None:
    service = Service.of(stage.project(region="eu-west-1"))
    assert service.is_aws
    assert service.endpoint == "https://personalize.eu-west-1.amazonaws.com"
    assert service.poll_seconds == AWS_POLL_SECONDS


def test_the_files_endpoint_counts_and_the_command_line_before_it() -> None:
    project = stage.project(endpoint="http://127.0.0.1:8765")
    service = Service.of(project)
    assert (service.endpoint, service.is_aws) == ("http://127.0.0.1:8765", False)
    assert service.poll_seconds == OWN_POLL_SECONDS
    assert Service.of(project, "http://127.0.0.1:9").endpoint == "http://127.0.0.1:9"


def test_botos_own_variable_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_PERSONALIZE", "http://127.0.0.1:7")
    assert Service.of(stage.project()).endpoint == "http://127.0.0.1:7"


def test_a_server_on_this_machine_needs_no_credentials_and_no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    assert Service.of(stage.project(), "http://127.0.0.1:9").client.meta.region_name == "us-east-1"
    with pytest.raises(ServiceRefused, match="Give --endpoint and --region"):
        Service.of(stage.project())


def test_china_has_its_own_partition() -> None:
    assert Service.of(stage.project(region="cn-north-1")).partition == "aws-cn"


def test_a_server_that_does_not_answer_is_told_in_a_sentence() -> None:
    from matinee.project.kinds import GROUP

    with pytest.raises(ServiceRefused, match=r"dataset groups cannot be listed: .*127\.0\.0\.1:1"):
        Service.of(stage.project(), "http://127.0.0.1:1").listing(GROUP)
