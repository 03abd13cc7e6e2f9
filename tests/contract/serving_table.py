"""What the specification (sections 4 to 9) says of each recipe and use case at run time, written down by hand."""

from __future__ import annotations

from dataclasses import dataclass

RECOMMENDATIONS, RANKING, ACTIONS = "GetRecommendations", "GetPersonalizedRanking", "GetActionRecommendations"
#: What the scores of an answer add up to one over; `each` stands by itself; None: there is no `score`.
CATALOGUE, CANDIDATES, INPUTS, EACH = "catalogue", "candidates", "inputs", "each"


@dataclass(frozen=True)
class Row:
    """One recipe. `needs` are the IDs that a call must carry, `leaves_out` the event type of its automatic filter.

    `real_time`: events of a user change the order of their next answer. `free_metadata`: columns may be asked for
    without a setting. `explains`: elements may have a `reason`. `promotes`: calls may carry promotions.
    """

    recipe: str
    needs: tuple[str, ...]
    operation: str = RECOMMENDATIONS
    scores: str | None = None
    leaves_out: str | None = None
    real_time: bool = False
    free_metadata: bool = False
    explains: bool = False
    promotes: bool = True
    explores: bool = False

    def __str__(self) -> str:
        return self.recipe

    @property
    def use_case(self) -> bool:
        """Whether a recommender serves it, and no campaign."""
        return self.recipe.startswith(("aws-vod-", "aws-ecomm-"))

    @property
    def related(self) -> bool:
        """Whether it answers with what is like an item."""
        return "itemId" in self.needs


ROWS = (
    Row(
        "aws-user-personalization-v2",
        ("userId",),
        scores=CANDIDATES,
        real_time=True,
        free_metadata=True,
        explains=True,
    ),
    Row("aws-user-personalization", ("userId",), scores=CATALOGUE, real_time=True, explores=True),
    Row("aws-personalized-ranking-v2", ("userId",), RANKING, INPUTS, real_time=True, free_metadata=True),
    Row("aws-personalized-ranking", ("userId",), RANKING, INPUTS, real_time=True),
    Row("aws-popularity-count", ()),
    Row("aws-trending-now", ()),
    Row("aws-similar-items", ("itemId",)),
    Row("aws-sims", ("itemId",)),
    Row("aws-semantic-similarity", ("itemId",)),
    Row("aws-next-best-action", ("userId",), ACTIONS, EACH, real_time=True),
    Row("aws-vod-because-you-watched-x", ("userId", "itemId"), leaves_out="Watch"),
    Row("aws-vod-more-like-x", ("userId", "itemId"), leaves_out="Watch"),
    Row("aws-vod-most-popular", ("userId",)),
    Row("aws-vod-trending-now", (), promotes=False),
    Row("aws-vod-top-picks", ("userId",), leaves_out="Watch", real_time=True, explores=True),
    Row("aws-ecomm-popular-items-by-views", ("userId",)),
    Row("aws-ecomm-popular-items-by-purchases", ("userId",)),
    Row("aws-ecomm-frequently-bought-together", ("itemId",)),
    Row("aws-ecomm-customers-who-viewed-x-also-viewed", ("userId", "itemId"), leaves_out="Purchase"),
    Row("aws-ecomm-recommended-for-you", ("userId",), leaves_out="Purchase", real_time=True, explores=True),
)
LISTS = tuple(row for row in ROWS if row.operation == RECOMMENDATIONS)
RANKINGS = tuple(row for row in ROWS if row.operation == RANKING)
RELATED = tuple(row for row in LISTS if row.related)
OF_ITEMS = LISTS + RANKINGS
