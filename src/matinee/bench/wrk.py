"""wrk with requests that were signed before: what it is told, and what it found."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from matinee.errors import MatineeError
from matinee.storage.access_keys import AccessKey

_MARK = "matinee-bench "
_SCRIPT = """
local requests = {{
{requests}
}}
local sent = 0
request = function()
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('{mark}{{"requests":%d,"seconds":%.6f,"errors":%d,"p50_ms":%.4f,"p99_ms":%.4f}}\\n',
    summary.requests, summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


class BenchProblem(MatineeError):
    """A benchmark that cannot be run, or whose requests failed: no figure is better than a wrong one."""


@dataclass(frozen=True)
class Load:
    """How wrk asks: `connections` of one thread, each of which waits for its answer, for `seconds`."""

    seconds: int = 8
    connections: int = 8


@dataclass(frozen=True)
class Measured:
    """What wrk found; latencies in milliseconds."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def need_wrk() -> str:
    """The path of wrk; raises `BenchProblem` with the remedy when it is not installed."""
    path = shutil.which("wrk")
    if path is None:
        raise BenchProblem("The load generator wrk is missing; install it with: apt-get install wrk")
    return path


def signed(url: str, path: str, bodies: Sequence[Mapping[str, Any]], key: AccessKey, region: str) -> list[bytes]:
    """A whole HTTP request for each body, signed now as boto3 signs: valid for 15 minutes."""
    host = url.partition("://")[2]
    signer = SigV4Auth(Credentials(key.access_key, key.secret), "personalize", region)
    requests = []
    for body in bodies:
        text = json.dumps(body)
        headers = {"Host": host, "Content-Type": "application/json"}
        request = AWSRequest("POST", url + path, headers=headers, data=text)
        signer.add_auth(request)
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items())]
        requests.append("\r\n".join([*lines, f"Content-Length: {len(text)}", "", text]).encode())
    return requests


def measure(url: str, requests: Sequence[bytes], load: Load) -> Measured:
    """Send the requests one after another, from the start again at their end; raises `BenchProblem` if any fails."""
    # JSON strings of ASCII are Lua strings; Lua's own long ones would lose the carriage returns.
    quoted = ",\n".join(json.dumps(request.decode("ascii")) for request in requests)
    with tempfile.TemporaryDirectory(prefix="matinee-bench-") as folder:
        script = Path(folder) / "requests.lua"
        script.write_text(_SCRIPT.format(requests=quoted, mark=_MARK))
        command = [need_wrk(), "-t1", f"-c{load.connections}", f"-d{load.seconds}s", "-s", str(script), url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    marked = [line for line in done.stdout.splitlines() if line.startswith(_MARK)]
    if done.returncode or not marked:
        raise BenchProblem(f"wrk failed: {(done.stderr or done.stdout).strip()[-500:]}")
    found = json.loads(marked[0].removeprefix(_MARK))
    if found.pop("errors") or not found["requests"]:
        raise BenchProblem(f"Requests failed under load, so there is no figure:\n{done.stdout.strip()}")
    return Measured(**found)
