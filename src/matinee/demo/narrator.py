"""Telling what happens while it happens: a live line in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

#: Outside a terminal, a running step speaks again after this many seconds.
_QUIET_SECONDS = 5.0


class Step:
    """One running step: `update` tells how far it is."""

    def __init__(self, narrator: Narrator, title: str) -> None:
        self._narrator = narrator
        self._title = title
        self._last_line = time.monotonic()
        self._task = narrator.live.add_task(title, total=None, note="") if narrator.live else None

    def update(self, fraction: float | None, message: str) -> None:
        """`fraction` in [0, 1] or None when it cannot be told."""
        if self._narrator.live is not None and self._task is not None:
            self._narrator.live.update(
                self._task, total=None if fraction is None else 1.0, completed=fraction or 0.0, note=message
            )
        elif time.monotonic() - self._last_line >= _QUIET_SECONDS:
            self._last_line = time.monotonic()
            share = "" if fraction is None else f"{fraction:4.0%} "
            self._narrator.console.print(f"  … {self._title}: {share}{message}", highlight=False)

    def close(self) -> None:
        """Take the live line away."""
        if self._narrator.live is not None and self._task is not None:
            self._narrator.live.remove_task(self._task)


class Narrator:
    """Prints each step when it ends, with its time. Use `with narrator.step("…") as step`."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.live: Progress | None = None
        self.seconds: dict[str, float] = {}

    @contextmanager
    def running(self) -> Iterator[None]:
        """The time during which steps run; draws the live line in a terminal."""
        if not self.console.is_terminal:
            yield
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console, transient=True) as live:
            self.live = live
            try:
                yield
            finally:
                self.live = None

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Run one step; its line is printed at the end, also when it fails."""
        started = time.monotonic()
        step = Step(self, title)
        mark = "[red]✗[/red]"
        try:
            yield step
            mark = "[green]✓[/green]"
        finally:
            step.close()
            self.seconds[title] = round(time.monotonic() - started, 2)
            self.console.print(f"{mark} {title} [dim]({self.seconds[title]:.1f} s)[/dim]", highlight=False)
