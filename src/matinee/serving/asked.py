"""What a runtime call asks for, with the defaults and limits of the service. Spec 7.1, 7.2 and 7.9."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matinee.errors import InvalidInput
from matinee.recipes.catalogue import Recipe

DEFAULT_RESULTS = 25
MOST_RESULTS = 500
#: Of actions (spec 7.3).
DEFAULT_ACTIONS, MOST_ACTIONS = 5, 100
#: Words of the answers when a recipe needs an ID that the call lacks.
_MEMBERS = ("userId", "itemId")


@dataclass(frozen=True)
class FilterAsked:
    """A filter and the values for its parameters."""

    arn: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class PromotionAsked:
    """A share of the results, in percent, that comes from a filter of its own."""

    name: str
    percent: int
    filter: FilterAsked


@dataclass(frozen=True)
class Asked:
    """One runtime call. `kind` is what `arn` names: campaign or recommender; `inputs` are the items to rank.

    `now` is when the call is made, epoch seconds; -1 for unknown.
    """

    arn: str
    kind: str
    user_id: str | None
    item_id: str | None
    results: int
    filter: FilterAsked | None
    promotion: PromotionAsked | None
    context: Mapping[str, str]
    metadata: Mapping[str, Sequence[str]]
    inputs: tuple[str, ...] = ()
    now: int = -1

    def check_ids(self, recipe: Recipe) -> None:
        """Raise `InvalidInput` when an ID is missing that the recipe needs."""
        given = {"userId": self.user_id, "itemId": self.item_id}
        missing = [member for member in recipe.requires if member in _MEMBERS and not given[member]]
        if missing:
            raise InvalidInput(
                f"User error: Required fields for the provided recipe are {', '.join(recipe.requires)}; "
                f"{' and '.join(missing)} must not be empty."
            )


def recommendations_asked(params: Mapping[str, Any], now: int = -1) -> Asked:
    """What a GetRecommendations call asks for. Raises `InvalidInput` naming the member."""
    arns = {kind: params.get(f"{kind}Arn") for kind in ("campaign", "recommender")}
    given = [(kind, arn) for kind, arn in arns.items() if arn]
    if len(given) != 1:
        raise InvalidInput("Give exactly one of campaignArn and recommenderArn.")
    results = params.get("numResults", DEFAULT_RESULTS)
    if results > MOST_RESULTS:
        raise InvalidInput(f"numResults must not be above {MOST_RESULTS}, but is {results}.")
    kind, arn = given[0]
    promotions = params.get("promotions") or []
    return Asked(
        arn=arn,
        kind=kind,
        user_id=params.get("userId") or None,
        item_id=params.get("itemId") or None,
        results=results,
        filter=_filter(params),
        promotion=_promotion(promotions[0]) if promotions else None,
        context=params.get("context") or {},
        metadata=params.get("metadataColumns") or {},
        now=now,
    )


def ranking_asked(params: Mapping[str, Any], now: int = -1) -> Asked:
    """What a GetPersonalizedRanking call asks for: each input once, where it stood first."""
    inputs = params["inputList"]
    if len(inputs) > MOST_RESULTS:
        raise InvalidInput(f"inputList must not hold more than {MOST_RESULTS} items, but holds {len(inputs)}.")
    return Asked(
        arn=params["campaignArn"],
        kind="campaign",
        user_id=params.get("userId") or None,
        item_id=None,
        results=len(inputs),
        filter=_filter(params),
        promotion=None,
        context=params.get("context") or {},
        metadata=params.get("metadataColumns") or {},
        inputs=tuple(dict.fromkeys(inputs)),
        now=now,
    )


def actions_asked(params: Mapping[str, Any]) -> Asked:
    """What a GetActionRecommendations call asks for. Raises `InvalidInput` naming the member."""
    if not params.get("campaignArn"):
        raise InvalidInput("campaignArn must not be empty.")
    results = params.get("numResults", DEFAULT_ACTIONS)
    if results > MOST_ACTIONS:
        raise InvalidInput(f"numResults must not be above {MOST_ACTIONS}, but is {results}.")
    return Asked(
        arn=params["campaignArn"],
        kind="campaign",
        user_id=params.get("userId") or None,
        item_id=None,
        results=results,
        filter=_filter(params),
        promotion=None,
        context={},
        metadata={},
    )


def _filter(params: Mapping[str, Any]) -> FilterAsked | None:
    values = params.get("filterValues") or {}
    if params.get("filterArn"):
        return FilterAsked(arn=params["filterArn"], values=values)
    if values:
        raise InvalidInput("filterValues are given without a filterArn.")
    return None


def _promotion(promotion: Mapping[str, Any]) -> PromotionAsked:
    missing = [member for member in ("name", "percentPromotedItems", "filterArn") if not promotion.get(member)]
    if missing:
        raise InvalidInput(f"The promotion lacks {missing[0]}; it needs name, percentPromotedItems and filterArn.")
    return PromotionAsked(
        name=promotion["name"],
        percent=promotion["percentPromotedItems"],
        filter=FilterAsked(arn=promotion["filterArn"], values=promotion.get("filterValues") or {}),
    )
