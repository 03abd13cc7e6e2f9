"""kill -9 of the server takes the worker along."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from tests.unit.jobs.rig import PATIENCE, House

from matinee.jobs.slots import take_slot

_SERVER = """
import threading
from matinee.api.worker import WorkerProcess
from matinee.settings import Settings
WorkerProcess(Settings.from_environment()).start()
threading.Event().wait()
"""


def test_the_worker_dies_with_its_parent(tmp_path: Path) -> None:
    house = House.build(tmp_path / "home")
    environment = {**os.environ, "MATINEE_HOME": str(house.settings.home)}
    server = subprocess.Popen([sys.executable, "-c", _SERVER], env=environment)
    try:
        house.await_end(house.settle("sign-of-life"))
    finally:
        server.kill()
        server.wait()
    given_up = threading.Event()
    timer = threading.Timer(PATIENCE, given_up.set)
    timer.start()
    slot = take_slot(house.database, given_up)
    timer.cancel()
    timer.join()
    assert slot is not None, "the worker still holds its slot"
    with slot:
        house.database.close()
