"""The page of the accuracy benchmark, from its figures alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sections.plot import plot

_HEAD = """# Accuracy

Written by `benchmarks/accuracy.py` from [accuracy.json](accuracy.json), which also holds every seed, segment and test;
nothing here is typed in, except figures marked as published or recorded. Intervals are 95%, by bootstrap over users; ±
is the standard deviation over seeds. Weights and epochs are chosen on training data; items of the input are left out of
lists. `p` is a sign-flip test over users of the difference to the first row, on the same cases."""

_TITLES = {
    "personalize": "Protocol personalize: Amazon Personalize's own",
    "leave-one-out": "Protocol leave-one-out: for comparison with papers",
    "rectools": "RecTools' SASRec beside: the same machine, split and run",
    "temporal": "Protocol temporal: nothing of the future leaks in",
}
_GPU_TITLE = "On a GPU: leave-one-out, a larger transformer"
_GPU_LEFT = f"""## {_GPU_TITLE}

Not measured: no GPU was at hand. The goal is NDCG@10 .21 and HR@10 .35 (HSTU-large, published: .216 and .364). With
CUDA, bfloat16 and a compiled network:

```sh
python benchmarks/accuracy.py --only gpu --device cuda
```

The same code, small, on a CPU:
`python benchmarks/accuracy.py --quick --only gpu --device cpu --no-compile --out /tmp/quick`.

| model | NDCG@10 | HR@10 | training, s |
|---|---|---|---|
| User-Personalization-v2, large (d = 256, 4 gated layers, history 200) | | | |"""
_COLUMNS = (("ndcg_at_10", "NDCG@10"), ("hit_rate_at_10", "HR@10"), ("mrr_at_25", "MRR@25"), ("coverage", "coverage"))
#: Pages that other scripts write, by the file that each leaves beside this page.
_ELSEWHERE = {
    "related_items": "Related items (SIMS, Similar-Items) against item-kNN of `implicit`",
    "actions_segments": "Next-Best-Action and user segments",
}
#: Written by hand: how settings were chosen, what was predicted and found.
_NOTES = "accuracy_notes.md"


def page(figures: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """The files to write: accuracy.md, and the plot that it shows where memory was measured."""
    parts = [_HEAD]
    if any(section["facts"]["quick"] for section in figures.values()):
        parts.append("**A quick run, to test the benchmark: these figures are no measurement.**")
    parts += [_protocol(name, title, figures[name]) for name, title in _TITLES.items() if name in figures]
    parts.append(_protocol("gpu", _GPU_TITLE, figures["gpu"]) if "gpu" in figures else _GPU_LEFT)
    if "cold-items" in figures:
        parts.append(_cold(figures["cold-items"]))
    parts += [_elsewhere(name, title, folder) for name, title in _ELSEWHERE.items()]
    files = {}
    if "memory" in figures:
        parts.append(_memory(figures["memory"]))
        files["accuracy_memory.svg"] = plot(figures["memory"]["sizes"])
    if "latency" in figures:
        parts.append(_latency(figures["latency"]))
    notes = folder / _NOTES
    if notes.is_file():
        parts.append(notes.read_text(encoding="utf-8").strip())
    return {"accuracy.md": "\n\n".join(parts) + "\n", **files}


def _protocol(name: str, title: str, report: Mapping[str, Any]) -> str:
    data, seeds = report["data"], report["seeds"]
    entries = [report, *report["others"], *report["beside"].values()]
    tested = {test["against"]: test["metrics"] for test in report["paired"]}
    lines = [
        f"## {title}",
        f"{report['dataset']}: {data['events']} {seeds} seed{'s' if seeds > 1 else ''}. {_facts(report['facts'])}",
        f"| model | {' | '.join(label for _, label in _COLUMNS)} | p, NDCG@10 | training, s | peak, MB |\n"
        + "|---" * (len(_COLUMNS) + 4)
        + "|\n"
        + "\n".join([*(_row(entry, tested, seeds) for entry in entries), *map(_published, report["published"])]),
    ]
    if report["peers"]:
        lines.append("Peers: " + "; ".join(f"{package} {told}" for package, told in report["peers"].items()) + ".")
    lines.append(_segments(entries))
    return "\n\n".join(line for line in lines if line)


def _row(entry: Mapping[str, Any], tested: Mapping[str, Any], seeds: int) -> str:
    cells = []
    for metric, _ in _COLUMNS:
        figure = entry["metrics"][metric]
        spread = f" ± {entry['over_seeds'][metric]['deviation']:.3f}" if seeds > 1 else ""
        cells.append(f"{figure['mean']:.4f}{spread} ({figure['low']:.3f} to {figure['high']:.3f})")
    test = tested.get(entry["recipe"])
    chance = f"{test['ndcg_at_10']['p_value']:.4f}" if test else ""
    cost = f"{entry['train_seconds']:.1f} | {entry['peak_memory_mb']:.0f}"
    return f"| {entry['recipe']} | {' | '.join(cells)} | {chance} | {cost} |"


def _published(figures: Mapping[str, Any]) -> str:
    cells = [f"{figures[metric]:.3f}" if metric in figures else "" for metric, _ in _COLUMNS]
    return f"| *{figures['name']}* | {' | '.join(cells)} | | | |"


def _segments(entries: list[Mapping[str, Any]]) -> str:
    """NDCG@10 of every segment that there is."""
    names = list(dict.fromkeys(name for entry in entries for name in entry["segments"]))
    if not names:
        return ""
    counts = {name: next(e["segments"][name]["cases"] for e in entries if name in e["segments"]) for name in names}
    header = " | ".join(f"{name.replace('_', ' ')} ({counts[name]:,} cases)" for name in names)
    rows = [
        f"| {entry['recipe']} | " + " | ".join(_segment(entry["segments"].get(name)) for name in names) + " |"
        for entry in entries
    ]
    return "\n".join([f"| NDCG@10 in segments | {header} |", "|---" * (len(names) + 1) + "|", *rows])


def _segment(part: Mapping[str, Any] | None) -> str:
    if part is None:
        return ""
    figure = part["metrics"]["ndcg_at_10"]
    return f"{figure['mean']:.4f} ({figure['low']:.3f} to {figure['high']:.3f})"


def _cold(section: Mapping[str, Any]) -> str:
    rows = [
        f"| {one['seed']} | {one['cold_items']:,} | {one['scored']:,} | {one['cases']:,} | "
        f"{one['recall_at_25']['mean']:.4f} ({one['recall_at_25']['low']:.4f} to {one['recall_at_25']['high']:.4f}) | "
        f"{one['random']:.4f} | {one['recall_at_25']['mean'] / one['random']:.2f} | {one['train_seconds']:.1f} |"
        for one in section["seeds"]
    ]
    return "\n\n".join(
        [
            "## Cold items",
            f"{section['dataset']}: {section['share']:.0%} of items are taken out of training with all their events; "
            f"they are ranked among themselves for users who had one, by {section['recipe']} from genres and year. "
            + _facts(section["facts"]),
            "| seed | cold items | with a score | users | recall@25 | random order | times random | training, s |\n"
            + "|---" * 8
            + "|\n"
            + "\n".join(rows),
        ]
    )


def _elsewhere(name: str, title: str, folder: Path) -> str:
    """Another script's page, its headings one level lower."""
    written = folder / f"{name}.md"
    if not written.is_file():
        return f"## {title}\n\nNot measured yet: `python benchmarks/{name}.py`."
    lines = written.read_text(encoding="utf-8").splitlines()
    body = "\n".join(f"#{line}" if line.startswith("##") else line for line in lines if not line.startswith("# "))
    return f"## {title}\n\nFrom [{name}.md]({name}.md), measured by `benchmarks/{name}.py`.\n\n{body.strip()}"


def _memory(section: Mapping[str, Any]) -> str:
    done = [size for size in section["sizes"] if "failed" not in size]
    rows = []
    for size in section["sizes"]:
        if "failed" in size:
            rows.append(f"| {size['events']:,} | failed: {size['failed']} | | |")
            continue
        per_million = size["seconds"] / size["events"] * 1e6
        rows.append(
            f"| {size['events']:,} | {size['seconds']:.1f} | {per_million:.1f} | {size['peak_memory_mb']:,.0f} |"
        )
    return "\n\n".join(
        [
            "## Memory and time by size",
            f"{section['model']} trained on generated interactions of {section['users']:,} users and "
            f"{section['items']:,} items, each size in a process of its own. {_facts(section['facts'])}",
            "| interactions | training, s | s per million | peak, MB |\n|---|---|---|---|\n" + "\n".join(rows),
            "![Time and peak memory by size](accuracy_memory.svg)" if done else "",
        ]
    ).rstrip()


def _latency(section: Mapping[str, Any]) -> str:
    speed = ", ".join(f"{name} {value:.2f}" for name, value in section["milliseconds"].items())
    return (
        f"## Latency\n\nMedian milliseconds to score all items of {section['dataset']} for one history of "
        f"{section['events']}: {speed}. {_facts(section['facts'])}"
    )


def _facts(facts: Mapping[str, Any]) -> str:
    device = f"{facts['device']} of " if "device" in facts else ""
    return f"Measured {facts['measured']} on {device}{facts['machine']}, Python {facts['python']}."
