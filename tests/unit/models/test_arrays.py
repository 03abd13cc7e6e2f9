"""Arrays on disk come back equal, memory-mapped, and damage is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from matinee.errors import ArtifactProblem
from matinee.models.arrays import AnyArray, read_arrays, write_arrays

ARRAYS: dict[str, AnyArray] = {
    "floats": np.arange(6, dtype=np.float32).reshape(2, 3),
    "numbers": np.array([1, -2], np.int64),
    "flags": np.array([True, False]),
    "small": np.array([3], np.int16),
    "nothing": np.zeros((0, 4), np.float32),
}


def test_arrays_come_back_equal(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a.safetensors", ARRAYS)
    found = read_arrays(tmp_path / "a.safetensors")
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_arrays_are_mapped_and_read_only(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a.safetensors", ARRAYS)
    floats = read_arrays(tmp_path / "a.safetensors")["floats"]
    assert isinstance(floats.base, np.memmap)
    assert not floats.flags.writeable


def test_the_format_is_what_safetensors_reads(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a.safetensors", ARRAYS)
    np.testing.assert_array_equal(load_file(tmp_path / "a.safetensors")["floats"], ARRAYS["floats"])


def test_a_transposed_array_is_written_as_it_reads(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a.safetensors", {"t": ARRAYS["floats"].T})
    np.testing.assert_array_equal(read_arrays(tmp_path / "a.safetensors")["t"], ARRAYS["floats"].T)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactProblem, match=r"gone\.safetensors is missing"):
        read_arrays(tmp_path / "gone.safetensors")


@pytest.mark.parametrize("left", [0, 5, 40, -1])
def test_a_file_cut_short_is_named(tmp_path: Path, left: int) -> None:
    path = tmp_path / "a.safetensors"
    write_arrays(path, ARRAYS)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(ArtifactProblem, match=r"a\.safetensors"):
        read_arrays(path)


@pytest.mark.parametrize(
    "header", [b"[]", b'{"x": {"dtype": "F8", "shape": [1], "data_offsets": [0, 1]}}', b'{"x": 3}']
)
def test_a_strange_header_is_refused(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 8)
    with pytest.raises(ArtifactProblem, match=r"a\.safetensors"):
        read_arrays(path)
