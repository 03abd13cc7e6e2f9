"""The audit log: what a line says, and what it never says."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from structlog.testing import capture_logs
from tests.unit.api.live import Recorder, clients, failing, post, serving

from matinee.api.application import create_app
from matinee.api.audit import claimed_key
from matinee.api.aws.signature import Key, MemoryKeys
from matinee.errors import ResourceNotFound
from matinee.settings import Settings

SECRET = "s3cret" * 7
KEY = Key("MATNAAAABBBBCCCCDDDD", SECRET, "111122223333", session_token="t0ken" * 20)
USER = "user-4711"


def requests(credentials: Credentials, *, known: bool = True) -> tuple[list[Mapping[str, Any]], list[str]]:
    """The log of two requests (one that works, one that does not), and the request ids that the clients saw."""
    app = create_app(
        Settings(),
        control={"ListSchemas": failing(ResourceNotFound.of("arn"))},
        runtime={"GetRecommendations": Recorder({"itemList": []})},
        events={},
        key_store=MemoryKeys.of(*([KEY] if known else [])),
    )
    ids = []
    with serving(app) as url, capture_logs() as logged:
        boto = clients(url, credentials=credentials)
        recommendations = boto["personalize-runtime"].get_recommendations
        for call in (partial(recommendations, userId=USER), boto["personalize"].list_schemas):
            try:
                answer = call()
            except ClientError as error:
                answer = error.response
            ids.append(answer["ResponseMetadata"]["RequestId"])
    return [line for line in logged if line["event"] == "request"], ids


def test_a_line_says_who_asked_for_what_and_how_it_ended() -> None:
    lines, ids = requests(Credentials(KEY.access_key, KEY.secret, KEY.session_token))

    shared = {
        "event": "request",
        "log_level": "info",
        "access_key": KEY.access_key,
        "account": KEY.account,
        "region": "eu-west-1",
    }
    assert lines == [
        {**shared, "operation": "GetRecommendations", "request_id": ids[0], "status": 200},
        {**shared, "operation": "ListSchemas", "request_id": ids[1], "status": 400},
    ]


def test_who_is_not_let_in_is_named_without_an_account() -> None:
    lines, _ = requests(Credentials(KEY.access_key, "guessed"))

    assert [(line["access_key"], line["account"], line["region"], line["status"]) for line in lines] == [
        (KEY.access_key, None, None, 403)
    ] * 2


@pytest.mark.parametrize("known", [True, False])
def test_no_line_has_a_secret_a_token_or_a_user(known: bool) -> None:
    lines, _ = requests(Credentials(KEY.access_key, KEY.secret, KEY.session_token), known=known)

    assert len(lines) == 2
    for hidden in (KEY.secret, KEY.session_token, USER, "Signature"):
        assert hidden is not None
        assert hidden not in str(lines)


def test_a_secret_in_the_place_of_the_access_key_is_not_written_down() -> None:
    lines, _ = requests(Credentials(SECRET, KEY.access_key))

    assert [line["access_key"] for line in lines] == [None, None]


def test_a_request_without_a_signature_names_nobody() -> None:
    app = create_app(Settings(), control={"ListSchemas": Recorder({"schemas": []})}, runtime={}, events={})
    with serving(app) as url, capture_logs() as logged:
        post(url, b"{}", {"x-amz-target": "AmazonPersonalize.ListSchemas"})

    assert [(line["operation"], line["access_key"], line["account"], line["status"]) for line in logged] == [
        ("ListSchemas", None, "123456789012", 200)
    ]


def test_a_header_that_is_no_signature_claims_no_key() -> None:
    assert claimed_key({"authorization": "Bearer token"}) is None
