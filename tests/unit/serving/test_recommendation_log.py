"""The log of answers: kept, found again, bounded."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa
from prometheus_client import CollectorRegistry
from tests.unit.serving.shop import GROUP, Shop

from matinee.serving.recommendation_log import RecommendationLog, Recommended, prune, shown_by
from matinee.storage.metadata import recommendations


def _answer(number: int) -> Recommended:
    return Recommended(f"RID-{number}", GROUP, "arn", "model", "artifact", "u1", ("a", "b"), (0.5, None))


def _kept(shop: Shop) -> list[str]:
    with shop.database.read() as connection:
        return list(connection.scalars(sa.select(recommendations.c.id).order_by(recommendations.c.seq)))


def test_what_was_added_is_found_after_a_flush(shop: Shop) -> None:
    log = RecommendationLog(shop.database, shop.settings)
    for number in range(3):
        log.add(_answer(number))
    log.flush()
    with shop.database.read() as connection:
        found = shown_by(connection, {"RID-1", "RID-9"}, GROUP)
    log.close()
    assert found == {"RID-1": ["a", "b"]}
    assert _kept(shop) == ["RID-0", "RID-1", "RID-2"]


def test_the_oldest_go_where_there_are_too_many(shop: Shop) -> None:
    log = RecommendationLog(shop.database, shop.settings)
    for number in range(5):
        log.add(_answer(number))
    log.close()
    with shop.database.transaction() as connection:
        prune(connection, replace(shop.settings, recommendation_log_rows=2))
    assert _kept(shop) == ["RID-3", "RID-4"]


def test_answers_go_after_their_days(shop: Shop) -> None:
    log = RecommendationLog(shop.database, shop.settings)
    for number in range(3):
        log.add(_answer(number))
    log.close()
    with shop.database.transaction() as connection:
        connection.execute(sa.update(recommendations).where(recommendations.c.id != "RID-2").values(at=1))
        prune(connection, shop.settings)
    assert _kept(shop) == ["RID-2"]


def test_the_settings_say_which_share_is_kept(shop: Shop) -> None:
    settings = replace(shop.settings, recommendation_log_explored=0.5, recommendation_log_others=0.25)
    log = RecommendationLog(shop.database, settings)
    none = RecommendationLog(shop.database, replace(settings, recommendation_log_days=0))
    assert (log.share(explored=True), log.share(explored=False), none.share(explored=True)) == (0.5, 0.25, 0.0)


def test_a_database_that_refuses_costs_the_log_and_nothing_else(shop: Shop) -> None:
    registry = CollectorRegistry()
    log = RecommendationLog(shop.database, shop.settings, registry)
    log.add(_answer(1))
    log.flush()
    log.add(_answer(1))  # the ID is taken
    log.add(_answer(2))
    log.close()
    assert registry.get_sample_value("matinee_recommendations_unlogged_total") == 2
    assert _kept(shop) == ["RID-1"]
