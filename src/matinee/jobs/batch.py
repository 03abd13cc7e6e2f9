"""What batch jobs have in common: input files answered line by line, in order, into outputs that appear as a whole.

A job that was killed goes on from its last mark, so that no line is missing or twice.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, NamedTuple, Protocol

from matinee.cloud.personalize_requests import reading, writing
from matinee.cloud.role_checks import check_role
from matinee.errors import DataProblem, JobFailed
from matinee.jobs.answer_json import as_bytes, output_line
from matinee.jobs.input_lines import InputLine, chunks, read_lines
from matinee.jobs.part_file import Mark, PartFile
from matinee.jobs.sizes import check_bytes, check_files, check_records
from matinee.jobs.task import Outcome, Task
from matinee.storage.locations import SourceFile, inside, list_sources, open_output

#: A mark is made after so many lines at the latest, and after so many seconds.
_LINES_BETWEEN_MARKS = 20_000
_SECONDS_BETWEEN_MARKS = 5.0


class LineAnswer(NamedTuple):
    """What is written for one line: the members of `output`, or their JSON, and what went wrong, if anything."""

    output: Mapping[str, Any] | bytes
    error: str | None = None


class Answerer(Protocol):
    """What answers the lines of a job."""

    @property
    def at_once(self) -> int:
        """How many values to give to one `lines`."""

    @property
    def nothing(self) -> Mapping[str, Any]:
        """The `output` of a line that could not even be read."""

    def lines(self, values: Sequence[Any]) -> Sequence[LineAnswer]:
        """What becomes of each value, in order."""


def sources_of(task: Task, target: str) -> tuple[SourceFile, ...]:
    """The input files, once the role is known to reach them and the output folder `target`."""
    location = task.job.payload["jobInput"]["s3DataSource"]["path"]
    try:
        sources = list_sources(location, roots=task.settings.file_roots)
    except DataProblem as problem:
        raise JobFailed(str(problem).replace("Invalid Data location.", "Invalid S3 input path.", 1)) from problem
    uses = (*reading(location, [source.name for source in sources]), *writing(target))
    check_role(task.settings, task.job.payload.get("roleArn"), task.job.arn, uses)
    return sources


def begin_output(task: Task, records: str, what: str) -> tuple[str, tuple[SourceFile, ...]]:
    """The output folder, in which `_CHECK` lies from now on, and the input files.

    Raises `JobFailed` when they are more or larger than the quotas allow; `records` is that of a file's lines, `what`
    reads them.
    """
    target = f"{task.job.payload['jobOutput']['s3DataDestination']['path'].rstrip('/')}/"
    sources = sources_of(task, target)
    check_files(sources, task.settings)
    check_bytes(sources, task.settings, "batch-bytes", "a batch job")
    check_records(sources, task.settings, records, what)
    _wait_for_the_next_second(task, target)
    with open_output(inside(target, "_CHECK"), roots=task.settings.file_roots, writer=task.job.id):
        pass
    task.reached("checked")
    return target, sources


def answer_files(task: Task, target: str, sources: Sequence[SourceFile], answerer: Answerer) -> Outcome:
    """Answer the input file by file, each as `<input file>.out` in `target`. A line that cannot be answered says why
    in its place; the job still ends well."""
    total, marks = max(1, sum(source.size for source in sources)), list[Mark]()
    for source in sources:
        part = PartFile(task.scratch, source)
        before = sum(mark.read for mark in marks)
        if not part.mark.published:
            with _old_objects_left_alone():
                _answer_file(task, answerer, source, part, before / total, source.size / total)
            task.reached("answered")
            name = f"{PurePosixPath(source.name).name}.out"
            part.publish(inside(target, name), task.settings.file_roots, task.job.id)
            task.reached("published")
        marks.append(part.mark)
    return Outcome(private={"lines": sum(mark.done for mark in marks), "failed": sum(mark.failed for mark in marks)})


@contextmanager
def _old_objects_left_alone() -> Iterator[None]:
    """The search for cycles passes over what there was before: lines by the thousand start it again and again."""
    ours = not gc.get_freeze_count()  # a server has done so for itself
    if ours:
        gc.freeze()
    try:
        yield
    finally:
        if ours:
            gc.unfreeze()


def _wait_for_the_next_second(task: Task, target: str) -> None:
    """Clients look for an object newer than the job, and S3 counts whole seconds: make that true of every output."""
    begins = task.resource().created_at // 1000 + 1
    left = begins - time.time()
    if target.startswith("s3:") and 0 < left <= 1:
        threading.Event().wait(left)


def _answer_file(
    task: Task, answerer: Answerer, source: SourceFile, part: PartFile, before: float, share: float
) -> None:
    """Write the answers to one file's lines, from its mark on. `before` and `share` are fractions of the whole job."""
    mark, marked = part.mark, time.monotonic()
    with part.writing() as output, source.open() as stream:
        for chunk in chunks(read_lines(stream, mark.read), answerer.at_once):
            task.check()
            written, failed = _answered(answerer, chunk)
            output.write(written)
            mark = replace(mark, read=chunk[-1].end, done=mark.done + len(chunk), failed=mark.failed + failed)
            now = time.monotonic()
            if mark.done - part.mark.done >= _LINES_BETWEEN_MARKS or now - marked >= _SECONDS_BETWEEN_MARKS:
                part.make_sure(output, mark)
                marked = now
                task.reached("marked")
            task.report(before + share * mark.read / max(1, source.size), f"{mark.done:,} lines answered")
        part.make_sure(output, replace(mark, read=source.size))


def _answered(answerer: Answerer, chunk: Sequence[InputLine]) -> tuple[bytes, int]:
    """The output lines for some input lines, and how many of them tell of an error."""
    answers = iter(answerer.lines([line.value for line in chunk if line.error is None]))
    told = [next(answers) if line.error is None else LineAnswer(answerer.nothing, line.error) for line in chunk]
    lines = [
        output_line(line.echo, as_bytes(answer.output), answer.error) for line, answer in zip(chunk, told, strict=True)
    ]
    return b"".join(lines), sum(answer.error is not None for answer in told)
