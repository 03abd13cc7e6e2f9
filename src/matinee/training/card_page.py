"""A model card as a page of Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any


def card_page(card: Mapping[str, Any]) -> str:
    """The page of a card as `matinee.training.card` writes it: all that it holds, in tables."""
    name = card["recipe"].rpartition("/")[2]
    parts = [
        f"# Model card: {name}\n",
        _summary(card),
        _section("Data", _data(card["data"])),
        _section("Metrics", _evaluation(card), _metrics(card)),
        _section("Parameters", _parameters(card)),
        _curves(card["curves"]),
        _search(card["search"]),
        _section("Training", _table(("", ""), _training(card))),
        _section(
            "Files", "SHA-256 of what training wrote; training again from this card gives the same.", _files(card)
        ),
    ]
    return "\n".join(part for part in parts if part)


def _summary(card: Mapping[str, Any]) -> str:
    run = card["training"]
    machine = card["hardware"]
    return (
        f"Model `{card['model']['name']}`, fitted on {card['fitted_on']} on {run['started'][:10]} "
        f"in {run['seconds']:.1f} s, on {machine['cores']} cores ({machine['processor']}).\n"
    )


def _section(title: str, *parts: str) -> str:
    return f"## {title}\n" + "\n\n".join(part for part in parts if part) + "\n"


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join([f"| {' | '.join(header)} |", "|" + "---|" * len(header), *lines])


def _data(data: Mapping[str, Any]) -> str:
    rows = [(name, _shown(name, value)) for name, value in data.items() if value not in (None, [], {})]
    return _table(("", ""), rows)


def _shown(name: str, value: Any) -> str:
    """A value of the data summary for a reader: times as dates, counts with separators."""
    if name in ("oldest", "newest"):
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"


def _evaluation(card: Mapping[str, Any]) -> str:
    facts = ", ".join(f"{name} {_plain(value)}" for name, value in card["evaluation"].items())
    return f"Measured under: {facts}."


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _metrics(card: Mapping[str, Any]) -> str:
    official = [(name, f"{value:.4f}", "") for name, value in card["metrics"].items()]
    detailed = [
        (name, f"{figure['mean']:.4f}", f"{figure['low']:.4f} to {figure['high']:.4f}")
        for name, figure in card["intervals"].items()
    ]
    parts = [_table(("GetSolutionMetrics", "value", ""), official)]
    if detailed:
        over = "queries" if card["evaluation"].get("protocol") == "segments" else "users"
        parts.append(_table(("metric", "mean", f"95% interval over {over}"), detailed))
    return "\n\n".join(parts)


def _parameters(card: Mapping[str, Any]) -> str:
    given = json.dumps(card["solution_config"], indent=1)
    chosen = json.dumps(card["model"]["config"], indent=1)
    unused = ", ".join(card["unused_parameters"])
    said = f"\n\nGiven but without a counterpart in this model: {unused}." if unused else ""
    return f"Given with the solution:\n\n```json\n{given}\n```\n\nUsed:\n\n```json\n{chosen}\n```{said}"


def _search(search: Mapping[str, Any] | None) -> str:
    """What a search for hyperparameters tried; empty where there was none."""
    return _section("Search", f"```json\n{json.dumps(search, indent=1)}\n```") if search else ""


def _curves(points: Sequence[Mapping[str, Any]]) -> str:
    """Everything that training reported, in the order in which it came; empty where it reported nothing."""
    if not points:
        return ""
    names = list(dict.fromkeys(name for point in points for name in point["metrics"]))
    rows = [
        (point["step"], f"{point['seconds']:.1f}", *(_figure(point["metrics"].get(name)) for name in names))
        for point in points
    ]
    return _section("Curves", _table(("step", "after, s", *names), rows))


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _training(card: Mapping[str, Any]) -> list[tuple[str, object]]:
    rows = [*card["training"].items(), *card["hardware"].items()]
    return [*rows, *((f"version of {name}", version) for name, version in card["versions"].items())]


def _files(card: Mapping[str, Any]) -> str:
    return _table(("file", "SHA-256"), ((f"`{name}`", f"`{digest}`") for name, digest in card["files"].items()))
