"""How old items are: what exploration calls young."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from matinee.filters.columns import Mask
from matinee.serving.dataset_records import Layer
from matinee.serving.exploration import DoubleArray
from matinee.serving.item_table import ItemTable

_COLUMN = "CREATION_TIMESTAMP"
_DAY = 86_400.0
#: Above, a stored date is no date: items of the training that have neither a date nor an event.
_NO_DATE = 2**62


class ItemAges:
    """When the items of a table came to be, kept as long as the table is."""

    def __init__(self) -> None:
        self._created: WeakKeyDictionary[ItemTable, DoubleArray] = WeakKeyDictionary()

    def young(self, items: ItemTable, cut_off: float, newest_event: int) -> Mask:
        """Which items (items.unknown,) are at most `cut_off` days old at the time of the group's newest interaction.

        That is the later of the newest one at training and `newest_event`, epoch seconds. An item that came after it is
        young.
        """
        created = self._created.get(items)
        if created is None:
            created = self._created.setdefault(items, creation_dates(items))
        mask: Mask = created >= max(newest_event, trained_until(items)) - cut_off * _DAY
        return mask


def trained_until(items: ItemTable) -> int:
    """When the newest interaction at training was, epoch seconds; 0 without one."""
    return int(max(0, items.artifact.newest_event.max(initial=0)))


def creation_dates(items: ItemTable) -> DoubleArray:
    """When each item came to be, epoch seconds (items.unknown,).

    CREATION_TIMESTAMP of its newest record; else its oldest interaction; else, for an imported one, the time of the
    newest interaction at training (spec 2.5), and for a streamed one when it was put.
    """
    latest = float(trained_until(items))
    trained = np.where(items.artifact.created > _NO_DATE, latest, items.artifact.created.astype(np.float64))
    created = np.concatenate([trained, np.full(items.unknown - items.n_model, latest)])
    if items.records is None:
        return created
    for layer, segment in zip((items.records.base, items.records.streamed), items.table.segments, strict=True):
        if layer is items.records.streamed:
            new = segment.rows >= items.n_model
            created[segment.rows[new]] = np.maximum(created[segment.rows[new]], layer.since[new] / 1000)
        given = _dates(layer)
        if given is not None:
            dated = ~np.isnan(given)
            created[segment.rows[dated]] = given[dated]
    return created


def _dates(layer: Layer) -> DoubleArray | None:
    return layer.columns.numbers(_COLUMN) if layer.columns.schema.get(_COLUMN) is not None else None
