"""The JSON of batch outputs."""

from __future__ import annotations

import json

import pytest

from matinee.jobs.answer_json import encoded, output_line


@pytest.mark.parametrize(
    "value", [{"usersList": ['a"b', "ü", "7"], "scores": [0.0152238, 9.3e-06, 0.0]}, 2**70, "\ud800"]
)
def test_values_are_read_as_they_were_written(value: object) -> None:
    assert json.loads(encoded(value)) == value


def test_nothing_stands_between_members() -> None:
    assert encoded({"a": [1, 0.5], "b": None}) == b'{"a":[1,0.5],"b":null}'


def test_a_line_holds_the_input_as_it_came_the_output_and_the_error() -> None:
    assert output_line(b'{"a":  1}', b"{}", None) == b'{"input":{"a":  1},"output":{},"error":null}\n'
    assert json.loads(output_line(b"null", b"{}", 'it said "no"'))["error"] == 'it said "no"'


def test_half_a_surrogate_pair_stays_escaped() -> None:
    assert encoded("\ud800") == b'"\\ud800"'
