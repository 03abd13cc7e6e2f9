"""The generated sample: the same by seed, the right size, long-tailed, and with an order worth learning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from matinee.data.movielens_files import MovieLens
from matinee.data.sample import GENRES, Sample, generate_sample


@pytest.fixture(scope="module")
def sample() -> Sample:
    return generate_sample()


def test_the_same_seed_gives_the_same_sample_and_another_seed_another(sample: Sample) -> None:
    again, other = generate_sample(), generate_sample(seed=1)
    assert again.ratings.equals(sample.ratings)
    assert again.films.equals(sample.films)
    assert not other.ratings.equals(sample.ratings)


def test_the_default_has_the_size_of_a_demo(sample: Sample) -> None:
    assert sample.ratings["userId"].n_unique() == 600
    assert sample.films.height == 800
    assert 54_000 <= sample.ratings.height <= 60_000


@pytest.mark.parametrize(("users", "films", "ratings"), [(50, 40, 900), (2000, 5000, 100_000), (1, 20, 5)])
def test_other_sizes_come_close_to_what_was_asked(users: int, films: int, ratings: int) -> None:
    made = generate_sample(users=users, films=films, ratings=ratings, seed=3)
    assert made.films.height == films
    assert made.ratings["userId"].n_unique() == users
    assert 0.8 * ratings <= made.ratings.height <= ratings


@pytest.mark.parametrize(("users", "films", "ratings"), [(0, 100, 10), (10, 19, 10), (10, 100, 0)])
def test_sizes_that_make_no_sense_are_refused(users: int, films: int, ratings: int) -> None:
    with pytest.raises(ValueError, match="at least 1 user"):
        generate_sample(users=users, films=films, ratings=ratings)


def test_ratings_are_halves_by_user_and_time_and_nobody_rates_twice(sample: Sample) -> None:
    ratings = sample.ratings
    assert set(ratings["rating"].unique()) <= {half / 2 for half in range(1, 11)}
    assert ratings.select("userId", "timestamp").equals(ratings.select("userId", "timestamp").sort(pl.all()))
    assert not ratings.select("userId", "movieId").is_duplicated().any()
    assert ratings["movieId"].is_in(sample.films["movieId"].implode()).all()


def test_films_have_titles_with_years_and_known_genres(sample: Sample) -> None:
    assert sample.films["title"].str.contains(r"^.+ \((19|20)\d\d\)$").all()
    assert sample.films["title"].n_unique() == sample.films.height
    assert set(sample.films["genres"].str.split("|").explode()) <= set(GENRES)


def test_popularity_has_a_long_tail(sample: Sample) -> None:
    counts = sample.ratings.group_by("movieId").len()["len"].sort(descending=True)
    assert counts.head(80).sum() > 0.25 * sample.ratings.height
    assert counts.tail(400).sum() < 0.35 * sample.ratings.height


def test_the_last_film_tells_more_about_the_next_than_popularity_does(sample: Sample) -> None:
    log = sample.log().interactions
    follows = np.zeros((log.n_items, log.n_items))
    histories = [log.history(user) for user in range(log.n_users)]
    for history in histories:
        np.add.at(follows, (history[:-2], history[1:-1]), 1)
    popularity = np.bincount(log.item, minlength=log.n_items)
    by_last = by_popularity = 0
    for history in histories:
        seen, target = history[:-1], history[-1]
        for scores, kind in ((follows[seen[-1]] + popularity * 1e-6, "last"), (popularity.astype(float), "popular")):
            scores[seen] = -1
            hit = target in np.argsort(-scores)[:10]
            by_last, by_popularity = by_last + (hit and kind == "last"), by_popularity + (hit and kind == "popular")
    assert by_last > 2 * by_popularity


def test_the_log_has_the_ids_of_the_files(sample: Sample) -> None:
    log = sample.log()
    assert len(log.interactions) == sample.ratings.height
    assert log.user_ids[:2] == ("1", "2")
    assert log.event_types == ("watch",)


def test_it_is_written_as_a_movielens_release(tmp_path: Path, sample: Sample) -> None:
    release = MovieLens.find(sample.write(tmp_path / "sample"))
    films, unreadable = release.films()
    assert (release.layout, len(films), unreadable) == ("csv", 800, 0)
    assert sum(block.frame.height for block in release.ratings()) == sample.ratings.height
