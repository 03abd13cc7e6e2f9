"""Who is let in, as whom."""

from __future__ import annotations

import pytest
from tests.unit.api.aws.test_signature import KEY, KEYS, signed

from matinee.api.aws.door import OpenDoor, VerifiedDoor, door
from matinee.api.aws.signature import Key, MemoryKeys, SignedRequest
from matinee.control.context import Caller
from matinee.errors import Unauthenticated

UNSIGNED = SignedRequest("POST", "/", "", {"host": "localhost"}, b"{}")


def test_the_open_door_takes_any_credentials_in_their_region() -> None:
    request = signed(key=Key("AKIDSTRANGER", "any", "-"), region="eu-west-1")

    assert OpenDoor("123456789012").admit(request, "id") == Caller("123456789012", "eu-west-1", "AKIDSTRANGER", "id")


def test_the_open_door_takes_unsigned_requests_in_the_first_region() -> None:
    assert OpenDoor("123456789012").admit(UNSIGNED, "id") == Caller("123456789012", "us-east-1", None, "id")


@pytest.mark.parametrize("region", ["..", "US", "a b"])
def test_even_the_open_door_refuses_what_cannot_be_a_region(region: str) -> None:
    with pytest.raises(Unauthenticated, match="valid region"):
        OpenDoor("123456789012").admit(signed(region=region), "id")


def test_the_verifying_door_gives_the_keys_account() -> None:
    caller = door("123456789012", KEYS).admit(signed(region="eu-west-1"), "id")

    assert caller == Caller(KEY.account, "eu-west-1", KEY.access_key, "id")


def test_the_verifying_door_refuses_unsigned_requests() -> None:
    with pytest.raises(Unauthenticated):
        door("123456789012", KEYS).admit(UNSIGNED, "id")


def test_the_door_is_open_only_without_a_key_store() -> None:
    assert isinstance(door("123456789012", None), OpenDoor)
    assert isinstance(door("123456789012", MemoryKeys.of()), VerifiedDoor)
