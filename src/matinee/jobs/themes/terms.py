"""What items are described by: their categories and the words of their names and texts, counted over the catalogue."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from matinee.data.schemas import Schema
from matinee.models.texts import words
from matinee.serving.dataset_records import DatasetRecords

#: (is it a category?, the category as it was imported or the word in lower case).
Term = tuple[bool, str]
#: Words that carry a theme have so many letters at least, or stand for one character each (Chinese, Japanese).
_SHORTEST_WORD = 3


@dataclass(frozen=True)
class Described:
    """One item: its name, its text, and the terms of both and of its categories."""

    name: str
    text: str
    terms: frozenset[Term]


@dataclass(frozen=True)
class Columns:
    """The columns of Items that describe: one of names, and those that are textual or categorical."""

    name: str
    texts: tuple[str, ...]
    categories: tuple[str, ...]

    @classmethod
    def of(cls, schema: Schema, name: str) -> Self:
        """Those of a schema, the names standing in the column `name`."""
        return cls(
            name=name,
            texts=tuple(field.name for field in schema.fields if field.textual and field.name != name),
            categories=tuple(field.name for field in schema.fields if field.categorical and field.name != name),
        )

    def described(self, item_id: str, row: Mapping[str, Any]) -> Described:
        """An item by its record; without a name its ID stands for that, and is no term."""
        name = row.get(self.name)
        text = " ".join(str(row[column]) for column in self.texts if row.get(column) is not None)
        cells = [str(row[column]) for column in self.categories if row.get(column) is not None]
        categories = {(True, part.strip()) for cell in cells for part in cell.split("|") if part.strip()}
        return Described(str(name or item_id), text, frozenset(categories | _words((name or "", text))))


@dataclass(frozen=True)
class Catalogue:
    """All items of a dataset as background: how many there are, and how many of them have each term."""

    records: DatasetRecords
    columns: Columns
    items: int
    having: Mapping[Term, int]

    @classmethod
    def of(cls, records: DatasetRecords, columns: Columns) -> Self:
        """Count the newest record of every item."""
        names = (columns.name, *columns.texts, *columns.categories)
        having, items = Counter[Term](), 0
        for layer in (records.streamed, records.base):
            older = layer is records.base
            for item_id, *values in zip(layer.ids, *(layer.columns.values(name) for name in names), strict=True):
                if older and item_id in records.streamed.row_of:
                    continue
                having.update(columns.described(item_id, dict(zip(names, values, strict=True))).terms)
                items += 1
        return cls(records, columns, items, having)

    def item(self, item_id: str) -> Described:
        """What is known of an item; of one without a record, its ID."""
        return self.columns.described(item_id, self.records.get(item_id))

    @cached_property
    def categories(self) -> Sequence[tuple[frozenset[str], Term]]:
        """Every category with the words it is spelt in, by the alphabet."""
        return [(frozenset(words(term[1])), term) for term in sorted(self.having) if term[0]]

    def rarity(self, term: Term) -> float:
        """Inverse document frequency, as scikit-learn smooths it; above 0."""
        return math.log((1 + self.items) / (1 + self.having.get(term, 0))) + 1


def terms_of_text(catalogue: Catalogue, text: str) -> frozenset[Term]:
    """The catalogue's terms in a title: its words, and the categories whose words all stand in it."""
    found = _words((text,))
    spoken = {word for _, word in found}
    return frozenset(found | {term for own, term in catalogue.categories if own and own <= spoken})


def relevance(catalogue: Catalogue, items: Sequence[Described], title: str) -> list[float]:
    """How well each item fits a theme: the cosine of its TF-IDF vector with that of the theme, 0 to 1.

    The theme's vector is the unit vector of the title's terms plus the mean of the items' own, so that a title whose
    words no record uses still tells the items in the middle of the list's subject from those at its edge.
    """
    vectors = [_unit(catalogue, item.terms) for item in items]
    theme: defaultdict[Term, float] = defaultdict(float)
    for vector in vectors:
        for term, weight in vector.items():
            theme[term] += weight / len(vectors)
    for term, weight in _unit(catalogue, terms_of_text(catalogue, title)).items():
        theme[term] += weight
    length = math.sqrt(sum(weight * weight for weight in theme.values())) or 1.0
    return [sum(weight * theme[term] for term, weight in vector.items()) / length for vector in vectors]


def _unit(catalogue: Catalogue, terms: Iterable[Term]) -> dict[Term, float]:
    """A vector of length 1 over terms that the catalogue has, in one order whatever the process."""
    weights = {term: catalogue.rarity(term) for term in sorted(terms) if term in catalogue.having}
    length = math.sqrt(sum(weight * weight for weight in weights.values()))
    return {term: weight / length for term, weight in weights.items()}


def _words(texts: Iterable[str]) -> set[Term]:
    found = {word for text in texts for word in words(str(text))}
    return {
        (False, word) for word in found if not word.isdigit() and (len(word) >= _SHORTEST_WORD or ord(word[0]) > 0x2FFF)
    }
