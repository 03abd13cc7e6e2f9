"""The data of the serving benchmark: MovieLens 1M where it is, else a generated log of its size; histories of 100."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from matinee.data.interactions import InteractionLog, Interactions
from matinee.data.movielens_files import MovieLens
from matinee.data.sample import generate_sample
from matinee.errors import DataProblem
from matinee.evaluation.datasets import load_dataset
from matinee.settings import Settings

HISTORY = 100
_USERS, _FILMS, _RATINGS = 6_040, 3_706, 1_000_209


@dataclass(frozen=True)
class Catalogue:
    """`log` has the users with at least `HISTORY` events, the newest `HISTORY` of each, out of `whole`, on its items.

    `genres` are item ID to names joined by `|`. `why` says where the data are from.
    """

    why: str
    whole: InteractionLog
    log: InteractionLog
    genres: Mapping[str, str]


def load_catalogue(name: str, settings: Settings, history: int = HISTORY) -> Catalogue:
    """The data set `name`: `ml-1m`, looked for in MATINEE_DATASETS and else generated in its size, or a path.

    Raises `DataProblem` when nobody has a history of `history` events.
    """
    for place in (Path(name), *(folder / name for folder in settings.datasets)):
        if place.exists():
            return _of_folder(place, f"{place.name}, all ratings.", settings, history)
    with tempfile.TemporaryDirectory(prefix="matinee-bench-") as scratch:
        folder = generate_sample(users=_USERS, films=_FILMS, ratings=_RATINGS).write(Path(scratch))
        why = f"A generated log of the size of MovieLens 1M, since {name} is not in MATINEE_DATASETS."
        return _of_folder(folder, why, settings, history)


def _of_folder(folder: Path, why: str, settings: Settings, history: int) -> Catalogue:
    log = load_dataset(str(folder), settings).log
    films, _ = MovieLens.find(folder).films()
    genres = {film.item_id: "|".join(film.genres) for film in films}
    return Catalogue(why, log, _long_histories(log, history), genres)


def _long_histories(log: InteractionLog, history: int) -> InteractionLog:
    """The newest `history` events of the users who have as many, those users alone."""
    data = log.interactions
    counts = np.diff(data.indptr)
    users = np.flatnonzero(counts >= history)
    if not len(users):
        raise DataProblem(f"No user has {history} events.", fix="Name a data set with longer histories.")
    ends = np.repeat(data.indptr[1:], counts)
    kept = data.select((counts[data.user] >= history) & (ends - np.arange(len(data)) <= history))
    number = np.full(data.n_users, -1, np.int32)
    number[users] = np.arange(len(users), dtype=np.int32)
    short = Interactions.of(
        number[kept.user],
        kept.item,
        kept.timestamp,
        n_users=len(users),
        n_items=data.n_items,
        event_type=kept.event_type,
        value=kept.value,
    )
    return replace(log, interactions=short, user_ids=tuple(log.user_ids[user] for user in users), occasions=None)
