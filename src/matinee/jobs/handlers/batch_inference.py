"""Batch inference: every line of the input answered, in its order, as `<input file>.out` in the output folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from matinee.control.batch_themes import PLAIN
from matinee.jobs.answer_json import encoded
from matinee.jobs.batch import LineAnswer, answer_files, begin_output
from matinee.jobs.task import Outcome, Task
from matinee.storage.locations import SourceFile

if TYPE_CHECKING:
    from matinee.jobs.themes.theming import Theming
    from matinee.serving.batch import Answer, BatchRecommender


def batch_inference(task: Task) -> Outcome:
    """Answer the input file by file. A line that cannot be answered says why in its place; the job still ends well."""
    from matinee.serving.batch import BatchRecommender  # loads the numeric libraries, which a worker's start need not

    payload = task.job.payload
    themed = payload.get("batchInferenceJobMode", PLAIN) != PLAIN
    target, sources = begin_output(
        task, *(("themed-records", "themes") if themed else ("batch-records", "batch inference"))
    )
    recommender = BatchRecommender(
        task.database,
        task.objects,
        task.resource(payload["solutionVersionArn"]),
        results=payload["numResults"],
        filter_arn=payload.get("filterArn"),
        config=payload.get("batchInferenceJobConfig"),
        now=task.resource().created_at // 1000,
    )
    if not themed:
        return answer_files(task, target, sources, _Recommendations(recommender))
    return _themes(task, target, sources, recommender)


def _themes(task: Task, target: str, sources: Sequence[SourceFile], recommender: BatchRecommender) -> Outcome:
    """As lists, each with a title; how many titles came from where is told in the log and kept with the job."""
    from matinee.jobs.themes.theming import Theming

    payload = task.job.payload
    item_name = payload["themeGenerationConfig"]["fieldsForThemeGeneration"]["itemName"]
    theming = Theming.open(task.database, task.objects, task.settings, payload["datasetGroupArn"], item_name)
    try:
        outcome = answer_files(task, target, sources, _Themes(recommender, theming))
    finally:
        theming.close()
    task.log.info("themes", titles=theming.counts)
    return replace(outcome, private={**outcome.private, "themes": theming.counts})


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
        return [LineAnswer(encoded(_members(one)), one.error) for one in self.recommender.answers(values)]


def _members(one: Answer) -> Mapping[str, Any]:
    """The `output` of a line; without scores it has no such member."""
    items = {"recommendedItems": one.items}
    return items if one.scores is None else {**items, "scores": one.scores}


@dataclass(frozen=True)
class _Themes:
    """The same lists as themes."""

    recommender: BatchRecommender
    theming: Theming

    @property
    def at_once(self) -> int:
        return self.theming.at_once or self.recommender.at_once

    @property
    def nothing(self) -> Mapping[str, Any]:
        return {"recommendedItems": []}

    def lines(self, values: Sequence[Any]) -> Sequence[LineAnswer]:
        return [
            LineAnswer(self.nothing, answer.error)
            if answer.error is not None
            else LineAnswer(self.theming.output(answer.items))
            for answer in self.recommender.answers(values)
        ]
