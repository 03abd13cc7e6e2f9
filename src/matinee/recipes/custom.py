"""The recipes of custom solutions, and the HRNN names that older solutions carry."""

from __future__ import annotations

from datetime import UTC, datetime

from matinee.recipes.hyperparameters import PARAMETERS
from matinee.recipes.recipe import (
    ACTION_INTERACTIONS,
    ACTIONS,
    INTERACTIONS,
    ITEMS,
    USERS,
    Call,
    Method,
    Recipe,
    Scores,
)


def announced(year: int, month: int, day: int = 1) -> int:
    """Epoch milliseconds of a recipe's announcement (UTC), which the catalogue shows as its dates."""
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)


_METADATA = (ITEMS, USERS)
_PERCENTILES = "JSON-percentile-filtering"
_HRNN_WHY = (
    "is a legacy recipe that no longer takes new solutions. "
    "Use aws-user-personalization-v2, which trains on the same datasets."
)

USER_RECIPES = (
    Recipe(
        name="aws-user-personalization-v2",
        recipe_type="USER_PERSONALIZATION",
        description=(
            "Predicts the items a user will interact with next and adapts to each new event: a causal transformer over "
            "the user's history, blended with linear models and popularity."
        ),
        created=announced(2024, 5, 2),
        method=Method.SEQUENCE,
        optional_datasets=_METADATA,
        scores=Scores.SOFTMAX_CANDIDATES,
        real_time=True,
        metadata_free=True,
        explores_unasked=True,
        reasons=True,
        events_config=True,
        auto_update=True,
        parameters=PARAMETERS["aws-user-personalization-v2"],
    ),
    Recipe(
        name="aws-user-personalization",
        recipe_type="USER_PERSONALIZATION",
        description=(
            "Predicts the items a user will interact with next, with exploration of new items set by the campaign. "
            "Trained as the same blend as aws-user-personalization-v2."
        ),
        created=announced(2020, 8, 17),
        method=Method.SEQUENCE,
        transformation=_PERCENTILES,
        optional_datasets=_METADATA,
        scores=Scores.SOFTMAX_CATALOGUE,
        real_time=True,
        explores=True,
        objective=True,
        update_training=True,
        auto_update=True,
        parameters=PARAMETERS["aws-user-personalization"],
    ),
    Recipe(
        name="aws-personalized-ranking-v2",
        recipe_type="PERSONALIZED_RANKING",
        description=(
            "Reorders a list of items for a user: the blend of aws-user-personalization-v2 scores the given items only."
        ),
        created=announced(2024, 5, 2),
        method=Method.SEQUENCE,
        optional_datasets=_METADATA,
        call=Call.RANKING,
        requires=("userId", "inputList"),
        scores=Scores.SOFTMAX_INPUTS,
        real_time=True,
        metadata_free=True,
        events_config=True,
        parameters=PARAMETERS["aws-personalized-ranking-v2"],
    ),
    Recipe(
        name="aws-personalized-ranking",
        recipe_type="PERSONALIZED_RANKING",
        description="Reorders a list of items for a user, with the blend of aws-user-personalization-v2.",
        created=announced(2019, 6, 10),
        method=Method.SEQUENCE,
        transformation=_PERCENTILES,
        optional_datasets=_METADATA,
        call=Call.RANKING,
        requires=("userId", "inputList"),
        scores=Scores.SOFTMAX_INPUTS,
        real_time=True,
        objective=True,
        parameters=PARAMETERS["aws-personalized-ranking"],
    ),
)

ITEM_RECIPES = (
    Recipe(
        name="aws-popularity-count",
        recipe_type="POPULAR_ITEMS",
        description=(
            "The items that the most users interacted with; the same for everyone. The baseline to compare with."
        ),
        created=announced(2019, 6, 10),
        method=Method.POPULARITY,
        transformation="sims",
        requires=(),
    ),
    Recipe(
        name="aws-trending-now",
        recipe_type="POPULAR_ITEMS",
        description="The items whose interactions grow fastest between consecutive intervals; the same for everyone.",
        created=announced(2023, 4, 19),
        method=Method.TRENDS,
        algorithm="aws-trending-now-custom",
        requires=(),
        parameters=PARAMETERS["aws-trending-now"],
    ),
    Recipe(
        name="aws-similar-items",
        recipe_type="RELATED_ITEMS",
        description="Items like a given one, by co-occurrence in users' histories and by item metadata.",
        created=announced(2021, 10, 5),
        method=Method.SIMILARITY,
        optional_datasets=(ITEMS,),
        requires=("itemId",),
        themes=True,
        parameters=PARAMETERS["aws-similar-items"],
    ),
    Recipe(
        name="aws-sims",
        recipe_type="RELATED_ITEMS",
        description=(
            "Items that occur in the same users' histories as a given one: item-item cosine with a discount for "
            "popularity. Uses no metadata."
        ),
        created=announced(2019, 6, 10),
        method=Method.CO_OCCURRENCE,
        transformation="sims",
        requires=("itemId",),
        parameters=PARAMETERS["aws-sims"],
    ),
    Recipe(
        name="aws-semantic-similarity",
        recipe_type="RELATED_ITEMS",
        description="Items whose names and texts mean the same as a given one's.",
        created=announced(2025, 11, 30),
        method=Method.SEMANTICS,
        datasets=(ITEMS,),
        optional_datasets=(INTERACTIONS,),
        requires=("itemId",),
        incremental_update=True,
    ),
)

ACTION_AND_SEGMENT_RECIPES = (
    Recipe(
        name="aws-next-best-action",
        recipe_type="PERSONALIZED_ACTIONS",
        description="The actions that a user is likeliest to take, with the probability of each.",
        created=announced(2023, 11, 26),
        method=Method.ACTIONS,
        datasets=(ACTIONS, INTERACTIONS),
        optional_datasets=(ACTION_INTERACTIONS, *_METADATA),
        call=Call.ACTIONS,
        scores=Scores.PROBABILITY,
        real_time=True,
        parameters=PARAMETERS["aws-next-best-action"],
    ),
    Recipe(
        name="aws-item-affinity",
        recipe_type="USER_SEGMENTATION",
        description="The users likeliest to interact with a given item; in batch.",
        created=announced(2021, 11, 29),
        method=Method.AFFINITY,
        transformation="item-affinity",
        optional_datasets=_METADATA,
        call=Call.SEGMENT,
        requires=("itemId",),
        parameters=PARAMETERS["aws-item-affinity"],
    ),
    Recipe(
        name="aws-item-attribute-affinity",
        recipe_type="USER_SEGMENTATION",
        description="The users likeliest to interact with items of given attributes; in batch.",
        created=announced(2021, 11, 29),
        method=Method.AFFINITY,
        transformation="item-attribute-affinity",
        datasets=(INTERACTIONS, ITEMS),
        optional_datasets=(USERS,),
        call=Call.SEGMENT,
        requires=(),
        parameters=PARAMETERS["aws-item-attribute-affinity"],
    ),
)


def _legacy(
    name: str, transformation: str, description: str, *, datasets: tuple[str, ...], update_training: bool = False
) -> Recipe:
    """A recipe of the HRNN family: known by name, hidden from ListRecipes, closed to new solutions."""
    return Recipe(
        name=name,
        recipe_type="USER_PERSONALIZATION",
        description=description,
        created=announced(2019, 6, 10),
        why=_HRNN_WHY,
        transformation=transformation,
        datasets=datasets,
        optional_datasets=_METADATA if name == "aws-hrnn-metadata" else (),
        real_time=True,
        update_training=update_training,
        listed=False,
        parameters=PARAMETERS[name],
    )


LEGACY_RECIPES = (
    _legacy(
        "aws-hrnn",
        _PERCENTILES,
        "Legacy: a hierarchical recurrent network over interactions.",
        datasets=(INTERACTIONS,),
    ),
    _legacy(
        "aws-hrnn-metadata",
        "featurize_metadata",
        "Legacy: a hierarchical recurrent network over interactions and metadata.",
        datasets=(INTERACTIONS,),
    ),
    _legacy(
        "aws-hrnn-coldstart",
        "featurize_coldstart",
        "Legacy: a hierarchical recurrent network that adds cold items.",
        datasets=(INTERACTIONS, ITEMS),
        update_training=True,
    ),
)

CUSTOM_RECIPES = (*USER_RECIPES, *ITEM_RECIPES, *ACTION_AND_SEGMENT_RECIPES)
