"""The two-hourly update as a job: a new artifact in the old one's place, inside it or beside it; metrics stay."""

from __future__ import annotations

from pathlib import Path

from tests.unit.jobs.rig import ACCOUNT, GROUP, REGION, House, arn, csv_rows

from matinee.control import places
from matinee.control.outbox import JobKind
from matinee.jobs.handlers import HANDLERS
from matinee.jobs.workflow import run_job
from matinee.training.artifact import Artifact

VERSION = arn("solution/s/0000000a")
_HOME = places.artifact_prefix(ACCOUNT, REGION, "s", "0000000a")
_RECIPE = "arn:aws:personalize:::recipe/aws-popularity-count"


def _import(house: House, folder: Path, name: str, rows: list[tuple[object, ...]]) -> None:
    path = folder / name
    path.write_text("USER_ID,ITEM_ID,TIMESTAMP\n" + "".join(f"{u},{i},{t}\n" for u, i, t in rows))
    house.imported(f"file://{path}")


def test_a_new_item_is_in_the_model_that_takes_the_old_ones_place(house: House, tmp_path: Path) -> None:
    old: list[tuple[object, ...]] = [tuple(row) for row in csv_rows(1500)]
    _import(house, tmp_path, "old.csv", old)
    payload = {"datasetGroupArn": GROUP, "recipeArn": _RECIPE, "solutionConfig": {}, "recipes": [_RECIPE]}
    attributes = {"datasetGroupArn": GROUP, "recipeArn": _RECIPE, "solutionArn": arn("solution/s")}
    house.add(VERSION, "solution-version", arn("solution/s"), "CREATE PENDING", attributes)
    first = house.job(JobKind.TRAIN, VERSION, {**payload, "artifact": _HOME})
    assert run_job(house.workshop, HANDLERS, first) == "DONE"
    before = house.resource(VERSION)
    assert before is not None
    _import(house, tmp_path, "new.csv", [*old, *((user, "new", 99) for user, _, _ in old[:50])])
    update = house.job(JobKind.UPDATE_MODEL, VERSION, {**payload, "artifact": f"{_HOME}/two"})
    assert run_job(house.workshop, HANDLERS, update) == "DONE"
    after = house.resource(VERSION)
    assert after is not None
    assert (after.status, after.private["artifact"]) == ("ACTIVE", f"{_HOME}/two")
    assert after.private["metrics"] == before.private["metrics"]
    artifact = Artifact.open(house.objects.local(f"{_HOME}/two"))
    assert artifact.item_index("new") == artifact.n_items - 1
    assert not house.objects.exists(f"{_HOME}/manifest.json")
