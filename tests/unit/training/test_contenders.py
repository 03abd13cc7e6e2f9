"""Recipes and models by name, with values of `--set`."""

from __future__ import annotations

import pytest

from matinee.errors import DataProblem
from matinee.training.contenders import contender, parse_sets

ARN = "arn:aws:personalize:::recipe/aws-sims"


@pytest.mark.parametrize(
    ("name", "model"),
    [("ease", "ease"), (ARN, "item-knn"), ("aws-popularity-count", "popularity"), ("aws-vod-top-picks", "blend")],
)
def test_a_name_or_arn_gives_its_model(name: str, model: str) -> None:
    assert contender(name).make().name == model


def test_a_recipe_by_arn_is_called_by_its_name() -> None:
    assert contender(ARN).name == "aws-sims"


def test_parameters_of_a_recipe_are_those_of_the_wire() -> None:
    config = contender("aws-sims", {"min_cointeraction_count": "7"}).make().config
    assert config.min_cointeraction_count == 7


def test_fields_of_a_model_are_json() -> None:
    assert contender("ease", {"regularization": "7.5"}).make().config.regularization == 7.5
    blend = contender("aws-user-personalization-v2", {"model.transformer": "null", "model.seen": "keep"}).make()
    assert (blend.config.transformer, blend.config.seen) == (None, "keep")


@pytest.mark.parametrize(
    ("name", "given", "problem"),
    [
        ("nothing", {}, "no recipe or model 'nothing'"),
        ("aws-item-affinity", {}, "answers CreateBatchSegmentJob"),
        ("aws-sims", {"wrong": "1"}, "no parameter 'wrong'"),
        ("aws-sims", {"min_cointeraction_count": "99"}, "must be a whole number from 0 to 10"),
        ("ease", {"wrong": "1"}, "configuration of ease has no 'wrong'"),
        ("blend", {"seen": "never"}, "seen must be auto, last or keep"),
        ("aws-user-personalization-v2", {"model.transformer": '{"wrong": 1}'}, "configuration of blend cannot be used"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(name: str, given: dict[str, str], problem: str) -> None:
    with pytest.raises(DataProblem, match=problem):
        contender(name, given)


def test_values_are_for_all_recipes_or_for_one() -> None:
    assert parse_sets(["a=1", "ease:b=x=y"], ["ease", "ridge"]) == {"ease": {"a": "1", "b": "x=y"}, "ridge": {"a": "1"}}


@pytest.mark.parametrize("text", ["a", "=1", "other:a=1"])
def test_a_value_without_name_or_recipe_is_refused(text: str) -> None:
    with pytest.raises(DataProblem, match="--set"):
        parse_sets([text], ["ease"])
