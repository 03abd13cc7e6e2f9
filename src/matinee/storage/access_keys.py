"""Access keys: who may sign requests, and for which account. Rows of the metadata, made by `matinee keys`."""

from __future__ import annotations

import re
import secrets
import string
import time
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa

from matinee.storage.metadata import Database, access_keys

#: What the public half may look like; anything else is not looked up. Ours are `MATN` and 16 of these, as AWS has it.
ACCESS_KEY: Final = re.compile(r"[A-Z0-9]{16,32}")
ACCOUNT: Final = re.compile(r"[0-9]{12}")
_PREFIX: Final = "MATN"
_PUBLIC: Final = string.ascii_uppercase + "234567"
#: Letters and digits only: a secret never needs quoting. 40 of them are 238 bits.
_SECRET: Final = string.ascii_letters + string.digits


@dataclass(frozen=True)
class AccessKey:
    """One access key. `secret` stays out of its text, so that no log line shows it; times are epoch milliseconds."""

    access_key: str
    secret: str = field(repr=False)
    account: str
    name: str
    enabled: bool
    created_at: int


def create(database: Database, account: str, name: str = "") -> AccessKey:
    """A new key of an account (12 digits), enabled at once. Raises `ValueError` for what is no account."""
    if not ACCOUNT.fullmatch(account):
        raise ValueError(f"An account has 12 digits, not {account!r}.")
    key = AccessKey(
        access_key=_PREFIX + _random(_PUBLIC, 16),
        secret=_random(_SECRET, 40),
        account=account,
        name=name,
        enabled=True,
        created_at=time.time_ns() // 1_000_000,
    )
    with database.transaction() as connection:
        connection.execute(sa.insert(access_keys).values(vars(key)))
    return key


def find(database: Database, access_key: str) -> AccessKey | None:
    """The key of that name, enabled or not; None when there is none. One indexed read."""
    with database.read() as connection:
        row = connection.execute(sa.select(access_keys).where(access_keys.c.access_key == access_key)).one_or_none()
    return None if row is None else AccessKey(**row._mapping)


def every(database: Database) -> list[AccessKey]:
    """All keys, by account and age."""
    order = (access_keys.c.account, access_keys.c.created_at, access_keys.c.access_key)
    with database.read() as connection:
        return [AccessKey(**row._mapping) for row in connection.execute(sa.select(access_keys).order_by(*order))]


def any_exist(database: Database) -> bool:
    """Whether there is a key, be it disabled: from the first one on, signatures are checked."""
    with database.read() as connection:
        return bool(connection.scalar(sa.select(sa.exists().select_from(access_keys))))


def enable(database: Database, access_key: str, *, enabled: bool = True) -> bool:
    """Let a key in, or with `enabled=False` keep it out; gives whether there is such a key."""
    change = sa.update(access_keys).where(access_keys.c.access_key == access_key).values(enabled=enabled)
    with database.transaction() as connection:
        return connection.execute(change).rowcount > 0


def delete(database: Database, access_key: str) -> bool:
    """Forget a key; its account's resources stay. Gives whether there was such a key."""
    with database.transaction() as connection:
        gone = connection.execute(sa.delete(access_keys).where(access_keys.c.access_key == access_key))
        return gone.rowcount > 0


def _random(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))
