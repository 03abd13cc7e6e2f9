"""Matinee's own titles, without a language model: the terms that a list has more often than the catalogue.

Terms are compared by log-odds with an informative Dirichlet prior, the catalogue itself: B. Monroe, M. Colaresi,
K. Quinn, "Fightin' Words: Lexical Feature Selection and Evaluation for Identifying the Content of Political Conflict",
Political Analysis 16 (2008), equations 15 to 22. The same list of the same catalogue always has the same title.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from matinee.jobs.themes.terms import Catalogue, Described, Term
from matinee.models.texts import words

#: A term is in a title when it stands out by so many standard deviations, and this part of the list has it.
_STANDS_OUT, _PART = 1.0, 1 / 3
#: The prior counts as many items as this, spread over terms as the catalogue has them.
_PRIOR_ITEMS = 10.0
_MOST_CATEGORIES, _MOST_WORDS = 2, 2
_LONGEST_CATEGORY = 40


def title_of(catalogue: Catalogue, items: Sequence[Described]) -> str:
    """A title for some items, at least one, in English: `Animation and Children's: toy`.

    Categories come first, then words. Where nothing stands out, what most of the items have; else `Like <name>`.
    """
    telling = _telling(catalogue, items)
    categories = [term for is_category, term in telling if is_category][:_MOST_CATEGORIES]
    spoken = {word for category in categories for word in words(category)}
    single = [term for is_category, term in telling if not is_category and term not in spoken]
    named = " and ".join(categories)
    if named:
        return f"{named}: {single[0]}" if single else named
    if single:
        return " and ".join(single[:_MOST_WORDS]).capitalize()
    return f"Like {items[0].name[:60]}"


def _telling(catalogue: Catalogue, items: Sequence[Described]) -> list[Term]:
    """The terms that enough of the items have and that stand out, most telling first, equals by the alphabet."""
    having = Counter(term for item in items for term in item.terms)
    least = max(2, math.ceil(len(items) * _PART)) if len(items) > 1 else 1
    shared = [
        term for term, count in having.items() if count >= least and (not term[0] or len(term[1]) <= _LONGEST_CATEGORY)
    ]
    scores = {term: _z(having[term], len(items), catalogue.having.get(term, 0), catalogue.items) for term in shared}
    telling = [term for term in shared if scores[term] >= _STANDS_OUT]
    return sorted(telling, key=lambda term: (-scores[term], term))


def _z(inside: int, items: int, overall: int, catalogue: int) -> float:
    """By how many standard deviations the log-odds of a term in the list lie above those outside of it."""
    outside, others = max(0, overall - inside), max(0, catalogue - items)
    prior = _PRIOR_ITEMS * (overall + 0.5) / (catalogue + 1)
    odds = math.log((inside + prior) / (items - inside + _PRIOR_ITEMS - prior + 0.5))
    base = math.log((outside + prior) / (others - outside + _PRIOR_ITEMS - prior + 0.5))
    return (odds - base) / math.sqrt(1 / (inside + prior) + 1 / (outside + prior))
