"""What a schema of each dataset type must and may contain, as tables that read like the specification (2.2 to 2.4)."""

from __future__ import annotations

from dataclasses import dataclass

DATASET_TYPES = ("INTERACTIONS", "ITEMS", "USERS", "ACTIONS", "ACTION_INTERACTIONS")
DOMAINS = ("VIDEO_ON_DEMAND", "ECOMMERCE")
VALUE_TYPES = ("string", "int", "long", "float", "double", "boolean")

RECORD_NAMES = {
    "Interactions": "INTERACTIONS",
    "Items": "ITEMS",
    "Users": "USERS",
    "Actions": "ACTIONS",
    "ActionInteractions": "ACTION_INTERACTIONS",
    "Action_Interactions": "ACTION_INTERACTIONS",
}

# The columns that say which record a row is: never null, at most 256 characters.
KEYS = {"USER_ID", "ITEM_ID", "ACTION_ID"}


@dataclass(frozen=True)
class Reserved:
    """A field name with a meaning. `kind` is how its values read: `plain`, `categorical`, `textual`, or a number."""

    name: str
    types: tuple[str, ...]
    kind: str = "plain"
    nullable: bool = True
    aliases: tuple[str, ...] = ()

    @property
    def wording(self) -> str:
        """How a message says what the field must be: `a categorical string`, `a long`."""
        types = " or ".join(self.types)
        article = "an" if types.startswith("i") else "a"
        return f"a {self.kind} {types}" if self.kind in {"categorical", "textual"} else f"{article} {types}"


@dataclass(frozen=True)
class DatasetRules:
    """The rules of one dataset type in one kind of dataset group.

    `max_own` limits the fields that are neither required nor reserved, `max_metadata` all fields but the keys.
    """

    required: tuple[Reserved, ...]
    reserved: tuple[Reserved, ...] = ()
    needs_metadata: bool = False
    max_own: int | None = None
    max_metadata: int | None = None


def _key(name: str) -> Reserved:
    return Reserved(name, ("string",), nullable=False)


def _long(name: str, *aliases: str, nullable: bool = True) -> Reserved:
    return Reserved(name, ("long",), "number", nullable=nullable, aliases=aliases)


def _float(name: str) -> Reserved:
    return Reserved(name, ("float",), "number")


def _plain(name: str, *, nullable: bool = True) -> Reserved:
    return Reserved(name, ("string",), nullable=nullable)


def _categorical(name: str, *aliases: str) -> Reserved:
    return Reserved(name, ("string",), "categorical", aliases=aliases)


_TIMESTAMP = _long("TIMESTAMP", nullable=False)
_EVENT_TYPE = _plain("EVENT_TYPE", nullable=False)
_PRODUCT_DESCRIPTION = Reserved("PRODUCT_DESCRIPTION", ("string",), "textual")
_ABOUT_THE_EVENT = (
    _float("EVENT_VALUE"),
    _plain("IMPRESSION"),
    _plain("RECOMMENDATION_ID"),
    _plain("EVENT_ATTRIBUTION_SOURCE"),
)
_DOMAIN_INTERACTIONS = DatasetRules(
    required=(_key("USER_ID"), _key("ITEM_ID"), _TIMESTAMP, _EVENT_TYPE),
    reserved=_ABOUT_THE_EVENT,
    max_own=5,
)

CUSTOM: dict[str, DatasetRules] = {
    "INTERACTIONS": DatasetRules(
        required=(_key("USER_ID"), _key("ITEM_ID"), _TIMESTAMP),
        reserved=(_plain("EVENT_TYPE"), *_ABOUT_THE_EVENT),
        max_own=5,
    ),
    "USERS": DatasetRules(required=(_key("USER_ID"),), needs_metadata=True, max_metadata=25),
    "ITEMS": DatasetRules(
        required=(_key("ITEM_ID"),),
        reserved=(_long("CREATION_TIMESTAMP"),),
        needs_metadata=True,
        max_metadata=100,
    ),
    "ACTIONS": DatasetRules(
        required=(_key("ACTION_ID"),),
        reserved=(
            _long("CREATION_TIMESTAMP"),
            _long("VALUE"),
            _plain("TYPE"),
            _long("EXPIRATION_TIMESTAMP", "ACTION_EXPIRATION_TIMESTAMP"),
            _long("REPEAT_FREQUENCY"),
        ),
        needs_metadata=True,
        max_metadata=10,
    ),
    "ACTION_INTERACTIONS": DatasetRules(
        required=(_key("USER_ID"), _key("ACTION_ID"), _EVENT_TYPE, _TIMESTAMP),
        reserved=(_plain("IMPRESSION"), _plain("RECOMMENDATION_ID")),
    ),
}

VIDEO_ON_DEMAND: dict[str, DatasetRules] = {
    "INTERACTIONS": _DOMAIN_INTERACTIONS,
    "USERS": DatasetRules(
        required=(_key("USER_ID"),),
        reserved=(_categorical("SUBSCRIPTION_MODEL"),),
        needs_metadata=True,
        max_metadata=25,
    ),
    "ITEMS": DatasetRules(
        # The requirement says GENRES, the documented default schema GENRES_L1: either will do.
        required=(_key("ITEM_ID"), _categorical("GENRES", "GENRES_L1"), _long("CREATION_TIMESTAMP")),
        reserved=(
            _float("PRICE"),
            _float("DURATION"),
            _float("AVERAGE_RATING"),
            _categorical("GENRE_L2"),
            _categorical("GENRE_L3"),
            _categorical("CONTENT_OWNER"),
            _categorical("CONTENT_CLASSIFICATION"),
            _PRODUCT_DESCRIPTION,
        ),
        max_metadata=100,
    ),
}

ECOMMERCE: dict[str, DatasetRules] = {
    "INTERACTIONS": _DOMAIN_INTERACTIONS,
    "USERS": DatasetRules(required=(_key("USER_ID"),), needs_metadata=True, max_metadata=25),
    "ITEMS": DatasetRules(
        required=(_key("ITEM_ID"), _float("PRICE"), _categorical("CATEGORY_L1")),
        reserved=(
            _categorical("CATEGORY_L2"),
            _categorical("CATEGORY_L3"),
            _categorical("AGE_GROUP"),
            _categorical("ADULT"),
            _categorical("GENDER"),
            _PRODUCT_DESCRIPTION,
            # One page of the documentation prints float.
            Reserved("CREATION_TIMESTAMP", ("long", "float"), "number"),
        ),
        max_metadata=100,
    ),
}

RULES: dict[str | None, dict[str, DatasetRules]] = {
    None: CUSTOM,
    "VIDEO_ON_DEMAND": VIDEO_ON_DEMAND,
    "ECOMMERCE": ECOMMERCE,
}

# Words that must not occur as values (2.1): a cell that holds one is taken for a column's name.
RESERVED_WORDS = tuple(
    sorted(
        {
            word
            for rules in CUSTOM.values()
            for entry in (*rules.required, *rules.reserved)
            for word in (entry.name, *entry.aliases)
            # TYPE and VALUE are everyday words in data; the service is not known to trip over them.
            if word not in {"TYPE", "VALUE"}
        }
    )
)
