"""Imported and streamed records as one."""

from __future__ import annotations

import sqlalchemy as sa
from tests.unit.serving.shop import CALLER, GROUP, Shop

from matinee.control import records as rows
from matinee.serving.dataset_records import DatasetRecords, RecordReader
from matinee.serving.freshness import Freshness
from matinee.serving.groups import Groups
from matinee.storage.metadata import dataset_parts
from matinee.storage.metadata import records as table

ARN = CALLER.arn("dataset/films/ITEMS")
#: Epoch milliseconds after any clock.
FUTURE = 10**14


class Reading:
    """Reads the shop's ITEMS again and again, as a process does."""

    def __init__(self, shop: Shop) -> None:
        self.freshness, self.groups, self.reader = Freshness(shop.database), Groups(), RecordReader(shop.objects)

    def now(self) -> DatasetRecords:
        """The records as of now."""
        with self.freshness.view() as view:
            return self.reader.get(view, self.groups.get(view, GROUP).datasets["ITEMS"])

    def title(self, item: str) -> object:
        """The title of an item as of now."""
        return self.now().get(item).get("TITLE")


def _put(shop: Shop, item: str, title: str) -> None:
    shop.put("PutItems", datasetArn=ARN, items=[{"itemId": item, "properties": {"title": title}}])


def test_a_streamed_record_replaces_the_whole_imported_one(shop: Shop) -> None:
    reading = Reading(shop)
    shop.import_rows("ITEMS", [{"ITEM_ID": "a", "TITLE": "old", "PRICE": 1.0}])
    assert reading.title("a") == "old"
    _put(shop, "a", "new")
    assert reading.title("a") == "new"
    assert reading.now().get("a")["PRICE"] is None
    reading.freshness.close()


def test_a_later_import_replaces_the_streamed_record(shop: Shop) -> None:
    reading = Reading(shop)
    _put(shop, "a", "streamed")
    assert reading.title("a") == "streamed"
    shop.import_rows("ITEMS", [{"ITEM_ID": "a", "TITLE": "imported"}], at=FUTURE)
    assert reading.title("a") == "imported"
    reading.freshness.close()


def test_a_streamed_record_stays_when_an_import_does_not_have_it(shop: Shop) -> None:
    reading = Reading(shop)
    _put(shop, "a", "streamed")
    shop.import_rows("ITEMS", [{"ITEM_ID": "b", "TITLE": "imported"}], at=FUTURE)
    assert (reading.title("a"), reading.title("b")) == ("streamed", "imported")
    reading.freshness.close()


def test_the_last_part_counts(shop: Shop) -> None:
    reading = Reading(shop)
    shop.import_rows("ITEMS", [{"ITEM_ID": "a", "TITLE": "first"}])
    shop.import_rows("ITEMS", [{"ITEM_ID": "a", "TITLE": "second"}])
    assert reading.title("a") == "second"
    reading.freshness.close()


def test_nothing_is_read_again_while_no_record_changed(shop: Shop) -> None:
    reading = Reading(shop)
    shop.import_rows("ITEMS", [{"ITEM_ID": "a"}])
    first = reading.now()
    shop.put_event("u", "a")
    assert reading.now() is first
    _put(shop, "a", "x")
    assert reading.now().base is first.base
    reading.freshness.close()


def test_a_wider_schema_gives_nulls_until_data_arrives(shop: Shop) -> None:
    reading = Reading(shop)
    shop.import_rows("ITEMS", [{"ITEM_ID": "a", "TITLE": "t"}])
    assert "COUNTRY" not in reading.now().get("a")
    text = shop.change(CALLER.arn("schema/items"))["schema"]
    wider = shop.add(
        "schema",
        "wider",
        {"schema": text.replace('"fields": [', '"fields": [{"name": "COUNTRY", "type": ["null", "string"]}, ')},
    )
    attributes = {**shop.change(ARN).attributes, "schemaArn": wider}
    shop.change(ARN, attributes=attributes)
    assert reading.now().get("a")["COUNTRY"] is None
    assert reading.title("a") == "t"
    reading.freshness.close()


def test_a_dataset_made_again_begins_empty(shop: Shop) -> None:
    reading = Reading(shop)
    _put(shop, "a", "old")
    assert reading.title("a") == "old"
    attributes = shop.change(ARN).attributes
    with shop.database.transaction() as connection:
        rows.remove(connection, [ARN])
        connection.execute(table.delete())
    shop.add("dataset", "films/ITEMS", attributes, parent=GROUP)
    _put(shop, "b", "new")
    assert (reading.title("a"), reading.title("b")) == (None, "new")
    reading.freshness.close()


def test_trap_6_a_full_import_replaces_the_parts_and_leaves_what_was_streamed(shop: Shop) -> None:
    reading = Reading(shop)
    shop.import_rows("ITEMS", [{"ITEM_ID": "a", "TITLE": "first"}, {"ITEM_ID": "b", "TITLE": "gone"}])
    _put(shop, "z", "streamed")
    assert [reading.title(item) for item in "abz"] == ["first", "gone", "streamed"]
    with shop.database.transaction() as connection:
        connection.execute(sa.delete(dataset_parts).where(dataset_parts.c.dataset_arn == ARN))
    shop.import_rows("ITEMS", [{"ITEM_ID": "a", "TITLE": "second"}])
    assert [reading.title(item) for item in "abz"] == ["second", None, "streamed"]
    reading.freshness.close()
