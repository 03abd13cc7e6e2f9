"""Who is let in, asked by real clients: keys in the metadata, signatures made by botocore."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from tests.unit.api.live import clients, serving
from tests.unit.api.waiting import until

from matinee.api.aws.model import SERVICES, Service
from matinee.api.aws.stored_keys import SqlKeys
from matinee.api.server import application
from matinee.settings import Settings
from matinee.storage import access_keys
from matinee.storage.access_keys import AccessKey
from matinee.storage.metadata import Database

ARN = "arn:aws:personalize:eu-west-1:111122223333:campaign/none"
CALLS: dict[Service, tuple[str, dict[str, Any]]] = {
    "personalize": ("list_dataset_groups", {}),
    "personalize-runtime": ("get_recommendations", {"campaignArn": ARN, "userId": "1"}),
    "personalize-events": ("put_users", {"datasetArn": ARN, "users": [{"userId": "1"}]}),
}
#: What each call is answered with once its caller is known: there is nothing to recommend yet.
KNOWN = {
    "personalize": None,
    "personalize-runtime": "ResourceNotFoundException",
    "personalize-events": "ResourceNotFoundException",
}


@dataclass(frozen=True)
class Bench:
    """A server that checks signatures, and the metadata as another process changes them."""

    url: str
    database: Database

    def codes(self, credentials: Credentials) -> dict[str, str | None]:
        """The code of the answer of each API; None when it is no error."""
        return {service: self._code(service, credentials) for service in SERVICES}

    def _code(self, service: Service, credentials: Credentials) -> str | None:
        name, params = CALLS[service]
        try:
            getattr(clients(self.url, credentials=credentials)[service], name)(**params)
        except ClientError as error:
            status, code = error.response["ResponseMetadata"]["HTTPStatusCode"], str(error.response["Error"]["Code"])
            return code if (status == 403) == (code != KNOWN[service]) else f"{code} with status {status}"
        return None


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    home: Path = tmp_path_factory.mktemp("identity")
    settings = Settings(home=home)
    database = Database(settings.effective_database_url)
    database.upgrade()
    keys = SqlKeys(Database(settings.effective_database_url))
    with serving(application(settings, key_store=keys)) as url:
        yield Bench(url, database)
    keys.close()
    database.close()


@pytest.fixture
def key(bench: Bench) -> AccessKey:
    return access_keys.create(bench.database, "111122223333")


def of(key: AccessKey, *, secret: str | None = None, token: str | None = None) -> Credentials:
    return Credentials(key.access_key, secret or key.secret, token)


def everywhere(code: str) -> dict[str, str | None]:
    return dict.fromkeys(SERVICES, code)


def test_a_key_that_was_just_made_is_let_in(bench: Bench, key: AccessKey) -> None:
    assert bench.codes(of(key)) == KNOWN


def test_another_secret_does_not_match(bench: Bench, key: AccessKey) -> None:
    assert bench.codes(of(key, secret=key.secret[:-1] + "!")) == everywhere("InvalidSignatureException")


def test_an_unknown_key_is_not_recognised(bench: Bench, key: AccessKey) -> None:
    stranger = Credentials("MATN" + "A" * 16, key.secret)

    assert bench.codes(stranger) == everywhere("UnrecognizedClientException")


def test_a_disabled_key_is_not_recognised(bench: Bench, key: AccessKey) -> None:
    access_keys.enable(bench.database, key.access_key, enabled=False)

    assert bench.codes(of(key)) == everywhere("UnrecognizedClientException")


def test_a_key_that_is_in_use_can_be_taken_away(bench: Bench, key: AccessKey) -> None:
    assert bench.codes(of(key)) == KNOWN
    access_keys.enable(bench.database, key.access_key, enabled=False)

    until(lambda: bench.codes(of(key)) == everywhere("UnrecognizedClientException"))


def test_a_deleted_key_is_not_recognised(bench: Bench, key: AccessKey) -> None:
    access_keys.delete(bench.database, key.access_key)

    assert bench.codes(of(key)) == everywhere("UnrecognizedClientException")


def test_a_session_token_does_not_belong_to_a_permanent_key(bench: Bench, key: AccessKey) -> None:
    assert bench.codes(of(key, token="made/up+token=")) == everywhere("UnrecognizedClientException")


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_clock_may_be_a_little_wrong(
    bench: Bench, key: AccessKey, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _shift_the_clients_clock(minutes, monkeypatch)

    assert bench.codes(of(key)) == KNOWN


@pytest.mark.parametrize(
    ("minutes", "sentence"), [(-16, "Signature expired"), (16, "Signature not yet current")], ids=["behind", "ahead"]
)
def test_a_clock_that_is_far_off_is_told(
    bench: Bench, key: AccessKey, minutes: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _shift_the_clients_clock(minutes, monkeypatch)

    assert bench.codes(of(key)) == everywhere("InvalidSignatureException")
    with pytest.raises(ClientError, match=sentence):
        clients(bench.url, credentials=of(key))["personalize"].list_schemas()


@pytest.mark.parametrize("service", SERVICES)
def test_a_signature_for_another_service_is_refused(bench: Bench, key: AccessKey, service: Service) -> None:
    client = clients(bench.url, credentials=of(key))[service]
    client.meta.events.register("before-sign", _sign_for_s3)
    name, params = CALLS[service]

    with pytest.raises(ClientError, match="scoped to correct service: 'personalize'") as refused:
        getattr(client, name)(**params)

    assert refused.value.response["Error"]["Code"] == "InvalidSignatureException"


def _sign_for_s3(request: AWSRequest, **_: Any) -> None:
    """What an endpoint's rules say when they name another service."""
    request.context.setdefault("signing", {})["signing_name"] = "s3"


def _shift_the_clients_clock(minutes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let botocore sign at another time than the server's."""

    def shifted(remove_tzinfo: bool = True) -> datetime:
        moment = datetime.now(UTC) + timedelta(minutes=minutes)
        return moment.replace(tzinfo=None) if remove_tzinfo else moment

    monkeypatch.setattr(auth, "get_current_datetime", shifted)
