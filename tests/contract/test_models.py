"""Every model passes the model suite, and what else is fitted, saved and loaded a suite of its own."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np
import pytest
from scipy import sparse
from tests.contract import elsewhere as other_process
from tests.contract.action_suite import ActionSuite
from tests.contract.model_suite import (
    DESCRIBED,
    N_ITEMS,
    PLAIN,
    DescribedSuite,
    InformedSuite,
    ModelSuite,
    PersonalSuite,
    RelatedSuite,
    fitted_once,
    interactions,
    partly_described,
)
from tests.unit.models.sentence_model import sentence_model

import matinee.models
from matinee.data.interactions import FloatArray
from matinee.models.adjusted import Adjusted, AdjustedConfig
from matinee.models.affinity import Affinity, AffinityConfig
from matinee.models.arrays import read_arrays
from matinee.models.artifact import write_model
from matinee.models.base import FitOptions, ItemFeatures, Model
from matinee.models.blend import Blend, BlendConfig
from matinee.models.ease import EASE, EASEConfig
from matinee.models.factors import Factors, FactorsConfig
from matinee.models.item_knn import ItemKNN, ItemKNNConfig
from matinee.models.likeness import new_item_neighbours
from matinee.models.next_best_action import NextBestAction
from matinee.models.popularity import Popularity
from matinee.models.recent import Recent
from matinee.models.registry import MODELS
from matinee.models.ridge import Ridge, RidgeConfig
from matinee.models.semantic import Semantic, SemanticConfig
from matinee.models.similar_items import SimilarItems, SimilarItemsConfig
from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.model import Transformer
from matinee.models.trending import Trending

Kind = TypeVar("Kind")

SMALL = TransformerConfig(dimension=16, layers=1, length=8, epochs=12, batch_events=128, learning_rate=5e-3)


class TestPopularity(ModelSuite):
    @classmethod
    def make(cls) -> Model:
        return Popularity()


class TestRecent(ModelSuite):
    @classmethod
    def make(cls) -> Model:
        return Recent()


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


class TestSimilarItems(RelatedSuite, DescribedSuite):
    @classmethod
    def make(cls) -> Model:
        return SimilarItems(SimilarItemsConfig(item_id_hidden_dim=8, history_items=20))


class TestSemantic(DescribedSuite):
    @classmethod
    def make(cls) -> Model:
        return Semantic()


class TestSemanticBySentences(DescribedSuite):
    @classmethod
    def make(cls) -> Model:
        return Semantic(SemanticConfig(sentences=str(_sentences())))

    @classmethod
    def features(cls) -> ItemFeatures:
        """Ships and cars, of which those of one kind share no word."""
        told = partly_described(N_ITEMS // 2)
        words = ("ship", "car", "vessel", "automobile")
        return replace(told, texts=tuple(words[at % 4] if one else "" for at, one in enumerate(told.texts)))


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


class TestTransformer(InformedSuite):
    @classmethod
    def make(cls) -> Model:
        return Transformer(SMALL)


class TestBlend(InformedSuite):
    @classmethod
    def make(cls) -> Model:
        return Blend(BlendConfig(transformer=SMALL, ease=EASEConfig(regularization=5.0), ridge=RidgeConfig(5.0)))


class TestAdjusted(PersonalSuite):
    @classmethod
    def make(cls) -> Model:
        return Adjusted(AdjustedConfig("ease", {"regularization": 5.0}))

    @classmethod
    def fit_on(cls, given: str, options: FitOptions) -> Model:
        """With metadata: two new items that are like the described even and odd ones, and a bonus for one of them."""
        fitted = super().fit_on(given, options)
        if given != DESCRIBED:
            return fitted
        assert isinstance(fitted, Adjusted)
        told = sparse.csr_array(np.concatenate([cls.features().categories.toarray(), np.eye(2, dtype=np.float32)]))
        log = replace(interactions(), n_items=N_ITEMS + 2)
        neighbours = new_item_neighbours(told, log, fitted.known)
        bonus = np.eye(N_ITEMS + 2, dtype=np.float32)[N_ITEMS]
        return Adjusted.of(fitted.base, bonus=bonus, strength=0.5, neighbours=neighbours, seen_last=True)


class TestAdjustedBlend(InformedSuite):
    @classmethod
    def make(cls) -> Model:
        return Adjusted(AdjustedConfig("blend", json.loads(json.dumps(TestBlend.make().config_dict()))))


class TestNextBestAction(ActionSuite):
    @classmethod
    def make(cls) -> NextBestAction:
        return NextBestAction()


def _suites(kind: type[Kind]) -> dict[str, type[Kind]]:
    """The suites of this module that are of that kind, by name."""
    found = {name: one for name, one in globals().items() if name.startswith("Test") and inspect.isclass(one)}
    return {name: one for name, one in found.items() if issubclass(one, kind)}


SUITES, ACTION_SUITES = _suites(ModelSuite), _suites(ActionSuite)


@cache
def _sentence_folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="matinee-sentences-")


@cache
def _sentences() -> Path:
    """The folder of a sentence-embedding model of this process; it goes when the process ends."""
    return sentence_model(Path(_sentence_folder().name))


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, FloatArray]:
    """The scores of all suites' models, fitted in another process."""
    file = tmp_path_factory.mktemp("elsewhere") / "scores.safetensors"
    other_process.run("fit", str(file))
    return read_arrays(file)


@pytest.fixture(scope="session")
def torch_imported(tmp_path_factory: pytest.TempPathFactory) -> Collection[str]:
    """The suites whose model imports torch when it is loaded and asked."""
    folder = tmp_path_factory.mktemp("models")
    for name, suite in SUITES.items():
        write_model(fitted_once(suite, PLAIN).model, folder / name)
    found: list[str] = json.loads(other_process.run("load", str(folder)))
    return found


def _classes() -> Iterator[type]:
    """Every class that a module of `matinee.models` defines and that can be made."""
    for module in pkgutil.walk_packages(matinee.models.__path__, "matinee.models."):
        loaded = importlib.import_module(module.name)
        for _, kind in inspect.getmembers(loaded, inspect.isclass):
            if kind.__module__ == module.name and not inspect.isabstract(kind):
                yield kind


def test_every_model_class_has_a_suite_and_is_in_the_registry() -> None:
    kinds = {kind for kind in _classes() if issubclass(kind, Model)}
    assert {type(suite.make()) for suite in SUITES.values()} == kinds
    assert {kind.name for kind in kinds} == set(MODELS)


def test_whatever_else_is_fitted_saved_and_loaded_has_a_suite() -> None:
    verbs = ("fit", "save", "load")
    kinds = {kind for kind in _classes() if all(hasattr(kind, verb) for verb in verbs) and not issubclass(kind, Model)}
    assert {type(suite.make()) for suite in ACTION_SUITES.values()} == kinds
