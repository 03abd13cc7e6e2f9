"""The JSON of batch outputs is what an encoder writes of the whole."""

from __future__ import annotations

import json

import pytest

from matinee.jobs.answer_json import ListWriter, encoded, output_line


@pytest.mark.parametrize("scores", [None, [], [0.0152238, 9.3e-06, 0.0]])
def test_lists_are_written_as_the_encoder_writes_them(scores: list[float] | None) -> None:
    ids = ['a"b', "ü", "7"][: None if scores is None else len(scores)]
    whole = {"usersList": ids, **({} if scores is None else {"scores": scores})}
    writer = ListWriter("usersList")
    assert writer.text(ids, scores) == encoded(whole)
    assert writer.text(ids, scores) == encoded(whole)  # from what is kept


def test_a_line_holds_the_input_as_it_came_the_output_and_the_error() -> None:
    assert output_line(b'{"a":  1}', b"{}", None) == b'{"input":{"a":  1},"output":{},"error":null}\n'
    assert json.loads(output_line(b"null", b"{}", 'it said "no"'))["error"] == 'it said "no"'


def test_half_a_surrogate_pair_stays_escaped() -> None:
    assert encoded("\ud800") == b'"\\ud800"'
