"""The front door: who is calling. One door takes any credentials (loopback only), the other verifies signatures."""

from __future__ import annotations

from typing import Protocol

from matinee.api.aws.signature import KeyStore, SignedRequest, Verifier, parse_authorization, require_region
from matinee.control.context import Caller
from matinee.errors import Unauthenticated

#: Region of a request that is not signed.
DEFAULT_REGION = "us-east-1"


class Door(Protocol):
    """Establishes the caller of a request, or raises `Unauthenticated`."""

    def admit(self, request: SignedRequest, request_id: str) -> Caller:
        """The caller of `request`."""


class OpenDoor:
    """Takes any credentials, or none. Every caller is the same account; the region is the signed one."""

    def __init__(self, account: str) -> None:
        self._account = account

    def admit(self, request: SignedRequest, request_id: str) -> Caller:
        """The one account, in the region of the credential scope."""
        header = request.headers.get("authorization", "")
        try:
            authorization = parse_authorization(header)
        except Unauthenticated:
            return Caller(self._account, DEFAULT_REGION, None, request_id)
        require_region(authorization.region)
        return Caller(self._account, authorization.region, authorization.access_key, request_id)


class VerifiedDoor:
    """Lets in what a known key signed; the account is the key's."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier

    def admit(self, request: SignedRequest, request_id: str) -> Caller:
        """The account of the key, in the region that was signed."""
        key, region = self._verifier.verify(request)
        return Caller(key.account, region, key.access_key, request_id)


def door(account: str, keys: KeyStore | None) -> Door:
    """The open door where there is no key store, else the verifying one."""
    return OpenDoor(account) if keys is None else VerifiedDoor(Verifier(keys))
