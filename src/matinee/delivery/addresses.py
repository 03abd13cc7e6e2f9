"""Where a webhook may go: never to what only this machine's network can reach by accident (SSRF).

The address that was checked is the address that is used: a name is looked up once for each attempt, so that a second
answer of the name server cannot lead elsewhere.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from matinee.errors import DeliveryFailed, InvalidInput

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: Metadata services that are not link-local: Amazon's by IPv6, Alibaba's, Oracle's old one, Azure's wire server.
_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")
)
_LONGEST_URL = 2048


@dataclass(frozen=True)
class Endpoint:
    """A webhook's URL in parts; `path` has the query."""

    secure: bool
    host: str
    port: int
    path: str
    trusted: bool

    @property
    def authority(self) -> str:
        """The Host header."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == (443 if self.secure else 80) else f"{shown}:{self.port}"


def endpoint_of(url: str, trusted_hosts: Sequence[str] = ()) -> Endpoint:
    """The parts of a URL that a webhook may have; raises `InvalidInput` saying what is wrong with it.

    https, or http on this machine's own addresses or to one of `trusted_hosts`.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as problem:
        raise InvalidInput(f"The webhook's URL cannot be read: {problem}.") from None
    if parts.scheme not in ("https", "http") or not host or len(url) > _LONGEST_URL:
        raise InvalidInput(f"A webhook needs an https:// URL with a host, of at most {_LONGEST_URL} characters.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise InvalidInput("A webhook's URL carries no user, password or fragment; the signature proves who sends.")
    secure, trusted = parts.scheme == "https", host in trusted_hosts
    literal = _literal(host)
    if not secure and not trusted and not (host == "localhost" or (literal is not None and literal.is_loopback)):
        raise InvalidInput(
            f"http:// is for this machine's own addresses only, not for {host}. Use https://, or name the host in "
            "MATINEE_DELIVERY_HOSTS."
        )
    if literal is not None and not trusted and (why := refusal(literal)) is not None:
        raise InvalidInput(f"A webhook must not go to {host}: {why}. MATINEE_DELIVERY_HOSTS names hosts that may.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(secure, host, port or (443 if secure else 80), path, trusted)


def addresses_of(endpoint: Endpoint) -> list[str]:
    """The addresses behind a host, all of them allowed. Raises `DeliveryFailed`, when one is not for good."""
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except OSError as problem:
        raise DeliveryFailed(f"The name {endpoint.host} cannot be looked up: {problem.strerror}.") from None
    texts = list(dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found))
    for text in texts:
        address = ipaddress.ip_address(text)
        if not endpoint.trusted and (why := refusal(address)) is not None:
            raise DeliveryFailed(f"{endpoint.host} leads to {address}: {why}.")
        if not (endpoint.secure or endpoint.trusted or address.is_loopback):
            raise DeliveryFailed(f"{endpoint.host} leads to {address}, which http:// must not reach.")
    return texts


def refusal(address: _Address) -> str | None:
    """Why no webhook may go to an address, or None when one may."""
    if isinstance(address, ipaddress.IPv6Address):
        for inside in (address.ipv4_mapped, address.sixtofour, _nat64(address)):
            if inside is not None:
                return refusal(inside)
    if address.is_link_local:
        return "it is link-local, where clouds keep their credentials"
    if address in _METADATA:
        return "it is a cloud's metadata service"
    if address.is_multicast or address.is_unspecified or (address.is_reserved and not address.is_loopback):
        return "it is no address of one machine"
    return None


def _literal(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside one of the well-known prefix 64:ff9b::/96."""
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return None
