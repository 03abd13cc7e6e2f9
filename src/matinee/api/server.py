"""A whole Matinee server from its settings: database, objects, operations, worker, HTTP."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import sqlalchemy as sa
import structlog
from starlette.applications import Starlette

from matinee.api.application import create_app
from matinee.api.aws.signature import KeyStore
from matinee.api.aws.stored_keys import SqlKeys
from matinee.api.health import NotReady
from matinee.api.http import HttpServer, bind, is_loopback, url_of
from matinee.api.metrics import Metrics
from matinee.api.processes import serve_together
from matinee.api.throttling import Throttle
from matinee.api.worker import WorkerProcess
from matinee.control.plane import ControlPlane
from matinee.errors import SettingsProblem
from matinee.serving.intake import Intake
from matinee.serving.runtime import Runtime
from matinee.settings import Settings
from matinee.storage import access_keys
from matinee.storage.metadata import Database
from matinee.storage.objects import open_store

_log = structlog.get_logger(__name__)


def application(
    settings: Settings, *, key_store: KeyStore | None = None, worker: WorkerProcess | None = None, processes: int = 1
) -> Starlette:
    """The application over the settings' database and objects. The tables are brought up to date.

    `worker` is started and ended with the application; without one, jobs wait for a worker that runs elsewhere.
    `processes` says how many processes answer on the same port.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    database = Database(settings.effective_database_url)
    database.upgrade()
    objects = open_store(settings)
    control = ControlPlane(database, objects, settings)
    shared = os.environ.get("PROMETHEUS_MULTIPROC_DIR") if processes > 1 else None
    metrics = Metrics(None if shared is None else Path(shared))
    runtime = Runtime(database, objects, settings, registry=metrics.registry, share=1 / processes)
    intake = Intake(database, settings)
    metrics.before.append(runtime.capacity.observe)

    def reach_database() -> None:
        if database.file is not None and not database.file.exists():  # what has it open would go on, for nobody
            raise NotReady("the file of the database is gone")
        with database.read() as connection:
            connection.execute(sa.select(1))

    def models_open() -> None:
        if runtime.preloader.reason is not None:
            raise NotReady(runtime.preloader.reason)

    return create_app(
        settings,
        control=control.operations(),
        runtime=runtime.operations(),
        encoded={"GetRecommendations": runtime},
        events=intake.operations(),
        key_store=key_store,
        ready={"database": reach_database, "models": models_open, **({"worker": worker.check} if worker else {})},
        on_start=[runtime.preloader.start, *([worker.start] if worker else [])],
        metrics=metrics,
        throttle=Throttle(settings, share=1 / processes),
        on_stop=[*([worker.stop] if worker else []), intake.close, runtime.close, database.close],
    )


def stored_keys(settings: Settings, *, required: bool = False) -> SqlKeys | None:
    """The access keys of the settings' metadata; None while there is none, unless they are `required` anyway.

    The tables are brought up to date. The caller closes the keys.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    database = Database(settings.effective_database_url)
    database.upgrade()
    exist = access_keys.any_exist(database)
    if exist or required:
        if not exist:
            _log.warning("there is no access key yet: every request is refused until `matinee keys create`")
        return SqlKeys(database)
    database.close()
    return None


def for_tenants(settings: Settings) -> Settings:
    """The settings of a server that tells accounts apart.

    `file://` would let each of them read everyone's objects and the metadata, so that without MATINEE_FILE_ROOTS it
    reaches the folder `files` of the home alone.
    """
    return settings if settings.file_roots else replace(settings, file_roots=(settings.home / "files",))


@dataclass(frozen=True)
class Server:
    """`matinee serve`: API `processes` on `host` and `port` (0: any free one), and their worker.

    Signatures are verified when the metadata hold an access key at start, when `require_keys` is set, and always
    against a `key_store` that is given.
    """

    settings: Settings
    host: str = "127.0.0.1"
    port: int = 8765
    with_worker: bool = True
    require_keys: bool = False
    key_store: KeyStore | None = None
    processes: int = 1

    def run(self, on_listening: Callable[[str], None]) -> None:
        """Serve until SIGTERM or SIGINT. `on_listening` is given the URL once requests are answered.

        Raises `SettingsProblem` when the address cannot be had, or is open to others while any credentials are taken.
        """
        with ExitStack() as resources:
            keys = self.key_store
            if keys is None:
                stored = stored_keys(self.settings, required=self.require_keys)
                if stored is not None:
                    resources.callback(stored.close)
                keys = stored
            if keys is None and not is_loopback(self.host):
                raise SettingsProblem(
                    f"Without access keys Matinee takes any credentials, so it listens on this machine only; "
                    f"{self.host} is open to others. Make a key with `matinee keys create`, or use --host 127.0.0.1."
                )
            settings = self.settings if keys is None else for_tenants(self.settings)
            bound = resources.enter_context(bind(self.host, self.port))
            worker = WorkerProcess(settings) if self.with_worker else None
            if self.processes > 1:
                serve_together(
                    settings, bound, self.processes, on_listening, require_keys=keys is not None, worker=worker
                )
                return
            app = application(settings, key_store=keys, worker=worker)
            listening = partial(_tell, on_listening, bound)
            HttpServer(app, bound, listening, drain=settings.drain_seconds).serve_until_stopped()


def _tell(on_listening: Callable[[str], None], bound: socket.socket) -> None:
    on_listening(url_of(bound))
