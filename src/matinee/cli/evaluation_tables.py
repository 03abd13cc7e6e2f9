"""The tables at the end of `matinee evaluate`: figures with intervals, segments, paired tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

_RANKING = ("ndcg_at_10", "hit_rate_at_10", "mrr_at_25", "precision_at_10", "recall_at_10")
_BEYOND = ("coverage", "gini", "novelty_at_10", "popularity_percentile_at_10")
_SEGMENTS = ("ndcg_at_10", "hit_rate_at_10", "mrr_at_25")
_SURE = 0.05


def tables(report: Mapping[str, Any]) -> Iterator[Table]:
    """The tables of a report as `matinee.evaluation.report` makes it."""
    entries = _entries(report)
    seeds = report["seeds"]
    where = f"{report['protocol']}, {report['dataset']}, {seeds} seed{'s' if seeds > 1 else ''}"
    yield _figures(f"{where}: mean [95% interval over users]", entries, _RANKING, times=True)
    yield _figures("Beyond accuracy", entries, _BEYOND)
    if any(entry["segments"] for entry in entries):
        yield _segments(entries)
    if report["paired"]:
        yield _tests(report["paired"])


def _entries(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Every contender once, the recipes asked for first."""
    found = {report["recipe"]: report}
    for one in (*report["others"], *report["beside"].values()):
        found.setdefault(one["recipe"], one)
    return list(found.values())


def _figures(title: str, entries: list[Mapping[str, Any]], names: tuple[str, ...], *, times: bool = False) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("recipe")
    for name in names:
        table.add_column(name, justify="right")
    if times:
        table.add_column("train, s", justify="right")
        table.add_column("peak, MB", justify="right")
    for entry in entries:
        cells = [_interval(entry["metrics"][name]) for name in names]
        if times:
            cells += [f"{entry['train_seconds']:.1f}", f"{entry['peak_memory_mb']:.0f}"]
        table.add_row(entry["recipe"], *cells)
    return table


def _segments(entries: list[Mapping[str, Any]]) -> Table:
    table = Table(title="Segments", title_justify="left")
    for name in ("segment", "recipe", "cases", *_SEGMENTS):
        table.add_column(name, justify="left" if name in ("segment", "recipe") else "right")
    for name in dict.fromkeys(name for entry in entries for name in entry["segments"]):
        for entry in entries:
            part = entry["segments"].get(name)
            if part is not None:
                cells = [_interval(part["metrics"][metric]) for metric in _SEGMENTS]
                table.add_row(name, entry["recipe"], f"{part['cases']:,}", *cells)
    return table


def _tests(pairs: list[Mapping[str, Any]]) -> Table:
    table = Table(
        title=f"Paired differences [95% interval], p of a sign-flip test; * below {_SURE}", title_justify="left"
    )
    names = [name for name in pairs[0]["metrics"] if name != "precision_at_10"]
    for name in ("recipe", "against", *names):
        table.add_column(name, justify="left" if name in ("recipe", "against") else "right")
    for pair in pairs:
        cells = [_difference(pair["metrics"][name]) for name in names]
        table.add_row(pair["recipe"], pair["against"], *cells)
    return table


def _interval(figure: Mapping[str, float]) -> str:
    # Square brackets are markup to Rich.
    return f"{figure['mean']:.4f} \\[{figure['low']:.3f}, {figure['high']:.3f}]"


def _difference(figure: Mapping[str, float]) -> str:
    star = "*" if figure["p_value"] < _SURE else " "
    return (
        f"{figure['difference']:+.4f} \\[{figure['low']:+.3f}, {figure['high']:+.3f}] p {figure['p_value']:.4f}{star}"
    )
