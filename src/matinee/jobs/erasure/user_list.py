"""The list of users that a deletion is given: CSV files with the one column USER_ID."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from matinee.data.csv_lines import CsvFile, CsvSource
from matinee.errors import DataProblem
from matinee.storage.locations import SourceFile

_PIECE = 1 << 20


def read_users(sources: Sequence[SourceFile]) -> list[str]:
    """The distinct user IDs of all files, in their order; at least one.

    Raises `DataProblem` with file and line for what is no such list. No message shows an ID.
    """
    users: dict[str, None] = {}
    for source in sources:
        file = CsvFile(CsvSource(source.name, partial(_pieces, source)))
        if [name.upper() for name in file.header] != ["USER_ID"]:
            raise DataProblem(
                "The header is not that of a list of users.",
                fix="Write USER_ID on the first line, and one user ID on each line below it.",
                file=source.name,
                line=1,
            )
        for block in file.blocks([(0, "USER_ID")]):
            if block.findings:
                first = block.findings[0]
                raise DataProblem(first.problem, fix=first.fix, file=source.name, line=first.line)
            users.update(dict.fromkeys(block.frame["USER_ID"].drop_nulls().to_list()))
    if not users:
        names = ", ".join(source.name for source in sources)
        raise DataProblem("There is no user ID below the header.", fix="Add user IDs, one a line.", file=names, line=2)
    return list(users)


def _pieces(source: SourceFile) -> Iterator[bytes]:
    with source.open() as stream:
        while piece := stream.read(_PIECE):
            yield piece
