"""The generated sample: films with a long tail and users whose taste drifts, in the shape of a MovieLens release.

Every film belongs to one of a few circles (films that the same people like, in an order in which they are often
watched). A user stays in a circle for an evening, often going on with a film soon after the last one, and then moves to
a circle that is near in taste, or back to an earlier one. What was watched last therefore says more about the next film
than popularity or the whole history does, as in real logs.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.interactions import InteractionLog, Interactions, LongArray
from matinee.data.sample_titles import titles

GENRES = (
    *("Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama", "Fantasy", "Horror"),
    *("Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
_START = int(datetime(2021, 1, 1, tzinfo=UTC).timestamp())
_END = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
_LAST_YEAR = 2020
# Of all choices: a film soon after the last one, any film of the circle, any film at all.
_GOES_ON, _STAYS = 0.40, 0.40
# How often an evening returns to the circle of the evening before last.
_RETURNS = 0.35
# Choices for each rating wanted: those that repeat an earlier one are dropped.
_SPARE = 1.6
_EVENING = 7
_FEWEST = 20
_DAY = 86_400


@dataclass(frozen=True)
class Sample:
    """A generated data set. `ratings`: userId, movieId (Int64), rating (Float64, halves), timestamp (Int64, epoch
    seconds), by user and then time. `films`: movieId, title (with the year), genres (joined by `|`)."""

    ratings: pl.DataFrame
    films: pl.DataFrame

    def write(self, folder: Path) -> Path:
        """Write ratings.csv and movies.csv as a MovieLens release has them; returns the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        self.ratings.write_csv(folder / "ratings.csv")
        with (folder / "movies.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.films.columns)
            writer.writerows(self.films.iter_rows())
        return folder

    def log(self) -> InteractionLog:
        """The ratings as an interaction log of `watch` events with EVENT_VALUE = rating; IDs as in the files."""
        user_ids, user = np.unique(self.ratings["userId"].to_numpy(), return_inverse=True)
        item_ids, item = np.unique(self.ratings["movieId"].to_numpy(), return_inverse=True)
        return InteractionLog(
            interactions=Interactions.of(
                user.astype(np.int32),
                item.astype(np.int32),
                self.ratings["timestamp"].to_numpy(),
                n_users=len(user_ids),
                n_items=len(item_ids),
                event_type=np.zeros(len(user), dtype=np.int16),
                value=self.ratings["rating"].cast(pl.Float32).to_numpy(),
            ),
            user_ids=tuple(map(str, user_ids)),
            item_ids=tuple(map(str, item_ids)),
            event_types=("watch",),
        )


def generate_sample(*, users: int = 600, films: int = 800, ratings: int = 60_000, seed: int = 0) -> Sample:
    """A data set of about `ratings` ratings by `users` users of `films` films; the same arguments give the same rows.

    Nobody rates a film twice, so the number of ratings falls short when users x films leaves little room.
    Raises `ValueError` for fewer than 1 user, 20 films or 1 rating.
    """
    if users < 1 or films < _FEWEST or ratings < 1:
        raise ValueError(f"A sample needs at least 1 user, {_FEWEST} films and 1 rating.")
    rng = np.random.default_rng(seed)
    shelf = _Shelf.build(films, rng)
    lengths = _lengths(users, films, ratings, rng)
    steps = (lengths * _SPARE).astype(np.int64) + _EVENING
    user = np.repeat(np.arange(users), steps)
    step = _places(user, users)
    film = shelf.choose(step, _circles(step, shelf.nearness, rng), rng)
    kept = np.flatnonzero(pl.Series(user * films + film).is_first_distinct().to_numpy())
    kept = kept[_places(user[kept], users) < lengths[user[kept]]]
    user, film, evening = user[kept], film[kept], step[kept] // _EVENING
    frame = pl.DataFrame(
        {
            "userId": user + 1,
            "movieId": shelf.numbers[film],
            "rating": _opinions(user, film, users, shelf, rng),
            "timestamp": _times(user, evening, rng),
        }
    )
    return Sample(frame.sort("userId", "timestamp", maintain_order=True), shelf.catalogue(rng).sort("movieId"))


@dataclass(frozen=True)
class _Shelf:
    """The films: their circles, in the order of watching, with the weight of each film (its share of the audience).

    `circle` (films,) ascending; `starts` and `sizes` (circles,) delimit them; `mass` (films,) is the running total of
    the weights; `nearness` (circles, circles) holds the running totals of the chances to move, row by row; `numbers`
    (films,) are the films' IDs, which say nothing about their circles.
    """

    numbers: LongArray
    circle: LongArray
    starts: LongArray
    sizes: LongArray
    mass: NDArray[np.float64]
    nearness: NDArray[np.float64]
    quality: NDArray[np.float64]
    genre_shares: NDArray[np.float64]

    @classmethod
    def build(cls, films: int, rng: np.random.Generator) -> _Shelf:
        circles = max(2, round(films**0.5 / 1.2))
        circle = np.sort(rng.integers(circles, size=films))
        circle = np.unique(circle, return_inverse=True)[1].astype(np.int64)
        sizes = np.bincount(circle)
        weight = (rng.permutation(films) + 10.0) ** -1.0
        # Inside a circle, films of like popularity are neighbours, so that going on keeps the long tail.
        order = np.lexsort((-weight * rng.lognormal(0, 0.5, films), circle))
        taste = rng.dirichlet(np.full(len(GENRES), 0.12), size=len(sizes))
        near = taste @ taste.T + 0.02
        np.fill_diagonal(near, 0.0)
        near = np.cumsum(near * rng.lognormal(0, 1.0, near.shape), axis=1)
        return cls(
            numbers=rng.permutation(films) + 1,
            circle=circle,
            starts=np.cumsum(sizes) - sizes,
            sizes=sizes,
            mass=np.cumsum(weight[order]),
            nearness=near / near[:, -1:],
            quality=rng.normal(0, 0.45, films),
            genre_shares=taste,
        )

    def choose(self, step: LongArray, circle: LongArray, rng: np.random.Generator) -> LongArray:
        """One film for each step (n,): drawn from the circle or from all, or the one after the last in the circle."""
        draw = rng.random(len(step))
        whole = rng.random(len(step)) < (1 - _GOES_ON - _STAYS) / (1 - _GOES_ON)
        low = np.where(whole, 0.0, np.concatenate([[0.0], self.mass])[self.starts[circle]])
        high = np.where(whole, self.mass[-1], self.mass[self.starts[circle] + self.sizes[circle] - 1])
        film = np.searchsorted(self.mass, low + draw * (high - low), side="right").clip(max=len(self.mass) - 1)
        moved = np.concatenate([[True], circle[1:] != circle[:-1]]) | (step == 0)
        fresh = moved | (rng.random(len(step)) >= _GOES_ON)
        anchor = np.maximum.accumulate(np.where(fresh, np.arange(len(step)), 0))
        ahead = np.cumsum(rng.geometric(0.5, len(step)))
        home = self.circle[film[anchor]]
        place = film[anchor] - self.starts[home] + ahead - ahead[anchor]
        chosen: LongArray = self.starts[home] + place % self.sizes[home]
        return chosen

    def catalogue(self, rng: np.random.Generator) -> pl.DataFrame:
        """Titles, years and genres; a film's genres are drawn from its circle's."""
        films = len(self.circle)
        years = (_LAST_YEAR - rng.exponential(14, films).astype(np.int64)).clip(1925)
        scores = np.log(self.genre_shares[self.circle] + 1e-4) + rng.gumbel(size=(films, len(GENRES)))
        ranked = np.argsort(-scores, axis=1)
        counts = rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2], size=films)
        return pl.DataFrame(
            {
                "movieId": self.numbers,
                "title": [f"{title} ({year})" for title, year in zip(titles(films, rng), years, strict=True)],
                "genres": [
                    "|".join(sorted(GENRES[genre] for genre in row[:count]))
                    for row, count in zip(ranked, counts, strict=True)
                ],
            }
        )


def _lengths(users: int, films: int, ratings: int, rng: np.random.Generator) -> LongArray:
    """How many films each user rates (users,): log-normal, at least 20 where the numbers allow it."""
    share = rng.lognormal(0, 0.9, users)
    fewest = min(_FEWEST, max(1, ratings // users))
    spare = max(ratings - fewest * users, 0)
    lengths: LongArray = (fewest + share / share.sum() * spare).clip(max=films).astype(np.int64)
    return lengths


def _places(user: LongArray, users: int) -> LongArray:
    """Each row's place (n,) among the rows of its user, from 0; `user` ascends."""
    counts = np.bincount(user, minlength=users)
    return np.arange(len(user)) - np.repeat(np.cumsum(counts) - counts, counts)


def _circles(step: LongArray, nearness: NDArray[np.float64], rng: np.random.Generator) -> LongArray:
    """The circle of each step (n,): a walk from circle to near circle, a move after each evening."""
    first = np.flatnonzero(step % _EVENING == 0)
    begins = np.flatnonzero(step[first] == 0)
    lengths = np.diff(np.append(begins, len(first)))
    draws, returns = rng.random(len(first)), rng.random(len(first)) < _RETURNS
    circles = len(nearness)
    walk = np.zeros(len(first), dtype=np.int64)
    # All users take their n-th step of the walk together.
    for number in range(int(lengths.max())):
        at = begins[lengths > number] + number
        if number == 0:
            walk[at] = (draws[at] * circles).astype(np.int64)
        else:
            near = (nearness[walk[at - 1]] < draws[at, None]).sum(axis=1).clip(max=circles - 1)
            walk[at] = np.where(returns[at], walk[at - 2], near) if number > 1 else near
    return np.repeat(walk, np.diff(np.append(first, len(step))))


def _opinions(
    user: LongArray, film: LongArray, users: int, shelf: _Shelf, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Ratings (n,) in halves from 0.5 to 5: the user's mildness, the film's quality, and chance."""
    mildness = rng.normal(0, 0.35, users)
    opinion = 3.7 + mildness[user] + shelf.quality[film] + rng.normal(0, 0.75, len(user))
    halves: NDArray[np.float64] = (np.round(opinion * 2) / 2).clip(0.5, 5.0)
    return halves


def _times(user: LongArray, evening: LongArray, rng: np.random.Generator) -> LongArray:
    """Epoch seconds (n,): films of an evening minutes apart, evenings days apart, users joining over three years."""
    new_user = np.concatenate([[True], user[1:] != user[:-1]])
    new_evening = np.concatenate([[True], evening[1:] != evening[:-1]]) & ~new_user
    gap = rng.exponential(180, len(user)) + 20
    gap[new_evening] = rng.exponential(9 * _DAY, int(new_evening.sum())) + _DAY / 4
    gap[new_user] = 0
    passed = np.cumsum(gap)
    passed -= np.repeat(passed[new_user], np.diff(np.append(np.flatnonzero(new_user), len(user))))
    # Who goes on for longer than is left is squeezed into it.
    spans = np.maximum.reduceat(passed, np.flatnonzero(new_user))
    joined = rng.uniform(_START, _END - 30 * _DAY, len(spans))
    squeeze = np.minimum(1.0, (_END - joined) / np.maximum(spans, 1.0))
    per_row = np.cumsum(new_user) - 1
    times: LongArray = (joined[per_row] + passed * squeeze[per_row]).astype(np.int64)
    return times
