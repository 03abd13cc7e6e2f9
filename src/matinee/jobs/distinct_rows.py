"""Rows that are there once, or the newest of each thing, out of more rows than memory holds.

The rows pass by twice. First a fingerprint of each goes to one of many files by its value, so that equal rows meet in
the same file; one file at a time says which of its rows are kept. Then the kept ones are given out in their order.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl
from numpy.typing import NDArray

#: Files of fingerprints: 100 million rows are 400,000 a file, which take 26 MB while they are sorted.
_FILES = 256
#: Fingerprint of 128 bits, when the row was stored, its number.
_ROW = np.dtype([("high", "<u8"), ("low", "<u8"), ("since", "<i8"), ("number", "<i8")])

Batches = Callable[[], Iterator[pl.DataFrame]]


@dataclass(frozen=True)
class Choice:
    """Rows that agree in `same` are one row: the first of them is kept or, with `newest_by` a column of times, the one
    of the latest time, of equal times the last.
    """

    same: Sequence[str]
    newest_by: str | None = None


def chosen_rows(batches: Batches, choice: Choice, folder: Path) -> Iterator[pl.DataFrame]:
    """The kept rows of `batches()`, which is called twice and gives the same rows, in their order and in batches.

    `folder` is made anew for the fingerprints, 32 bytes a row, and removed. Two rows that differ pass for one with a
    chance of 2⁻¹²⁸, by fingerprints that nobody can foresee.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    seeds = secrets.randbits(63), secrets.randbits(63)
    count = 0
    with ExitStack() as files:
        opened: dict[int, IO[bytes]] = {}
        for batch in batches():
            for number, rows in _by_file(_fingerprints(batch, choice, seeds, count)):
                if number not in opened:
                    opened[number] = files.enter_context((folder / f"{number:03}").open("wb"))
                opened[number].write(rows.tobytes())
            count += len(batch)
    if not count:
        shutil.rmtree(folder)
        return
    kept = np.memmap(folder / "kept", dtype=np.bool_, mode="w+", shape=(count,))
    for number in sorted(opened):
        kept[_kept(np.fromfile(folder / f"{number:03}", dtype=_ROW), newest=choice.newest_by is not None)] = True
    begin = 0
    for batch in batches():
        keep = np.array(kept[begin : begin + len(batch)])
        begin += len(batch)
        yield batch.filter(pl.Series(keep))
    shutil.rmtree(folder)


def _fingerprints(batch: pl.DataFrame, choice: Choice, seeds: tuple[int, int], first: int) -> NDArray[np.void]:
    """A `_ROW` for each row (len(batch),); the first has the number `first`."""
    rows = np.zeros(len(batch), _ROW)
    own = batch.select(choice.same)
    rows["high"], rows["low"] = (own.hash_rows(seed).to_numpy() for seed in seeds)
    rows["number"] = np.arange(first, first + len(batch))
    if choice.newest_by is not None:
        rows["since"] = batch[choice.newest_by].to_numpy()
    return rows


def _by_file(rows: NDArray[np.void]) -> Iterator[tuple[int, NDArray[np.void]]]:
    """The rows of each file that gets any."""
    places = (rows["high"] % _FILES).astype(np.int64)
    order = np.argsort(places, kind="stable")
    begins = np.searchsorted(places[order], np.arange(_FILES + 1))
    for number in np.flatnonzero(np.diff(begins)).tolist():
        yield number, rows[order[begins[number] : begins[number + 1]]]


def _kept(rows: NDArray[np.void], *, newest: bool) -> NDArray[np.int64]:
    """The numbers of the rows that are kept."""
    order = np.lexsort((rows["number"], rows["since"], rows["low"], rows["high"]))
    high, low = rows["high"][order], rows["low"][order]
    changes = np.flatnonzero((high[1:] != high[:-1]) | (low[1:] != low[:-1]))
    places = np.concatenate([changes, [len(rows) - 1]]) if newest else np.concatenate([[0], changes + 1])
    numbers: NDArray[np.int64] = rows["number"][order[places]]
    return numbers
