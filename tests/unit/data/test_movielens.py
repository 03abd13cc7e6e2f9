"""Conversions: events by each rule, items with their dates, schemas that an import accepts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.data.releases import release_1m, release_100k, release_csv

from matinee.data.csv_lines import CsvSource
from matinee.data.movielens import RatingsAsEvents, avro_schema, convert
from matinee.data.reading import import_csv
from matinee.data.schemas import parse_schema
from matinee.errors import DataProblem
from matinee.settings import Settings


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("rule", "events", "dropped"),
    [
        (RatingsAsEvents(), ["1,10,watch,100", "1,20,watch,90", "2,10,watch,200", "2,30,watch,300"], {}),
        (RatingsAsEvents("above", threshold=4), ["1,10,watch,100"], {"ratings: not above 4": 3}),
        (
            RatingsAsEvents("click-watch", click_above=1, watch_above=3),
            ["1,10,click,100", "1,10,watch,100", "1,20,click,90", "2,10,click,200", "2,10,watch,200"],
            {"ratings: not above 1": 1},
        ),
    ],
)
def test_ratings_become_events_by_the_rule(
    tmp_path: Path, rule: RatingsAsEvents, events: list[str], dropped: dict[str, int]
) -> None:
    done = convert(release_csv(tmp_path / "ml"), tmp_path / "out", events=rule)
    assert lines(tmp_path / "out/interactions.csv") == ["USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP", *events]
    assert done.dropped == dropped
    assert (done.ratings, sum(done.events.values())) == (4, len(events))


def test_the_rating_may_be_kept_as_event_value(tmp_path: Path) -> None:
    convert(release_100k(tmp_path / "ml"), tmp_path / "out", events=RatingsAsEvents("above", 4, event_value=True))
    assert lines(tmp_path / "out/interactions.csv")[1:] == ["1,10,watch,100,5.0"]
    assert "EVENT_VALUE" in (tmp_path / "out/interactions.schema.json").read_text()


def test_a_film_without_year_is_as_old_as_its_first_rating(tmp_path: Path) -> None:
    done = convert(release_100k(tmp_path / "ml"), tmp_path / "out")
    assert lines(tmp_path / "out/items.csv") == [
        "ITEM_ID,TITLE,GENRES,YEAR,CREATION_TIMESTAMP",
        "10,Amélie (2001),Drama,2001,978307200",
        "20,Untitled,Drama|War,1997,852076800",
        "30,unknown,unknown,,300",
    ]
    assert done.notes["films without a year: CREATION_TIMESTAMP is the oldest rating"] == 1


def test_a_film_without_year_or_rating_is_as_old_as_the_newest_rating(tmp_path: Path) -> None:
    done = convert(release_csv(tmp_path / "ml"), tmp_path / "out")
    assert lines(tmp_path / "out/items.csv")[-1] == "40,Babylon 5,Sci-Fi,,300"
    assert done.notes["films without a rating"] == 1


def test_a_custom_group_may_leave_date_and_genres_empty(tmp_path: Path) -> None:
    convert(release_100k(tmp_path / "ml"), tmp_path / "out", domain=None)
    assert lines(tmp_path / "out/items.csv")[-1] == "30,unknown,,,"


def test_double_quotes_in_titles_become_single_ones(tmp_path: Path) -> None:
    done = convert(release_csv(tmp_path / "ml"), tmp_path / "out")
    assert lines(tmp_path / "out/items.csv")[1:3] == [
        '10,"Fabuleux destin, Le (2001)",Comedy|Romance,2001,978307200',
        "20,'Great' Cats (1998),Musical,1998,883612800",
    ]
    assert done.notes["titles whose double quotes were written as single ones"] == 1


def test_users_are_written_where_there_are_any(tmp_path: Path) -> None:
    convert(release_1m(tmp_path / "ml"), tmp_path / "out")
    assert lines(tmp_path / "out/users.csv") == [
        "USER_ID,AGE,GENDER,OCCUPATION",
        "1,1,F,K-12 student",
        "2,56,M,self-employed",
    ]


def test_users_of_an_earlier_conversion_do_not_stay(tmp_path: Path) -> None:
    convert(release_1m(tmp_path / "with"), tmp_path / "out")
    convert(release_csv(tmp_path / "without"), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "interactions.csv",
        "interactions.schema.json",
        "items.csv",
        "items.schema.json",
    ]


@pytest.mark.parametrize("kind", ["interactions", "items", "users"])
@pytest.mark.parametrize("domain", ["VIDEO_ON_DEMAND", None])
def test_what_is_written_passes_its_own_schema(tmp_path: Path, kind: str, domain: str | None) -> None:
    convert(release_100k(tmp_path / "ml"), tmp_path / "out", domain=domain, events=RatingsAsEvents(event_value=True))
    schema = parse_schema((tmp_path / f"out/{kind}.schema.json").read_text(), domain)
    source = CsvSource.of_path(tmp_path / f"out/{kind}.csv")
    assert import_csv([source], schema, tmp_path / "part", minimum_rows=1).warnings == ()


def test_the_schema_of_the_domain_passes_its_rules() -> None:
    schema = parse_schema(json.dumps(avro_schema("items", "VIDEO_ON_DEMAND")), "VIDEO_ON_DEMAND")
    assert schema.names == ("ITEM_ID", "TITLE", "GENRES", "YEAR", "CREATION_TIMESTAMP")


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    source = release_100k(tmp_path / "ml")
    one, two = convert(source, tmp_path / "one"), convert(source, tmp_path / "two")
    assert [path.read_bytes() for path in one.files] == [path.read_bytes() for path in two.files]


def test_unreadable_lines_and_unknown_films_are_told(tmp_path: Path) -> None:
    folder = release_csv(tmp_path / "ml")
    with (folder / "ratings.csv").open("a") as file:
        file.write("nonsense\n7,99,3,500\n")
    done = convert(folder, tmp_path / "out")
    assert done.dropped == {"ratings: line cannot be read": 1}
    assert done.notes["line of the first rating that cannot be read"] == 6
    assert done.notes["rated films that are not in the list of films"] == 1


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    seen: list[float] = []
    convert(release_csv(tmp_path / "ml"), tmp_path / "out", progress=seen.append)
    assert seen[-1] == 1.0


def test_a_release_without_ratings_is_refused(tmp_path: Path) -> None:
    folder = release_csv(tmp_path / "ml")
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n")
    with pytest.raises(DataProblem, match="no rating"):
        convert(folder, tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "ratings", "films", "people"),
    [("ml-100k", 100_000, 1682, 943), ("ml-1m", 1_000_209, 3883, 6040), ("ml-latest-small", 100_836, 9742, 0)],
)
def test_real_releases_are_read_whole(tmp_path: Path, name: str, ratings: int, films: int, people: int) -> None:
    found = [folder / name for folder in Settings.from_environment().datasets if (folder / name).is_dir()]
    if not found:
        pytest.skip(f"{name} is in none of the folders of MATINEE_DATASETS")
    done = convert(found[0], tmp_path, events=RatingsAsEvents("above"))
    assert (done.ratings, done.films, done.people) == (ratings, films, people)
    assert "ratings: line cannot be read" not in done.dropped
