"""Where log lines go: standard error, from the level of the settings upwards."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

import structlog

_TIME = "%Y-%m-%d %H:%M:%S"


class PlainLines:
    """Lines at INFO as structlog's console renderer writes them without colours: what is logged at every request."""

    def __init__(self, file: Any, renderer: structlog.dev.ConsoleRenderer) -> None:
        self._file, self.renderer = file, renderer
        self._second, self._stamp = -1, ""

    def info(self, event: str, values: str) -> None:
        """Write one line now. `values` reads `name=value name=value`, sorted by name, and needs no quotes."""
        now = int(time.time())
        if now != self._second:
            self._stamp, self._second = time.strftime(_TIME, time.localtime(now)), now
        self._file.write(f"{self._stamp} [info     ] {event:<30} {values}\n")
        self._file.flush()


_plain: PlainLines | None = None


def plain_lines() -> PlainLines | None:
    """What writes lines at INFO as structlog would; None where that is set up otherwise, as while logs are captured."""
    if _plain is None:
        return None
    processors = structlog.get_config()["processors"]
    return _plain if processors and processors[-1] is _plain.renderer else None


def log_to_stderr(level: str) -> None:
    """Send Matinee's own lines from `level` upwards, and libraries' warnings, to standard error.

    Tracebacks are plain: structlog's own would show every local variable, and so secrets, request bodies and user IDs.
    """
    global _plain
    number = logging.getLevelNamesMapping()[level]
    logging.basicConfig(
        level=max(number, logging.WARNING), format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    colours = sys.stderr.isatty()
    renderer = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.dev.set_exc_info,
            structlog.processors.TimeStamper(fmt=_TIME, utc=False),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    _plain = None if colours or number > logging.INFO else PlainLines(sys.stderr, renderer)
