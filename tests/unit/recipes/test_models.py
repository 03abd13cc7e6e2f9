"""From recipe and parameters to a model's name and configuration."""

from __future__ import annotations

import pytest

from matinee.errors import InvalidInput
from matinee.models.registry import model_class
from matinee.recipes.catalogue import RECIPES, find
from matinee.recipes.models import plan_model
from matinee.recipes.recipe import Recipe


@pytest.mark.parametrize("recipe", [recipe for recipe in RECIPES if recipe.trainable], ids=lambda r: r.name)
def test_every_trainable_recipe_has_a_model(recipe: Recipe) -> None:
    plan = plan_model(recipe, {})
    assert model_class(plan.model)(plan.config).config_dict()


@pytest.mark.parametrize("recipe", [recipe for recipe in RECIPES if not recipe.trainable], ids=lambda r: r.name)
def test_a_recipe_that_cannot_be_trained_has_no_plan(recipe: Recipe) -> None:
    with pytest.raises(InvalidInput, match=recipe.name):
        plan_model(recipe, {})


def test_sims_takes_its_hyperparameters() -> None:
    plan = plan_model(
        find("aws-sims"),
        {
            "algorithmHyperParameters": {"popularity_discount_factor": "0.8"},
            "featureTransformationParameters": {"max_item_interaction_count_percentile": "1.0"},
        },
    )
    assert plan.config == {"popularity_discount_factor": 0.8, "max_item_interaction_count_percentile": 1.0}
    assert plan.asked_with == "newest item"


def test_v1_recipes_leave_the_longest_histories_out() -> None:
    assert plan_model(find("aws-user-personalization"), {}).history_lengths == (0.0, 0.99)
    assert plan_model(find("aws-user-personalization-v2"), {}).history_lengths == (0.0, 1.0)


def test_the_window_of_history_lengths_can_be_set() -> None:
    parameters = {"min_user_history_length_percentile": "0.1", "max_user_history_length_percentile": "0.9"}
    plan = plan_model(find("aws-personalized-ranking"), {"featureTransformationParameters": parameters})
    assert plan.history_lengths == (0.1, 0.9)


def test_the_dimension_is_the_transformers_and_even() -> None:
    plan = plan_model(find("aws-user-personalization"), {"algorithmHyperParameters": {"hidden_dimension": "149"}})
    model = model_class(plan.model)(plan.config)
    assert model.config_dict()["transformer"]["dimension"] == 150


def test_bptt_is_how_far_back_the_transformer_reads() -> None:
    plan = plan_model(find("aws-user-personalization"), {"algorithmHyperParameters": {"bptt": "16"}})
    assert model_class(plan.model)(plan.config).config_dict()["transformer"]["length"] == 17


@pytest.mark.parametrize(
    ("recipe", "parameter"),
    [
        ("aws-user-personalization", "recency_mask"),
        ("aws-personalized-ranking", "recency_mask"),
        ("aws-user-personalization-v2", "apply_recency_bias"),
    ],
)
def test_without_recency_all_events_of_a_history_count_alike(recipe: str, parameter: str) -> None:
    with_it, without = (
        plan_model(find(recipe), {"algorithmHyperParameters": {parameter: text}}) for text in ("true", "false")
    )
    assert with_it.config == plan_model(find(recipe), {}).config
    config = model_class(without.model)(without.config).config_dict()
    assert (config["ease"]["recency_power"], config["ease"]["training_recency_power"]) == (0.0, 0.0)
    assert config["ridge"] is config["recent"] is None


def test_what_hpo_found_takes_the_place_of_what_was_given() -> None:
    config = {
        "algorithmHyperParameters": {"min_cointeraction_count": "9"},
        "tunedHPOParams": {"algorithmHyperParameters": {"min_cointeraction_count": "2"}},
    }
    assert plan_model(find("aws-sims"), config).config == {"min_cointeraction_count": 2}


def test_bad_parameters_are_refused() -> None:
    with pytest.raises(InvalidInput, match="bptt"):
        plan_model(find("aws-user-personalization"), {"algorithmHyperParameters": {"bptt": "64"}})
