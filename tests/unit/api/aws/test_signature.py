"""Our verifier against botocore's signer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from matinee.api.aws.signature import Key, MemoryKeys, SignedRequest, Verifier, parse_authorization
from matinee.errors import Unauthenticated

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEY = Key("AKIDEXAMPLE", SECRET, "111122223333")
TEMPORARY = Key("ASIAEXAMPLE", SECRET, "444455556666", session_token="a/token+with=signs")
KEYS = MemoryKeys.of(KEY, TEMPORARY)
MISMATCH = "The request signature we calculated does not match the signature you provided."


def signed(
    *,
    key: Key = KEY,
    url: str = "http://127.0.0.1:8765/",
    body: bytes = b'{"name":"films"}',
    headers: dict[str, str] | None = None,
    region: str = "us-east-1",
    service: str = "personalize",
) -> SignedRequest:
    """A POST that botocore signed now, as the server sees it."""
    sent = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AmazonPersonalize.CreateDatasetGroup"}
    request = AWSRequest("POST", url, data=body, headers={**sent, **(headers or {})})
    SigV4Auth(Credentials(key.access_key, key.secret, key.session_token), service, region).add_auth(request)
    parts = urlsplit(url)
    received = {name.lower(): value for name, value in request.headers.items()}
    received.setdefault("host", parts.netloc)
    return SignedRequest("POST", parts.path or "/", parts.query, received, body)


def verify(request: SignedRequest, *, later: timedelta = timedelta()) -> tuple[Key, str]:
    """What the verifier says when the server's clock is `later` than the signer's."""
    return Verifier(KEYS, lambda: datetime.now(UTC) + later).verify(request)


def refusal(request: SignedRequest, *, later: timedelta = timedelta()) -> tuple[str, str]:
    with pytest.raises(Unauthenticated) as refused:
        verify(request, later=later)
    return refused.value.wire_code, refused.value.message


def changed(request: SignedRequest, **headers: str) -> SignedRequest:
    return replace(request, headers={**request.headers, **{n.replace("_", "-"): v for n, v in headers.items()}})


@pytest.mark.parametrize("body", [b"", b"{}", "{'name': 'Amélie'}".encode(), b"\x00\xff" * 5000])
@pytest.mark.parametrize("key", [KEY, TEMPORARY], ids=["permanent", "temporary"])
@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1", "local"])
def test_what_botocore_signs_is_let_in(body: bytes, key: Key, region: str) -> None:
    assert verify(signed(body=body, key=key, region=region)) == (key, region)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/recommendations",
        "/a/../b",
        "/./a//b/",
        "/caf%C3%A9",
        "/a%2Fb",
        "/a b",
        "/~me",
        "/?b=2&a=1&a=0&c",
        "/?=&x=%20",
    ],
)
def test_paths_and_queries_are_normalised_as_botocore_does(path: str) -> None:
    assert verify(signed(url=f"http://127.0.0.1:8765{path}"))[0] == KEY


@given(st.lists(st.sampled_from(["a", "..", ".", "", "%2e", "é", "~", "%"]), max_size=6).map("/".join))
def test_any_path_is_normalised_as_botocore_does(path: str) -> None:
    assert verify(signed(url=f"http://127.0.0.1:8765/{path}"))[0] == KEY


@pytest.mark.parametrize("value", ["plain", "  two   spaces  ", "a,b", "", "tab\tinside"])
def test_header_values_are_trimmed_as_botocore_does(value: str) -> None:
    assert verify(signed(headers={"X-Amz-Meta": value}))[0] == KEY


def test_a_request_may_be_sent_again() -> None:
    request = signed()

    assert verify(request) == verify(request)


def test_no_signature_is_missing_authentication() -> None:
    request = signed()
    headers = {name: value for name, value in request.headers.items() if name != "authorization"}

    assert refusal(replace(request, headers=headers)) == (
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
    )


@pytest.mark.parametrize(
    "request_",
    [
        lambda: signed(key=Key("AKIDUNKNOWN", SECRET, "1")),
        lambda: signed(key=replace(KEY, session_token="made up")),
        lambda: signed(key=replace(TEMPORARY, session_token=None)),
        lambda: signed(key=replace(TEMPORARY, session_token="another")),
    ],
    ids=["unknown key", "token for a permanent key", "no token", "another token"],
)
def test_unknown_credentials_are_not_recognised(request_: Callable[[], SignedRequest]) -> None:
    assert refusal(request_()) == (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )


@pytest.mark.parametrize(
    "request_",
    [
        lambda: signed(key=replace(KEY, secret="another secret")),
        lambda: replace(signed(), body=b'{"name":"other"}'),
        lambda: replace(signed(), path="/recommendations"),
        lambda: replace(signed(), query="a=1"),
        lambda: replace(signed(), method="GET"),
        lambda: changed(signed(), host="elsewhere"),
        lambda: changed(signed(), x_amz_target="AmazonPersonalize.DeleteCampaign"),
        lambda: changed(signed(), content_type="text/plain"),
        lambda: replace(signed(url="http://127.0.0.1:8765/?a=1"), query="a=1&a=1"),
    ],
    ids=["secret", "body", "path", "query", "method", "host", "target", "content type", "query twice"],
)
def test_what_was_altered_after_signing_is_refused(request_: Callable[[], SignedRequest]) -> None:
    code, message = refusal(request_())

    assert code == "InvalidSignatureException"
    assert message.startswith(MISMATCH)


@pytest.mark.parametrize("payload", ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"])
def test_an_unsigned_body_is_refused(payload: str) -> None:
    code, message = refusal(signed(headers={"X-Amz-Content-SHA256": payload}))

    assert (code, "body must be signed" in message) == ("InvalidSignatureException", True)


def test_the_hash_of_another_body_is_refused() -> None:
    code, message = refusal(signed(headers={"X-Amz-Content-SHA256": "0" * 64}))

    assert (code, message.startswith(MISMATCH)) == ("InvalidSignatureException", True)


@pytest.mark.parametrize("name", ["host", "x-amz-target", "x-amz-date"])
def test_headers_that_matter_must_be_signed(name: str) -> None:
    request = signed()
    header = request.headers["authorization"]
    names = parse_authorization(header).signed_headers
    fewer = ";".join(other for other in names if other != name)

    code, message = refusal(changed(request, authorization=header.replace(";".join(names), fewer)))

    assert code == "InvalidSignatureException"
    assert message == f"There were headers present in the request which were not signed: {name}"


def test_an_unsigned_target_that_was_added_is_refused() -> None:
    request = AWSRequest("POST", "http://127.0.0.1/", data=b"{}")
    SigV4Auth(Credentials(KEY.access_key, KEY.secret), "personalize", "us-east-1").add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers |= {"host": "127.0.0.1", "x-amz-target": "AmazonPersonalize.DeleteCampaign"}

    code, message = refusal(SignedRequest("POST", "/", "", headers, b"{}"))

    assert (code, "x-amz-target" in message) == ("InvalidSignatureException", True)


@pytest.mark.parametrize("minutes", [-14, 14])
def test_clocks_may_differ_by_a_quarter_of_an_hour(minutes: int) -> None:
    assert verify(signed(), later=timedelta(minutes=minutes))[0] == KEY


def test_an_old_signature_has_expired() -> None:
    request = signed()

    code, message = refusal(request, later=timedelta(minutes=16))

    assert code == "InvalidSignatureException"
    assert message.startswith(f"Signature expired: {request.headers['x-amz-date']} is now earlier than ")
    assert message.endswith(" - 15 min.)")


def test_a_signature_from_the_future_is_not_yet_current() -> None:
    code, message = refusal(signed(), later=timedelta(minutes=-16))

    assert code == "InvalidSignatureException"
    assert message.startswith("Signature not yet current: ")
    assert message.endswith(" + 15 min.)")


@pytest.mark.parametrize("service", ["personalize-runtime", "personalize-events", "s3"])
def test_trap_1_the_scope_must_be_the_service_all_three_apis_sign_with(service: str) -> None:
    assert refusal(signed(service=service)) == (
        "InvalidSignatureException",
        "Credential should be scoped to correct service: 'personalize'.",
    )


@pytest.mark.parametrize("region", ["../../etc", "US-EAST-1", "", "a" * 33])
def test_what_cannot_be_a_region_is_refused(region: str) -> None:
    code, message = refusal(signed(region=region))

    # A slash in the region reads as another number of elements, hence another key.
    assert code == "InvalidSignatureException", message


def test_the_terminator_must_be_right() -> None:
    request = signed()
    header = request.headers["authorization"].replace("/aws4_request", "/aws5_request")

    assert refusal(changed(request, authorization=header)) == (
        "InvalidSignatureException",
        "Credential should be scoped with a valid terminator: 'aws4_request'.",
    )


def test_the_scope_must_be_of_the_day_of_signing() -> None:
    code, message = refusal(changed(signed(), x_amz_date="20200101T000000Z"))

    assert code == "InvalidSignatureException"
    assert message.startswith("Date in Credential scope does not match YYYYMMDD")


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("Bearer abc", "Unsupported AWS 'algorithm': 'Bearer'."),
        ("AWS4-HMAC-SHA256", "requires 'Credential' parameter"),
        ("AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host", "requires 'Signature' parameter"),
        ("AWS4-HMAC-SHA256 Credential=a/b/c/d/e, Signature=0", "requires 'SignedHeaders' parameter"),
        ("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0", "exactly 5 slash-delimited elements"),
        ("AWS4-HMAC-SHA256 Credential=a, Credential=b, SignedHeaders=host, Signature=0", "'Credential' twice"),
    ],
)
def test_an_incomplete_header_says_what_it_lacks(header: str, sentence: str) -> None:
    code, message = refusal(changed(signed(), authorization=header))

    assert (code, sentence in message) == ("IncompleteSignatureException", True), message


def test_two_authorization_headers_joined_are_refused() -> None:
    header = signed().headers["authorization"]

    assert refusal(changed(signed(), authorization=f"{header},{header}"))[0] == "IncompleteSignatureException"


@pytest.mark.parametrize("stamp", ["yesterday", "", "2020-01-01T00:00:00Z"])
def test_the_date_must_be_in_the_basic_form(stamp: str) -> None:
    assert refusal(changed(signed(), x_amz_date=stamp))[0] == "IncompleteSignatureException"


def test_a_date_is_required() -> None:
    request = signed()
    headers = {name: value for name, value in request.headers.items() if name != "x-amz-date"}

    assert refusal(replace(request, headers=headers))[0] == "IncompleteSignatureException"


@pytest.mark.parametrize("names", ["X-Amz-Date;host", "x-amz-date;host", "host;host"])
def test_signed_headers_must_be_in_order(names: str) -> None:
    request = signed()
    header = request.headers["authorization"]
    listed = ";".join(parse_authorization(header).signed_headers)

    code, message = refusal(changed(request, authorization=header.replace(listed, names)))

    assert (code, "sorted" in message) == ("IncompleteSignatureException", True)


@given(st.text(max_size=120), st.text(max_size=20))
def test_any_header_is_refused_in_words(header: str, stamp: str) -> None:
    code, _ = refusal(changed(signed(), authorization=header, x_amz_date=stamp))

    assert code in {"IncompleteSignatureException", "InvalidSignatureException", "UnrecognizedClientException"}
