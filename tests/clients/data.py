"""The data of the client tests: a few dozen users and films, just enough to train on, and their schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from matinee.data.sample import generate_sample

#: Every training needs 1000 interactions; a few more are one step of the optimizer for each epoch.
_USERS, _FILMS, _RATINGS, _KEPT = 50, 60, 1200, 1010


def schema_text(record: str, *fields: dict[str, Any] | tuple[str, Any], **changed: Any) -> str:
    """An Avro schema; a field is a dict or (name, type). `changed` members replace the usual ones, None removes one."""
    named = [field if isinstance(field, dict) else {"name": field[0], "type": field[1]} for field in fields]
    schema = {"type": "record", "name": record, "namespace": "films", "fields": named, "version": "1.0", **changed}
    return json.dumps({member: value for member, value in schema.items() if value is not None})


INTERACTIONS = schema_text(
    "Interactions", ("USER_ID", "string"), ("ITEM_ID", "string"), ("TIMESTAMP", "long"), ("EVENT_TYPE", "string")
)
_ITEM_FIELDS: tuple[dict[str, Any] | tuple[str, Any], ...] = (
    ("ITEM_ID", "string"),
    ("TITLE", "string"),
    {"name": "GENRES", "type": "string", "categorical": True},
    ("PRICE", "float"),
    ("CREATION_TIMESTAMP", "long"),
)
ITEMS = schema_text("Items", *_ITEM_FIELDS)
WIDER_ITEMS = schema_text("Items", *_ITEM_FIELDS, ("DURATION", ["null", "int"]))
USERS = schema_text("Users", ("USER_ID", "string"), ("AGE", "int"))
ACTIONS = schema_text("Actions", ("ACTION_ID", "string"), ("VALUE", ["null", "long"]))
ACTION_INTERACTIONS = schema_text(
    "ActionInteractions",
    ("USER_ID", "string"),
    ("ACTION_ID", "string"),
    ("EVENT_TYPE", "string"),
    ("TIMESTAMP", "long"),
)


def write_films(folder: Path) -> Path:
    """Write interactions.csv, items.csv and users.csv that fit the schemas; the same bytes each time."""
    folder.mkdir(parents=True, exist_ok=True)
    sample = generate_sample(users=_USERS, films=_FILMS, ratings=_RATINGS, seed=1)
    ratings = sample.ratings.head(_KEPT)
    ratings.select(
        USER_ID=pl.col("userId"),
        ITEM_ID=pl.col("movieId"),
        TIMESTAMP=pl.col("timestamp"),
        EVENT_TYPE=pl.lit("watch"),
    ).write_csv(folder / "interactions.csv")
    sample.films.select(
        ITEM_ID=pl.col("movieId"),
        TITLE=pl.col("title"),
        GENRES=pl.col("genres"),
        PRICE=pl.col("movieId").cast(pl.Float64) * 10,
        CREATION_TIMESTAMP=pl.lit(1_600_000_000) + pl.col("movieId"),
    ).write_csv(folder / "items.csv")
    ratings.select(USER_ID=pl.col("userId"), AGE=pl.col("userId") % 50 + 20).unique("USER_ID").sort(
        "USER_ID"
    ).write_csv(folder / "users.csv")
    return folder
