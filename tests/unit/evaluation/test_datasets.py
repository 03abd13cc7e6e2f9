"""Data sets by name and path, in each layout, with the documented thresholds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.data.releases import RATINGS, release_1m, release_100k, release_csv, zipped

from matinee.errors import DataProblem
from matinee.evaluation.datasets import load_dataset
from matinee.settings import Settings

EVENTS = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\nu1,a,1,watch,1\nu1,b,2,click,0.2\nu2,b,3,Watch,3\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", datasets=(tmp_path / "sets",))


@pytest.mark.parametrize("release", [release_100k, release_1m, release_csv])
def test_every_layout_of_movielens_is_read(release: Callable[[Path], Path], tmp_path: Path, settings: Settings) -> None:
    data = load_dataset(str(release(tmp_path / "ml")), settings)
    assert (len(data.log.interactions), data.log.user_ids, data.log.item_ids) == (4, ("1", "2"), ("10", "20", "30"))
    assert data.features is not None
    assert data.features.categories.shape[0] == 3


def test_a_zip_is_read(tmp_path: Path, settings: Settings) -> None:
    assert len(load_dataset(str(zipped(release_csv(tmp_path / "ml"))), settings).log.interactions) == len(RATINGS)


def test_the_service_protocol_takes_liked_films_only(tmp_path: Path, settings: Settings) -> None:
    path = str(release_100k(tmp_path / "ml"))
    data = load_dataset(path, settings, protocol="personalize")
    assert data.rule == "Ratings above 3.6 are events: 2 of 4, of 2 users and 1 items."
    assert len(load_dataset(path, settings, protocol="personalize", threshold=1).log.interactions) == 3
    assert len(load_dataset(path, settings, protocol="temporal").log.interactions) == 4


def test_a_name_is_found_through_the_setting_with_or_without_its_prefix(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "sets").mkdir()
    release_csv(tmp_path / "sets" / "ml-latest-small")
    for name in ("latest-small", "ml-latest-small"):
        assert "found through MATINEE_DATASETS" in load_dataset(name, settings).why


def test_interactions_of_personalize_are_read_without_a_schema(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "interactions.csv").write_text(EVENTS)
    for path in (tmp_path, tmp_path / "interactions.csv"):
        data = load_dataset(str(path), settings)
        assert (len(data.log.interactions), data.log.item_ids) == (3, ("a", "b"))
        assert data.features is None


def test_event_type_and_threshold_choose_events(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "interactions.csv").write_text(EVENTS)
    assert len(load_dataset(str(tmp_path), settings, event_type="watch").log.interactions) == 2
    assert len(load_dataset(str(tmp_path), settings, event_type="watch", threshold=3).log.interactions) == 1


def test_items_beside_the_events_become_features(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "interactions.csv").write_text(EVENTS)
    (tmp_path / "items.csv").write_text("ITEM_ID,GENRES,YEAR\na,War|Drama,1990\nb,War,2000\nunused,Comedy,1980\n")
    (tmp_path / "items.schema.json").write_text(
        '{"type": "record", "name": "Items", "version": "1.0", "fields": [{"name": "ITEM_ID", "type": "string"}, '
        '{"name": "GENRES", "type": ["null", "string"], "categorical": true}, {"name": "YEAR", "type": "int"}]}'
    )
    features = load_dataset(str(tmp_path), settings).features
    assert features is not None
    assert features.categories.toarray().tolist() == [[1, 1], [0, 1]]
    assert features.numbers.tolist() == [[-1], [1]]


def test_what_looks_wrong_is_told_and_kept(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "interactions.csv").write_text(
        "USER_ID,ITEM_ID,TIMESTAMP\nu1,a,1700000000000\nu1,b,1700000001000\nu2,a,1700000002000\n"
    )
    data = load_dataset(str(tmp_path), settings)
    (warning,) = data.warnings
    assert "TIMESTAMP looks like milliseconds" in warning
    assert warning.endswith("(3 rows)")
    assert data.summary()["warnings"] == [warning]


def test_titles_of_films_and_text_columns_of_items_become_texts(tmp_path: Path, settings: Settings) -> None:
    films = load_dataset(str(release_1m(tmp_path / "ml")), settings).features
    assert films is not None
    assert films.texts[1] == "Ran War" or films.texts[1] == "Ran (1985) War"
    (tmp_path / "interactions.csv").write_text(EVENTS)
    (tmp_path / "items.csv").write_text("ITEM_ID,STORY,TITLE,CODE\na,Of ships,Sea,x\nb,,Land,y\n")
    (tmp_path / "items.schema.json").write_text(
        '{"type": "record", "name": "Items", "version": "1.0", "fields": [{"name": "ITEM_ID", "type": "string"}, '
        '{"name": "STORY", "type": ["null", "string"], "textual": true}, {"name": "CODE", "type": "string"}, '
        '{"name": "TITLE", "type": "string", "itemName": true}]}'
    )
    items = load_dataset(str(tmp_path / "interactions.csv"), settings).features
    assert items is not None
    assert items.texts == ("Sea Of ships", "Land")


@pytest.mark.parametrize(
    ("content", "options", "problem"),
    [
        ("USER_ID,ITEM_ID\nu,i\n", {}, "missing the following columns: \\[TIMESTAMP\\]"),
        ("USER_ID,ITEM_ID,TIMESTAMP\nu,i,soon\n", {}, "TIMESTAMP is not a number"),
        ("USER_ID,ITEM_ID,TIMESTAMP\nu,i,1\n", {"threshold": 2.0}, "no EVENT_VALUE column"),
        ("USER_ID,ITEM_ID,TIMESTAMP\nu,i,1\n", {"event_type": "watch"}, "no EVENT_TYPE column"),
        ("USER_ID,ITEM_ID,TIMESTAMP\n", {}, "no records"),
    ],
)
def test_bad_events_are_refused_with_a_sentence(
    tmp_path: Path, settings: Settings, content: str, options: dict[str, Any], problem: str
) -> None:
    (tmp_path / "interactions.csv").write_text(content)
    with pytest.raises(DataProblem, match=problem):
        load_dataset(str(tmp_path), settings, **options)


def test_an_unknown_name_is_refused(settings: Settings) -> None:
    with pytest.raises(DataProblem, match="There is no data set 'nowhere'"):
        load_dataset("nowhere", settings)


@pytest.mark.parametrize("release", [release_100k, release_1m, release_csv])
def test_ratings_without_films_are_enough(release: Callable[[Path], Path], tmp_path: Path, settings: Settings) -> None:
    folder = release(tmp_path / "ml")
    (ratings,) = (file for file in folder.iterdir() if file.name in ("u.data", "ratings.dat", "ratings.csv"))
    for file in folder.iterdir():
        if file != ratings:
            file.unlink()
    for path in (folder, ratings):
        data = load_dataset(str(path), settings)
        assert len(data.log.interactions) == len(RATINGS)
        assert data.features is None


def test_columns_of_ratings_may_stand_in_any_order_beside_others(tmp_path: Path, settings: Settings) -> None:
    lines = ["timestamp,note,rating,movieId,userId"]
    lines += [f'{time},"a, b",{rating},tt{item},u{user}' for user, item, rating, time in RATINGS]
    (tmp_path / "ratings.csv").write_text("\n".join(lines) + "\nwhen,x,5,tt1,u1\n")
    data = load_dataset(str(tmp_path), settings)
    assert (data.log.user_ids, data.log.item_ids) == (("u1", "u2"), ("tt10", "tt20", "tt30"))
    assert "1 lines cannot be read and are left out, the first of them line 6" in data.rule


def test_a_missing_column_of_ratings_is_named(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "ratings.csv").write_text("userId,movieId,timestamp\n1,2,3\n")
    with pytest.raises(DataProblem, match=r"must name rating once.*line 1"):
        load_dataset(str(tmp_path), settings)


def test_columns_of_events_may_stand_in_any_order_beside_others(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "interactions.csv").write_text('"timestamp","note","item_id","user_id"\n"1","x","a, ""b""","u 1"\n')
    data = load_dataset(str(tmp_path), settings)
    assert (data.log.user_ids, data.log.item_ids) == (("u 1",), ('a, "b"',))


def test_a_date_in_the_place_of_seconds_is_refused_by_line_and_column(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "interactions.csv").write_text("USER_ID,ITEM_ID,TIMESTAMP\nu,a,2020-01-01T00:00:00Z\n")
    with pytest.raises(DataProblem, match=r"line 2, column TIMESTAMP"):
        load_dataset(str(tmp_path), settings)
