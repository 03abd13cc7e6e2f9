"""A webhook: each message a signed POST, no redirect followed, no longer waited for than a receiver should need."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import urllib3

from matinee.delivery.addresses import Endpoint, addresses_of
from matinee.delivery.cloud_event import MEDIA_TYPE, Message
from matinee.delivery.signatures import signed_headers
from matinee.errors import DeliveryFailed

_TIMEOUT = urllib3.Timeout(connect=5.0, total=15.0)
_CONNECTIONS = 4
_MOST_POOLS = 8
#: Answers after which another try may help; other refusals will be the same tomorrow (RFC 9110, 15.5).
_FOR_NOW = frozenset({401, 403, 404, 408, 409, 423, 425, 429})
_LONGEST_ASKED = 3600.0


class Webhook:
    """Sends to one URL. Answers 2xx take a message; 410 Gone and other final refusals make it a dead letter."""

    def __init__(self, endpoint: Endpoint, secrets: Sequence[str], ca: Path | None = None) -> None:
        """`ca`: a PEM file to check the receiver's certificate against, in the place of the system's."""
        self._endpoint, self._secrets, self._ca = endpoint, tuple(secrets), ca
        self._pools: dict[str, urllib3.HTTPConnectionPool] = {}
        self._guard = threading.Lock()

    def send(self, message: Message) -> None:
        """Return when the receiver answered 2xx; raises `DeliveryFailed`. The answer's body is not read."""
        headers = {
            "Host": self._endpoint.authority,
            "Content-Type": MEDIA_TYPE,
            "User-Agent": "Matinee",
            **signed_headers(message.id, int(time.time()), message.body, self._secrets),
        }
        answer = self._answer(message.body, headers)
        status, asked = answer.status, answer.headers.get("Retry-After", "")
        answer.drain_conn() if int(answer.headers.get("Content-Length") or 0) < 65_536 else answer.close()
        answer.release_conn()
        if not 200 <= status < 300:
            wait = min(float(asked), _LONGEST_ASKED) if asked.isdecimal() else None
            final = 300 <= status < 500 and status not in _FOR_NOW
            raise DeliveryFailed(f"{self._endpoint.host} answered {status}.", final=final, wait=wait)

    def _answer(self, body: bytes, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        """The answer of the host's first address that takes a connection; `addresses_of` let all of them pass."""
        reason = ""
        for address in addresses_of(self._endpoint):
            try:
                return self._pool(address).urlopen(
                    "POST",
                    self._endpoint.path,
                    body=body,
                    headers=headers,
                    redirect=False,
                    retries=False,
                    timeout=_TIMEOUT,
                    preload_content=False,
                )
            except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as problem:
                reason = type(problem).__name__
            except urllib3.exceptions.HTTPError as problem:
                reason = type(problem).__name__
                break  # it may have arrived: another address might be given it twice
        raise DeliveryFailed(f"{self._endpoint.host} cannot be reached: {reason}.")

    def close(self) -> None:
        """Let connections go."""
        for pool in self._pools.values():
            pool.close()

    def _pool(self, address: str) -> urllib3.HTTPConnectionPool:
        """The connections to one address; certificates are checked against the host's name."""
        with self._guard:
            pool = self._pools.get(address)
            if pool is None:
                if len(self._pools) >= _MOST_POOLS:
                    self._pools.pop(next(iter(self._pools))).close()
                pool = self._pools[address] = self._connect(address)
            return pool

    def _connect(self, address: str) -> urllib3.HTTPConnectionPool:
        host, port = self._endpoint.host, self._endpoint.port
        if not self._endpoint.secure:
            return urllib3.HTTPConnectionPool(address, port, maxsize=_CONNECTIONS)
        return urllib3.HTTPSConnectionPool(
            address,
            port,
            maxsize=_CONNECTIONS,
            server_hostname=host,
            assert_hostname=host,
            cert_reqs="CERT_REQUIRED",
            ca_certs=None if self._ca is None else str(self._ca),
        )
