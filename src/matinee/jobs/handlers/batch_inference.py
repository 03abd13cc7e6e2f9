"""Batch inference: every line of the input answered, in its order, as `<input file>.out` in the output folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matinee.jobs.batch import LineAnswer, answer_files, begin_output
from matinee.jobs.task import Outcome, Task

if TYPE_CHECKING:
    from matinee.serving.batch import Answer, BatchRecommender


def batch_inference(task: Task) -> Outcome:
    """Answer the input file by file. A line that cannot be answered says why in its place; the job still ends well."""
    from matinee.serving.batch import BatchRecommender  # loads the numeric libraries, which a worker's start need not

    payload = task.job.payload
    target, sources = begin_output(task)
    recommender = BatchRecommender(
        task.database,
        task.objects,
        task.resource(payload["solutionVersionArn"]),
        results=payload["numResults"],
        filter_arn=payload.get("filterArn"),
        config=payload.get("batchInferenceJobConfig"),
        now=task.resource().created_at // 1000,
    )
    return answer_files(task, target, sources, _Recommendations(recommender))


@dataclass(frozen=True)
class _Recommendations:
    """A recommender's answers in the form recorded from the service."""

    recommender: BatchRecommender

    @property
    def at_once(self) -> int:
        return self.recommender.at_once

    @property
    def nothing(self) -> Mapping[str, Any]:
        return {"recommendedItems": []}

    def lines(self, values: Sequence[Any]) -> Sequence[LineAnswer]:
        return [LineAnswer(_output(answer), answer.error) for answer in self.recommender.answers(values)]


def _output(answer: Answer) -> dict[str, Any]:
    scores = {} if answer.scores is None else {"scores": list(answer.scores)}
    return {"recommendedItems": list(answer.items), **scores}
