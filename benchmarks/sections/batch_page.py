"""The page of the batch benchmark, and its plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

_WIDTH, _HEIGHT, _MARGIN = 420, 240, 56


def page(report: Mapping[str, Any], about: str) -> str:
    """batch.md."""
    facts = report["facts"]
    parts = [
        "# Batch inference",
        about.strip(),
        f"{report['data']} {facts['rounds']} rounds, Matinee and `implicit` {report['implicit']} in turn; medians. "
        f"Measured {facts['measured']} on {facts['machine']}, Python {facts['python']}, {facts['threads']} thread "
        f"each; {facts['loaded']}",
        "## Users a second",
        _speeds(report["rounds"]),
        report["reading"],
    ]
    if report.get("stages"):
        parts += ["## Where the time goes", _stages(report["stages"])]
    if report.get("memory"):
        parts += ["## Peak memory", _memory(report["memory"]), "![Peak memory by lines](batch_memory.svg)"]
    return "\n\n".join(parts) + "\n"


def _speeds(rounds: Sequence[Mapping[str, Any]]) -> str:
    rows = ["| what | users | users/s | users per CPU second | lowest and highest users/s |", "|---|---|---|---|---|"]
    for name in rounds[0]:
        runs = [one[name] for one in rounds]
        speeds = sorted(run["users"] / run["seconds"] for run in runs)
        per_cpu = median(run["users"] / run["cpu_seconds"] for run in runs)
        rows.append(
            f"| {name} | {runs[0]['users']:,} | {median(speeds):,.0f} | {per_cpu:,.0f} | "
            f"{speeds[0]:,.0f} to {speeds[-1]:,.0f} |"
        )
    return "\n".join(rows)


def _stages(stages: Mapping[str, Mapping[str, float]]) -> str:
    names = list(next(iter(stages.values())))
    head = f"| microseconds a line | {' | '.join(stages)} |\n|---{'|---' * len(stages)}|\n"
    rows = [f"| {name} | {' | '.join(f'{one.get(name, 0):.1f}' for one in stages.values())} |" for name in names]
    whole = f"| together | {' | '.join(f'{sum(one.values()):.1f}' for one in stages.values())} |"
    return head + "\n".join([*rows, whole])


def _memory(sizes: Sequence[Mapping[str, float]]) -> str:
    rows = ["| input lines | seconds | peak memory, MB | its own, without mapped files, MB |", "|---|---|---|---|"]
    rows += [
        f"| {size['lines']:,} | {size['seconds']:.1f} | {size['peak_mb']:,.0f} | {size['own_mb']:,.0f} |"
        for size in sizes
    ]
    said = "Each size in a new process; the lines name the same 10,000 users over and over."
    return said + "\n\n" + "\n".join(rows)


def plot(sizes: Sequence[Mapping[str, float]]) -> str:
    """Peak memory by lines, the places of the points evenly apart: each size is ten times the one before."""
    top = max(size["peak_mb"] for size in sizes) * 1.2
    step = (_WIDTH - 2 * _MARGIN) / max(1, len(sizes) - 1)

    def at(number: int, value: float) -> str:
        return f"{_MARGIN + number * step:.1f},{_HEIGHT - _MARGIN - value / top * (_HEIGHT - 2 * _MARGIN):.1f}"

    drawn = []
    for key, colour in (("peak_mb", "#1f5fa8"), ("own_mb", "#b5541c")):
        points = [at(number, size[key]) for number, size in enumerate(sizes)]
        drawn.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for point, size in zip(points, sizes, strict=True):
            x, y = point.split(",")
            drawn.append(f'<text x="{x}" y="{float(y) - 6:.1f}" text-anchor="middle">{size[key]:,.0f}</text>')
    for number, size in enumerate(sizes):
        x = _MARGIN + number * step
        drawn.append(f'<text x="{x:.1f}" y="{_HEIGHT - _MARGIN + 18}" text-anchor="middle">{size["lines"]:,}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" '
        f'font-size="11">\n<rect width="100%" height="100%" fill="white"/>\n'
        f'<text x="{_MARGIN}" y="20">peak memory, MB (blue); its own, without mapped files (brown)</text>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )
