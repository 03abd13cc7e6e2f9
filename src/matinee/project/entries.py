"""YAML as a tree of values that know their file, line and key; and laying one such tree over another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from matinee.project.problems import Place, ProjectProblem, choose_from


@dataclass(frozen=True)
class Entry:
    """One value: a mapping or a sequence of entries, or a scalar. `text` is a scalar as it was written.

    Keys are always the text that was written (`no` and `1` are names here, not values).
    """

    place: Place
    value: Any
    text: str = ""

    @property
    def members(self) -> Mapping[str, Entry]:
        """The members of a mapping; raises `ProjectProblem` for anything else."""
        if isinstance(self.value, dict):
            return self.value
        if self.value is None:
            return {}
        raise ProjectProblem.of(self.place, f"A mapping belongs here, not {self.shown}.", "Write `key: value` lines.")

    @property
    def string(self) -> str:
        """A scalar's text as written, so that `1`, `yes` or `0.50` stay what the user typed."""
        if self.value is None or isinstance(self.value, dict | tuple):
            raise ProjectProblem.of(self.place, f"A text belongs here, not {self.shown}.", "Write one value.")
        return self.text

    @property
    def shown(self) -> str:
        """What the value is, for messages."""
        match self.value:
            case dict():
                return "a mapping"
            case tuple():
                return "a list"
            case None:
                return "nothing"
            case _:
                return repr(self.text)

    def known(self, *keys: str) -> Mapping[str, Entry]:
        """The members; raises `ProjectProblem` for one whose key is none of `keys`."""
        for key, entry in self.members.items():
            if key not in keys:
                raise ProjectProblem.of(entry.place, f"Unknown key {key!r}.", choose_from(key, keys))
        return self.members


def read_entries(path: Path) -> Entry:
    """The YAML file at `path` as entries. Raises `ProjectProblem` for what is not YAML, and for a key given twice."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ProjectProblem.of(Place(str(path), 1), "There is no such file.", "Give the path of the file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectProblem.of(Place(str(path), 1), f"It cannot be read: {error}.", "Save it as UTF-8.") from None
    return parse_entries(text, str(path))


def parse_entries(text: str, file: str) -> Entry:
    """YAML text as entries; `file` is the name that messages show."""
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ProjectProblem.of(
            Place(file, line), f"This is not YAML: {error.problem or error.context}.", "Mend the line."
        ) from None
    except yaml.YAMLError as error:
        raise ProjectProblem.of(Place(file, 1), f"This is not YAML: {error}.", "Save it as plain UTF-8 text.") from None
    if node is None:
        raise ProjectProblem.of(Place(file, 1), "The file is empty.", "Begin with `datasetGroup:` and a name.")
    return _Reading(loader, file).entry(node, Place(file, node.start_mark.line + 1), ())


def overlay(base: Entry, above: Entry) -> Entry:
    """`above` laid over `base`: mappings member by member; an empty value (null) takes the member out."""
    if not (isinstance(base.value, dict) and isinstance(above.value, dict)):
        return above
    merged: dict[str, Entry] = dict(base.value)
    for key, entry in above.value.items():
        if entry.value is None:
            merged.pop(key, None)
        else:
            merged[key] = overlay(merged[key], entry) if key in merged else entry
    return Entry(base.place, merged)


class _Reading:
    """Turns YAML nodes into entries."""

    def __init__(self, loader: yaml.SafeLoader, file: str) -> None:
        self._loader = loader
        self._file = file

    def entry(self, node: yaml.Node, place: Place, above: tuple[yaml.Node, ...]) -> Entry:
        if any(node is one for one in above):
            raise ProjectProblem.of(place, "An alias contains itself.", "Write the value out.")
        match node:
            case yaml.MappingNode():
                return Entry(place, self._mapping(node, place, (*above, node)))
            case yaml.SequenceNode():
                items = (
                    self.entry(item, place.below(str(number), item.start_mark.line + 1), (*above, node))
                    for number, item in enumerate(node.value)
                )
                return Entry(place, tuple(items))
            case _:
                return Entry(place, self._scalar(node, place), str(node.value))

    def _mapping(self, node: yaml.MappingNode, place: Place, above: tuple[yaml.Node, ...]) -> dict[str, Entry]:
        first: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise ProjectProblem.of(Place(self._file, line, place.key), "A key must be a text.", "Name it.")
            if key.value in first and key.value != "<<":
                raise ProjectProblem.of(
                    place.below(key.value, line),
                    f"The key is given twice, first in line {first[key.value]}.",
                    "Keep one of them.",
                )
            first[key.value] = line
        self._loader.flatten_mapping(node)  # `<<`, after which a key may stand twice: the later one counts
        return {
            key.value: self.entry(value, place.below(key.value, key.start_mark.line + 1), above)
            for key, value in node.value
        }

    def _scalar(self, node: yaml.Node, place: Place) -> Any:
        try:
            return self._loader.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            reason = getattr(error, "problem", None) or str(error)
            raise ProjectProblem.of(place, f"The value cannot be read: {reason}.", "Put it in quotes.") from None
