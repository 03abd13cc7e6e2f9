"""What operators are told."""

from __future__ import annotations

import json
import threading

from starlette.applications import Starlette
from tests.unit.api.live import get, post, serving
from tests.unit.api.waiting import until

from matinee.api.application import create_app
from matinee.api.health import Check, routes
from matinee.api.metrics import Metrics
from matinee.settings import Settings


def well() -> None:
    """A check that finds nothing."""


def broken() -> None:
    raise ConnectionError("the password is swordfish")


def asked(path: str, **checks: Check) -> tuple[int, bytes]:
    app = create_app(Settings(), control={}, runtime={}, events={}, ready=checks)
    with serving(app) as url:
        status, _, body = get(url, path)
    return status, body


def test_ready_when_every_check_passes() -> None:
    status, body = asked("/readyz", database=well)

    assert (status, json.loads(body)) == (200, {"status": "ready", "checks": {"database": "ok"}})


def test_not_ready_while_a_check_fails_and_no_secret_is_told() -> None:
    status, body = asked("/readyz", database=well, worker=broken)

    assert status == 503
    assert json.loads(body) == {"status": "not ready", "checks": {"database": "ok", "worker": "ConnectionError"}}


def test_a_check_that_hangs_has_failed_and_takes_one_thread_however_often_it_is_asked_for() -> None:
    begun: list[str] = []
    released = threading.Event()

    def hangs() -> None:
        begun.append("database")
        released.wait(60)

    with serving(Starlette(routes=routes({"database": hangs, "worker": well}, Metrics(), patience=0.05))) as url:
        answers = [get(url, "/readyz") for _ in range(3)]
        assert len(begun) == 1
        released.set()
        until(lambda: get(url, "/readyz")[0] == 200)

    assert [status for status, _, _ in answers] == [503] * 3
    assert json.loads(answers[2][2])["checks"] == {"database": "no answer in 0.05 s", "worker": "ok"}


def test_alive_though_not_ready() -> None:
    assert asked("/healthz", worker=broken)[0] == 200


def test_metrics_are_shown_as_prometheus_reads_them() -> None:
    with serving(create_app(Settings(), control={}, runtime={}, events={})) as url:
        post(url, b"{}", {}, "/recommendations")
        _, headers, body = get(url, "/metrics")

    assert headers["content-type"].startswith("text/plain")
    assert b'matinee_requests_total{operation="GetRecommendations",status="404"} 1.0' in body
