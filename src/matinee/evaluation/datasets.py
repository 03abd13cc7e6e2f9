"""A data set by name or path as the log to evaluate on: MovieLens in any layout, or a Personalize interactions.csv."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from matinee.data.csv_lines import CsvFile, CsvSource
from matinee.data.findings import Finding
from matinee.data.interactions import InteractionLog, Interactions
from matinee.data.log import EventRule, load_interactions
from matinee.data.movielens_files import RATINGS, MovieLens
from matinee.data.reading import import_csv
from matinee.data.schemas import Schema, parse_schema
from matinee.data.sources import RELEASES, SAMPLE, resolve
from matinee.errors import DataProblem, InvalidInput
from matinee.evaluation.item_features import film_features, record_features
from matinee.models.base import ItemFeatures
from matinee.settings import Settings

#: Under `personalize`, ratings of MovieLens above this are events, as in the service's own example.
LIKED = 3.6
_EVENTS = "interactions.csv"
_TYPES = {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long"}
_OPTIONAL = {"EVENT_TYPE": ["null", "string"], "EVENT_VALUE": ["null", "float"]}


@dataclass(frozen=True)
class DataSet:
    """What is evaluated on. `why` says where it was found, `rule` which rows are events; `features` may be None.

    `warnings` are sentences about what looks wrong in the files and was read all the same.
    """

    name: str
    why: str
    rule: str
    log: InteractionLog
    features: ItemFeatures | None
    warnings: tuple[str, ...] = ()

    def summary(self) -> dict[str, Any]:
        """Counts and a SHA-256 of the events, JSON-ready."""
        data = self.log.interactions
        digest = hashlib.sha256()
        for array in (data.user, data.item, data.timestamp):
            digest.update(array.tobytes())
        return {
            "source": self.why,
            "events": self.rule,
            "interactions": len(data),
            "users": data.n_users,
            "items": data.n_items,
            "sha256": digest.hexdigest(),
            "warnings": list(self.warnings),
        }


def load_dataset(
    name: str,
    settings: Settings,
    *,
    protocol: str = "leave-one-out",
    threshold: float | None = None,
    event_type: str | None = None,
) -> DataSet:
    """The data set called `name`: a path, a folder or zip in MATINEE_DATASETS, a MovieLens release, or `sample`.

    Ratings of MovieLens are events when they are above `threshold`; by default above 3.6 under the protocol
    `personalize` and all of them under the others. Rows of an interactions.csv are events when they are of
    `event_type` and their EVENT_VALUE is at least `threshold`; by default all. Raises `DataProblem`, with file, line
    and column where there is one.
    """
    path, why = _find(name, settings)
    if _is_events(path):
        return _from_csv(name, path, why, EventRule(event_type, threshold))
    if event_type is not None:
        raise DataProblem("MovieLens has no event types.", fix="Leave --event-type out.", file=str(path))
    if threshold is None and protocol == "personalize":
        threshold = LIKED
    return _from_movielens(name, path, why, threshold)


def _find(name: str, settings: Settings) -> tuple[Path, str]:
    """Where the data set is, and a sentence on why there. Never the sample unless it is asked for."""
    path = Path(name).expanduser()
    if path.name in RATINGS and path.is_file():
        path = path.absolute().parent
    if path.exists() and name != SAMPLE and name not in RELEASES:
        return path, f"Using {path}, the path given."
    full = name if name in RELEASES or f"ml-{name}" not in RELEASES else f"ml-{name}"
    for folder in settings.datasets:
        for candidate in (folder / full, folder / f"{full}.zip", folder / f"{full}.csv"):
            if candidate.exists():
                return candidate, f"Using {candidate}, found through MATINEE_DATASETS."
    source = resolve(full, settings)
    if source.kind == "sample" and name != SAMPLE:
        raise DataProblem(
            f"The data set {name} is not at hand. {source.why.partition(': ')[2]}",
            fix="Set MATINEE_DATASETS to a folder that has it, or name a path. The sample answers another question.",
        )
    return source.path, source.why


def _is_events(path: Path) -> bool:
    return path.suffix == ".csv" if path.is_file() else (path / _EVENTS).is_file()


def _from_movielens(name: str, path: Path, why: str, threshold: float | None) -> DataSet:
    release = MovieLens.find(path, films=False)
    blocks = list(release.ratings())
    if not blocks:
        raise DataProblem("There are no ratings.", fix="Check the file.", file=str(path))
    ratings, unreadable = pl.concat([block.frame for block in blocks]), sum(block.unreadable for block in blocks)
    kept = ratings if threshold is None else ratings.filter(pl.col("rating") > threshold)
    user_ids, user = _numbered(kept["user"])
    item_ids, item = _numbered(kept["item"])
    data = Interactions.of(
        user,
        item,
        kept["timestamp"].to_numpy().astype(np.int64),
        n_users=len(user_ids),
        n_items=len(item_ids),
        event_type=np.zeros(kept.height, np.int16),
        value=kept["rating"].cast(pl.Float32).to_numpy(),
    )
    rule = "All ratings are events" if threshold is None else f"Ratings above {threshold:g} are events"
    rule += f": {kept.height:,} of {ratings.height:,}, of {len(user_ids):,} users and {len(item_ids):,} items."
    if unreadable:
        first = next(block.first_unreadable for block in blocks if block.unreadable)
        rule += f" {unreadable:,} lines cannot be read and are left out, the first of them line {first:,}."
    log = InteractionLog(data, user_ids, item_ids, ("watch",))
    films = release.films()[0]
    return DataSet(name, why, rule, log, film_features(log, films) if films else None)


def _numbered(ids: pl.Series) -> tuple[tuple[str, ...], np.ndarray[tuple[int], np.dtype[np.int32]]]:
    """Distinct IDs, by number where all are numbers, and each row's position among them."""
    numbers = ids.cast(pl.Int64, strict=False)
    ordered = ids if numbers.null_count() else numbers
    distinct, codes = np.unique(ordered.to_numpy(), return_inverse=True)
    return tuple(map(str, distinct)), codes.astype(np.int32)


def _from_csv(name: str, path: Path, why: str, rule: EventRule) -> DataSet:
    events = path if path.is_file() else path / _EVENTS
    schema = _schema(events, "Interactions")
    for column, needed in (("EVENT_TYPE", rule.event_type), ("EVENT_VALUE", rule.threshold)):
        if needed is not None and schema.get(column) is None:
            raise DataProblem(f"The file has no {column} column.", fix="Leave the option out.", file=str(events))
    with tempfile.TemporaryDirectory(prefix="matinee-") as scratch:
        part = Path(scratch) / "interactions.parquet"
        read = import_csv([CsvSource.of_path(events)], schema, part, minimum_rows=1)
        log = load_interactions([part], rules=(rule,))
    said = "All rows are events"
    if rule.event_type is not None or rule.threshold is not None:
        said = "Rows" + (f" of type {rule.event_type}" if rule.event_type is not None else "")
        said += f" with EVENT_VALUE of at least {rule.threshold:g}" if rule.threshold is not None else ""
        said += " are events"
    data = log.interactions
    said += f": {len(data):,}, of {data.n_users:,} users and {data.n_items:,} items; equal rows count once."
    features, found = _features(events.with_name("items.csv"), log)
    return DataSet(name, why, said, log, features, tuple(map(_told, (*read.warnings, *found))))


def _told(finding: Finding) -> str:
    """A finding as a sentence, with how many rows have it."""
    return finding.sentence + (f" ({finding.count:,} rows)" if finding.count > 1 else "")


def _features(items: Path, log: InteractionLog) -> tuple[ItemFeatures | None, tuple[Finding, ...]]:
    """What items.csv beside the events says, by its schema; None without the file or without a schema for it."""
    described = items.with_name("items.schema.json")
    if not items.is_file() or not described.is_file():
        return None, ()
    schema = _schema(items, "Items")
    with tempfile.TemporaryDirectory(prefix="matinee-") as scratch:
        part = Path(scratch) / "items.parquet"
        read = import_csv([CsvSource.of_path(items)], schema, part)
        return record_features(log, pl.read_parquet(part), schema), read.warnings


def _schema(csv: Path, record: str) -> Schema:
    """The schema beside a CSV file, or for interactions without one, the columns of its header that events have."""
    beside = csv.with_name(f"{csv.stem}.schema.json")
    if beside.is_file():
        text = beside.read_text(encoding="utf-8-sig")
    else:
        header = {column.upper() for column in CsvFile(CsvSource.of_path(csv)).header}
        typed = {**_TYPES, **{column: kind for column, kind in _OPTIONAL.items() if column in header}}
        fields = [{"name": column, "type": kind} for column, kind in typed.items()]
        text = json.dumps({"type": "record", "name": record, "fields": fields, "version": "1.0"})
    try:
        return parse_schema(text)
    except InvalidInput as problem:
        raise DataProblem(problem.message, fix="Correct the schema.", file=str(beside)) from None
