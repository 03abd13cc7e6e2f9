"""The sweep: what nothing names goes, what anything may still need stays."""

from __future__ import annotations

from pathlib import Path

from tests.unit.jobs.rig import ACCOUNT, DATASET, GROUP, REGION, House, arn, csv_rows, write_csv

from matinee.control import outbox, records
from matinee.jobs.handlers import HANDLERS
from matinee.jobs.sweep import sweep
from matinee.jobs.workflow import run_job


def test_parts_that_no_row_names_go(house: House, tmp_path: Path) -> None:
    run_job(house.workshop, HANDLERS, house.import_job("one", write_csv(tmp_path / "a.csv", csv_rows(1000))))
    folder = house.part_keys()[0].rpartition("/")[0]
    house.objects.put_bytes(f"{folder}/of-an-unknown-job.parquet", b"")
    assert sweep(house.workshop) == [f"{folder}/of-an-unknown-job.parquet"]
    assert house.stored_keys() == house.part_keys()


def test_the_part_of_a_job_that_has_not_ended_stays(house: House) -> None:
    job = house.job(outbox.JobKind.IMPORT, DATASET)
    house.objects.put_bytes(f"datasets/{job}.parquet", b"")
    assert sweep(house.workshop) == []


def test_artifacts_of_versions_that_are_gone_or_failed_go(house: House) -> None:
    for version, status in (("a1", "ACTIVE"), ("b2", "CREATE FAILED"), ("c3", None)):
        if status:
            house.add(arn(f"solution/s/{version}"), "solution-version", None, status)
        house.objects.put_bytes(f"artifacts/{ACCOUNT}/{REGION}/s/{version}/model/weights", b"")
    assert sweep(house.workshop) == [f"artifacts/{ACCOUNT}/{REGION}/s/{version}" for version in ("b2", "c3")]
    assert house.objects.exists(f"artifacts/{ACCOUNT}/{REGION}/s/a1")


def test_models_that_no_recommender_names_go(house: House) -> None:
    house.add(arn("recommender/r"), "recommender", GROUP, "ACTIVE")
    payload = {"artifact": f"recommenders/{ACCOUNT}/{REGION}/r/being-made"}
    house.job(outbox.JobKind.REFRESH_RECOMMENDER, arn("recommender/r"), payload)
    with house.database.transaction() as connection:
        found = records.find(connection, arn("recommender/r"))
        assert found is not None
        records.change(connection, found, private={"artifact": f"recommenders/{ACCOUNT}/{REGION}/r/served"})
    for model in ("r/served", "r/being-made", "r/old", "gone/old"):
        house.objects.put_bytes(f"recommenders/{ACCOUNT}/{REGION}/{model}/model/weights", b"")
    assert sweep(house.workshop) == [f"recommenders/{ACCOUNT}/{REGION}/{model}" for model in ("gone/old", "r/old")]


def test_working_files_of_ended_jobs_go(house: House) -> None:
    running = house.settle("g")
    for name in (running, "long-gone"):
        (house.workshop.scratch / name).mkdir(parents=True)
    sweep(house.workshop)
    assert [folder.name for folder in house.workshop.scratch.iterdir()] == [running]


def test_what_a_deletion_of_users_is_writing_stays(house: House) -> None:
    job = house.job(outbox.JobKind.DATA_DELETION, GROUP)
    house.objects.put_bytes(f"datasets/{job}.3.parquet", b"")
    house.objects.put_bytes(f"recommenders/{ACCOUNT}/{REGION}/r/{job}/model/weights", b"")
    assert sweep(house.workshop) == []
