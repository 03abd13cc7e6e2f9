"""Batch segments: for every line of the input the users drawn to an item or to attributes, as `<input file>.out`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matinee.jobs.answer_json import encoded
from matinee.jobs.batch import LineAnswer, answer_files, begin_output
from matinee.jobs.task import Outcome, Task
from matinee.recipes import catalogue

if TYPE_CHECKING:
    from matinee.serving.segments import Segmenter


def batch_segment(task: Task) -> Outcome:
    """List users line by line. A line that cannot be answered says why in its place; the job still ends well."""
    from matinee.serving.segments import Segmenter  # loads the numeric libraries, which a worker's start need not

    payload = task.job.payload
    version = task.resource(payload["solutionVersionArn"])
    recipe = catalogue.find(version["recipeArn"])
    queries = "item-affinity-queries" if recipe.item_recipe else "attribute-affinity-queries"
    target, sources = begin_output(task, queries, recipe.name)
    segmenter = Segmenter(
        task.database,
        task.objects,
        version,
        results=payload["numResults"],
        filter_arn=payload.get("filterArn"),
        check=task.check,
    )
    return answer_files(task, target, sources, _Segments(segmenter, task.settings.segment_output_key))


@dataclass(frozen=True)
class _Segments:
    """Segments in the form recorded from the service."""

    segmenter: Segmenter
    key: str

    @property
    def at_once(self) -> int:
        return self.segmenter.at_once

    @property
    def nothing(self) -> Mapping[str, Any]:
        return {self.key: []}

    def lines(self, values: Sequence[Any]) -> Sequence[LineAnswer]:
        return [LineAnswer(encoded({self.key: one.users}), one.error) for one in self.segmenter.segments(values)]
