"""The converted data as the demo reads it: titles, histories, and which users and films to show."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from matinee.demo.story import Film


@dataclass(frozen=True)
class Catalogue:
    """Films by ID and the history of each user, oldest first."""

    films: dict[str, Film]
    histories: dict[str, list[str]]

    @classmethod
    def read(cls, folder: Path) -> Catalogue:
        """Read what `matinee convert movielens` wrote into `folder`."""
        text = pl.String
        items = pl.read_csv(folder / "items.csv", schema_overrides={"ITEM_ID": text, "TITLE": text, "GENRES": text})
        films = {
            row["ITEM_ID"]: Film(row["ITEM_ID"], row["TITLE"] or row["ITEM_ID"], row["GENRES"] or "")
            for row in items.select("ITEM_ID", "TITLE", "GENRES").iter_rows(named=True)
        }
        log = pl.read_csv(folder / "interactions.csv", schema_overrides={"USER_ID": text, "ITEM_ID": text})
        by_user = log.sort("TIMESTAMP", maintain_order=True).group_by("USER_ID", maintain_order=True).agg("ITEM_ID")
        return cls(films, {row[0]: row[1] for row in by_user.iter_rows()})

    def describe(self, item_ids: list[str]) -> list[dict[str, str]]:
        """Films as JSON-ready values, in the given order."""
        return [asdict(self.films.get(item, Film(item, item, ""))) for item in item_ids]

    def typical_users(self, count: int) -> list[str]:
        """Users with middling histories, the same ones each time: at the quartiles of the number of events."""
        ordered = sorted(self.histories, key=lambda user: (len(self.histories[user]), user))
        return [ordered[len(ordered) * (place + 1) // (count + 1)] for place in range(count)]

    def famous_films(self, count: int) -> list[str]:
        """The films that most users have watched."""
        watched = Counter(item for history in self.histories.values() for item in dict.fromkeys(history))
        return [item for item, _ in watched.most_common(count)]

    def unseen_of_one_genre(self, user: str, count: int) -> list[str]:
        """Well-known films that `user` has not seen, all of the genre that the user has watched least."""
        seen = set(self.histories[user])
        taste = Counter(genre for item in seen for genre in self._genres(item))
        candidates: dict[str, list[str]] = {}
        for item in self.famous_films(len(self.films)):
            if item not in seen:
                for genre in self._genres(item):
                    candidates.setdefault(genre, []).append(item)
        enough = [genre for genre, items in candidates.items() if len(items) >= count]
        least = min(enough, key=lambda genre: (taste[genre], genre))
        return candidates[least][:count]

    def _genres(self, item: str) -> list[str]:
        film = self.films.get(item)
        return [genre for genre in film.genres.split("|") if genre] if film else []
