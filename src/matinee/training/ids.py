"""IDs as arrays: a blob of UTF-8 bytes with offsets, found by a sorted hash without building a dictionary."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from matinee.models.arrays import AnyArray

_HASH_BYTES = 8


def _hash(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=_HASH_BYTES).digest(), "little")


class IdTable(Sequence[str]):
    """The IDs of numbered things: `table[3]` is the ID of thing 3, `table.find("i42")` its number or None.

    Arrays: `blob` (bytes,) uint8; `offsets` (n + 1,) int64 into it; `hashes` (n,) uint64 ascending; `order` (n,) int32,
    the number behind each hash. All may be memory-mapped; a look-up touches a few pages.
    """

    def __init__(
        self, blob: NDArray[np.uint8], offsets: NDArray[np.int64], hashes: NDArray[np.uint64], order: NDArray[np.int32]
    ) -> None:
        self._blob, self._offsets, self._hashes, self._order = blob, offsets, hashes, order

    @classmethod
    def of(cls, ids: Sequence[str]) -> IdTable:
        """The table of `ids`, which are distinct, in their order."""
        encoded = [text.encode() for text in ids]
        offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
        hashes = np.fromiter(map(_hash, encoded), dtype=np.uint64, count=len(encoded))
        order = np.argsort(hashes, kind="stable").astype(np.int32)
        return cls(np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets, hashes[order], order)

    def tensors(self) -> dict[str, AnyArray]:
        """The arrays to store; `from_tensors` gives the table back."""
        return {"ids": self._blob, "id_offsets": self._offsets, "id_hashes": self._hashes, "id_order": self._order}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, AnyArray]) -> IdTable:
        """The table that `tensors` stored."""
        return cls(tensors["ids"], tensors["id_offsets"], tensors["id_hashes"], tensors["id_order"])

    def find(self, wanted: str) -> int | None:
        """The number of an ID, or None."""
        content = wanted.encode()
        key = np.uint64(_hash(content))
        place = int(np.searchsorted(self._hashes, key))
        while place < len(self._hashes) and self._hashes[place] == key:
            number = int(self._order[place])
            if self._bytes(number) == content:
                return number
            place += 1
        return None

    def find_all(self, wanted: Sequence[str]) -> NDArray[np.int64]:
        """The number of each ID (len(wanted),), -1 where there is none."""
        contents = [text.encode() for text in wanted]
        keys = np.fromiter(map(_hash, contents), dtype=np.uint64, count=len(contents))
        found = np.full(len(contents), -1, np.int64)
        if not len(self._hashes):
            return found
        places = np.minimum(np.searchsorted(self._hashes, keys), len(self._hashes) - 1)
        for row in np.flatnonzero(self._hashes[places] == keys).tolist():
            number = int(self._order[places[row]])
            if self._bytes(number) != contents[row]:  # two IDs of one hash: so rare that the long way will do
                number = -1 if (other := self.find(wanted[row])) is None else other
            found[row] = number
        return found

    def _bytes(self, number: int) -> bytes:
        return self._blob[self._offsets[number] : self._offsets[number + 1]].tobytes()

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[str]:
        content, offsets = self._blob.tobytes(), self._offsets.tolist()
        return (content[begin:end].decode() for begin, end in itertools.pairwise(offsets))

    def __contains__(self, wanted: object) -> bool:
        return isinstance(wanted, str) and self.find(wanted) is not None

    @overload
    def __getitem__(self, number: int) -> str: ...
    @overload
    def __getitem__(self, number: slice) -> tuple[str, ...]: ...
    def __getitem__(self, number: int | slice) -> str | tuple[str, ...]:
        if isinstance(number, slice):
            return tuple(self._bytes(one).decode() for one in range(*number.indices(len(self))))
        if not -len(self) <= number < len(self):
            raise IndexError(f"There is no ID number {number}; the table holds {len(self)}.")
        return self._bytes(number % len(self)).decode()
