"""Models by name: how an artifact, or a recipe, says which model it means."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from matinee.errors import ArtifactProblem
from matinee.models.base import Model

#: Model name to the module and class that define it; imported when first asked for.
MODELS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "popularity": ("matinee.models.popularity", "Popularity"),
        "recent": ("matinee.models.recent", "Recent"),
        "item-knn": ("matinee.models.item_knn", "ItemKNN"),
        "similar-items": ("matinee.models.similar_items", "SimilarItems"),
        "semantic": ("matinee.models.semantic", "Semantic"),
        "trending": ("matinee.models.trending", "Trending"),
        "ease": ("matinee.models.ease", "EASE"),
        "ridge": ("matinee.models.ridge", "Ridge"),
        "affinity": ("matinee.models.affinity", "Affinity"),
        "factors": ("matinee.models.factors", "Factors"),
        "transformer": ("matinee.models.transformer.model", "Transformer"),
        "blend": ("matinee.models.blend", "Blend"),
        "adjusted": ("matinee.models.adjusted", "Adjusted"),
    }
)


def model_class(name: str) -> type[Model]:
    """The class of the model called `name`; raises `ArtifactProblem` for a name that this version does not know."""
    try:
        module, attribute = MODELS[name]
    except KeyError:
        known = ", ".join(sorted(MODELS))
        raise ArtifactProblem(f"There is no model {name!r} in this version of Matinee; it knows {known}.") from None
    found: type[Model] = getattr(import_module(module), attribute)
    return found
