"""What AWS is asked: who wants to do what on which resource, and what else is known about the request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Self

Values = tuple[str, ...]


@dataclass(frozen=True)
class Context:
    """Condition keys of a request. Build with `of`; names of keys are alike in any case.

    `unknown` holds patterns of keys that the real request may carry with a value that cannot be known here, such as
    the account's organization. A key that is neither known nor unknown is absent from the request.
    """

    known: Mapping[str, Values]
    unknown: frozenset[str] = frozenset()

    @classmethod
    def of(cls, known: Mapping[str, str | Iterable[str]], unknown: Iterable[str] = ()) -> Self:
        """`known` maps a key to its value or, when it holds several, to its values."""
        values = {key.lower(): (found,) if isinstance(found, str) else tuple(found) for key, found in known.items()}
        return cls(values, frozenset(pattern.lower() for pattern in unknown))

    def with_values(self, known: Mapping[str, str]) -> Context:
        """This context with more keys, each of one value."""
        return Context({**self.known, **{key.lower(): (value,) for key, value in known.items()}}, self.unknown)

    def values(self, key: str) -> Values | None:
        """The values of a key: `()` when it is absent, `None` when nobody can know here."""
        name = key.lower()
        if name in self.known:
            return self.known[name]
        return None if any(fnmatchcase(name, pattern) for pattern in self.unknown) else ()


@dataclass(frozen=True)
class Principal:
    """Who asks: a service (without `account`), or an identity of an account.

    `arn` is the user's or the role's ARN; `session` that of a role's session (`arn:aws:sts::…:assumed-role/…`).
    """

    account: str | None = None
    arn: str | None = None
    session: str | None = None
    services: frozenset[str] = frozenset()

    @classmethod
    def service(cls, name: str) -> Self:
        """A service that acts as itself, such as `personalize.amazonaws.com`."""
        return cls(services=frozenset({name}))

    @classmethod
    def user(cls, arn: str) -> Self:
        """An IAM user."""
        return cls(account=arn.split(":")[4], arn=arn)

    @classmethod
    def role(cls, arn: str, session: str) -> Self:
        """A session, named `session`, of the role with this ARN."""
        _, partition, _, _, account, path = arn.split(":", 5)
        name = path.rpartition("/")[2]  # sessions' ARNs leave the role's path out
        return cls(account, arn, f"arn:{partition}:sts::{account}:assumed-role/{name}/{session}")


@dataclass(frozen=True)
class Request:
    """One request. `account` is the one that owns the resource; for S3, whose ARNs do not tell, give it."""

    principal: Principal
    action: str
    resource: str
    account: str
    context: Context
