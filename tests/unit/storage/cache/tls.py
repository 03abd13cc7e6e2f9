"""A Redis with a password and TLS, under a certificate of its own, that tests can stop, kill and start again."""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path

from tests.conftest import need_program


class TlsRedis:
    """Debian's server, without persistence, on a free port of this machine."""

    def __init__(self, folder: Path) -> None:
        openssl = need_program("openssl", "apt-get install openssl")
        self._program = need_program("/usr/bin/redis-server", "apt-get install redis-server")
        self._folder, self._key, self.certificate = folder, folder / "key.pem", folder / "ca.pem"
        request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        request += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        request += ["-keyout", str(self._key), "-out", str(self.certificate)]
        subprocess.run([openssl, *request], check=True, capture_output=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"rediss://:swordfish@127.0.0.1:{self._port}"

    def start(self) -> None:
        """Run, empty."""
        options = ["--save", "", "--dir", str(self._folder), "--bind", "127.0.0.1", "--port", "0"]
        options += ["--tls-port", str(self._port), "--requirepass", "swordfish", "--tls-auth-clients", "no"]
        options += ["--tls-cert-file", str(self.certificate), "--tls-key-file", str(self._key)]
        options += ["--tls-ca-cert-file", str(self.certificate)]
        self._process = subprocess.Popen([self._program, *options], stdout=subprocess.DEVNULL)

    def pause(self) -> None:
        """Let it answer nothing and keep its connections open."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """kill -9; everything in it is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
