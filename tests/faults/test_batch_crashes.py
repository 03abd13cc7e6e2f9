"""kill -9 during batch inference, segments, exports and deletions: nothing is missing, twice, or half there."""

from __future__ import annotations

import random
from pathlib import Path

from tests.faults.worker_process import WorkerProcess
from tests.unit.jobs.orders import (
    batch_job,
    deletion_job,
    export_job,
    put_event,
    read_lines,
    segment_job,
    trained,
    write_lines,
)
from tests.unit.jobs.rig import House, arn

from matinee.training.artifact import Artifact


def test_a_kill_at_every_point_of_a_batch(tmp_path: Path) -> None:
    house = House.build(tmp_path / "home")
    version = trained(house, tmp_path, "aws-popularity-count")
    lines = {name: [{"userId": f"{name}-{n}"} for n in range(21_000)] for name in ("a", "b")}
    for name, own in lines.items():
        write_lines(tmp_path / "in" / f"{name}.json", own)
    job = batch_job(house, version, f"file://{tmp_path}/in/", f"file://{tmp_path}/out/")
    for point in ("checked", "marked", "answered", "published", "marked", "committing"):
        with WorkerProcess(house.settings, dies_at=f"batch-inference.{point}") as worker:
            worker.await_death()
        for path in (tmp_path / "out").glob("*.out"):
            assert len(read_lines(path)) == 21_000
    with house.worker():
        house.await_end(job)
    assert house.row(job).state == "DONE"
    for name, own in lines.items():
        answered = read_lines(tmp_path / "out" / f"{name}.json.out")
        assert [line["input"] for line in answered] == own
        assert {line["error"] for line in answered} == {None}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["_CHECK", "a.json.out", "b.json.out"]
    assert list(house.workshop.scratch.iterdir()) == []
    house.database.close()


def test_a_kill_at_every_point_of_a_segment_job(tmp_path: Path) -> None:
    house = House.build(tmp_path / "home")
    version = trained(house, tmp_path, "aws-item-affinity")
    lines = [{"itemId": f"film{n % 300}", "line": n} for n in range(21_000)]
    source = write_lines(tmp_path / "in.json", lines)
    job = segment_job(house, version, source, f"file://{tmp_path}/out/")
    for point in ("checked", "marked", "answered", "published", "committing"):
        with WorkerProcess(house.settings, dies_at=f"batch-segment.{point}") as worker:
            worker.await_death()
    with house.worker():
        house.await_end(job)
    assert house.row(job).state == "DONE"
    answered = read_lines(tmp_path / "out" / "in.json.out")
    assert [line["input"] for line in answered] == lines
    assert {len(line["output"]["usersList"]) for line in answered} == {5}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["_CHECK", "in.json.out"]
    assert list(house.workshop.scratch.iterdir()) == []
    house.database.close()


def test_kills_at_random_during_a_batch(tmp_path: Path) -> None:
    chance = random.Random(6)
    house = House.build(tmp_path / "home")
    version = trained(house, tmp_path, "aws-sims")
    lines = [{"itemId": f"film{n % 300}"} for n in range(20_000)]
    job = batch_job(house, version, write_lines(tmp_path / "in.json", lines), f"file://{tmp_path}/out")
    for _ in range(3):
        with WorkerProcess(house.settings) as worker:
            worker.crash(chance, longest=5.0)
    with house.worker():
        house.await_end(job)
    assert [line["input"] for line in read_lines(tmp_path / "out" / "in.json.out")] == lines
    house.database.close()


def test_a_kill_at_every_point_of_an_export(tmp_path: Path) -> None:
    house = House.build(tmp_path / "home")
    for n in range(50):
        put_event(house, f"user{n}", "film", session=f"s{n}")
    job = export_job(house, f"file://{tmp_path}/out/", "PUT")
    for point in ("written", "published", "committing"):
        with WorkerProcess(house.settings, dies_at=f"export.{point}") as worker:
            worker.await_death()
    with house.worker():
        house.await_end(job)
    assert house.row(job).state == "DONE"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["export.csv"]
    users = [line.split(",")[0] for line in (tmp_path / "out" / "export.csv").read_text().splitlines()[1:]]
    assert users == [f"user{n}" for n in range(50)]
    house.database.close()


def test_a_kill_at_every_point_of_a_deletion(tmp_path: Path) -> None:
    house = House.build(tmp_path / "home")
    version = trained(house, tmp_path, "aws-popularity-count")
    before = house.rows()
    put_event(house, "user3", "film1")
    (tmp_path / "gone.csv").write_text("USER_ID\nuser3\n")
    job = deletion_job(house, f"file://{tmp_path}/gone.csv")
    points = ("read", "rows-erased", "part-stored", "part-swapped", "artifact-stored", "artifact-swapped", "committing")
    for point in points:
        with WorkerProcess(house.settings, dies_at=f"data-deletion.{point}") as worker:
            worker.await_death()
        assert house.status(arn("data-deletion-job/forget")) == ("IN_PROGRESS", None)
    with house.worker():
        house.await_end(job)
    kept = [row for row in before if row[0] != "user3"]
    resource = house.resource(arn("data-deletion-job/forget"))
    assert resource is not None
    assert (resource.status, resource["numDeleted"]) == ("COMPLETED", len(before) - len(kept) + 1)
    assert house.rows() == kept
    assert house.stored_keys() == house.part_keys()
    found = house.resource(version)
    assert found is not None
    prefix = found.private["artifact"]
    assert Artifact.open(house.objects.local(prefix)).user_index("user3") is None
    assert all(stored.key.startswith(f"{prefix}/") for stored in house.objects.list("artifacts"))
    house.database.close()
