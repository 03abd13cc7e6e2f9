"""Schemas: what is accepted, and what each refusal names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest
from tests.unit.data.shapes import ITEM, ITEMS, TIME, USER, number, optional, string, text_of

from matinee.data.schemas import Field, check_replacement, parse_schema, polars_schema
from matinee.errors import InvalidInput

GENRES = string("GENRES", categorical=True)
CREATED = number("CREATION_TIMESTAMP")
EVENT_TYPE = string("EVENT_TYPE")
ACTION = string("ACTION_ID")


def test_a_schema_keeps_its_fields_in_order() -> None:
    schema = parse_schema(text_of("Items", ITEM, GENRES, optional(string("PLOT", textual=True)), number("YEAR", "int")))
    assert schema.fields == (
        Field("ITEM_ID", "string"),
        Field("GENRES", "string", categorical=True),
        Field("PLOT", "string", nullable=True, textual=True),
        Field("YEAR", "int"),
    )


@pytest.mark.parametrize(
    ("record", "dataset_type", "fields"),
    [
        ("Interactions", "INTERACTIONS", (USER, ITEM, TIME)),
        ("Items", "ITEMS", (ITEM, GENRES)),
        ("Users", "USERS", (USER, number("AGE", "int"))),
        ("Actions", "ACTIONS", (ACTION, number("VALUE"), number("ACTION_EXPIRATION_TIMESTAMP"))),
        ("ActionInteractions", "ACTION_INTERACTIONS", (USER, ACTION, EVENT_TYPE, TIME)),
        ("Action_Interactions", "ACTION_INTERACTIONS", (USER, ACTION, EVENT_TYPE, TIME)),
    ],
)
def test_the_record_name_says_the_dataset_type(
    record: str, dataset_type: str, fields: tuple[Mapping[str, Any], ...]
) -> None:
    assert parse_schema(text_of(record, *fields)).dataset_type == dataset_type


@pytest.mark.parametrize("kind", [["null", "float"], ["float", "null"]])
def test_null_may_stand_on_either_side_of_a_union(kind: list[str]) -> None:
    schema = parse_schema(text_of("Interactions", USER, ITEM, TIME, {"name": "EVENT_VALUE", "type": kind}))
    assert schema.get("EVENT_VALUE") == Field("EVENT_VALUE", "float", nullable=True)


def test_a_list_of_one_type_is_that_type() -> None:
    schema = parse_schema(text_of("Interactions", USER, {"name": "ITEM_ID", "type": ["string"]}, TIME))
    assert schema.get("ITEM_ID") == Field("ITEM_ID", "string")


@pytest.mark.parametrize("version", [None, "1.1"])
def test_the_version_does_not_matter(version: str | None) -> None:
    record = json.loads(text_of("Interactions", USER, ITEM, TIME))
    record.pop("version")
    assert parse_schema(json.dumps(record | ({"version": version} if version else {}))).record == "Interactions"


@pytest.mark.parametrize("genres", ["GENRES", "GENRES_L1"])
def test_the_video_domain_takes_either_name_of_the_genre_field(genres: str) -> None:
    schema = parse_schema(text_of("Items", ITEM, string(genres, categorical=True), CREATED), "VIDEO_ON_DEMAND")
    assert schema.domain == "VIDEO_ON_DEMAND"


@pytest.mark.parametrize("kind", ["long", "float"])
def test_the_shop_domain_takes_creation_timestamps_as_long_or_float(kind: str) -> None:
    fields = (ITEM, number("PRICE", "float"), string("CATEGORY_L1", categorical=True))
    schema = parse_schema(text_of("Items", *fields, number("CREATION_TIMESTAMP", kind)), "ECOMMERCE")
    assert schema.get("CREATION_TIMESTAMP") is not None


EVENTS = (USER, ITEM, TIME)
VIDEO, SHOP = "VIDEO_ON_DEMAND", "ECOMMERCE"
PLOT = string("PLOT", textual=True)


@pytest.mark.parametrize(
    ("text", "domain", "named", "fix"),
    [
        ("{", None, "line 1, column 2", "JSON"),
        ('{"type": "map"}', None, "Avro record", '"type": "record"'),
        (text_of("Films", ITEM), None, "'Films'", "Interactions, Items"),
        (text_of("Items"), None, "no fields", 'Add "fields"'),
        ('{"type": "record", "name": "Items", "fields": [{"type": "string"}]}', None, "number 1", '"name"'),
        (text_of("Items", ITEM, string("1ST")), None, "'1ST'", "not starting with a digit"),
        (text_of("Items", ITEM, {"name": "TAGS", "type": {"type": "array"}}), None, "TAGS", "flat"),
        (text_of("Items", ITEM, {"name": "SIZE", "type": ["null", "int", "string"]}), None, "SIZE", "Use one of"),
        (text_of("Items", ITEM, {"name": "SIZE", "type": "null"}), None, "SIZE", "Use one of"),
        (text_of("Items", ITEM, {"name": "SIZE"}), None, "SIZE", "Use one of"),
        (text_of("Items", ITEM, string("TAGS", categorical="yes")), None, "TAGS", "true or false"),
        (text_of("Items", ITEM, GENRES, string("GEN_RES")), None, "GENRES and GEN_RES", "Rename"),
        (text_of("Items", ITEM, GENRES, string("genres")), None, "GENRES and genres", "Rename"),
        (text_of("Items", ITEM, number("YEAR", "int") | {"categorical": True}), None, "YEAR", '"type": "string"'),
        (text_of("Items", ITEM, string("PLOT", textual=True, categorical=True)), None, "PLOT", "Keep one"),
        (text_of("Users", USER, PLOT), None, "PLOT", "Remove it"),
        (text_of("Items", ITEM, PLOT, string("TAGLINE", textual=True)), None, "PLOT, TAGLINE", "may have one"),
        (text_of("Items", ITEM, GENRES, string("A", itemName=True), string("B", itemName=True)), None, "A, B", "one"),
        (text_of("Interactions", USER, ITEM), None, "TIMESTAMP", "Add it as a long"),
        (text_of("Interactions", USER, ITEM, number("timestamp")), None, "TIMESTAMP", "upper case"),
        (text_of("Interactions", USER, ITEM, number("TIMESTAMP", "int")), None, "TIMESTAMP", "Make it a long"),
        (text_of("Interactions", optional(USER), ITEM, TIME), None, "USER_ID", '"type": "string"'),
        (text_of("Interactions", USER, string("ITEM_ID", categorical=True), TIME), None, "ITEM_ID", "Remove"),
        (text_of("Interactions", *EVENTS, number("EVENT_VALUE", "double")), None, "EVENT_VALUE", "Make it a float"),
        (text_of("Interactions", *EVENTS, string("EVENT_TYPE", categorical=True)), None, "EVENT_TYPE", "Remove"),
        (text_of("Interactions", *EVENTS, *map(string, "ABCDEF")), None, "A, B, C, D, E, F", "Remove 1"),
        (text_of("Items", ITEM, string("TITLE")), None, "metadata", "categorical string, a textual string"),
        (text_of("Users", USER, *(number(f"N{n}", "int") for n in range(26))), None, "26 metadata", "Remove 1"),
        (text_of("Items", ITEM, *(number(f"N{n}", "int") for n in range(101))), None, "101 metadata", "Remove 1"),
        (text_of("Actions", ACTION, *(number(f"N{n}", "int") for n in range(11))), None, "11 metadata", "Remove 1"),
        (text_of("Interactions", *EVENTS), VIDEO, "EVENT_TYPE", "Add it as a string"),
        (text_of("Interactions", *EVENTS, optional(EVENT_TYPE)), SHOP, "EVENT_TYPE", '"type": "string"'),
        (text_of("Items", ITEM, string("GENRES"), CREATED), VIDEO, "GENRES", '"categorical": true'),
        (text_of("Items", ITEM, GENRES), VIDEO, "CREATION_TIMESTAMP", "Add it as a long"),
        (text_of("Items", ITEM, GENRES, CREATED, string("CONTENT_OWNER")), VIDEO, "CONTENT_OWNER", "categorical"),
        (text_of("Items", ITEM, GENRES, CREATED, string("PRODUCT_DESCRIPTION")), VIDEO, "PRODUCT_DESCRIPTION", "text"),
        (text_of("Users", USER, string("SUBSCRIPTION_MODEL")), VIDEO, "SUBSCRIPTION_MODEL", '"categorical": true'),
        (text_of("Items", ITEM, string("CATEGORY_L1", categorical=True)), SHOP, "PRICE", "Add it as a float"),
        (text_of("Actions", ACTION, number("VALUE")), VIDEO, "Actions", "without a domain"),
        (text_of("Items", ITEM, GENRES), "CINEMA", "'CINEMA'", "VIDEO_ON_DEMAND"),
    ],
)
def test_a_refusal_names_the_field_and_the_fix(text: str, domain: str | None, named: str, fix: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_schema(text, domain)
    assert named in refused.value.message
    assert fix in refused.value.message


def test_reserved_names_of_a_domain_are_free_in_a_custom_group() -> None:
    assert parse_schema(text_of("Items", ITEM, number("PRICE", "int"))).get("PRICE") == Field("PRICE", "int")


def test_columns_have_the_types_of_the_parts() -> None:
    assert polars_schema(ITEMS) == {
        "ITEM_ID": pl.String,
        "TITLE": pl.String,
        "GENRES": pl.String,
        "PLOT": pl.String,
        "YEAR": pl.Int64,
        "AWARDED": pl.Boolean,
    }


@pytest.mark.parametrize(("record", "key"), [("Items", "ITEM_ID"), ("Users", "USER_ID"), ("Interactions", None)])
def test_records_have_a_key_and_events_have_none(record: str, key: str | None) -> None:
    fields = {"Items": (ITEM, GENRES), "Users": (USER, GENRES), "Interactions": EVENTS}[record]
    assert parse_schema(text_of(record, *fields)).key == key


def test_a_replacement_may_add_nullable_fields() -> None:
    old = parse_schema(text_of("Items", ITEM, GENRES))
    new = parse_schema(text_of("Items", ITEM, optional(number("YEAR", "int")), GENRES))
    check_replacement(old, new)
    assert new.get("YEAR") is not None


@pytest.mark.parametrize(
    ("new", "named", "fix"),
    [
        (text_of("Items", ITEM, number("YEAR", "int")), "GENRES", "Keep every field"),
        (text_of("Items", ITEM, string("GENRES"), number("YEAR")), "GENRES", "Keep its type"),
        (text_of("Items", ITEM, GENRES, number("YEAR", "int")), "YEAR", '["null", "int"]'),
        (text_of("Users", USER, GENRES), "USERS", "ITEMS"),
    ],
)
def test_a_replacement_is_refused_with_the_field(new: str, named: str, fix: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_replacement(parse_schema(text_of("Items", ITEM, GENRES)), parse_schema(new))
    assert named in refused.value.message
    assert fix in refused.value.message


def test_schemas_of_events_cannot_be_replaced() -> None:
    events = parse_schema(text_of("Interactions", *EVENTS))
    with pytest.raises(InvalidInput, match="only Items and Users"):
        check_replacement(events, events)
