"""Time and memory by size as an SVG of two panels; the dashed line is linear growth from the smallest size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

_WIDTH, _HEIGHT, _MARGIN = 360, 240, 48
_PANELS = (("seconds", "training, s"), ("peak_memory_mb", "peak memory, MB"))


def plot(sizes: Sequence[Mapping[str, Any]]) -> str:
    """The plot of the sizes that did not fail, both axes logarithmic."""
    done = [size for size in sizes if "failed" not in size]
    panels = [_panel(done, key, label, at * _WIDTH) for at, (key, label) in enumerate(_PANELS)] if done else []
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH * 2}" height="{_HEIGHT}" font-family="sans-serif" '
        f'font-size="11">\n<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(panels) + "\n</svg>\n"
    )


def _panel(sizes: Sequence[Mapping[str, Any]], key: str, label: str, left: int) -> str:
    first = sizes[0]
    linear = [first[key] * size["events"] / first["events"] for size in sizes]
    values = [size[key] for size in sizes]
    low, high = min([*values, *linear]) * 0.8, max([*values, *linear]) * 1.25
    few, many = sizes[0]["events"] * 0.8, sizes[-1]["events"] * 1.25

    def at(events: float, value: float) -> tuple[float, float]:
        x = math.log(events / few) / math.log(many / few)
        y = math.log(value / low) / math.log(high / low)
        return (
            left + _MARGIN + x * (_WIDTH - 2 * _MARGIN),
            _HEIGHT - _MARGIN - y * (_HEIGHT - 2 * _MARGIN),
        )

    events = [size["events"] for size in sizes]
    points = [at(*pair) for pair in zip(events, values, strict=True)]
    straight = [at(*pair) for pair in zip(events, linear, strict=True)]
    marks = [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#1f5fa8"/>'
        f'<text x="{x:.1f}" y="{y - 8:.1f}" text-anchor="middle">{value:,.0f}</text>'
        f'<text x="{x:.1f}" y="{_HEIGHT - _MARGIN + 16}" text-anchor="middle">{count / 1e6:g} M</text>'
        for (x, y), value, count in zip(points, values, events, strict=True)
    ]
    frame = (
        f'<rect x="{left + _MARGIN}" y="{_MARGIN}" width="{_WIDTH - 2 * _MARGIN}" height="{_HEIGHT - 2 * _MARGIN}" '
        f'fill="none" stroke="#999"/><text x="{left + _MARGIN}" y="{_MARGIN - 14}">{label}</text>'
    )
    return "\n".join([frame, _line(straight, "#999", "4 4"), _line(points, "#1f5fa8", ""), *marks])


def _line(points: Sequence[tuple[float, float]], colour: str, dashes: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-dasharray="{dashes}"/>'
