"""Accuracy, memory and latency, beside other libraries on the same splits; writes accuracy.md and accuracy.json.

    MATINEE_DATASETS=/path/to/datasets python benchmarks/accuracy.py --peer-python /path/to/venv/bin/python

Each section can be run alone with --only; the others keep the figures in accuracy.json, and the page is written anew.
The section gpu runs only when it is named; its figures stay empty until then.
A Python with `pip install rectools[torch] implicit` measures the peers; without one the page says so. The section
related-items asks for `implicit` in Matinee's own Python.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from sections import cold_items, latency, memory, protocols, scripts
from sections.options import Options
from sections.page import page


def main() -> None:
    """Measure the sections that are asked for, and write the page of all that were ever measured."""
    options = Options.parse((__doc__ or "").splitlines()[0])
    options.out.mkdir(parents=True, exist_ok=True)
    kept = options.out / "accuracy.json"
    figures: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    measures: dict[str, Callable[[], dict[str, Any]]] = {
        protocol.section: partial(protocols.measure, protocol, options) for protocol in protocols.protocols(options)
    }
    measures |= {
        "cold-items": partial(cold_items.measure, options),
        "latency": partial(latency.measure, options),
        "memory": partial(memory.measure, options),
    }
    measures |= {section: partial(scripts.measure, section) for section in scripts.SCRIPTS}
    for section in options.only:
        started = time.perf_counter()
        found = measures[section]()
        figures[section] = {**found, "facts": options.facts(section, time.perf_counter() - started)}
        # After each section: hours of figures are not lost to a later section's failure.
        kept.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        for name, content in page(figures, options.out).items():
            (options.out / name).write_text(content, encoding="utf-8")
    print(f"written {kept} and {options.out / 'accuracy.md'}")


if __name__ == "__main__":
    main()
