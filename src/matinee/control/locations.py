"""Places that a request names: what input and output of jobs may look like, before anything is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from matinee.errors import InvalidInput

_PLACE = re.compile(r"s3://[^/\s][^\s]*|file:///[^\s].*")


def check_location(location: str | None, member: str) -> str:
    """A place to read from; refused in the service's words, followed by what is accepted."""
    if location is None or not _PLACE.fullmatch(location):
        raise InvalidInput(
            f"Invalid Data location. {member} must name a file or a folder as s3://bucket/key, s3://bucket/folder/ or "
            f"file:///path, not {location!r}."
        )
    return location


def check_output(path: str, member: str) -> str:
    """A folder to write to."""
    if not _PLACE.fullmatch(path):
        raise InvalidInput(
            f"Invalid S3 output path. {member} must name a folder as s3://bucket/folder/ or file:///folder/, "
            f"not {path!r}."
        )
    return path


def check_batch(request: Mapping[str, Any]) -> tuple[str, str]:
    """Input and output of a batch job, which must be two different places."""
    source = request["jobInput"]["s3DataSource"]["path"]
    if not _PLACE.fullmatch(source):
        raise InvalidInput(
            f"Invalid S3 input path. jobInput.s3DataSource.path must name a file or a folder as s3://bucket/key, "
            f"s3://bucket/folder/ or file:///path, not {source!r}."
        )
    target = check_output(request["jobOutput"]["s3DataDestination"]["path"], "jobOutput.s3DataDestination.path")
    if source.rstrip("/") == target.rstrip("/"):
        raise InvalidInput("Invalid S3 output path. The output must be a different place from the input.")
    return source, target
