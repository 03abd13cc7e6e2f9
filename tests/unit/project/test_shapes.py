"""Values against the shapes of the service's model."""

from __future__ import annotations

from typing import Any

import pytest

from matinee.project.entries import parse_entries
from matinee.project.problems import Problem
from matinee.project.shapes import check_members, input_shape


def checked(operation: str, text: str) -> tuple[dict[str, Any], list[Problem]]:
    """The members in `text` as the operation takes them, and what is wrong with them."""
    found: list[Problem] = []
    shape = input_shape(operation)
    values = check_members(parse_entries(text, "m.yaml"), shape, found, without=shape.required_members)
    return values, found


def test_a_number_in_the_place_of_a_string_counts_as_written() -> None:
    values, found = checked(
        "CreateSolution", "solutionConfig:\n  algorithmHyperParameters: {bptt: 32, recency_mask: True, x: 0.10}\n"
    )
    assert found == []
    assert values["solutionConfig"]["algorithmHyperParameters"] == {"bptt": "32", "recency_mask": "True", "x": "0.10"}


def test_numbers_and_truth_values_come_as_such() -> None:
    config = "campaignConfig: {syncWithLatestSolutionVersion: yes, rankingInfluence: {FRESHNESS: 1e-1}}"
    text = f"minProvisionedTPS: 2\n{config}\n"
    values, found = checked("CreateCampaign", text)
    assert found == []
    assert values == {
        "minProvisionedTPS": 2,
        "campaignConfig": {"syncWithLatestSolutionVersion": True, "rankingInfluence": {"FRESHNESS": 0.1}},
    }


@pytest.mark.parametrize(
    ("operation", "text", "said"),
    [
        (
            "CreateCampaign",
            "minProvisionedTPs: 1",
            "m.yaml:1 minProvisionedTPs: Unknown key 'minProvisionedTPs'. Did you",
        ),
        ("CreateCampaign", "minProvisionedTPS: 0", "0 will not do: at least 1"),
        ("CreateCampaign", "minProvisionedTPS: two", "A whole number belongs here, not 'two'"),
        ("CreateCampaign", "minProvisionedTPS: 1.5", "A whole number belongs here, not '1.5'"),
        ("CreateCampaign", "campaignConfig: 3", "A mapping belongs here, not '3'"),
        (
            "CreateCampaign",
            "campaignConfig: {rankingInfluence: {FRESHNES: 0.1}}",
            "'FRESHNES' is none of the known values. Did you mean FRESHNESS?",
        ),
        (
            "CreateCampaign",
            "campaignConfig: {rankingInfluence: {FRESHNESS: 1.5}}",
            "1.5 will not do: at least 0 and at most 1",
        ),
        ("CreateSolution", "performHPO: maybe", "A truth value belongs here, not 'maybe'"),
        (
            "CreateSolution",
            "solutionConfig: {autoTrainingConfig: {schedulingExpression: weekly}}",
            "'weekly' does not have the form",
        ),
        ("CreateSolution", "solutionConfig: {eventsConfig: {eventParametersList: 3}}", "A list belongs here, not '3'"),
        ("CreateSolution", "eventType: [a]", "A text belongs here, not a list"),
        ("CreateDatasetGroup", f"kmsKeyArn: {'x' * 2100}", "characters, allowed are"),
    ],
)
def test_what_the_model_refuses_is_told_with_line_key_and_fix(operation: str, text: str, said: str) -> None:
    _, found = checked(operation, text)
    assert len(found) == 1
    assert said in str(found[0])


def test_a_required_member_that_is_missing_is_told() -> None:
    found: list[Problem] = []
    check_members(
        parse_entries("x: 1", "m.yaml"), input_shape("CreateFilter"), found, also=("x", "name"), without=("name",)
    )
    assert "The key filterExpression is missing." in [problem.problem for problem in found]
