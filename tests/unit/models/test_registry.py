"""Models are found by the name that they carry."""

from __future__ import annotations

import pytest

from matinee.errors import ArtifactProblem
from matinee.models.registry import MODELS, model_class


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_model_is_registered_under_its_own_name(name: str) -> None:
    assert model_class(name).name == name


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ArtifactProblem, match=r"no model 'oracle'.*popularity"):
        model_class("oracle")
