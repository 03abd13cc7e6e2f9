"""Webhooks do not reach what only this machine's network can reach by accident."""

from __future__ import annotations

import ipaddress

import pytest

from matinee.delivery.addresses import addresses_of, endpoint_of, refusal
from matinee.errors import DeliveryFailed, InvalidInput


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/hook?a=b",
        "https://10.0.0.7:8443/",
        "http://127.0.0.1:9/x",
        "http://localhost/",
        "http://[::1]/",
    ],
)
def test_what_may_be_reached(url: str) -> None:
    assert endpoint_of(url).path.startswith("/")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://shop.example/hook", "http:// is for this machine's own addresses"),
        ("ftp://shop.example/", "needs an https:// URL"),
        ("https:///hook", "needs an https:// URL"),
        ("https://user:word@shop.example/", "carries no user"),
        ("https://169.254.169.254/latest/meta-data", "link-local"),
        ("https://[fe80::1]/", "link-local"),
        ("https://[::ffff:169.254.169.254]/", "link-local"),
        ("https://[64:ff9b::a9fe:a9fe]/", "link-local"),
        ("https://[fd00:ec2::254]/", "metadata service"),
        ("https://100.100.100.200/", "metadata service"),
        ("https://0.0.0.0/", "no address of one machine"),
        ("https://shop.example:port/", "cannot be read"),
    ],
)
def test_what_may_not(url: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        endpoint_of(url)
    assert said in str(refused.value)


def test_a_name_that_leads_to_such_an_address_is_refused_when_it_is_looked_up() -> None:
    # Ways to write 169.254.169.254 that are no literal of ours but are one to the system's lookup.
    with pytest.raises(DeliveryFailed, match="link-local"):
        addresses_of(endpoint_of("https://2852039166/"))
    assert addresses_of(endpoint_of("http://localhost:1/"))


def test_the_setting_opens_a_host() -> None:
    assert endpoint_of("http://169.254.1.1/", ("169.254.1.1",)).trusted
    assert addresses_of(endpoint_of("http://169.254.1.1/", ("169.254.1.1",))) == ["169.254.1.1"]


def test_private_networks_are_allowed() -> None:
    assert refusal(ipaddress.ip_address("192.168.1.4")) is None
