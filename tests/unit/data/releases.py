"""Tiny MovieLens releases in every layout, for the tests."""

from __future__ import annotations

import lzma
import zipfile
from pathlib import Path

RATINGS = [("1", "10", "5", "100"), ("1", "20", "2", "90"), ("2", "10", "4", "200"), ("2", "30", "1", "300")]


def release_100k(folder: Path) -> Path:
    """u.data and its companions, latin-1."""
    folder.mkdir(parents=True)
    (folder / "u.data").write_text("".join("\t".join(row) + "\n" for row in RATINGS))
    (folder / "u.genre").write_text("unknown|0\nDrama|1\nWar|2\n\n")
    (folder / "u.item").write_bytes(
        "10|Amélie (2001)|01-Feb-2001||http://x|0|1|0\n"
        "20|Untitled|15-Mar-1997||http://x|0|1|1\n"
        "30|unknown||||1|0|0\n".encode("latin-1")
    )
    (folder / "u.user").write_text("1|24|M|technician|85711\n2|53|F|other|94043\n")
    return folder


def release_1m(folder: Path, *, packed: bool = False, people: bool = True) -> Path:
    """ratings.dat (or ratings.dat.xz), movies.dat, users.dat; latin-1."""
    folder.mkdir(parents=True)
    ratings = "".join("::".join(row) + "\n" for row in RATINGS).encode()
    if packed:
        (folder / "ratings.dat.xz").write_bytes(lzma.compress(ratings))
    else:
        (folder / "ratings.dat").write_bytes(ratings)
    (folder / "movies.dat").write_bytes(
        "10::Amélie (2001)::Drama|Romance\n20::Ran (1985)::War\n30::M (1931)::Crime\n".encode("latin-1")
    )
    if people:
        (folder / "users.dat").write_text("1::F::1::10::48067\n2::M::56::16::70072\n")
    return folder


def release_csv(folder: Path) -> Path:
    """ratings.csv and movies.csv, UTF-8."""
    folder.mkdir(parents=True)
    lines = ["userId,movieId,rating,timestamp", *(",".join(row) for row in RATINGS)]
    (folder / "ratings.csv").write_text("\n".join(lines) + "\n")
    (folder / "movies.csv").write_text(
        "movieId,title,genres\n"
        '10,"Fabuleux destin, Le (2001)",Comedy|Romance\n'
        '20,"""Great"" Cats (1998) ",Musical\n'
        "30,Death Note (2006\u20132007),(no genres listed)\n"
        "40,Babylon 5,Sci-Fi\n",
        encoding="utf-8",
    )
    return folder


def zipped(folder: Path, *, top: str = "") -> Path:
    """The folder as a zip beside it, its files under `top`."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"{top}{file.name}")
    return path
