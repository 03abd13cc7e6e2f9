"""MovieLens to Personalize: ratings become events, films items, people users, each with its Avro schema."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl

from matinee.data.movielens_files import Film, MovieLens, Person
from matinee.errors import DataProblem

EventRuleName = Literal["watch-all", "above", "click-watch"]
UNKNOWN_GENRE = "unknown"
_NAMESPACE = "com.amazonaws.personalize.schema"


@dataclass(frozen=True)
class RatingsAsEvents:
    """How a rating becomes an event. `above` bounds are strict: a rating equal to the bound is not above it.

    `watch-all`: every rating is a watch. `above`: a rating above `threshold` is a watch. `click-watch`: a rating above
    `click_above` is a click, and one above `watch_above` is a watch as well (two events at the same time, the click
    first). With `event_value`, EVENT_VALUE is the rating.
    """

    rule: EventRuleName = "watch-all"
    threshold: float = 3.6
    click_above: float = 1.0
    watch_above: float = 3.0
    event_value: bool = False

    def events(self, ratings: pl.DataFrame) -> pl.DataFrame:
        """The events of a block of ratings, in its order: USER_ID, ITEM_ID, EVENT_TYPE, TIMESTAMP, EVENT_VALUE."""
        rating = pl.col("rating")
        match self.rule:
            case "watch-all":
                kept = ratings.with_columns(EVENT_TYPE=pl.lit("watch"))
            case "above":
                kept = ratings.filter(rating > self.threshold).with_columns(EVENT_TYPE=pl.lit("watch"))
            case "click-watch":
                click = pl.when(rating > self.click_above).then(pl.lit("click"))
                watch = pl.when(rating > self.watch_above).then(pl.lit("watch"))
                kept = ratings.with_columns(EVENT_TYPE=pl.concat_list(click, watch)).explode("EVENT_TYPE")
                kept = kept.filter(pl.col("EVENT_TYPE").is_not_null())
        columns = [
            pl.col("user").alias("USER_ID"),
            pl.col("item").alias("ITEM_ID"),
            pl.col("EVENT_TYPE"),
            pl.col("timestamp").alias("TIMESTAMP"),
        ]
        if self.event_value:
            columns.append(rating.alias("EVENT_VALUE"))
        return kept.select(columns)

    @property
    def dropped_because(self) -> str:
        """Why this rule leaves a rating out."""
        bound = self.threshold if self.rule == "above" else min(self.click_above, self.watch_above)
        return f"not above {bound:g}"


@dataclass(frozen=True)
class Conversion:
    """What a conversion read, wrote and left out. `dropped` and `notes` say why, with counts."""

    layout: str
    ratings: int
    events: dict[str, int]
    films: int
    people: int
    dropped: dict[str, int]
    notes: dict[str, int]
    files: tuple[Path, ...]


def convert(
    source: Path,
    out: Path,
    *,
    events: RatingsAsEvents | None = None,
    domain: str | None = "VIDEO_ON_DEMAND",
    progress: Callable[[float], None] | None = None,
) -> Conversion:
    """Write interactions.csv, items.csv, users.csv (where there are users) and their schemas into the folder `out`.

    `source` is a MovieLens folder or zip of any release. Rows keep the order of the source; the same source gives the
    same bytes. Streams: memory does not grow with the number of ratings. `progress` is given the fraction done.
    Raises `DataProblem` when `source` is not a MovieLens data set.
    """
    release = MovieLens.find(source)
    rule = events or RatingsAsEvents()
    out.mkdir(parents=True, exist_ok=True)
    tally = _write_interactions(release, out / "interactions.csv", rule, progress)
    films, unreadable_films = release.films()
    if unreadable_films:
        tally.dropped["films: line cannot be read"] = unreadable_films
    _write_items(films, out / "items.csv", tally, domain)
    people = release.people()
    written = ["interactions", "items"]
    if people is not None:
        _write_users(people, out / "users.csv")
        written.append("users")
    else:
        # A users file left by an earlier conversion into the same folder would be taken for this one's.
        for stale in ("users.csv", "users.schema.json"):
            (out / stale).unlink(missing_ok=True)
    for kind in written:
        text = json.dumps(avro_schema(kind, domain, event_value=rule.event_value), indent=2)
        (out / f"{kind}.schema.json").write_text(f"{text}\n", encoding="utf-8")
    _note_unlisted(tally, films)
    return Conversion(
        layout=release.layout,
        ratings=tally.ratings,
        events=dict(sorted(tally.events.items())),
        films=len(films),
        people=len(people or ()),
        dropped=dict(tally.dropped),
        notes={reason: count for reason, count in tally.notes.items() if count},
        files=tuple(out / f"{kind}{end}" for kind in written for end in (".csv", ".schema.json")),
    )


def avro_schema(kind: str, domain: str | None, *, event_value: bool = False) -> dict[str, Any]:
    """The Avro schema of one converted file: `kind` is `interactions`, `items` or `users`."""
    optional = domain is None
    fields: dict[str, list[dict[str, Any]]] = {
        "interactions": [
            {"name": "USER_ID", "type": "string"},
            {"name": "ITEM_ID", "type": "string"},
            {"name": "EVENT_TYPE", "type": "string"},
            {"name": "TIMESTAMP", "type": "long"},
            *([{"name": "EVENT_VALUE", "type": ["null", "float"]}] if event_value else []),
        ],
        "items": [
            {"name": "ITEM_ID", "type": "string"},
            {"name": "TITLE", "type": "string"},
            {"name": "GENRES", "type": ["null", "string"] if optional else "string", "categorical": True},
            {"name": "YEAR", "type": ["null", "int"]},
            {"name": "CREATION_TIMESTAMP", "type": ["null", "long"] if optional else "long"},
        ],
        "users": [
            {"name": "USER_ID", "type": "string"},
            {"name": "AGE", "type": "int"},
            {"name": "GENDER", "type": "string", "categorical": True},
            {"name": "OCCUPATION", "type": "string", "categorical": True},
        ],
    }
    return {
        "type": "record",
        "name": kind.capitalize(),
        "namespace": _NAMESPACE,
        "fields": fields[kind],
        "version": "1.0",
    }


@dataclass
class _Tally:
    """What one pass over the ratings learns: counts, and each film's number of ratings and oldest one."""

    ratings: int = 0
    newest: int = 0
    events: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    films: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema={"item": pl.String(), "oldest": pl.Int64(), "ratings": pl.UInt32()})
    )

    def add(self, ratings: pl.DataFrame) -> None:
        """Count a block of ratings."""
        self.ratings += ratings.height
        newest = ratings["timestamp"].max()
        self.newest = max(self.newest, newest) if isinstance(newest, int) else self.newest
        block = ratings.group_by("item").agg(pl.col("timestamp").min().alias("oldest"), pl.len().alias("ratings"))
        self.films = (
            pl.concat([self.films, block], how="vertical_relaxed")
            .group_by("item")
            .agg(pl.col("oldest").min(), pl.col("ratings").sum())
        )


def _write_interactions(
    release: MovieLens, path: Path, rule: RatingsAsEvents, progress: Callable[[float], None] | None
) -> _Tally:
    tally = _Tally()
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as file:
        for at, block in enumerate(release.ratings()):
            tally.add(block.frame)
            if block.unreadable:
                tally.dropped["ratings: line cannot be read"] += block.unreadable
                tally.notes.setdefault("line of the first rating that cannot be read", block.first_unreadable or 0)
            events = rule.events(block.frame)
            kept = block.frame.height if rule.rule == "watch-all" else _kept(rule, block.frame)
            if kept < block.frame.height:
                tally.dropped[f"ratings: {rule.dropped_because}"] += block.frame.height - kept
            for name, count in events["EVENT_TYPE"].value_counts().iter_rows():
                tally.events[name] += count
            events.write_csv(file, include_header=at == 0)
            if progress is not None:
                progress(block.fraction)
    if not tally.ratings:
        partial.unlink()
        raise DataProblem(
            "There is no rating in the data set.", fix="Get a complete copy of the release.", file=str(release.path)
        )
    partial.replace(path)
    return tally


def _kept(rule: RatingsAsEvents, ratings: pl.DataFrame) -> int:
    """How many ratings became at least one event."""
    bound = rule.threshold if rule.rule == "above" else min(rule.click_above, rule.watch_above)
    return int((ratings["rating"] > bound).sum())


def _write_items(films: Sequence[Film], path: Path, tally: _Tally, domain: str | None) -> None:
    oldest = dict(tally.films.select("item", "oldest").iter_rows())
    rows = []
    for film in films:
        title = film.title
        if '"' in title or "\\" in title:
            # Readers disagree on how to escape a quote inside a CSV value ("" or \"), so that none is left.
            title = title.replace('"', "'").replace("\\", "/")
            tally.notes["titles whose double quotes were written as single ones"] += 1
        created: int | None
        if film.year is not None:
            created = int(datetime(film.year, 1, 1, tzinfo=UTC).timestamp())
        elif domain is None:
            created = None
            tally.notes["films without a year: CREATION_TIMESTAMP left empty"] += 1
        else:
            # What the service itself assumes (2.5): the oldest interaction, else the newest of all.
            created = oldest.get(film.item_id, tally.newest)
            tally.notes["films without a year: CREATION_TIMESTAMP is the oldest rating"] += 1
        if not film.genres:
            tally.notes["films without a genre"] += 1
        genres = "|".join(film.genres) or ("" if domain is None else UNKNOWN_GENRE)
        rows.append((film.item_id, title, genres, film.year, created))
    _write_rows(path, ("ITEM_ID", "TITLE", "GENRES", "YEAR", "CREATION_TIMESTAMP"), rows)


def _write_users(people: Sequence[Person], path: Path) -> None:
    rows = [(person.user_id, person.age, person.gender, person.occupation) for person in people]
    _write_rows(path, ("USER_ID", "AGE", "GENDER", "OCCUPATION"), rows)


def _write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    partial.replace(path)


def _note_unlisted(tally: _Tally, films: Sequence[Film]) -> None:
    listed = pl.Series([film.item_id for film in films], dtype=pl.String())
    unlisted = tally.films.filter(~pl.col("item").is_in(listed.implode()))
    rated = set(tally.films["item"].to_list())
    tally.notes["rated films that are not in the list of films"] = unlisted.height
    tally.notes["films without a rating"] = sum(film.item_id not in rated for film in films)
