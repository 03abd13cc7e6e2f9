"""Every model of the registry passes the model suite."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from tests.contract.model_suite import ModelSuite, PersonalSuite, RelatedSuite

import matinee.models
from matinee.models.adjusted import Adjusted, AdjustedConfig
from matinee.models.affinity import Affinity, AffinityConfig
from matinee.models.base import Model
from matinee.models.blend import Blend, BlendConfig
from matinee.models.ease import EASE, EASEConfig
from matinee.models.factors import Factors, FactorsConfig
from matinee.models.item_knn import ItemKNN, ItemKNNConfig
from matinee.models.popularity import Popularity
from matinee.models.registry import MODELS
from matinee.models.ridge import Ridge, RidgeConfig
from matinee.models.semantic import Semantic
from matinee.models.similar_items import SimilarItems, SimilarItemsConfig
from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.model import Transformer
from matinee.models.trending import Trending

SMALL = TransformerConfig(dimension=16, layers=1, length=8, epochs=12, batch_events=128, learning_rate=5e-3)


class TestPopularity(ModelSuite):
    @classmethod
    def make(cls) -> Model:
        return Popularity()


class TestItemKNN(RelatedSuite):
    @classmethod
    def make(cls) -> Model:
        return ItemKNN(
            ItemKNNConfig(
                min_cointeraction_count=1,
                max_item_interaction_count_percentile=1.0,
                max_user_history_length_percentile=1.0,
                history_items=20,
            )
        )


class TestSimilarItems(RelatedSuite):
    @classmethod
    def make(cls) -> Model:
        return SimilarItems(SimilarItemsConfig(item_id_hidden_dim=8, history_items=20))


class TestSemantic(ModelSuite):
    @classmethod
    def make(cls) -> Model:
        return Semantic()


class TestTrending(ModelSuite):
    @classmethod
    def make(cls) -> Model:
        return Trending()


class TestEASE(RelatedSuite):
    @classmethod
    def make(cls) -> Model:
        return EASE(EASEConfig(regularization=5.0))


class TestRidge(PersonalSuite):
    @classmethod
    def make(cls) -> Model:
        return Ridge(RidgeConfig(regularization=5.0, decays=(0.6, 0.9)))


class TestEASEBeyondItsBound(RelatedSuite):
    @classmethod
    def make(cls) -> Model:
        return EASE(EASEConfig(regularization=5.0, max_items=7, neighbours=5))


class TestRidgeBeyondItsBound(PersonalSuite):
    @classmethod
    def make(cls) -> Model:
        return Ridge(RidgeConfig(regularization=5.0, decays=(0.6, 0.9), max_items=7, neighbours=9))


class TestAffinityBeyondItsBound(RelatedSuite):
    @classmethod
    def make(cls) -> Model:
        return Affinity(AffinityConfig(regularization=5.0, max_items=7, neighbours=5))


class TestAffinity(RelatedSuite):
    @classmethod
    def make(cls) -> Model:
        return Affinity(AffinityConfig(regularization=5.0))


class TestFactors(PersonalSuite):
    @classmethod
    def make(cls) -> Model:
        return Factors(FactorsConfig(dimension=4))


class TestTransformer(PersonalSuite):
    @classmethod
    def make(cls) -> Model:
        return Transformer(SMALL)


class TestBlend(PersonalSuite):
    @classmethod
    def make(cls) -> Model:
        return Blend(BlendConfig(transformer=SMALL, ease=EASEConfig(regularization=5.0), ridge=RidgeConfig(5.0)))


class TestAdjusted(PersonalSuite):
    @classmethod
    def make(cls) -> Model:
        return Adjusted(AdjustedConfig("ease", {"regularization": 5.0}))


def test_every_model_of_the_registry_has_a_suite() -> None:
    suites = (
        TestAdjusted,
        TestPopularity,
        TestItemKNN,
        TestEASE,
        TestRidge,
        TestAffinity,
        TestFactors,
        TestTransformer,
        TestBlend,
        TestSimilarItems,
        TestSemantic,
        TestTrending,
    )
    assert {suite.make().name for suite in suites} == set(MODELS)


def test_every_model_class_is_in_the_registry() -> None:
    for module in pkgutil.walk_packages(matinee.models.__path__, "matinee.models."):
        importlib.import_module(module.name)
    kinds, left = set(), [Model]
    while left:
        found = [kind for kind in left.pop().__subclasses__() if kind.__module__.startswith("matinee.")]
        left += found
        kinds |= {kind for kind in found if not inspect.isabstract(kind)}
    assert {kind.name for kind in kinds} == set(MODELS)
