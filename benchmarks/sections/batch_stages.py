"""Where the time of a batch job goes: a real job, the functions of its stages wrapped by clocks."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from matinee.jobs import batch
from matinee.models.base import Model
from matinee.serving import plain_lines
from matinee.serving.batch import BatchRecommender

READ, HISTORIES, MODEL = "read and parse lines", "users' histories", "model: user vectors, products"
FILTER, BEST, SHARES = "filter", "best items", "scores of the answer"
REST = "opening the model, marks, the rest"


@contextmanager
def clocks() -> Iterator[dict[str, float]]:
    """Seconds of each stage, as they stand when the block has ended. A model's parts count as the model."""
    spent: dict[str, float] = defaultdict(float)
    running: set[str] = set()

    def timed(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **more: Any) -> Any:
            if stage in running:
                return function(*given, **more)
            running.add(stage)
            begin = time.perf_counter()
            try:
                return function(*given, **more)
            finally:
                spent[stage] += time.perf_counter() - begin
                running.remove(stage)

        return run

    def read(*given: Any) -> Iterator[Any]:
        lines = read_lines(*given)
        while True:
            begin = time.perf_counter()
            line = next(lines, None)
            spent[READ] += time.perf_counter() - begin
            if line is None:
                return
            yield line

    read_lines, trained = batch.read_lines, plain_lines.Trained
    patches = [
        mock.patch.object(batch, "read_lines", read),
        mock.patch.object(plain_lines.Trained, "of", timed(HISTORIES, trained.of)),
        mock.patch.object(Model, "score", timed(MODEL, Model.score)),
        mock.patch.object(plain_lines.PlainLines, "_allowed", timed(FILTER, plain_lines.PlainLines._allowed)),
        mock.patch.object(plain_lines, "best_of_each", timed(BEST, plain_lines.best_of_each)),
        mock.patch.object(plain_lines, "probabilities_of_each", timed(SHARES, plain_lines.probabilities_of_each)),
        mock.patch.object(BatchRecommender, "answers", timed("answers", BatchRecommender.answers)),
        mock.patch.object(batch, "_answered", timed("lines", batch._answered)),
    ]
    for patch in patches:
        patch.start()
    begin = time.perf_counter()
    try:
        yield spent
    finally:
        whole = time.perf_counter() - begin
        for patch in reversed(patches):
            patch.stop()
        answers, lines = spent.pop("answers"), spent.pop("lines")
        inner = sum(spent[stage] for stage in (HISTORIES, MODEL, FILTER, BEST, SHARES))
        spent["look-ups, names, answers"] = answers - inner
        spent["JSON of the output"] = lines - answers
        spent[REST] = whole - lines - spent[READ]
