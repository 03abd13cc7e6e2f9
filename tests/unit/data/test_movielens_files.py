"""MovieLens releases: every layout, in a folder or a zip, gives the same things."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.data.releases import RATINGS, release_1m, release_100k, release_csv, zipped

from matinee.data.movielens_files import Film, MovieLens, Person
from matinee.errors import DataProblem

RATED = [(user, item, float(rating), int(time)) for user, item, rating, time in RATINGS]


def ratings(release: MovieLens) -> list[tuple[str, str, float, int]]:
    return [row for block in release.ratings() for row in block.frame.iter_rows()]


@pytest.mark.parametrize("form", ["100k", "1m", "1m packed", "10m", "csv", "zip", "zip with a folder", "in a folder"])
def test_ratings_are_read_in_the_order_of_the_file(tmp_path: Path, form: str) -> None:
    folder = tmp_path / "ml"
    match form:
        case "100k":
            path = release_100k(folder)
        case "1m" | "1m packed":
            path = release_1m(folder, packed="packed" in form)
        case "10m":
            path = release_1m(folder, people=False)
        case "csv":
            path = release_csv(folder)
        case "zip":
            path = zipped(release_100k(folder))
        case "zip with a folder":
            path = zipped(release_csv(folder), top="ml-latest-small/")
        case _:
            path = release_csv(folder / "ml-25m").parent
    assert ratings(MovieLens.find(path)) == RATED


def test_the_last_block_is_the_whole_file(tmp_path: Path) -> None:
    *_, last = MovieLens.find(release_1m(tmp_path / "ml", packed=True)).ratings()
    assert last.fraction == 1.0


def test_films_of_100k_have_genres_by_flag_and_years_by_title_or_date(tmp_path: Path) -> None:
    films, unreadable = MovieLens.find(release_100k(tmp_path / "ml")).films()
    assert unreadable == 0
    assert films == [
        Film("10", "Amélie (2001)", ("Drama",), 2001),
        Film("20", "Untitled", ("Drama", "War"), 1997),
        Film("30", "unknown", (), None),
    ]


def test_films_of_1m_are_decoded(tmp_path: Path) -> None:
    films, _ = MovieLens.find(release_1m(tmp_path / "ml")).films()
    assert films[0] == Film("10", "Amélie (2001)", ("Drama", "Romance"), 2001)


def test_films_of_the_csv_releases_have_quotes_ranges_and_no_year(tmp_path: Path) -> None:
    films, _ = MovieLens.find(release_csv(tmp_path / "ml")).films()
    assert films == [
        Film("10", "Fabuleux destin, Le (2001)", ("Comedy", "Romance"), 2001),
        Film("20", '"Great" Cats (1998)', ("Musical",), 1998),
        Film("30", "Death Note (2006\u20132007)", (), 2006),
        Film("40", "Babylon 5", ("Sci-Fi",), None),
    ]


def test_people_are_read_where_there_are_any(tmp_path: Path) -> None:
    assert MovieLens.find(release_100k(tmp_path / "a")).people() == [
        Person("1", 24, "M", "technician"),
        Person("2", 53, "F", "other"),
    ]
    assert MovieLens.find(release_1m(tmp_path / "b")).people() == [
        Person("1", 1, "F", "K-12 student"),
        Person("2", 56, "M", "self-employed"),
    ]
    assert MovieLens.find(release_1m(tmp_path / "c", people=False)).people() is None
    assert MovieLens.find(release_csv(tmp_path / "d")).people() is None


def test_lines_that_cannot_be_read_are_counted_and_left_out(tmp_path: Path) -> None:
    folder = release_csv(tmp_path / "ml")
    with (folder / "ratings.csv").open("a") as file:
        file.write("3,10\n3,10,good,5\n3,10,3.5,400\n")
    (folder / "movies.csv").write_text("movieId,title,genres\n1,Alien\n2,Ran (1985),War\n")
    release = MovieLens.find(folder)
    (block,) = release.ratings()
    assert (block.unreadable, block.first_unreadable) == (2, 6)
    assert block.frame.rows() == [*RATED, ("3", "10", 3.5, 400)]
    assert release.films() == ([Film("2", "Ran (1985)", ("War",), 1985)], 1)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [("missing", None, "no such file"), ("other.txt", b"hello", "not a zip"), ("empty", b"", "not a zip")],
)
def test_what_cannot_be_opened_is_refused(tmp_path: Path, name: str, content: bytes | None, problem: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataProblem, match=problem) as refused:
        MovieLens.find(path)
    assert refused.value.file == str(path)


def test_a_folder_without_movielens_is_refused_with_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n")
    with pytest.raises(DataProblem, match="not a MovieLens data set") as refused:
        MovieLens.find(tmp_path)
    assert "ratings.csv and movies.csv" in refused.value.fix
