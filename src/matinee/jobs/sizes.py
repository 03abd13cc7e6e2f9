"""How large the input of a job may be: quotas of size, kept before anything is answered or stored. Spec 11.2."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from matinee.errors import JobFailed
from matinee.jobs.input_lines import read_lines
from matinee.settings import Settings
from matinee.storage.locations import SourceFile


def check_bytes(sources: Sequence[SourceFile], settings: Settings, quota: str, what: str) -> None:
    """Raise `JobFailed` when all files together are larger than a quota; `what` names what they are given to."""
    most, size = settings.quota(quota), sum(source.size for source in sources)
    if most is not None and size > most:
        raise JobFailed(f"The input has {size:,} bytes; {what} takes {most:,} at most. Use several jobs.")


def check_files(sources: Sequence[SourceFile], settings: Settings) -> None:
    """Raise `JobFailed` for more input files than a batch job takes."""
    most = settings.quota("batch-files")
    if most is not None and len(sources) > most:
        raise JobFailed(f"The input has {len(sources):,} files; a batch job takes {most:,} at most. Use several jobs.")


def check_records(sources: Sequence[SourceFile], settings: Settings, quota: str, what: str) -> None:
    """Raise `JobFailed` for a file of more lines than a quota, blank ones aside; `what` names what reads them."""
    most = settings.quota(quota)
    if most is None:
        return
    for source in sources:
        with source.open() as stream:
            if sum(1 for _ in itertools.islice(read_lines(stream, 0), most + 1)) > most:
                raise JobFailed(
                    f"{source.name} has more than {most:,} lines, the most in a file for {what}. Split the file."
                )
