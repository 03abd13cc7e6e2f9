"""Recommenders: trained on their own event type, trained again without a gap, failures that leave the old model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.unit.jobs.rig import ACCOUNT, GROUP, REGION, SCHEMA, House, arn, csv_rows

from matinee.control import places, records
from matinee.control.outbox import JobKind
from matinee.jobs.handlers import HANDLERS
from matinee.jobs.workflow import run_job
from matinee.training.artifact import Artifact

RECOMMENDER = arn("recommender/r")
_PREFIX = places.recommender_prefix(ACCOUNT, REGION, "r")
_POPULAR = "aws-ecomm-popular-items-by-views"


def _payload(folder: str, recipe: str) -> dict[str, Any]:
    return {
        "datasetGroupArn": GROUP,
        "recipeArn": f"arn:aws:personalize:::recipe/{recipe}",
        "recommenderConfig": {"minRecommendationRequestsPerSecond": 1},
        "artifact": f"{_PREFIX}/{folder}",
    }


def _views(house: House, folder: Path, count: int = 1500, event_type: str = "View") -> None:
    """Import interactions that have an event type."""
    rows = [f"{user},{item},{at},{event_type}" for user, item, at in csv_rows(count)]
    path = folder / "views.csv"
    path.write_text("USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\n" + "\n".join(rows) + "\n")
    _add_event_type(house)
    house.imported(f"file://{path}")


def _add_event_type(house: House) -> None:
    with house.database.transaction() as connection:
        schema = records.find(connection, SCHEMA)
        assert schema is not None
        text = json.loads(schema["schema"])
        text["fields"].append({"name": "EVENT_TYPE", "type": "string"})
        records.change(connection, schema, attributes={"schema": json.dumps(text)})


def _create(house: House, recipe: str = _POPULAR) -> str:
    payload = _payload("one", recipe)
    house.add(RECOMMENDER, "recommender", GROUP, "CREATE PENDING", payload)
    return run_job(house.workshop, HANDLERS, house.job(JobKind.RECOMMENDER, RECOMMENDER, payload))


def _private(house: House) -> Mapping[str, Any]:
    found = house.resource(RECOMMENDER)
    assert found is not None
    return found.private


def test_a_recommender_becomes_active_with_model_and_metrics(house: House, tmp_path: Path) -> None:
    _views(house, tmp_path)
    assert _create(house) == "DONE"
    assert house.status(RECOMMENDER) == ("ACTIVE", None)
    artifact = Artifact.open(house.objects.local(_private(house)["artifact"]))
    assert artifact.manifest["recipe"].endswith(_POPULAR)
    assert artifact.n_items == 211
    assert 0 <= _private(house)["metrics"]["coverage"] <= 1


def test_events_of_another_type_do_not_count(house: House, tmp_path: Path) -> None:
    _views(house, tmp_path, event_type="Click")
    assert _create(house) == "FAILED"
    reason = "Dataset has fewer than 1000 interactions after filtering by event type: View"
    assert house.status(RECOMMENDER) == ("CREATE FAILED", reason)
    assert not house.objects.exists(_PREFIX)


def test_another_training_takes_the_old_models_place(house: House, tmp_path: Path) -> None:
    _views(house, tmp_path)
    _create(house)
    payload = _payload("two", _POPULAR)
    assert run_job(house.workshop, HANDLERS, house.job(JobKind.REFRESH_RECOMMENDER, RECOMMENDER, payload)) == "DONE"
    assert _private(house)["artifact"] == f"{_PREFIX}/two"
    Artifact.open(house.objects.local(f"{_PREFIX}/two"))
    assert not house.objects.exists(f"{_PREFIX}/one")


def test_a_training_that_fails_leaves_the_old_model(house: House, tmp_path: Path) -> None:
    _views(house, tmp_path)
    _create(house)
    payload = _payload("two", "aws-ecomm-popular-items-by-purchases")
    assert run_job(house.workshop, HANDLERS, house.job(JobKind.REFRESH_RECOMMENDER, RECOMMENDER, payload)) == "FAILED"
    assert house.status(RECOMMENDER)[0] == "ACTIVE"
    Artifact.open(house.objects.local(_private(house)["artifact"]))
    assert not house.objects.exists(f"{_PREFIX}/two")


def test_a_recommender_that_was_stopped_is_not_trained_again(house: House, tmp_path: Path) -> None:
    _views(house, tmp_path)
    _create(house)
    with house.database.transaction() as connection:
        found = records.find(connection, RECOMMENDER)
        assert found is not None
        records.change(connection, found, status="INACTIVE")
    payload = _payload("two", _POPULAR)
    assert run_job(house.workshop, HANDLERS, house.job(JobKind.REFRESH_RECOMMENDER, RECOMMENDER, payload)) == "STOPPED"
    assert _private(house)["artifact"] == f"{_PREFIX}/one"
