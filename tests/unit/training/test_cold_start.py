"""A trained version knows items by their records and users by theirs, though nothing was done with or by them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from tests.unit.training.generated import generated_log

from matinee.data.interactions import Histories
from matinee.data.log import creation_timestamps
from matinee.data.schemas import Field, Schema
from matinee.models.base import FitOptions
from matinee.models.transformer.config import TransformerConfig
from matinee.recipes.catalogue import find
from matinee.training.artifact import Artifact
from matinee.training.inputs import with_inputs
from matinee.training.selection import Selection
from matinee.training.snapshot import Snapshot
from matinee.training.solution_version import train_version

ITEM_FIELDS = Schema("Items", None, (Field("ITEM_ID", "string"), Field("GENRE", "string", categorical=True)))
USER_FIELDS = Schema("Users", None, (Field("USER_ID", "string"), Field("CITY", "string", categorical=True)))
SMALL = {"algorithmHyperParameters": {"hidden_dimension": "32", "bptt": "6"}}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A version of the user recipe; `cold` has a record and no event."""
    folder = tmp_path_factory.mktemp("version")
    log = generated_log()
    ids = [*log.item_ids, "cold"]
    items = pl.DataFrame({"ITEM_ID": ids, "GENRE": [("drama", "war")[n % 2] for n in range(len(ids))]})
    users = pl.DataFrame({"USER_ID": log.user_ids, "CITY": [("Oslo", "Rome")[n % 2] for n in range(len(log.user_ids))]})
    log, inputs = with_inputs(log, users, None, USER_FIELDS)
    created = creation_timestamps(log, items)
    snapshot = replace(Snapshot(log, items, users, created, len(ids), Selection(), ITEM_FIELDS), inputs=inputs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransformerConfig, "epochs_for", lambda *_: 2)
        train_version(snapshot, find("aws-user-personalization"), SMALL, folder, FitOptions())
    return Artifact.open(folder)


def test_an_item_with_a_record_alone_is_scored(trained: Artifact) -> None:
    number = trained.item_index("cold")
    assert number is not None
    assert trained.popularity[number] == 0
    assert np.isfinite(trained.model.score(Histories.one(np.zeros(1, np.int32), np.zeros(1, np.int64)))[0, number])


def test_a_user_without_events_is_told_by_attributes(trained: Artifact) -> None:
    nothing = Histories.one(np.zeros(0, np.int32), np.zeros(0, np.int64))
    row = trained.inputs.attribute_row({"CITY": "Rome"})
    assert row is not None
    told = trained.model.score(replace(nothing, attributes=row))
    assert not np.allclose(told, trained.model.score(nothing))


def test_what_was_read_is_in_the_manifest(trained: Artifact) -> None:
    categories = trained.manifest["inputs"]["attributes"]["categories"]
    assert sorted(map(tuple, categories)) == [("CITY", "Oslo"), ("CITY", "Rome")]
