"""Which events are trained on, and the service's sentences when they are too few."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.unit.training.generated import generated_log

from matinee.data.interactions import Interactions
from matinee.data.log import EventRule
from matinee.errors import JobFailed
from matinee.recipes.catalogue import find
from matinee.training.selection import Selection, check_enough, check_event_types, within_history_lengths

V2 = find("aws-user-personalization-v2")


def events_config(*entries: dict[str, Any]) -> dict[str, Any]:
    """The wire members of a solution with an eventsConfig."""
    return {"solutionConfig": {"eventsConfig": {"eventParametersList": list(entries)}}}


@pytest.mark.parametrize(
    ("solution", "rules"),
    [
        ({}, (EventRule(),)),
        ({"eventType": "watch"}, (EventRule("watch"),)),
        (
            {"eventType": "watch", "solutionConfig": {"eventValueThreshold": "3.5"}},
            (EventRule("watch", 3.5),),
        ),
        ({"solutionConfig": {"eventValueThreshold": "2"}}, (EventRule(None, 2.0),)),
        (
            events_config({"eventType": "watch", "eventValueThreshold": 4.0}, {"eventType": "click"}),
            (EventRule("watch", 4.0), EventRule("click")),
        ),
        (
            events_config({"eventType": "watch", "weight": 0.5}, {"eventType": "click", "weight": 0.0}),
            (EventRule("watch", weight=0.5),),
        ),
    ],
)
def test_a_solution_says_which_events_count(solution: dict[str, Any], rules: tuple[EventRule, ...]) -> None:
    assert Selection.of(V2, solution).rules == rules


def test_a_use_case_trains_on_its_own_type() -> None:
    selection = Selection.of(find("aws-vod-most-popular"), {"eventType": "click"})
    assert selection.event_types == ("Watch",)


@pytest.mark.parametrize(
    ("rule", "column"), [(EventRule("watch"), "EVENT_TYPE"), (EventRule(None, 3.0), "EVENT_VALUE")]
)
def test_a_rule_needs_its_column(rule: EventRule, column: str) -> None:
    with pytest.raises(JobFailed, match=f"has no {column} column"):
        Selection((rule,)).check_columns({"USER_ID", "ITEM_ID", "TIMESTAMP"})


def test_reserved_words_as_event_types_fail_in_the_services_words() -> None:
    with pytest.raises(JobFailed) as failure:
        check_event_types(["EVENT_TYPE"], ["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE"])
    assert str(failure.value) == "All values in the event_type column are either reserved keywords or null"


def test_only_nulls_as_event_types_fail_too() -> None:
    with pytest.raises(JobFailed, match="reserved keywords or null"):
        check_event_types([], ["EVENT_TYPE"])


def test_without_the_column_there_is_nothing_to_refuse() -> None:
    check_event_types([], ["USER_ID", "ITEM_ID", "TIMESTAMP"])


def test_event_types_and_optional_columns_are_at_most_ten() -> None:
    columns = ["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE"]
    check_event_types([f"type-{number}" for number in range(8)], columns)
    with pytest.raises(JobFailed, match="9 event types and 2 optional columns"):
        check_event_types([f"type-{number}" for number in range(9)], columns)


def test_too_few_interactions_fail_in_the_services_words() -> None:
    data = generated_log(n_users=39).interactions
    with pytest.raises(JobFailed) as failure:
        check_enough(data, Selection((EventRule("watch"),)))
    assert str(failure.value) == "Dataset has fewer than 1000 interactions after filtering by event type: watch"


def test_too_few_users_fail_in_the_services_words() -> None:
    data = generated_log(n_users=24, n_items=200, per_user=50).interactions
    with pytest.raises(JobFailed) as failure:
        check_enough(data, Selection())
    assert str(failure.value) == "Dataset has fewer than 25 users with at least 2 interactions each."


def test_one_percent_of_users_must_return() -> None:
    user = np.concatenate([np.repeat(np.arange(30), 2), np.arange(30, 4000)]).astype(np.int32)
    data = Interactions.of(user, np.zeros_like(user), np.arange(len(user)), n_users=4000, n_items=1)
    with pytest.raises(JobFailed, match="fewer than 1% of its users"):
        check_enough(data, Selection())


def test_enough_passes() -> None:
    check_enough(generated_log().interactions, Selection())


def test_users_outside_the_percentiles_are_left_out() -> None:
    user = np.repeat(np.arange(10), np.arange(1, 11)).astype(np.int32)
    data = Interactions.of(user, np.zeros_like(user), np.arange(len(user)), n_users=10, n_items=1)
    kept = within_history_lengths(data, 0.2, 0.9)
    assert set(kept.user) == set(range(2, 9))


def test_the_whole_window_keeps_everyone() -> None:
    data = generated_log().interactions
    assert within_history_lengths(data, 0.0, 1.0) is data
