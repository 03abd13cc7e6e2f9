"""ID tables: numbers to IDs and back, without a dictionary."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.training.ids import IdTable


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), unique=True, max_size=50))
def test_every_id_is_found_at_its_number(ids: list[str]) -> None:
    table = IdTable.of(ids)
    assert list(table) == ids
    assert [table.find(one) for one in ids] == list(range(len(ids)))
    assert [table[number] for number in range(len(ids))] == ids


def test_an_unknown_id_is_not_found() -> None:
    table = IdTable.of(["a", "b"])
    assert table.find("c") is None
    assert "c" not in table


def test_an_empty_table_finds_nothing() -> None:
    assert IdTable.of([]).find("a") is None


def test_ids_with_equal_hashes_are_told_apart() -> None:
    table = IdTable.of(["a", "b"])
    same = table.tensors() | {"id_hashes": np.repeat(table.tensors()["id_hashes"][:1], 2)}
    clashing = IdTable.from_tensors(same)
    first = clashing[int(same["id_order"][0])]
    assert clashing.find(first) == ["a", "b"].index(first)


def test_tensors_give_the_table_back() -> None:
    table = IdTable.of(["ä", "", "日本"])
    assert list(IdTable.from_tensors(table.tensors())) == ["ä", "", "日本"]


def test_a_slice_gives_ids() -> None:
    assert IdTable.of(["a", "b", "c"])[1:] == ("b", "c")


def test_a_number_outside_the_table_is_an_error() -> None:
    with pytest.raises(IndexError, match="no ID number 2"):
        IdTable.of(["a", "b"])[2]


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), max_size=12), st.lists(st.sampled_from("abcdefgh"), unique=True))
def test_many_ids_are_found_as_each_is(wanted: list[str], ids: list[str]) -> None:
    table = IdTable.of(ids)
    expected = [-1 if (found := table.find(one)) is None else found for one in wanted]
    assert table.find_all(wanted).tolist() == expected


def test_ids_of_one_hash_are_told_apart() -> None:
    table = IdTable.of(["a", "b"])
    tensors = table.tensors()
    same = IdTable.from_tensors({**tensors, "id_hashes": np.full(2, tensors["id_hashes"][0])})
    known = ["a", "b"][int(tensors["id_order"][0])]
    assert same.find_all([known]).tolist() == [same.find(known)]
