"""Batch inference: every line of the input answered, in its order, as `<input file>.out` in the output folder."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from matinee.cloud.personalize_requests import reading, writing
from matinee.cloud.role_checks import check_role
from matinee.errors import DataProblem, JobFailed
from matinee.jobs.input_lines import InputLine, chunks, read_lines
from matinee.jobs.part_file import Mark, PartFile
from matinee.jobs.task import Outcome, Task
from matinee.storage.locations import SourceFile, inside, list_sources, open_output

if TYPE_CHECKING:
    from matinee.serving.batch import Answer, BatchRecommender

#: A mark is made after so many lines at the latest, and after so many seconds.
_LINES_BETWEEN_MARKS = 5000
_SECONDS_BETWEEN_MARKS = 5.0


def batch_inference(task: Task) -> Outcome:
    """Answer the input file by file. A line that cannot be answered says why in its place; the job still ends well.

    An output appears as a whole. A job that was killed goes on from its last mark, so that no line is missing or twice.
    """
    from matinee.serving.batch import BatchRecommender  # loads the numeric libraries, which a worker's start need not

    payload = task.job.payload
    target = f"{payload['jobOutput']['s3DataDestination']['path'].rstrip('/')}/"
    sources = _sources(task, target)
    _wait_for_the_next_second(task, target)
    with open_output(inside(target, "_CHECK"), roots=task.settings.file_roots):
        pass
    task.reached("checked")
    recommender = BatchRecommender(
        task.database,
        task.objects,
        task.resource(payload["solutionVersionArn"]),
        results=payload["numResults"],
        filter_arn=payload.get("filterArn"),
    )
    total, marks = max(1, sum(source.size for source in sources)), list[Mark]()
    for source in sources:
        part = PartFile(task.scratch, source)
        before = sum(mark.read for mark in marks)
        if not part.mark.published:
            _answer_file(task, recommender, source, part, before / total, source.size / total)
            task.reached("answered")
            part.publish(inside(target, f"{PurePosixPath(source.name).name}.out"), task.settings.file_roots)
            task.reached("published")
        marks.append(part.mark)
    return Outcome(private={"lines": sum(mark.done for mark in marks), "failed": sum(mark.failed for mark in marks)})


def _sources(task: Task, target: str) -> tuple[SourceFile, ...]:
    """The input files, once the role is known to reach them and the output."""
    location = task.job.payload["jobInput"]["s3DataSource"]["path"]
    try:
        sources = list_sources(location, roots=task.settings.file_roots)
    except DataProblem as problem:
        raise JobFailed(str(problem).replace("Invalid Data location.", "Invalid S3 input path.", 1)) from problem
    uses = (*reading(location, [source.name for source in sources]), *writing(target))
    check_role(task.settings, task.job.payload.get("roleArn"), task.job.arn, uses)
    return sources


def _wait_for_the_next_second(task: Task, target: str) -> None:
    """Clients look for an object newer than the job, and S3 counts whole seconds: make that true of every output."""
    begins = task.resource().created_at // 1000 + 1
    left = begins - time.time()
    if target.startswith("s3:") and 0 < left <= 1:
        threading.Event().wait(left)


def _answer_file(
    task: Task, recommender: BatchRecommender, source: SourceFile, part: PartFile, before: float, share: float
) -> None:
    """Write the answers to one file's lines, from its mark on. `before` and `share` are fractions of the whole job."""
    mark, marked = part.mark, time.monotonic()
    with part.writing() as output, source.open() as stream:
        for chunk in chunks(read_lines(stream, mark.read), recommender.at_once):
            task.check()
            written, failed = _answered(recommender, chunk)
            output.write(written)
            mark = replace(mark, read=chunk[-1].end, done=mark.done + len(chunk), failed=mark.failed + failed)
            now = time.monotonic()
            if mark.done - part.mark.done >= _LINES_BETWEEN_MARKS or now - marked >= _SECONDS_BETWEEN_MARKS:
                part.make_sure(output, mark)
                marked = now
                task.reached("marked")
            task.report(before + share * mark.read / max(1, source.size), f"{mark.done:,} lines answered")
        part.make_sure(output, replace(mark, read=source.size))


def _answered(recommender: BatchRecommender, chunk: Sequence[InputLine]) -> tuple[bytes, int]:
    """The output lines for some input lines, and how many of them tell of an error."""
    answers = iter(recommender.answers([line.value for line in chunk if line.error is None]))
    told = [(line.error, None) if line.error is not None else (None, next(answers)) for line in chunk]
    lines = [_output_line(line.echo, error, answer) for line, (error, answer) in zip(chunk, told, strict=True)]
    failed = sum(answer is None or answer.error is not None for _, answer in told)
    return b"".join(lines), failed


def _output_line(echo: bytes, error: str | None, answer: Answer | None) -> bytes:
    """One line in the form recorded from the service."""
    output: dict[str, Any] = {"recommendedItems": []}
    if answer is not None:
        error = answer.error
        output["recommendedItems"] = list(answer.items)
        if answer.scores is not None:
            output["scores"] = list(answer.scores)
    return b'{"input":%s,"output":%s,"error":%s}\n' % (echo, _json(output), _json(error))


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")
