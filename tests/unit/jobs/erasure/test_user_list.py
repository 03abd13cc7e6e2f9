"""Lists of users: every ID once, whatever the files look like."""

from __future__ import annotations

from pathlib import Path

import pytest

from matinee.errors import DataProblem
from matinee.jobs.erasure.user_list import read_users
from matinee.storage.locations import list_sources


def _read(folder: Path, **texts: str) -> list[str]:
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text)
    return read_users(list_sources(f"file://{folder}/"))


def test_every_user_of_all_files_once_in_their_order(tmp_path: Path) -> None:
    users = _read(tmp_path, a='user_id\nann\r\n"bob, jr."\n\nann\n', b="USER_ID\neve\nann")
    assert users == ["ann", "bob, jr.", "eve"]


def test_another_column_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="not that of a list of users"):
        _read(tmp_path, a="USER_ID\nann\n", b="USER_ID,AGE\neve,3\n")
