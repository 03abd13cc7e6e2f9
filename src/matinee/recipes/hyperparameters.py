"""The table of parameters: name, type, default, range and whether HPO may search it, for each recipe."""

from __future__ import annotations

from matinee.recipes.recipe import Kind, Parameter, Place

_FEATURES = Place.FEATURIZATION


def _percentile(name: str, default: str) -> Parameter:
    """A percentile that bounds the users or items kept for training."""
    return Parameter(name, Kind.FLOAT, default, 0, 1, place=_FEATURES, stage="data")


_BPTT = Parameter("bptt", Kind.INTEGER, "32", 2, 32, tunable=True)
_RECENCY_MASK = Parameter("recency_mask", Kind.BOOLEAN, "True", tunable=True, stage="data")
_USER_HISTORY = (
    _percentile("min_user_history_length_percentile", "0.0"),
    _percentile("max_user_history_length_percentile", "0.99"),
)
_RECURRENT = (
    Parameter("hidden_dimension", Kind.INTEGER, "149", 32, 256, tunable=True),
    _BPTT,
    _RECENCY_MASK,
    *_USER_HISTORY,
)
_HRNN = (
    Parameter("hidden_dimension", Kind.INTEGER, "43", 32, 256, tunable=True),
    _BPTT,
    _RECENCY_MASK,
    *_USER_HISTORY,
)
_EXPLORATION = (
    Parameter("explorationWeight", Kind.FLOAT, "0.3", 0, 1, place=Place.EXPLORATION, stage="campaign"),
    Parameter(
        "explorationItemAgeCutOff", Kind.FLOAT, "30", 0, open_low=True, place=Place.EXPLORATION, stage="campaign"
    ),
)
_V2 = (Parameter("apply_recency_bias", Kind.BOOLEAN, "true"),)
_AFFINITY = (Parameter("hidden_dimension", Kind.INTEGER, "149", 32, 256),)

#: Parameters of each recipe that has any; a recipe that is not named here takes none.
PARAMETERS: dict[str, tuple[Parameter, ...]] = {
    "aws-user-personalization": (*_RECURRENT, *_EXPLORATION),
    "aws-personalized-ranking": _RECURRENT,
    "aws-hrnn": _HRNN,
    "aws-hrnn-metadata": _HRNN,
    "aws-hrnn-coldstart": (
        *_RECURRENT,
        Parameter("cold_start_max_interactions", Kind.INTEGER, "15", 1, place=_FEATURES, stage="data"),
        Parameter("cold_start_max_duration", Kind.FLOAT, "5.0", 0, open_low=True, place=_FEATURES, stage="data"),
        Parameter(
            "cold_start_relative_from",
            Kind.CATEGORICAL,
            "latestItem",
            choices=("currentTime", "latestItem"),
            place=_FEATURES,
            stage="data",
        ),
    ),
    "aws-user-personalization-v2": _V2,
    "aws-personalized-ranking-v2": _V2,
    "aws-similar-items": (
        Parameter("item_id_hidden_dim", Kind.INTEGER, "100", 30, 200, tunable=True, hpo_only=True),
        Parameter("item_metadata_hidden_dim", Kind.INTEGER, "100", 30, 200, tunable=True, hpo_only=True),
    ),
    "aws-sims": (
        Parameter("popularity_discount_factor", Kind.FLOAT, "0.5", 0, 1, tunable=True),
        Parameter("min_cointeraction_count", Kind.INTEGER, "3", 0, 10, tunable=True),
        _percentile("min_user_history_length_percentile", "0.005"),
        _percentile("max_user_history_length_percentile", "0.995"),
        _percentile("min_item_interaction_count_percentile", "0.01"),
        _percentile("max_item_interaction_count_percentile", "0.9"),
    ),
    "aws-trending-now": (
        Parameter(
            "trend_discovery_frequency",
            Kind.CATEGORICAL,
            "2 hours",
            choices=("30 minutes", "1 hour", "2 hours", "3 hours", "1 day"),
            place=_FEATURES,
            stage="data",
        ),
    ),
    "aws-next-best-action": (
        Parameter("action_optimization_period", Kind.INTEGER, "14", 7, 28, place=_FEATURES, stage="data"),
    ),
    "aws-item-affinity": _AFFINITY,
    "aws-item-attribute-affinity": _AFFINITY,
    "aws-vod-top-picks": _EXPLORATION,
    "aws-ecomm-recommended-for-you": _EXPLORATION,
}
