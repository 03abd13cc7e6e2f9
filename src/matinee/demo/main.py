"""`matinee demo` from its options to its last line."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from rich.console import Console

from matinee.data.movielens import RatingsAsEvents, convert
from matinee.data.sources import resolve
from matinee.demo.project_file import NAME
from matinee.demo.story import draw
from matinee.demo.tell import tell
from matinee.errors import MatineeError
from matinee.settings import Settings

#: As in Amazon's recorded run: a rating above this is a `watch` event.
LIKED_ABOVE = 3.6


class HomeInUse(MatineeError):
    """The folder in which the demo should keep everything holds a server's data already."""


def run(dataset: str, json_file: Path | None, home: Path | None) -> None:
    """Run the demo and print its story. Raises `MatineeError` with a sentence for the user."""
    if home is not None and (home / "matinee.db").exists():
        raise HomeInUse(
            f"{home} already holds a server's data. Serve it (matinee serve --home {home}) or name another folder."
        )
    signal.signal(signal.SIGTERM, _as_interrupt)
    console = Console()
    settings = Settings.from_environment()
    with console.status(f"looking for {dataset}") as status:
        source = resolve(
            dataset,
            settings,
            progress=lambda done, size: status.update(
                f"downloading {dataset}: {done / 1e6:.1f} of {size / 1e6:.1f} MB"
            ),
        )
    console.print(f"[bold]Matinee demo[/bold] · {source.why}", highlight=False)
    with TemporaryDirectory(prefix="matinee-data-") as scratch:
        folder = (home / "data").absolute() if home else Path(scratch)
        converted = convert(source.path, folder, events=RatingsAsEvents(rule="above", threshold=LIKED_ABOVE))
        name = "sample" if source.kind == "sample" else dataset
        facts: dict[str, object] = {
            "name": Path(name).name,
            "source": source.why,
            "ratings": converted.ratings,
            "events": sum(converted.events.values()),
            "films": converted.films,
            "liked_above": LIKED_ABOVE,
        }
        console.print(
            f"{converted.ratings:,} ratings, of which {facts['events']:,} above {LIKED_ABOVE} become watch events",
            highlight=False,
        )
        story = tell(folder, facts, console, home.absolute() if home else None)
    draw(story, console)
    if json_file is not None:
        json_file.write_text(json.dumps(story.as_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    console.print(_last_lines(story.total_seconds, home), highlight=False)


def _last_lines(seconds: float, home: Path | None) -> str:
    if home is None:
        kept = (
            "Everything was deleted again. To keep it and call it yourself:\n"
            "  matinee demo --home .matinee-demo && matinee serve --home .matinee-demo"
        )
    else:
        kept = (
            f"Everything is kept, the project file as {home / 'data' / NAME}. To call it yourself:\n"
            f"  matinee serve --home {home}"
        )
    return f"\n[bold green]The demo is done[/bold green] in {seconds:.0f} s. {kept}"


def _as_interrupt(_signal: int, _frame: FrameType | None) -> None:
    """A polite end leaves through the same clean-up as Ctrl-C."""
    raise KeyboardInterrupt
