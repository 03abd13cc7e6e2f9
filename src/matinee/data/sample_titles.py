"""Titles of the generated films: a few hundred words in a few patterns make over a million names."""

from __future__ import annotations

import numpy as np


def _words(text: str) -> list[str]:
    return text.split()


_ADJECTIVES = _words(
    "Silent Crimson Hidden Broken Golden Distant Frozen Burning Hollow Restless Gentle Savage Velvet Paper Electric "
    "Lonely Secret Iron Wandering Forgotten Painted Endless Midnight Northern Scarlet Quiet Crooked Shining Lost Wild "
    "Bitter Borrowed Careless Faithful Ordinary Perfect Sleeping Stolen Stubborn Tender Unlikely Winter Second Amber"
)
_NOUNS = _words(
    "Harbor Garden Station Promise Letter Mirror River Shadow Orchard Island Winter Carnival Lighthouse Stranger "
    "Empire Daughter Horizon Bridge Theatre Sparrow Avenue Machine Kingdom Wedding Signal Mountain Detective Piano "
    "Voyage Neighbour Hour Compass Circus Heist Verdict Summer Fugitive Waltz Frontier Ghost Rehearsal Tide "
    "Inheritance Melody Crossing Alibi Pilot Festival Labyrinth Recipe Postman Widow Champion Parade Season Witness"
)
_PLACES = _words(
    "Lisbon Tangier Oslo Kyoto Havana Prague Naples Dakar Quebec Lima Odessa Galway Bruges Samarkand Zanzibar "
    "Trieste Valparaiso Reykjavik Marrakesh Tallinn Cadiz Bergen Porto Cork Malmo Ghent"
)
_NAMES = _words("Ada Bruno Clara Dmitri Esther Felix Greta Hugo Ines Jonas Katya Leo Mina Nils Olga Pavel Rosa Silas")
_PATTERNS = (
    ("{0} {1}", (_ADJECTIVES, _NOUNS)),
    ("The {0} {1}", (_ADJECTIVES, _NOUNS)),
    ("{0} of {1}", (_NOUNS, _PLACES)),
    ("The {0} of {1}", (_NOUNS, _PLACES)),
    ("{0}'s {1}", (_NAMES, _NOUNS)),
    ("{0} and the {1} {2}", (_NAMES, _ADJECTIVES, _NOUNS)),
    ("A {1} for {0}", (_NAMES, _NOUNS)),
    ("The {1} {2} of {0}", (_PLACES, _ADJECTIVES, _NOUNS)),
    ("{1} {2} in {0}", (_PLACES, _ADJECTIVES, _NOUNS)),
)


def titles(count: int, rng: np.random.Generator) -> list[str]:
    """`count` titles, drawn without repetition while the patterns last; then sequels are numbered."""
    seen: dict[str, int] = {}
    made: list[str] = []
    patterns = rng.integers(len(_PATTERNS), size=count)
    words = rng.random((count, 3))
    for number, draws in zip(patterns, words, strict=True):
        pattern, lists = _PATTERNS[number]
        title = pattern.format(*(names[int(draw * len(names))] for names, draw in zip(lists, draws, strict=False)))
        seen[title] = seen.get(title, 0) + 1
        made.append(title if seen[title] == 1 else f"{title} {seen[title]}")
    return made
