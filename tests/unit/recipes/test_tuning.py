"""Ranges of HPO: what may be searched, where a study begins, how names come back."""

from __future__ import annotations

import math
from typing import Any

import pytest

from matinee.errors import InvalidInput
from matinee.recipes.catalogue import RECIPES, find
from matinee.recipes.tuning import DEFAULT_JOBS, check_hpo, on_the_wire, plan_search, with_stages

SIMS, V1, SIMILAR = find("aws-sims"), find("aws-user-personalization"), find("aws-similar-items")
INTEGER, CONTINUOUS, CATEGORICAL = (f"{kind}HyperParameterRanges" for kind in ("integer", "continuous", "categorical"))


def config(member: str = INTEGER, *entries: dict[str, Any], **resources: str) -> dict[str, Any]:
    """An hpoConfig with ranges in one list."""
    return {"hpoResourceConfig": resources, "algorithmHyperParameterRanges": {member: list(entries)}}


def between(name: str, low: float, high: float) -> dict[str, Any]:
    """One numeric range."""
    return {"name": name, "minValue": low, "maxValue": high}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (config(INTEGER, between("bptt", 1, 2)), "aws-sims has no parameter 'bptt' that can be tuned; it has popular"),
        (config(INTEGER, between("min_user_history_length_percentile", 0, 1)), "that can be tuned"),
        (config(INTEGER, between("data.min_cointeraction_count", 0, 1)), "no parameter 'data.min_cointeraction_count'"),
        (config(INTEGER, between("min_cointeraction_count", 1, 99)), "from 0 to 10; the range is 1 to 99"),
        (config(INTEGER, between("min_cointeraction_count", 5, 1)), "minValue not above its maxValue"),
        (config(INTEGER, between("popularity_discount_factor", 0, 1)), "under continuousHyperParameterRanges"),
        (config(CONTINUOUS, between("popularity_discount_factor", 0, math.nan)), "minValue not above"),
        (config(CATEGORICAL, {"name": "min_cointeraction_count", "values": ["1"]}), "under integerHyper"),
        (
            config(
                INTEGER, between("min_cointeraction_count", 1, 2), between("training.min_cointeraction_count", 1, 3)
            ),
            "min_cointeraction_count has more than one range",
        ),
        (config(maxNumberOfTrainingJobs="41"), "maxNumberOfTrainingJobs is '41'; it must be a whole number from 1"),
        (config(maxParallelTrainingJobs="11"), "from 1 to 10"),
        (config(maxNumberOfTrainingJobs="many"), "'many'"),
    ],
)
def test_what_the_table_does_not_allow_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        check_hpo(given, [SIMS])


@pytest.mark.parametrize("values", [[], ["maybe"], ["true", "no"]])
def test_a_truth_value_is_true_or_false(values: list[str]) -> None:
    given = config(CATEGORICAL, {"name": "recency_mask", "values": values})
    with pytest.raises(InvalidInput, match="the values of recency_mask must be true or false"):
        check_hpo(given, [V1])


@pytest.mark.parametrize(
    "given",
    [
        {},
        config(maxNumberOfTrainingJobs="40", maxParallelTrainingJobs="10"),
        config(INTEGER, between("hidden_dimension", 32, 256), between("training.bptt", 2, 32)),
        config(CATEGORICAL, {"name": "data.recency_mask", "values": ["True", "false"]}),
    ],
)
def test_what_the_table_allows_passes(given: dict[str, Any]) -> None:
    check_hpo(given, [V1])


def test_with_automl_a_range_may_be_of_any_candidate() -> None:
    given = config(INTEGER, between("bptt", 2, 4))
    check_hpo(given, [find("aws-popularity-count"), V1])
    assert plan_search(find("aws-popularity-count"), {"hpoConfig": given}).ranges == ()


def test_without_ranges_everything_tunable_is_searched_in_its_own_range() -> None:
    search = plan_search(SIMS, {})
    assert [(one.name, one.low, one.high) for one in search.ranges] == [
        ("popularity_discount_factor", 0, 1),
        ("min_cointeraction_count", 0, 10),
    ]
    assert search.start == {"popularity_discount_factor": 0.5, "min_cointeraction_count": 3}
    assert (search.jobs, search.trials) == (DEFAULT_JOBS, DEFAULT_JOBS)


def test_a_value_that_was_given_is_not_searched() -> None:
    search = plan_search(SIMS, {"algorithmHyperParameters": {"min_cointeraction_count": "1"}})
    assert [one.name for one in search.ranges] == ["popularity_discount_factor"]


def test_a_value_beside_its_range_is_where_the_search_begins() -> None:
    given = {"hpoConfig": config(INTEGER, between("bptt", 2, 8)), "algorithmHyperParameters": {"bptt": "5"}}
    assert plan_search(V1, given).start == {"bptt": 5}


def test_a_default_outside_the_range_gives_way_to_the_nearest_value() -> None:
    assert plan_search(V1, {"hpoConfig": config(INTEGER, between("hidden_dimension", 32, 64))}).start == {
        "hidden_dimension": 64
    }
    only = config(CATEGORICAL, {"name": "recency_mask", "values": ["false"]})
    assert plan_search(V1, {"hpoConfig": only}).start == {"recency_mask": False}


def test_no_more_trials_than_there_are_different_ones() -> None:
    ranges = {INTEGER: [between("bptt", 2, 3)], CATEGORICAL: [{"name": "recency_mask", "values": ["true", "false"]}]}
    search = plan_search(V1, {"hpoConfig": {"algorithmHyperParameterRanges": ranges}})
    assert search.trials == 4


def test_what_can_be_given_only_as_a_range_is_searched() -> None:
    assert {one.name for one in plan_search(SIMILAR, {}).ranges} == {"item_id_hidden_dim", "item_metadata_hidden_dim"}


def test_trap_12_names_come_back_with_their_stage() -> None:
    ranges = {
        INTEGER: [between("bptt", 2, 3)],
        CONTINUOUS: [],
        CATEGORICAL: [{"name": "recency_mask", "values": ["true"]}],
    }
    shown = with_stages({"hpoConfig": {"algorithmHyperParameterRanges": ranges}, "x": 1}, [V1])
    found = shown["hpoConfig"]["algorithmHyperParameterRanges"]
    assert found[INTEGER] == [{"name": "training.bptt", "minValue": 2, "maxValue": 3}]
    assert found[CATEGORICAL] == [{"name": "data.recency_mask", "values": ["true"]}]
    assert with_stages(shown, [V1]) == shown
    assert plan_search(V1, shown).trials == 2


def test_a_configuration_without_ranges_comes_back_as_it_is() -> None:
    given = {"hpoConfig": {"hpoResourceConfig": {"maxNumberOfTrainingJobs": "3"}}}
    assert with_stages(given, [V1]) == given


@pytest.mark.parametrize("recipe", [one for one in RECIPES if one.tunable], ids=lambda one: one.name)
def test_every_tunable_recipe_has_a_search(recipe: Any) -> None:
    assert plan_search(recipe, {}).trials >= 1


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false"), (3, "3"), (0.25, "0.25")])
def test_values_are_strings_on_the_wire(value: Any, text: str) -> None:
    assert on_the_wire(value) == text
