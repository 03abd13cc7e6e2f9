"""PostgreSQL goes away under a running server and comes back: readiness tells it, and nothing needs a restart."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.unit.api.live import clients, get
from tests.unit.api.waiting import until
from tests.unit.serving.shop import CALLER, Shop, log_of

from matinee.demo.embedded import EmbeddedServer
from matinee.models.popularity import Popularity
from matinee.storage.metadata import Database

LOG = log_of([("u", "a", 1, "watch"), ("v", "a", 1, "watch"), ("u", "b", 2, "watch")])


class OwnPostgres:
    """A PostgreSQL server that a test may stop and start."""

    def __init__(self, folder: Path) -> None:
        self._programs: Any = importlib.import_module("pgserver")
        self._server: Any = self._programs.get_server(folder / "data", cleanup_mode="stop")
        self.url = sa.make_url(self._server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(False)

    def stop(self) -> None:
        """End it without a goodbye to anyone; what was committed stays."""
        where = {"pgdata": self._server.pgdata, "user": self._server.system_user}
        self._programs.pg_ctl(["-w", "-m", "immediate", "stop"], **where)

    def start(self) -> None:
        """Run again, at the same place."""
        self._server.ensure_postgres_running()

    def send(self, number: signal.Signals) -> None:
        """A signal to each of its processes."""
        postmaster = int((self._server.pgdata / "postmaster.pid").read_text().split()[0])
        for pid in (postmaster, *_children(postmaster)):
            os.kill(pid, number)

    def close(self) -> None:
        """Stop it for good."""
        self._server.cleanup()


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[OwnPostgres]:
    """A server of one's own, beside the one that other tests share and that brings the programs."""
    folder = Path(tempfile.mkdtemp(prefix="matinee-pg-"))  # short: the path of its socket has a limit
    server = OwnPostgres(folder)
    yield server
    server.close()
    shutil.rmtree(folder, ignore_errors=True)


def test_not_ready_without_postgresql_and_ready_again_with_it(postgres: OwnPostgres, tmp_path: Path) -> None:
    migrated = Database(postgres.url)
    migrated.upgrade()
    migrated.close()
    shop = Shop(tmp_path, postgres.url)
    campaign = shop.campaign("live", "aws-popularity-count", Popularity(), LOG)
    shop.close()
    environment = {"MATINEE_DATABASE_URL": postgres.url, "MATINEE_STORE_URL": f"file://{tmp_path / 'objects'}"}
    with EmbeddedServer(tmp_path / "home", environment) as server:
        runtime = clients(server.url, region=CALLER.region)["personalize-runtime"]
        until(lambda: _checks(server)[0] == 200)
        before = runtime.get_recommendations(campaignArn=campaign)["itemList"]

        postgres.stop()
        status, checks = _checks(server)
        assert status == 503
        assert checks["database"] == "OperationalError"
        assert checks["models"] == "ok"
        assert get(server.url, "/healthz")[0] == 200
        with pytest.raises(runtime.exceptions.ClientError) as refused:
            runtime.get_recommendations(campaignArn=campaign)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500

        postgres.start()
        until(lambda: _checks(server) == (200, {"database": "ok", "models": "ok", "worker": "ok"}))
        assert runtime.get_recommendations(campaignArn=campaign)["itemList"] == before

        # Worse than gone: it takes connections and never answers.
        postgres.send(signal.SIGSTOP)
        try:
            status, checks = _checks(server)
        finally:
            postgres.send(signal.SIGCONT)
        assert (status, checks["database"]) == (503, "no answer in 5 s")
        until(lambda: _checks(server)[0] == 200)


def _checks(server: EmbeddedServer) -> tuple[int, dict[str, str]]:
    status, _, body = get(server.url, "/readyz")
    return status, json.loads(body)["checks"]


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
