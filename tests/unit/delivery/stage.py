"""A film shop with a campaign and a rule, and a deliverer that runs as long as a block does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from tests.unit.serving.shop import Shop, log_of

from matinee.delivery.deliverer import Deliverer
from matinee.delivery.making import Wanted, make_rule
from matinee.delivery.rules import Rule, Standing, standings
from matinee.models.popularity import Popularity

PATIENCE = 60.0


def campaign(shop: Shop, name: str = "popular") -> str:
    """A campaign that recommends what is popular; its ARN."""
    rows = [(f"u{n % 5}", f"i{n % 7}", 100 + n, "watch") for n in range(40)]
    return shop.campaign(name, "aws-popularity-count", Popularity(), log_of(rows))


def rule(shop: Shop, to: str, source: str, name: str = "r", **terms: object) -> Rule:
    """Make a rule that recommends three items."""
    wanted = replace(Wanted(name, source, to, results=3), **terms)  # type: ignore[arg-type]
    with shop.database.transaction() as connection:
        return make_rule(connection, shop.settings, wanted)


def standing(shop: Shop, name: str = "r") -> Standing:
    """How a rule stands."""
    with shop.database.read() as connection:
        return next(one for one in standings(connection) if one.rule.name == name)


@contextmanager
def delivering(shop: Shop, longest_wait: int = 1) -> Iterator[None]:
    """A deliverer at work in a thread."""
    stop = threading.Event()
    settings = replace(shop.settings, delivery_longest_wait=longest_wait)
    deliverer = Deliverer(shop.database, shop.objects, settings)
    thread = threading.Thread(target=deliverer.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def await_that(condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait until a condition holds; fails after `patience` seconds."""
    waited, step = 0.0, 0.02
    while not condition():
        assert waited < patience, "waited in vain"
        threading.Event().wait(step)
        waited += step
