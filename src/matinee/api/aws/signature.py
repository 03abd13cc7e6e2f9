"""AWS Signature Version 4, the server's side: who signed this request, and is it the request that was signed.

Source: "Create a signed AWS API request", AWS IAM user guide. Paths are normalised as botocore does it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Protocol
from urllib.parse import quote

from botocore.utils import normalize_url_path

from matinee.errors import Unauthenticated

ALGORITHM: Final = "AWS4-HMAC-SHA256"
SERVICE: Final = "personalize"  # of all three APIs
TERMINATOR: Final = "aws4_request"
SKEW: Final = timedelta(minutes=15)

#: Characters of a header whose parts are kept.
_LONGEST_KEPT: Final = 512
_REGION: Final = re.compile(r"[a-z0-9-]{1,32}")
_TIMESTAMP: Final = "%Y%m%dT%H%M%SZ"
#: Headers that change what a request means: they must be signed where they are present. Not every `x-amz-*`, since
#: a proxy such as CloudFront adds its own after the client signed.
_MUST_BE_SIGNED: Final = frozenset(
    {"host", "x-amz-date", "x-amz-target", "x-amz-security-token", "x-amz-content-sha256"}
)


@dataclass(frozen=True)
class Key:
    """An access key that the server knows, and the account (tenant) it belongs to."""

    access_key: str
    secret: str = field(repr=False)
    account: str
    session_token: str | None = field(default=None, repr=False)


class KeyStore(Protocol):
    """Where access keys are found. Asked once a request on the event loop: memory, or one indexed read."""

    def find(self, access_key: str) -> Key | None:
        """The key of that name, or None."""


@dataclass(frozen=True)
class MemoryKeys:
    """Keys that live as long as the process."""

    keys: Mapping[str, Key]

    @classmethod
    def of(cls, *keys: Key) -> MemoryKeys:
        """A store of the given keys."""
        return cls({key.access_key: key for key in keys})

    def find(self, access_key: str) -> Key | None:
        """The key of that name, or None."""
        return self.keys.get(access_key)


@dataclass(frozen=True)
class SignedRequest:
    """What a signature covers, as it came over the wire. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Authorization:
    """The parts of an `Authorization` header."""

    access_key: str
    date: str
    region: str
    service: str
    terminator: str
    signed_headers: tuple[str, ...]
    signature: str

    @property
    def scope(self) -> str:
        """The credential scope without the key."""
        return f"{self.date}/{self.region}/{self.service}/{self.terminator}"


def parse_authorization(header: str) -> Authorization:
    """Take an `Authorization` header apart; raises `Unauthenticated` naming what it lacks."""
    rest, _, signed = header.rpartition("Signature=")
    if not signed.isalnum() or len(rest) > _LONGEST_KEPT:
        return _parse(header)
    # What clients put before the signature is the same for a whole day.
    known = _parse_kept(rest)
    return Authorization(
        known.access_key, known.date, known.region, known.service, known.terminator, known.signed_headers, signed
    )


@lru_cache(maxsize=1024)
def _parse_kept(rest: str) -> Authorization:
    return _parse(f"{rest}Signature=0")


def _parse(header: str) -> Authorization:
    algorithm, _, rest = header.strip().partition(" ")
    if algorithm != ALGORITHM:
        raise _incomplete(f"Unsupported AWS 'algorithm': '{algorithm[:64]}'.")
    parts: dict[str, str] = {}
    for part in rest.split(","):
        name, _, value = part.strip().partition("=")
        if name in parts:
            raise _incomplete(f"Authorization header has '{name[:64]}' twice.")
        parts[name] = value
    for name in ("Credential", "Signature", "SignedHeaders"):
        if not parts.get(name):
            raise _incomplete(f"Authorization header requires '{name}' parameter.")
    credential = parts["Credential"].rsplit("/", 4)
    if len(credential) != 5:
        raise _incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term."
        )
    access_key, date, region, service, terminator = credential
    signed_headers = tuple(parts["SignedHeaders"].split(";"))
    return Authorization(access_key, date, region, service, terminator, signed_headers, parts["Signature"])


def require_region(region: str) -> None:
    """Refuse what could not be a region: it becomes part of ARNs and of object keys."""
    if not _REGION.fullmatch(region):
        raise _invalid("Credential should be scoped to a valid region.")


class Verifier:
    """Checks signatures against a key store. `now` is the clock (UTC)."""

    def __init__(self, keys: KeyStore, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._keys, self._now = keys, now

    def verify(self, request: SignedRequest) -> tuple[Key, str]:
        """The key that signed `request` and the region it was signed for.

        Raises `Unauthenticated` with the service's code and sentence. A replayed request passes: SigV4 has no nonce.
        """
        header = request.headers.get("authorization")
        if header is None:
            raise Unauthenticated("MissingAuthenticationTokenException", "Missing Authentication Token")
        authorization = parse_authorization(header)
        stamp = _stamp(request.headers)
        self._check_scope(authorization, stamp)
        _check_signed_headers(authorization, request.headers)
        key = self._keys.find(authorization.access_key)
        if key is None or not _same(request.headers.get("x-amz-security-token", ""), key.session_token or ""):
            raise Unauthenticated(
                "UnrecognizedClientException", "The security token included in the request is invalid."
            )
        expected = signature(key.secret, authorization, stamp, canonical_request(request, authorization.signed_headers))
        if not _same(expected, authorization.signature):
            raise _invalid(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                "Access Key and signing method. Consult the service documentation for details."
            )
        self._check_clock(stamp)
        return key, authorization.region

    def _check_scope(self, authorization: Authorization, stamp: str) -> None:
        if authorization.date != stamp[:8]:
            raise _invalid(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                f"'{authorization.date[:16]}' != '{stamp[:8]}', from '{stamp}'."
            )
        require_region(authorization.region)
        if authorization.service != SERVICE:
            raise _invalid(f"Credential should be scoped to correct service: '{SERVICE}'.")
        if authorization.terminator != TERMINATOR:
            raise _invalid(f"Credential should be scoped with a valid terminator: '{TERMINATOR}'.")

    def _check_clock(self, stamp: str) -> None:
        now = self._now()
        signed = _moment(stamp)
        if signed < now - SKEW:
            raise _invalid(
                f"Signature expired: {stamp} is now earlier than {now - SKEW:{_TIMESTAMP}} "
                f"({now:{_TIMESTAMP}} - 15 min.)"
            )
        if signed > now + SKEW:
            raise _invalid(
                f"Signature not yet current: {stamp} is still later than {now + SKEW:{_TIMESTAMP}} "
                f"({now:{_TIMESTAMP}} + 15 min.)"
            )


def canonical_request(request: SignedRequest, signed_headers: tuple[str, ...]) -> str:
    """The canonical form of a request: method, path, query, headers, names of the headers, hash of the body."""
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signed_headers)
    return "\n".join(
        (
            request.method.upper(),
            _canonical_path(request.path) if len(request.path) <= _LONGEST_KEPT else _normal_path(request.path),
            "&".join(f"{name}={value}" for name, value in sorted(_pairs(request.query))) if request.query else "",
            headers,
            ";".join(signed_headers),
            hashlib.sha256(request.body).hexdigest(),
        )
    )


def _normal_path(path: str) -> str:
    return quote(normalize_url_path(path), safe="/~")


_canonical_path = lru_cache(maxsize=256)(_normal_path)


def signature(secret: str, authorization: Authorization, stamp: str, canonical: str) -> str:
    """The signature, in hexadecimal digits, that `secret` gives a canonical request at `stamp`."""
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"{ALGORITHM}\n{stamp}\n{authorization.scope}\n{hashed}"
    key = _signing_key(secret, authorization.date, authorization.region, authorization.service)
    return hmac.digest(key, text.encode(), "sha256").hex()


@lru_cache(maxsize=1024)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, TERMINATOR):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _stamp(headers: Mapping[str, str]) -> str:
    """The time of signing, in the form of `X-Amz-Date`."""
    stamp = headers.get("x-amz-date")
    if stamp is None:
        raise _incomplete("Authorization header requires existence of 'X-Amz-Date' header.")
    try:
        _moment(stamp)
    except ValueError:
        raise _incomplete(f"Date must be in ISO-8601 'basic format'. Got '{stamp[:64]}'.") from None
    return stamp


@lru_cache(maxsize=64)
def _moment(stamp: str) -> datetime:
    return datetime.strptime(stamp, _TIMESTAMP).replace(tzinfo=UTC)


def _check_signed_headers(authorization: Authorization, headers: Mapping[str, str]) -> None:
    missing = _left_unsigned(authorization.signed_headers)
    if missing is None:
        raise _incomplete("SignedHeaders must be in lower case and sorted, each name once.")
    unsigned = [name for name in missing if name in headers or name == "host"]
    if unsigned:
        raise _invalid(f"There were headers present in the request which were not signed: {', '.join(unsigned)}")
    claimed = headers.get("x-amz-content-sha256")
    if claimed is not None and not re.fullmatch(r"[0-9a-f]{64}", claimed):
        raise _invalid("The body must be signed: x-amz-content-sha256 must be the SHA-256 of the body.")


@lru_cache(maxsize=1024)
def _left_unsigned(names: tuple[str, ...]) -> tuple[str, ...] | None:
    """Headers that must be signed where they are present, without `names`; None when `names` are out of order."""
    if list(names) != sorted({name.lower() for name in names}):
        return None
    return tuple(sorted(_MUST_BE_SIGNED - set(names)))


def _pairs(query: str) -> list[tuple[str, str]]:
    split = (pair.partition("=") for pair in query.split("&") if pair)
    return [(name, value) for name, _, value in split]


def _same(one: str, other: str) -> bool:
    """Compare in a time that does not tell where two texts differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def _incomplete(message: str) -> Unauthenticated:
    return Unauthenticated("IncompleteSignatureException", message)


def _invalid(message: str) -> Unauthenticated:
    return Unauthenticated("InvalidSignatureException", message)
