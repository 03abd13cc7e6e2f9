"""What the demo shows: one record of figures, drawn as tables and written as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

#: Amazon's own recorded run on MovieLens 100K: aws-hrnn, ratings above 3.6 as events.
AMAZON_HRNN_ML_100K = {
    "normalized_discounted_cumulative_gain_at_10": 0.0649,
    "mean_reciprocal_rank_at_25": 0.0539,
    "coverage": 0.26,
}

_SHOWN = {
    "NDCG@10": "normalized_discounted_cumulative_gain_at_10",
    "MRR@25": "mean_reciprocal_rank_at_25",
    "precision@10": "precision_at_10",
    "coverage": "coverage",
}


@dataclass(frozen=True)
class Film:
    """A film as a person reads it."""

    item_id: str
    title: str
    genres: str

    def __str__(self) -> str:
        return f"{self.title} [dim]{self.genres.replace('|', ', ')}[/dim]"


@dataclass
class Story:
    """Everything the demo found out. Lists of films are best first, histories newest first."""

    dataset: dict[str, Any]
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    training_seconds: dict[str, float] = field(default_factory=dict)
    users: list[dict[str, Any]] = field(default_factory=list)
    similar: list[dict[str, Any]] = field(default_factory=list)
    events: dict[str, Any] = field(default_factory=dict)
    step_seconds: dict[str, float] = field(default_factory=dict)
    total_seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The same figures, ready for `json.dumps`."""
        return asdict(self)


def draw(story: Story, console: Console) -> None:
    """Print the story as tables."""
    console.print()
    console.print(_metrics_table(story))
    for user in story.users:
        console.print(_beside(f"User {user['user_id']}", "watched last", user["history"], user["recommended"]))
    for entry in story.similar:
        names = ", ".join(film["title"] for film in entry["similar"])
        console.print(f"[bold]Similar to {entry['film']['title']}[/bold]: {names}", highlight=False)
    events = story.events
    watched = ", ".join(film["title"] for film in events["watched"])
    console.print(f"\n[bold]User {events['user_id']} now watches[/bold] {watched}", highlight=False)
    console.print(_change_table(events))
    console.print(
        f"{events['changed']} of {len(events['after'])} recommendations changed, without training anew.",
        highlight=False,
    )


def _metrics_table(story: Story) -> Table:
    table = Table(title=f"Metrics on {story.dataset['name']}: 10% of users held out, their newest 10% of events asked")
    table.add_column("recipe")
    for name in (*_SHOWN, "training"):
        table.add_column(name, justify="right")
    for recipe, metrics in story.metrics.items():
        cells = [f"{metrics[key]:.4f}" for key in _SHOWN.values()]
        table.add_row(recipe, *cells, f"{story.training_seconds[recipe]:.1f} s")
    if story.dataset["name"] == "ml-100k":
        cells = [f"{AMAZON_HRNN_ML_100K[key]:.4f}" if key in AMAZON_HRNN_ML_100K else "" for key in _SHOWN.values()]
        table.add_row("[dim]Amazon's recorded aws-hrnn[/dim]", *cells, "", style="dim")
    return table


def _beside(title: str, left: str, history: Sequence[Mapping[str, str]], right: Sequence[Mapping[str, str]]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(left)
    table.add_column("recommended")
    for row in range(max(len(history), len(right))):
        table.add_row(*(str(Film(**films[row])) if row < len(films) else "" for films in (history, right)))
    return table


def _change_table(events: Mapping[str, Any]) -> Table:
    table = Table()
    table.add_column("before")
    table.add_column("after")
    before = {film["item_id"] for film in events["before"]}
    for old, new in zip(events["before"], events["after"], strict=False):
        mark = "" if new["item_id"] in before else "[green]new[/green] "
        table.add_row(str(Film(**old)), mark + str(Film(**new)))
    return table
