"""A whole Matinee server from its settings: database, objects, operations, worker, HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from starlette.applications import Starlette

from matinee.api.application import create_app
from matinee.api.aws.signature import KeyStore
from matinee.api.http import HttpServer, bind, is_loopback, url_of
from matinee.api.worker import WorkerProcess
from matinee.control.plane import ControlPlane
from matinee.errors import SettingsProblem
from matinee.serving.intake import Intake
from matinee.serving.runtime import Runtime
from matinee.settings import Settings
from matinee.storage.metadata import Database
from matinee.storage.objects import open_store


def application(
    settings: Settings, *, key_store: KeyStore | None = None, worker: WorkerProcess | None = None
) -> Starlette:
    """The application over the settings' database and objects. The tables are brought up to date.

    `worker` is started and ended with the application; without one, jobs wait for a worker that runs elsewhere.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    database = Database(settings.effective_database_url)
    database.upgrade()
    objects = open_store(settings)
    control = ControlPlane(database, objects, settings)
    runtime, intake = Runtime(database, objects, settings), Intake(database, settings)

    def reach_database() -> None:
        with database.read() as connection:
            connection.execute(sa.select(1))

    return create_app(
        settings,
        control=control.operations(),
        runtime=runtime.operations(),
        events=intake.operations(),
        key_store=key_store,
        ready={"database": reach_database, **({"worker": worker.check} if worker else {})},
        on_start=[worker.start] if worker else [],
        on_stop=[*([worker.stop] if worker else []), intake.close, runtime.close, database.close],
    )


@dataclass(frozen=True)
class Server:
    """`matinee serve`: one API process on `host` and `port` (0: any free one), and its worker."""

    settings: Settings
    host: str = "127.0.0.1"
    port: int = 8765
    with_worker: bool = True
    key_store: KeyStore | None = None

    def run(self, on_listening: Callable[[str], None]) -> None:
        """Serve until SIGTERM or SIGINT. `on_listening` is given the URL once requests are answered.

        Raises `SettingsProblem` when the address cannot be had, or is open to others while any credentials are taken.
        """
        if self.key_store is None and not is_loopback(self.host):
            raise SettingsProblem(
                f"Without access keys Matinee takes any credentials, so it listens on this machine only; {self.host} "
                "is open to others. Use --host 127.0.0.1."
            )
        bound = bind(self.host, self.port)
        with bound:
            worker = WorkerProcess(self.settings) if self.with_worker else None
            app = application(self.settings, key_store=self.key_store, worker=worker)
            HttpServer(app, bound, lambda: on_listening(url_of(bound))).serve_until_stopped()
