"""The refusals of CreateSchema, a row each: the form of schemas, and what each dataset type and domain asks for (2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from tests.contract.refusal_rows import II, Row
from tests.unit.control.tenant import schema_text

Field = Mapping[str, Any]
VIDEO, SHOP = "VIDEO_ON_DEMAND", "ECOMMERCE"


def field(name: str, type_: Any = "string", *attributes: str) -> Field:
    """One field; `attributes` are those of its attributes that are true."""
    return {"name": name, "type": type_, **dict.fromkeys(attributes, True)}


def _category(name: str) -> Field:
    return field(name, "string", "categorical")


_USER, _ITEM, _ACTION, _TIME = field("USER_ID"), field("ITEM_ID"), field("ACTION_ID"), field("TIMESTAMP", "long")
_TYPE, _PRICE, _AGE = field("EVENT_TYPE"), field("PRICE", "float"), field("AGE", "int")

#: 2.2 to 2.4: a schema that is right, by domain and record; each of its fields is required, but for the metadata of
#: records that need any.
RIGHT: Mapping[tuple[str | None, str], tuple[Field, ...]] = {
    (None, "Interactions"): (_USER, _ITEM, _TIME),
    (None, "Users"): (_USER, _AGE),
    (None, "Items"): (_ITEM, _PRICE),
    (None, "Actions"): (_ACTION, field("WORTH", "long")),
    (None, "ActionInteractions"): (_USER, _ACTION, _TYPE, _TIME),
    (VIDEO, "Interactions"): (_USER, _ITEM, _TIME, _TYPE),
    (VIDEO, "Users"): (_USER, _AGE),
    (VIDEO, "Items"): (_ITEM, _category("GENRES"), field("CREATION_TIMESTAMP", "long")),
    (SHOP, "Interactions"): (_USER, _ITEM, _TIME, _TYPE),
    (SHOP, "Users"): (_USER, _AGE),
    (SHOP, "Items"): (_ITEM, _PRICE, _category("CATEGORY_L1")),
}
_METADATA = ("AGE", "WORTH")
#: 2.2 to 2.4: reserved names by domain and record, as they must be.
RESERVED: Mapping[tuple[str | None, str], str] = {
    (None, "Interactions"): (
        "EVENT_TYPE plain, EVENT_VALUE float, IMPRESSION plain, RECOMMENDATION_ID plain, EVENT_ATTRIBUTION_SOURCE plain"
    ),
    (None, "Items"): "CREATION_TIMESTAMP long",
    (None, "Actions"): (
        "CREATION_TIMESTAMP long, VALUE long, TYPE plain, EXPIRATION_TIMESTAMP long, ACTION_EXPIRATION_TIMESTAMP long, "
        "REPEAT_FREQUENCY long"
    ),
    (None, "ActionInteractions"): "IMPRESSION plain, RECOMMENDATION_ID plain",
    (VIDEO, "Interactions"): (
        "EVENT_VALUE float, IMPRESSION plain, RECOMMENDATION_ID plain, EVENT_ATTRIBUTION_SOURCE plain"
    ),
    (VIDEO, "Users"): "SUBSCRIPTION_MODEL categorical",
    (VIDEO, "Items"): (
        "PRICE float, DURATION float, AVERAGE_RATING float, GENRE_L2 categorical, GENRE_L3 categorical, "
        "CONTENT_OWNER categorical, CONTENT_CLASSIFICATION categorical, PRODUCT_DESCRIPTION textual"
    ),
    (SHOP, "Interactions"): (
        "EVENT_VALUE float, IMPRESSION plain, RECOMMENDATION_ID plain, EVENT_ATTRIBUTION_SOURCE plain"
    ),
    (SHOP, "Items"): (
        "CATEGORY_L2 categorical, CATEGORY_L3 categorical, AGE_GROUP categorical, ADULT categorical, "
        "GENDER categorical, PRODUCT_DESCRIPTION textual, CREATION_TIMESTAMP long"
    ),
}


def _refused(section: str, words: str, domain: str | None, record: str, *fields: Field) -> Row:
    request = {"name": "new", "schema": schema_text(record, *map(dict, fields))}
    return Row(section, "CreateSchema", request if domain is None else {**request, "domain": domain}, II, words)


def schemas() -> Iterator[Row]:
    """All of section 2 that the service can see at CreateSchema."""
    return chain(_texts(), _fields(), _required(), _reserved(), _counts())


def _texts() -> Iterator[Row]:
    """2.1: one flat Avro record with the name of its dataset type."""
    for text, words in (
        ("{", "The schema is not valid JSON"),
        ("[]", "must be an Avro record"),
        ('{"type": "enum", "name": "Items"}', "must be an Avro record"),
        (schema_text("Films", dict(_ITEM)), "record name is 'Films'. It must match the dataset type"),
        (schema_text("interactions", dict(_ITEM)), "record name is 'interactions'"),
        (schema_text("Items"), "has no fields"),
        ('{"type": "record", "name": "Items", "fields": [{"type": "string"}]}', "Field number 1 .* has no name"),
    ):
        yield Row("2.1", "CreateSchema", {"name": "new", "schema": text}, II, words)


def _fields() -> Iterator[Row]:
    """2.1: types, names and attributes of fields."""
    record: Any = {"type": "record", "name": "X", "fields": []}
    for type_ in (
        {"type": "array", "items": "string"},
        {"type": "map", "values": "string"},
        {"type": "enum", "name": "X", "symbols": ["A"]},
        record,
        "bytes",
        "null",
        ["int", "long"],
        ["int", "long", "null"],
        ["null"],
        [],
    ):
        yield _refused("2.1", "Field X has type", None, "Items", _ITEM, field("X", type_))
    for name in ("1X", "A-B", "A B", "É", ""):
        yield _refused("2.1", f"Field name '{name}' is not allowed", None, "Items", _ITEM, field(name, "int"))
    for one, other in (("A_B", "AB"), ("GENRES_FIELD_1", "GENRESFIELD1"), ("A", "A")):
        names = f"Fields {one} and {other} are the same once underscores"
        yield _refused("2.1", names, None, "Items", _ITEM, field(one, "int"), field(other, "int"))
    for attribute in ("textual", "itemName"):
        two = [field(name, "string", attribute) for name in ("A", "B")]
        yield _refused("2.1", f"all {attribute}. An Items schema may have one", None, "Items", _ITEM, *two)
        yield _refused("2.1", "only Items schemas have such fields", None, "Users", _USER, two[0])
    for attribute in ("categorical", "textual", "itemName"):
        number = field("X", "int", attribute)
        yield _refused("2.1", f'X is {attribute} but a int. Make it "type": "string"', None, "Items", _ITEM, number)
    both = field("X", "string", "categorical", "textual")
    yield _refused("2.1", "is both categorical and textual", None, "Items", _ITEM, both)
    yes = {**field("X"), "categorical": "yes"}
    yield _refused("2.1", "must be true or false", None, "Items", _ITEM, yes)


def _required() -> Iterator[Row]:
    """2.2 to 2.4: what each record must have, as what, and never null."""
    for (domain, record), fields in RIGHT.items():
        section = {None: "2.2", VIDEO: "2.3", SHOP: "2.4"}[domain]
        for missing in fields:
            name, rest = missing["name"], [one for one in fields if one is not missing]
            if name in _METADATA or (domain is None and name == "PRICE"):
                yield _refused(section, "has no metadata field", domain, record, *rest, field("NOTE"))
                continue
            yield _refused(section, f"lacks the required field {name}", domain, record, *rest)
            wrong = field(name, "boolean")
            yield _refused(section, f"{name} is reserved and has type boolean", domain, record, *rest, wrong)
            if name.endswith("_ID") or name in ("TIMESTAMP", "EVENT_TYPE"):
                maybe = field(name, ["null", missing["type"]])
                yield _refused(section, f"{name} must not be null", domain, record, *rest, maybe)
            if name.endswith("_ID") or name == "EVENT_TYPE":
                yield _refused("2.1", f"{name} is .* not be categorical", domain, record, *rest, _category(name))
            elif "categorical" in missing:
                yield _refused("2.1", f"{name} .* must be categorical", domain, record, *rest, field(name))
    for domain in (VIDEO, SHOP):
        for record in ("Actions", "ActionInteractions"):
            yield _refused("2.2", "Create the schema without a domain", domain, record, *RIGHT[None, record])


def _reserved() -> Iterator[Row]:
    """2.2 to 2.4: a reserved name has its own type and attribute, or is refused."""
    for (domain, record), text in RESERVED.items():
        for entry in text.split(", "):
            name, kind = entry.split()
            fields = [one for one in RIGHT[domain, record] if one["name"] != name]
            boolean = field(name, "boolean")
            yield _refused("2.1", f"{name} is reserved and has type boolean", domain, record, *fields, boolean)
            if kind == "plain":
                words = f"{name} is reserved and must not be categorical"
                yield _refused("2.1", words, domain, record, *fields, _category(name))
            elif kind in ("categorical", "textual"):
                yield _refused("2.1", f"{name} is reserved and must be {kind}", domain, record, *fields, field(name))


def _counts() -> Iterator[Row]:
    """2.2: how many columns a record may have."""
    many = [field(f"C{number}", "int") for number in range(101)]
    for domain in (None, VIDEO, SHOP):
        own = "6 columns of its own"
        yield _refused("2.2", own, domain, "Interactions", *RIGHT[domain, "Interactions"], *many[:6])
        spare = 25 - len(RIGHT[domain, "Users"]) + 1
        yield _refused("2.2", "26 metadata columns", domain, "Users", *RIGHT[domain, "Users"], *many[: spare + 1])
        spare = 100 - len(RIGHT[domain, "Items"]) + 1
        yield _refused("2.2", "101 metadata columns", domain, "Items", *RIGHT[domain, "Items"], *many[: spare + 1])
    actions = "metadata columns; at most 10"
    yield _refused("2.2", actions, None, "Actions", _ACTION, *many[:11])
