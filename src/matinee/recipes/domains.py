"""The ready-made use cases of domain dataset groups: VIDEO_ON_DEMAND and ECOMMERCE."""

from __future__ import annotations

from matinee.recipes.custom import announced
from matinee.recipes.hyperparameters import PARAMETERS
from matinee.recipes.recipe import INTERACTIONS, ITEMS, USERS, Method, Recipe

VOD, ECOMMERCE = "VIDEO_ON_DEMAND", "ECOMMERCE"

_ANNOUNCED = announced(2021, 11, 29)

VOD_RECIPES = (
    Recipe(
        name="aws-vod-because-you-watched-x",
        recipe_type="RELATED_ITEMS",
        description="Films that were watched by those who watched a given one; without what the user has watched.",
        created=_ANNOUNCED,
        method=Method.CO_OCCURRENCE,
        domain=VOD,
        requires=("userId", "itemId"),
        event_type="Watch",
        auto_filter="Watch",
    ),
    Recipe(
        name="aws-vod-more-like-x",
        recipe_type="RELATED_ITEMS",
        description="Films like a given one, by co-occurrence and metadata; without what the user has watched.",
        created=_ANNOUNCED,
        method=Method.SIMILARITY,
        domain=VOD,
        datasets=(INTERACTIONS, ITEMS),
        requires=("userId", "itemId"),
        auto_filter="Watch",
    ),
    Recipe(
        name="aws-vod-most-popular",
        recipe_type="POPULAR_ITEMS",
        description="The films that the most users watched.",
        created=_ANNOUNCED,
        method=Method.POPULARITY,
        domain=VOD,
        event_type="Watch",
    ),
    Recipe(
        name="aws-vod-trending-now",
        recipe_type="POPULAR_ITEMS",
        description="The films whose interactions grow fastest.",
        created=announced(2022, 8, 23),
        method=Method.TRENDS,
        domain=VOD,
        requires=(),
    ),
    Recipe(
        name="aws-vod-top-picks",
        recipe_type="USER_PERSONALIZATION",
        description="Films for one user, by the blend of aws-user-personalization-v2; without what the user watched.",
        created=_ANNOUNCED,
        method=Method.SEQUENCE,
        domain=VOD,
        optional_datasets=(USERS, ITEMS),
        auto_filter="Watch",
        real_time=True,
        explores=True,
        auto_update=True,
        parameters=PARAMETERS["aws-vod-top-picks"],
    ),
)

ECOMMERCE_RECIPES = (
    Recipe(
        name="aws-ecomm-popular-items-by-views",
        recipe_type="POPULAR_ITEMS",
        description="The items that the most users viewed.",
        created=_ANNOUNCED,
        method=Method.POPULARITY,
        domain=ECOMMERCE,
        event_type="View",
    ),
    Recipe(
        name="aws-ecomm-popular-items-by-purchases",
        recipe_type="POPULAR_ITEMS",
        description="The items that the most users purchased.",
        created=_ANNOUNCED,
        method=Method.POPULARITY,
        domain=ECOMMERCE,
        event_type="Purchase",
    ),
    Recipe(
        name="aws-ecomm-frequently-bought-together",
        recipe_type="RELATED_ITEMS",
        description="Items that the purchasers of a given one purchased too.",
        created=_ANNOUNCED,
        method=Method.CO_OCCURRENCE,
        domain=ECOMMERCE,
        requires=("itemId",),
        event_type="Purchase",
    ),
    Recipe(
        name="aws-ecomm-customers-who-viewed-x-also-viewed",
        recipe_type="RELATED_ITEMS",
        description="Items that the viewers of a given one viewed too; without what the user has purchased.",
        created=_ANNOUNCED,
        method=Method.CO_OCCURRENCE,
        domain=ECOMMERCE,
        requires=("userId", "itemId"),
        event_type="View",
        auto_filter="Purchase",
    ),
    Recipe(
        name="aws-ecomm-recommended-for-you",
        recipe_type="USER_PERSONALIZATION",
        description="Items for one user, by the blend of aws-user-personalization-v2; without what they purchased.",
        created=_ANNOUNCED,
        method=Method.SEQUENCE,
        domain=ECOMMERCE,
        optional_datasets=(USERS, ITEMS),
        auto_filter="Purchase",
        real_time=True,
        explores=True,
        auto_update=True,
        parameters=PARAMETERS["aws-ecomm-recommended-for-you"],
    ),
)

DOMAIN_RECIPES = (*VOD_RECIPES, *ECOMMERCE_RECIPES)
