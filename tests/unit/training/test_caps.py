"""How much of a group's data a training considers."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from tests.unit.training.generated import GROUP, START, Stored, rows_of

from matinee.data.interactions import InteractionLog
from matinee.errors import JobFailed
from matinee.quotas import Limit
from matinee.recipes.catalogue import find
from matinee.settings import Settings
from matinee.training.caps import Caps
from matinee.training.selection import Selection
from matinee.training.snapshot import Snapshot, take_snapshot

NO_ITEMS = pl.DataFrame(schema={"ITEM_ID": pl.String()})


def _pairs(log: InteractionLog) -> set[tuple[str, str]]:
    data = log.interactions
    return {(log.user_ids[user], log.item_ids[item]) for user, item in zip(data.user, data.item, strict=True)}


def test_the_newest_interactions_are_considered(log: InteractionLog) -> None:
    kept, _ = Caps(interactions=200).within(log, NO_ITEMS)
    times = log.interactions.timestamp
    assert len(kept.interactions) == 200
    assert sorted(kept.interactions.timestamp) == sorted(times)[-200:]
    assert _pairs(kept) < _pairs(log)
    assert kept.interactions.n_items == len(kept.item_ids) == len(np.unique(kept.interactions.item))


def test_items_created_or_interacted_with_last_are_considered(log: InteractionLog) -> None:
    far = START + 10**8
    items = pl.DataFrame({"ITEM_ID": ["new", "film-0", "undated", "old"], "CREATION_TIMESTAMP": [far, far, None, 5]})
    kept, records = Caps(items=3).within(log, items)
    newest = log.item_ids[log.interactions.item[log.interactions.timestamp.argmax()]]
    assert set(kept.item_ids) == {"film-0", newest}
    assert set(records["ITEM_ID"]) == {"film-0", "new"}


def test_an_item_of_which_no_time_is_known_counts_as_new(log: InteractionLog) -> None:
    items = pl.DataFrame({"ITEM_ID": ["undated", "old"], "CREATION_TIMESTAMP": [None, 5]})
    _, records = Caps(items=10).within(log, items)
    assert records["ITEM_ID"].to_list() == ["undated"]


def test_what_fits_is_left_as_it_is(log: InteractionLog) -> None:
    kept, records = Caps(interactions=1500, items=80).within(log, NO_ITEMS)
    assert kept is log
    assert records is NO_ITEMS


def test_users_keep_their_attributes(log: InteractionLog, stored: Stored) -> None:
    dataset = stored.dataset("INTERACTIONS")
    stored.part(dataset, rows_of(log))
    taken = snapshot(stored, Caps(interactions=300, items=30))
    assert taken.log.interactions.n_users == len(taken.log.user_ids)
    assert len(taken.log.item_ids) <= 30
    assert len(taken.created) == taken.catalogue == len(taken.log.item_ids)


def snapshot(stored: Stored, caps: Caps) -> Snapshot:
    return take_snapshot(stored.database, stored.objects, GROUP, Selection(), caps)


@pytest.mark.parametrize(
    ("recipe", "interactions", "items"),
    [
        ("aws-user-personalization", 500_000_000, 750_000),
        ("aws-user-personalization-v2", 3_000_000_000, 5_000_000),
        ("aws-similar-items", 500_000_000, 750_000),
        ("aws-semantic-similarity", 500_000_000, 10_000_000),
    ],
)
def test_the_services_numbers_by_recipe(recipe: str, interactions: int, items: int) -> None:
    assert Caps.of(find(recipe), Settings(aws_quotas=True)) == Caps(interactions, items, 10)
    assert Caps.of(find(recipe), Settings()) == Caps(None, None, 100)


def test_a_number_that_is_given_counts() -> None:
    settings = Settings(aws_quotas=True, quotas=(Limit("v2-items", 7),))
    assert Caps.of(find("aws-user-personalization-v2"), settings).items == 7
    assert Caps.of(find("aws-user-personalization"), settings).items == 750_000


def test_event_types_and_columns_above_the_quota_fail_the_training(stored: Stored, log: InteractionLog) -> None:
    dataset, rows = stored.dataset("INTERACTIONS"), rows_of(log)
    types = [f"type{number % 9}" for number in range(rows.height)]
    stored.part(dataset, rows.with_columns(EVENT_TYPE=pl.Series(types)))
    with pytest.raises(JobFailed, match=r"9 event types and 2 optional columns .* at most 10 are allowed"):
        snapshot(stored, Caps.of(find("aws-sims"), Settings(aws_quotas=True)))
    assert len(snapshot(stored, Caps.of(find("aws-sims"), Settings())).log.event_types) == 9
