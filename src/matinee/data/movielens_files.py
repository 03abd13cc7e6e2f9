"""The files of every MovieLens release, in a folder or a zip: which layout they have, and their ratings, films, users.

100K        u.data (tabs), u.item, u.genre, u.user
1M, 10M     ratings.dat (`::`, or ratings.dat.xz), movies.dat, users.dat (1M)
the others  ratings.csv, movies.csv (latest-small, latest, 20M, 25M, 32M)
"""

from __future__ import annotations

import csv
import io
import lzma
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Literal

import polars as pl

from matinee.errors import DataProblem

Layout = Literal["100K", "dat", "csv"]
RATING_COLUMNS = ("user", "item", "rating", "timestamp")
_BLOCK = 8 << 20
_MARKS: dict[Layout, tuple[str, str]] = {
    "100K": ("u.data", "u.item"),
    "dat": ("ratings.dat", "movies.dat"),
    "csv": ("ratings.csv", "movies.csv"),
}
#: The files of ratings by name.
RATINGS = frozenset(f"{mark}{packed}" for mark, _ in _MARKS.values() for packed in ("", ".xz"))
#: Columns of a ratings.csv in lower case, as MovieLens and its copies write them.
_OUR_NAMES = {
    "userid": "user",
    "user_id": "user",
    "movieid": "item",
    "movie_id": "item",
    "itemid": "item",
    "item_id": "item",
}
_YEAR = re.compile(r"\((\d{4})(?:\s*[-\u2013]\s*(?:\d{4})?)?\)\s*$")
# README of ml-1m: users.dat holds the number of the occupation.
_OCCUPATIONS_1M = (
    "other",
    "academic/educator",
    "artist",
    "clerical/admin",
    "college/grad student",
    "customer service",
    "doctor/health care",
    "executive/managerial",
    "farmer",
    "homemaker",
    "K-12 student",
    "lawyer",
    "programmer",
    "retired",
    "sales/marketing",
    "scientist",
    "self-employed",
    "technician/engineer",
    "tradesman/craftsman",
    "unemployed",
    "writer",
)


@dataclass(frozen=True)
class Film:
    """A film as the source has it; `genres` is empty when the source names none."""

    item_id: str
    title: str
    genres: tuple[str, ...]
    year: int | None


@dataclass(frozen=True)
class Person:
    """A user as the source has it. In ml-1m `age` is the lower bound of a bracket (1 for under 18)."""

    user_id: str
    age: int
    gender: str
    occupation: str


@dataclass(frozen=True)
class RatingBlock:
    """Some ratings in the order of the file: columns of `RATING_COLUMNS` (String, String, Float64, Int64).

    `unreadable` counts the lines that were left out, `first_unreadable` is the physical line of the first of them.
    `fraction` says how much of the file is done, in [0, 1].
    """

    frame: pl.DataFrame
    unreadable: int
    first_unreadable: int | None
    fraction: float


@dataclass(frozen=True)
class MovieLens:
    """A MovieLens release found at `path` (folder or zip), its files under `prefix` inside it."""

    path: Path
    layout: Layout
    prefix: str
    names: frozenset[str]

    @classmethod
    def find(cls, path: Path, *, films: bool = True) -> MovieLens:
        """Recognise the release at `path`; one folder around the files is looked through.

        Without `films` a file of ratings in one of the layouts is enough. Raises `DataProblem` when there is nothing,
        or nothing that is MovieLens.
        """
        names = _listing(path)
        for prefix in sorted({"", *(f"{PurePosixPath(name).parts[0]}/" for name in names if "/" in name)}):
            inside = frozenset(name.removeprefix(prefix) for name in names if name.startswith(prefix))
            for layout, marks in _MARKS.items():
                needed = marks if films else marks[:1]
                if all(mark in inside or f"{mark}.xz" in inside for mark in needed):
                    return cls(path, layout, prefix, inside)
        wanted = "; ".join(" and ".join(marks if films else marks[:1]) for marks in _MARKS.values())
        raise DataProblem(
            "This is not a MovieLens data set.", fix=f"Name a folder or zip that has {wanted}.", file=str(path)
        )

    def ratings(self) -> Iterator[RatingBlock]:
        """The ratings in the order of the file, a block of a few MiB at a time.

        The columns of a ratings.csv may stand in any order and have others beside them. Raises `DataProblem` where one
        is missing.
        """
        name, _ = _MARKS[self.layout]
        line = 1
        columns: tuple[str, ...] = RATING_COLUMNS
        with self._open(name) as (stream, fraction):
            if self.layout == "csv":
                columns = _columns(stream.readline(), str(self.path / self.prefix / name))
                line = 2
            while block := stream.read(_BLOCK):
                block += stream.readline()
                yield _rating_block(block, self.layout, columns, line, fraction())
                line += block.count(b"\n")

    def films(self) -> tuple[list[Film], int]:
        """Every film, in the order of the file, and how many lines could not be read; none without the file."""
        _, name = _MARKS[self.layout]
        if name not in self.names and f"{name}.xz" not in self.names:
            return [], 0
        text = self._text(name)
        if self.layout == "csv":
            rows = list(csv.reader(io.StringIO(text)))[1:]
            parsed = [_film(row[0], row[1], row[2].split("|")) if len(row) == 3 else None for row in rows]
        elif self.layout == "dat":
            split = [line.split("::") for line in text.splitlines() if line]
            parsed = [_film(row[0], row[1], row[2].split("|")) if len(row) == 3 else None for row in split]
        else:
            genres = [line.split("|")[0] for line in self._text("u.genre").splitlines() if line]
            parsed = [_film_100k(line.split("|"), genres) for line in text.splitlines() if line]
        films = [film for film in parsed if film is not None]
        return films, len(parsed) - len(films)

    def people(self) -> list[Person] | None:
        """Every user, in the order of the file; None where the release has no file of users."""
        if self.layout == "100K" and "u.user" in self.names:
            rows = [line.split("|") for line in self._text("u.user").splitlines() if line]
            return [Person(row[0], int(row[1]), row[2], row[3]) for row in rows]
        if self.layout == "dat" and "users.dat" in self.names:
            rows = [line.split("::") for line in self._text("users.dat").splitlines() if line]
            return [Person(row[0], int(row[2]), row[1], _OCCUPATIONS_1M[int(row[3])]) for row in rows]
        return None

    def _text(self, name: str) -> str:
        with self._open(name) as (stream, _):
            content = stream.read()
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            # 100K and 1M are latin-1; the later releases are UTF-8.
            return content.decode("latin-1")

    def _open(self, name: str) -> _Opened:
        return _Opened(self.path, f"{self.prefix}{name}", packed=name not in self.names)


class _Opened:
    """A file of the release as a stream of plain bytes, with how far it has been read."""

    def __init__(self, path: Path, name: str, *, packed: bool) -> None:
        self.path, self.name, self.packed = path, f"{name}.xz" if packed else name, packed

    def __enter__(self) -> tuple[IO[bytes], Callable[[], float]]:
        self.archive = zipfile.ZipFile(self.path) if self.path.is_file() else None
        if self.archive is None:
            file = self.path / self.name
            self.raw: IO[bytes] = file.open("rb")
            size = file.stat().st_size
        else:
            self.raw = self.archive.open(self.name)
            size = self.archive.getinfo(self.name).file_size
        raw = self.raw
        stream: IO[bytes] = lzma.LZMAFile(raw) if self.packed else raw
        return stream, lambda: raw.tell() / max(size, 1)

    def __exit__(self, *_: object) -> None:
        self.raw.close()
        if self.archive is not None:
            self.archive.close()


def _listing(path: Path) -> list[str]:
    """Names of the files at `path`, two levels deep, relative to it, with `/`."""
    if path.is_dir():
        return [
            file.relative_to(path).as_posix()
            for pattern in ("*", "*/*")
            for file in path.glob(pattern)
            if file.is_file()
        ]
    if not path.is_file():
        raise DataProblem("There is no such file or folder.", fix="Check the path.", file=str(path))
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except zipfile.BadZipFile:
        raise DataProblem(
            "The file is not a zip, or is damaged.",
            fix="Name a MovieLens zip as downloaded, or a folder with its files.",
            file=str(path),
        ) from None


def _columns(header: bytes, file: str) -> tuple[str, ...]:
    """The columns of a ratings.csv by our names, in the order of its header."""
    written = next(csv.reader([header.decode("utf-8-sig", "replace").strip()]), [])
    named = tuple(_OUR_NAMES.get(name.strip().lower(), name) for name in written)
    missing = [name for name in RATING_COLUMNS if named.count(name) != 1]
    if missing:
        raise DataProblem(
            f"The header of ratings.csv must name {', '.join(missing)} once. (found {', '.join(written)!r})",
            fix="Name the columns userId, movieId, rating and timestamp. Events without ratings go into an "
            "interactions.csv with USER_ID, ITEM_ID and TIMESTAMP.",
            file=file,
            line=1,
        )
    return named


def _rating_block(block: bytes, layout: Layout, columns: tuple[str, ...], line: int, fraction: float) -> RatingBlock:
    separator = "," if layout == "csv" else "\t"
    if layout == "dat":
        block = block.replace(b"::", b"\t")
    cells = pl.read_csv(
        block,
        has_header=False,
        separator=separator,
        quote_char='"' if layout == "csv" else None,
        encoding="utf8-lossy",
        truncate_ragged_lines=True,
        schema=dict.fromkeys(columns, pl.String()),
    ).select(RATING_COLUMNS)
    frame = cells.with_columns(
        pl.col("rating").cast(pl.Float64, strict=False),
        pl.col("timestamp").str.strip_chars().cast(pl.Int64, strict=False),
    )
    bad = frame.select(bad=pl.any_horizontal(pl.all().is_null()))["bad"]
    if not bad.any():
        return RatingBlock(frame, 0, None, fraction)
    first = bad.arg_max()
    return RatingBlock(frame.filter(~bad), int(bad.sum()), line + (first or 0), fraction)


def _film(item_id: str, title: str, genres: list[str], released: str = "") -> Film:
    match = _YEAR.search(title)
    year = int(match[1]) if match else _year_of(released)
    named = tuple(genre for genre in genres if genre and genre not in {"(no genres listed)", "unknown"})
    return Film(item_id, title.strip(), named, year)


def _film_100k(row: list[str], genres: list[str]) -> Film | None:
    """`id|title|release date|video date|IMDb|one flag for each genre`."""
    if len(row) != 5 + len(genres):
        return None
    flagged = [genre for genre, flag in zip(genres, row[5:], strict=True) if flag == "1"]
    return _film(row[0], row[1], flagged, row[2])


def _year_of(released: str) -> int | None:
    """The year of a date such as `01-Jan-1995`."""
    try:
        return datetime.strptime(released, "%d-%b-%Y").replace(tzinfo=UTC).year
    except ValueError:
        return None
