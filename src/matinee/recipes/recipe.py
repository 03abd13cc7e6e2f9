"""What a recipe is: the values that the catalogue's tables are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

_OWNED = "arn:aws:personalize:::"

#: Dataset types as they stand in ARNs.
INTERACTIONS, ITEMS, USERS = "INTERACTIONS", "ITEMS", "USERS"
ACTIONS, ACTION_INTERACTIONS = "ACTIONS", "ACTION_INTERACTIONS"


class Call(StrEnum):
    """The operation that answers from a deployed recipe."""

    RECOMMENDATIONS = "GetRecommendations"
    RANKING = "GetPersonalizedRanking"
    ACTIONS = "GetActionRecommendations"
    SEGMENT = "CreateBatchSegmentJob"


class Scores(StrEnum):
    """What a `score` in a response means; `NONE`: the key is absent."""

    NONE = "none"
    SOFTMAX_CATALOGUE = "softmax-catalogue"
    SOFTMAX_CANDIDATES = "softmax-candidates"
    SOFTMAX_INPUTS = "softmax-inputs"
    PROBABILITY = "probability"


class Method(StrEnum):
    """How Matinee answers a recipe; `matinee.recipes.models` turns it into a model and its configuration."""

    POPULARITY = "popularity"
    CO_OCCURRENCE = "co-occurrence"
    SEQUENCE = "sequence"
    ACTIONS = "actions"
    AFFINITY = "affinity"
    SIMILARITY = "similarity"
    SEMANTICS = "semantics"
    TRENDS = "trends"


class Kind(StrEnum):
    """The type behind a parameter, which the wire always carries as a string."""

    INTEGER = "int"
    FLOAT = "float"
    BOOLEAN = "bool"
    CATEGORICAL = "categorical"


class Place(StrEnum):
    """The request member in which a parameter is given."""

    ALGORITHM = "algorithmHyperParameters"
    FEATURIZATION = "featureTransformationParameters"
    EXPLORATION = "itemExplorationConfig"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a recipe. `low` and `high` are inclusive unless `open_low`; None is unbounded.

    `tunable`: HPO may search it. `hpo_only`: it can be given only as an HPO range, never as a value. `stage` prefixes
    the name in the Describe of a solution that gave HPO ranges (`training.bptt`, `data.recency_mask`).
    """

    name: str
    kind: Kind
    default: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    tunable: bool = False
    hpo_only: bool = False
    open_low: bool = False
    place: Place = Place.ALGORITHM
    stage: str = "training"

    @property
    def allowed(self) -> str:
        """The permitted values in words, for messages and the reference page."""
        if self.kind is Kind.BOOLEAN:
            return "true or false"
        if self.kind is Kind.CATEGORICAL:
            return "one of " + ", ".join(self.choices)
        noun = "a whole number" if self.kind is Kind.INTEGER else "a number"
        if self.low is not None and self.high is not None:
            return f"{noun} from {self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"{noun} {'above' if self.open_low else 'of at least'} {self.low:g}"
        return noun


@dataclass(frozen=True)
class Recipe:
    """One recipe of the catalogue; what its solution may be given and how its answers read.

    `requires` names the request members that a runtime call must carry. `event_type` is the type of which a domain
    use case needs 1000 events and on which alone it trains; `auto_filter` the type whose items are removed from each
    answer.
    `explores`: as `itemExplorationConfig` says; `explores_unasked`: a little, and nothing can be set.
    `auto_update`: deployed, it takes in new items and events every two hours. `themes`: batches of it may be themed.
    `created` and `updated` are epoch milliseconds. A recipe with no `method` cannot be trained; `why` says why not.
    """

    name: str
    recipe_type: str
    description: str
    created: int
    method: Method | None = None
    why: str = ""
    algorithm: str = ""
    transformation: str = ""
    domain: str | None = None
    datasets: tuple[str, ...] = (INTERACTIONS,)
    optional_datasets: tuple[str, ...] = ()
    call: Call = Call.RECOMMENDATIONS
    requires: tuple[str, ...] = ("userId",)
    scores: Scores = Scores.NONE
    event_type: str | None = None
    auto_filter: str | None = None
    real_time: bool = False
    explores: bool = False
    explores_unasked: bool = False
    metadata_free: bool = False
    reasons: bool = False
    themes: bool = False
    events_config: bool = False
    objective: bool = False
    update_training: bool = False
    auto_update: bool = False
    incremental_update: bool = False
    listed: bool = True
    parameters: tuple[Parameter, ...] = field(default=(), repr=False)

    @property
    def arn(self) -> str:
        """The recipe's ARN: no region, no account."""
        return f"{_OWNED}recipe/{self.name}"

    @property
    def algorithm_arn(self) -> str:
        """ARN of the algorithm; named as the recipe where the service's own name is not known."""
        return f"{_OWNED}algorithm/{self.algorithm or self.name}"

    @property
    def feature_transformation_arn(self) -> str:
        """ARN of the feature transformation; named as the recipe where the service's own name is not known."""
        return f"{_OWNED}feature-transformation/{self.transformation or self.name}"

    @property
    def status(self) -> str:
        """Recipes are always ACTIVE."""
        return "ACTIVE"

    @property
    def updated(self) -> int:
        """Recipes do not change after `created`; epoch milliseconds."""
        return self.created

    @property
    def trainable(self) -> bool:
        """Whether this version of Matinee can train the recipe."""
        return self.method is not None

    @property
    def deployable(self) -> bool:
        """Whether a campaign can serve it; segment recipes answer in batch only."""
        return self.call is not Call.SEGMENT

    @property
    def user_recipe(self) -> bool:
        """Whether a call must name a user."""
        return "userId" in self.requires

    @property
    def item_recipe(self) -> bool:
        """Whether a call must name an item."""
        return "itemId" in self.requires

    @property
    def promotable(self) -> bool:
        """Whether a call may promote items: not for the use case that shows trends (spec 7.7)."""
        return self.domain is None or self.method is not Method.TRENDS

    @property
    def tunable(self) -> bool:
        """Whether the recipe has a parameter that HPO may search."""
        return any(parameter.tunable for parameter in self.parameters)

    @property
    def hyperparameters(self) -> tuple[Parameter, ...]:
        """The parameters given in `algorithmHyperParameters`."""
        return self.parameters_in(Place.ALGORITHM)

    @property
    def featurization(self) -> tuple[Parameter, ...]:
        """The parameters given in `featureTransformationParameters`."""
        return self.parameters_in(Place.FEATURIZATION)

    def parameters_in(self, place: Place) -> tuple[Parameter, ...]:
        """The parameters given in one request member, in the table's order."""
        return tuple(parameter for parameter in self.parameters if parameter.place is place)
