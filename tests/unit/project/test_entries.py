"""YAML with its lines, and environments laid over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from matinee.project.entries import Entry, overlay, parse_entries, read_entries
from matinee.project.problems import ProjectProblem


def plain(entry: Entry) -> object:
    """The values alone."""
    if isinstance(entry.value, dict):
        return {key: plain(one) for key, one in entry.value.items()}
    if isinstance(entry.value, tuple):
        return [plain(one) for one in entry.value]
    return entry.value


def test_a_member_knows_its_line_and_its_path() -> None:
    root = parse_entries("campaigns:\n  home:\n    minProvisionedTPS: 1\n", "m.yaml")
    entry = root.members["campaigns"].members["home"].members["minProvisionedTPS"]
    assert str(entry.place) == "m.yaml:3 campaigns.home.minProvisionedTPS"


def test_a_scalar_keeps_how_it_was_written() -> None:
    root = parse_entries("a: 0.50\nb: no\n", "m.yaml")
    assert (root.members["a"].string, root.members["b"].string) == ("0.50", "no")


def test_keys_are_names_whatever_yaml_makes_of_them() -> None:
    assert list(parse_entries("no: 1\n2: x\n", "m.yaml").members) == ["no", "2"]


def test_a_key_given_twice_is_refused_with_both_lines() -> None:
    with pytest.raises(ProjectProblem, match=r"m\.yaml:3 a: The key is given twice, first in line 1"):
        parse_entries("a: 1\nb: 2\na: 3\n", "m.yaml")


def test_anchors_and_merge_keys_work() -> None:
    text = "base: &base {x: 1, y: 2}\nother:\n  <<: *base\n  y: 3\n"
    assert plain(parse_entries(text, "m.yaml").members["other"]) == {"x": 1, "y": 3}


def test_an_alias_within_itself_is_refused() -> None:
    with pytest.raises(ProjectProblem, match="alias contains itself"):
        parse_entries("a: &a\n  b: *a\n", "m.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1, 2\nb: 3\n", r"m\.yaml:2: This is not YAML"),
        ("", r"m\.yaml:1: The file is empty"),
        ("a: 2024-99-99\n", r"m\.yaml:1 a: The value cannot be read"),
        ("? [a]\n: 1\n", "A key must be a text"),
        ("a: \x00\n", "This is not YAML"),
        ("a: !!python/object:os.system x\n", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ProjectProblem, match=said):
        parse_entries(text, "m.yaml")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectProblem, match="There is no such file"):
        read_entries(tmp_path / "none.yaml")


def test_an_overlay_changes_members_and_null_takes_them_out() -> None:
    base = parse_entries("a: {x: 1, y: 2}\nb: 3\n", "m.yaml")
    above = parse_entries("a: {y: 5}\nb:\nc: 6\n", "m.yaml")
    assert plain(overlay(base, above)) == {"a": {"x": 1, "y": 5}, "c": 6}


def test_a_list_is_replaced_whole() -> None:
    merged = overlay(parse_entries("a: [1, 2]\n", "m.yaml"), parse_entries("a: [3]\n", "m.yaml"))
    assert plain(merged) == {"a": [3]}
