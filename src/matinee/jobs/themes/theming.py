"""A batch job's lists made into themes: a title, the items by how well they fit it, and where the title came from."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from matinee.control.batch_themes import name_column
from matinee.errors import InvalidInput, JobFailed
from matinee.jobs.themes.language_model import LanguageModel
from matinee.jobs.themes.terms import Catalogue, Columns, relevance
from matinee.jobs.themes.titles import title_of
from matinee.serving.dataset_records import RecordReader
from matinee.serving.freshness import View
from matinee.serving.groups import Groups
from matinee.settings import Settings
from matinee.storage.metadata import Database
from matinee.storage.objects import ObjectStore

#: `themeSource` of a title that Matinee made itself; a language model's is `llm:` and the model's name.
OWN = "matinee:terms"
_DECIMALS = 9


class Theming:
    """Titles for the lists of one job, over the Items of its dataset group as they were when it began."""

    def __init__(self, catalogue: Catalogue, model: LanguageModel | None) -> None:
        self._catalogue, self._model = catalogue, model
        #: Titles by source.
        self.counts: dict[str, int] = {}

    @classmethod
    def open(
        cls, database: Database, objects: ObjectStore, settings: Settings, group_arn: str, item_name: str
    ) -> Theming:
        """Read the Items of a group; `item_name` is the column of their names.

        Raises `JobFailed` when the dataset is gone, `SettingsProblem` for settings of a language model that cannot be.
        """
        with ExitStack() as resources:
            view = View(database, None, resources)
            dataset = Groups().get(view, group_arn).datasets.get("ITEMS")
            if dataset is None:
                raise JobFailed(f"{group_arn} has no Items dataset any more; themes need the items' names.")
            try:
                columns = Columns.of(dataset.schema, name_column(dataset.schema, item_name))
            except InvalidInput as problem:
                raise JobFailed(problem.message) from None
            catalogue = Catalogue.of(RecordReader(objects).get(view, dataset), columns)
        return cls(catalogue, LanguageModel.of(settings))

    @property
    def at_once(self) -> int | None:
        """Lines to answer at once: one where a language model is waited for, None for any number."""
        return None if self._model is None else 1

    def output(self, items: Sequence[str]) -> dict[str, Any]:
        """The `output` of a line: the items, best fitting first, under their title. An empty list has no theme."""
        if not items:
            return {"recommendedItems": [], "theme": None, "itemsThemeRelevanceScores": []}
        described = [self._catalogue.item(item) for item in items]
        written = None if self._model is None else self._model.title(described)
        title = title_of(self._catalogue, described) if written is None else written
        source = OWN if written is None or self._model is None else f"llm:{self._model.name}"
        self.counts[source] = self.counts.get(source, 0) + 1
        scores = [round(score, _DECIMALS) for score in relevance(self._catalogue, described, title)]
        order = sorted(range(len(items)), key=lambda at: -scores[at])
        return {
            "recommendedItems": [items[at] for at in order],
            "theme": title,
            "itemsThemeRelevanceScores": [scores[at] for at in order],
            "themeSource": source,
        }

    def close(self) -> None:
        """Let the language model's connections go."""
        if self._model is not None:
            self._model.close()
