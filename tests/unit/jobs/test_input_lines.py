"""Input lines: whatever a line is, the next one begins where it should."""

from __future__ import annotations

import io

from matinee.jobs.input_lines import LONGEST_LINE, chunks, read_lines


class _Unseekable(io.BytesIO):
    def seekable(self) -> bool:
        return False


def test_lines_are_values_and_keep_their_text() -> None:
    first, second = read_lines(io.BytesIO(b'\xef\xbb\xbf{"a": 1}\r\n\n  \n[2]'), 0)
    assert (first.value, first.echo) == ({"a": 1}, b'{"a": 1}')
    assert (second.value, second.error) == ([2], None)


def test_reading_goes_on_where_a_line_ended() -> None:
    content = b'{"a":1}\n\n{"b":2}\n{"c":3}\n'
    lines = list(read_lines(io.BytesIO(content), 0))
    for stream in (io.BytesIO(content), _Unseekable(content)):
        assert list(read_lines(stream, lines[0].end)) == lines[1:]
    assert lines[-1].end == len(content)


def test_what_is_not_json_is_told_and_passed_over() -> None:
    content = b"{\nNaN\n\xff\n" + b"[" * 100_000 + b"\n1\n"
    *bad, good = read_lines(io.BytesIO(content), 0)
    assert all(str(line.error).startswith("User error: the line is not valid JSON") for line in bad)
    assert [line.echo for line in bad[:3]] == [b'"{"', b'"NaN"', '"\ufffd"'.encode()]
    assert good.value == 1


def test_a_line_that_is_too_long_is_not_held_in_memory_and_the_next_is_read() -> None:
    long, good = read_lines(io.BytesIO(b"x" * (3 * LONGEST_LINE) + b"\n7\n"), 0)
    assert "longer than" in str(long.error)
    assert (long.echo, good.value) == (b"null", 7)


def test_chunks_are_of_one_size_but_for_the_last() -> None:
    lines = read_lines(io.BytesIO(b"1\n2\n3\n4\n5\n"), 0)
    assert [[line.value for line in chunk] for chunk in chunks(lines, 2)] == [[1, 2], [3, 4], [5]]
