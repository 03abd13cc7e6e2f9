"""Tags of one resource: the rules of keys and numbers, their rows, and the one tag that Matinee reads itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from matinee.errors import InvalidInput, TooManyTags
from matinee.storage.metadata import tags

MOST_TAGS = 50
#: On a campaign or recommender: how much its answers are to vary, "0" to "1".
DIVERSITY = "matinee:diversity"


def put(connection: sa.Connection, arn: str, given: Sequence[Mapping[str, str]]) -> None:
    """Add tags to a resource; one whose key it has replaces that.

    Raises `InvalidInput` for a reserved or repeated key, `TooManyTags` above 50 in all.
    """
    if not given:
        return
    repeated = [key for key, times in Counter(tag["tagKey"] for tag in given).items() if times > 1]
    if repeated:
        raise InvalidInput(f"The tag key {repeated[0]!r} is given more than once. Give each key once.")
    for tag in given:
        if tag["tagKey"].lower().startswith("aws:"):
            raise InvalidInput(f"The tag key {tag['tagKey']!r} is reserved: keys must not begin with aws:.")
        if tag["tagKey"] == DIVERSITY and _diversity(tag["tagValue"]) is None:
            raise InvalidInput(f"The tag {DIVERSITY} must be a number from 0 to 1, not {tag['tagValue']!r}.")
    merged = {**read(connection, arn), **{tag["tagKey"]: tag["tagValue"] for tag in given}}
    if len(merged) > MOST_TAGS:
        raise TooManyTags(
            f"{arn} would have {len(merged)} tags; a resource may have {MOST_TAGS}. Remove {len(merged) - MOST_TAGS}."
        )
    remove(connection, arn, [tag["tagKey"] for tag in given])
    rows = [{"arn": arn, "key": tag["tagKey"], "value": tag["tagValue"]} for tag in given]
    connection.execute(sa.insert(tags), rows)


def read(connection: sa.Connection, arn: str) -> dict[str, str]:
    """A resource's tags, key to value, sorted by key."""
    query = sa.select(tags.c.key, tags.c.value).where(tags.c.arn == arn)
    # Sorted here: PostgreSQL would sort by the rules of its database's language.
    return {row.key: row.value for row in sorted(connection.execute(query))}


def remove(connection: sa.Connection, arn: str, keys: Sequence[str]) -> None:
    """Take tags away; keys that the resource does not have are passed over."""
    connection.execute(sa.delete(tags).where(tags.c.arn == arn, tags.c.key.in_(keys)))


def diversity(connection: sa.Connection, arn: str) -> float:
    """How much the answers of a campaign or recommender are to vary, from 0 to 1: 0 without the tag."""
    given = connection.scalar(sa.select(tags.c.value).where(tags.c.arn == arn, tags.c.key == DIVERSITY))
    return (given and _diversity(given)) or 0.0


def _diversity(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None
