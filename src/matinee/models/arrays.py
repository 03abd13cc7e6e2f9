"""Named arrays on disk: written as safetensors, read back as memory maps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from matinee.errors import ArtifactProblem

AnyArray = NDArray[Any]

#: The dtypes of the safetensors format that NumPy has too, little-endian as the format demands.
DTYPES: Mapping[str, str] = {
    "BOOL": "|b1",
    "U8": "|u1",
    "I8": "|i1",
    "U16": "<u2",
    "I16": "<i2",
    "U32": "<u4",
    "I32": "<i4",
    "U64": "<u8",
    "I64": "<i8",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
}
_LENGTH_BYTES = 8


def write_arrays(path: Path, arrays: Mapping[str, AnyArray]) -> None:
    """Write `arrays` to `path` as safetensors."""
    path.write_bytes(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))


def read_arrays(path: Path) -> dict[str, AnyArray]:
    """The arrays that `write_arrays` wrote, read-only and memory-mapped: only what is touched is read.

    Raises `ArtifactProblem` naming the file when it is missing, cut short or not safetensors.
    """
    header, start = _header(path)
    size = path.stat().st_size
    arrays: dict[str, AnyArray] = {}
    for name, entry in header.items():
        try:
            dtype, shape = np.dtype(DTYPES[entry["dtype"]]), tuple(entry["shape"])
            begin, end = (start + offset for offset in entry["data_offsets"])
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactProblem(f"{path}: the entry of array {name!r} cannot be read. Train again.") from error
        if end > size:
            raise ArtifactProblem(f"{path} is cut short: array {name!r} ends at byte {end} of {size}. Train again.")
        if begin == end:
            arrays[name] = np.empty(shape, dtype)
        else:
            # A plain view of the map: indexing `np.memmap` itself costs several times as much.
            arrays[name] = np.memmap(path, dtype, mode="r", offset=begin, shape=shape).view(np.ndarray)
    return arrays


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """The header of a safetensors file and the byte at which its data starts."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
            text = file.read(min(length, path.stat().st_size))
    except FileNotFoundError:
        raise ArtifactProblem(f"{path} is missing. Train again, or restore the file.") from None
    try:
        header = json.loads(text)
    except ValueError:
        raise ArtifactProblem(f"{path} is not a safetensors file, or is cut short. Train again.") from None
    if not isinstance(header, dict):
        raise ArtifactProblem(f"{path} is not a safetensors file. Train again.")
    header.pop("__metadata__", None)
    return header, _LENGTH_BYTES + length
