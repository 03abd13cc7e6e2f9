"""Shows a plan as a diff, and its carrying out as live lines in a terminal or plain lines elsewhere."""

from __future__ import annotations

import json
import time
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from matinee.project.kinds import BY_WORD, DATASET, IMPORT
from matinee.project.plan import Action, Plan, Verb

_MARKS = {
    Verb.CREATE: ("+", "green"),
    Verb.UPDATE: ("~", "yellow"),
    Verb.TAG: ("~", "yellow"),
    Verb.IMPORT: ("▲", "cyan"),
    Verb.TRAIN: ("▲", "cyan"),
    Verb.WAIT: ("…", "dim"),
    Verb.STOP: ("■", "red"),
    Verb.DELETE: ("-", "red"),
}
#: Outside a terminal, what is under way speaks again after this many seconds.
_QUIET_SECONDS = 10.0
_SHOWN_CHARACTERS = 120


def draw_plan(plan: Plan, console: Console) -> None:
    """Print every action with its reason and what changes; then what is refused, and what the file does not name."""
    if not plan.actions:
        console.print("Nothing to do: everything is as the file says.")
    for action in plan.actions:
        mark, colour = _MARKS[action.verb]
        reason = f"  [dim]{escape(action.reason)}[/dim]" if action.reason else ""
        _line(console, f"[{colour}]{mark} {action.verb:6}[/{colour}] {_title(action)}{reason}")
        for change in action.changes:
            _line(console, f"      {escape(change.member)}: {_value(change.before)} → {_value(change.after)}")
        if action.verb is Verb.CREATE:
            for member, value in action.request.items():
                if member not in ("name", "datasetGroupArn", "schema", "tags"):
                    _line(console, f"      {escape(member)}: {_value(value)}")
        if action.blocked:
            _line(console, f"      [red bold]refused:[/red bold] {escape(action.blocked)}")
    if plan.actions:
        counts = {verb: sum(action.verb is verb for action in plan.actions) for verb in Verb}
        _line(console, "\nPlan: " + ", ".join(f"{count} to {verb}" for verb, count in counts.items() if count) + ".")
    for one in plan.unmanaged:
        _line(console, f"[dim]Left alone, since the file does not name it: {one.kind} {escape(one.name)}[/dim]")


class Teller:
    """Tells what happens to each action. Use as a context; a terminal gets live lines with progress bars."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._live: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._started: dict[str, float] = {}
        self._spoke: dict[str, float] = {}

    def __enter__(self) -> Teller:
        if self.console.is_terminal:
            self._live = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[note]}"),
                TimeElapsedColumn(),
                console=self.console,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def started(self, action: Action) -> None:
        """A line of its own from here on."""
        self._started[action.id] = self._spoke[action.id] = time.monotonic()
        if self._live is not None:
            self._tasks[action.id] = self._live.add_task(f"{action.verb} {_title(action)}", total=None, note="")

    def looked(self, action: Action, status: str, fraction: float | None, message: str) -> None:
        """Move the bar, or say something now and then."""
        note = message or status.lower()
        if self._live is not None:
            total = None if fraction is None else 1.0
            self._live.update(self._tasks[action.id], total=total, completed=fraction or 0.0, note=escape(note))
        elif time.monotonic() - self._spoke[action.id] >= _QUIET_SECONDS:
            self._spoke[action.id] = time.monotonic()
            share = "" if fraction is None else f"{fraction:4.0%} "
            _line(self.console, f"  … {action.verb} {_title(action)}: {share}{escape(note)}")

    def ended(self, action: Action, problem: str) -> None:
        """The line goes; what remains is one line with the time it took."""
        if self._live is not None and action.id in self._tasks:
            self._live.remove_task(self._tasks.pop(action.id))
        seconds = time.monotonic() - self._started.get(action.id, time.monotonic())
        mark = "[red]✗[/red]" if problem else "[green]✓[/green]"
        _line(self.console, f"{mark} {action.verb} {_title(action)} [dim]({seconds:.1f} s)[/dim]")
        if problem:
            _line(self.console, f"      [red]{escape(problem)}[/red]")

    def skipped(self, action: Action, because: str) -> None:
        """Say what it was waiting for."""
        _line(self.console, f"[yellow]·[/yellow] {action.verb} {_title(action)} [dim]left out: {escape(because)}[/dim]")


def _title(action: Action) -> str:
    kind = BY_WORD[action.address.kind]
    name = f"[bold]{escape(action.address.key.lower() if kind is DATASET else action.name)}[/bold]"
    if kind is IMPORT:
        return f"{action.address.key.lower()} as {name}" if action.verb is Verb.IMPORT else f"import {name}"
    return f"{kind.title} {name}"


def _value(value: Any) -> str:
    if value is None:
        return "[dim]not set[/dim]"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return escape(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")


def _line(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True)
