"""Deletions: nothing of the users is left in any store of the house, and everything of the others is."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs
from tests.unit.jobs.orders import add_users, deletion_job, put_event, put_user, run, trained
from tests.unit.jobs.rig import GROUP, House, arn, csv_rows, write_csv

from matinee.control.context import Caller
from matinee.serving.freshness import Freshness
from matinee.serving.groups import Groups
from matinee.serving.recommendation_log import RecommendationLog, Recommended
from matinee.serving.runtime import Runtime
from matinee.storage import metadata
from matinee.training.artifact import Artifact

JOB = arn("data-deletion-job/forget")
#: Unlike anything else, so that a search through bytes finds nothing but them.
GONE, KEPT = "user3", "user4"
SECRET = "a-very-telling-trait-of-user-three"
CALLER = Caller(account="123456789012", region="us-east-1")


def _write_list(folder: Path, *users: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "users.csv").write_text("\n".join(["USER_ID", *users]) + "\n")
    return f"file://{folder}/"


def _artifact(house: House, version: str) -> Artifact:
    found = house.resource(version)
    assert found is not None
    return Artifact.open(house.objects.local(found.private["artifact"]))


def test_the_users_rows_go_from_imported_parts_and_the_others_stay_in_order(house: House, tmp_path: Path) -> None:
    trained(house, tmp_path, "aws-popularity-count")
    before = house.rows()
    assert run(house, deletion_job(house, _write_list(tmp_path / "gone", GONE, "never seen"))) == "DONE"
    assert house.rows() == [row for row in before if row[0] != GONE]
    assert house.stored_keys() == house.part_keys()
    job = house.resource(JOB)
    assert job is not None
    assert (job.status, job["numDeleted"]) == ("COMPLETED", len(before) - len(house.rows()))


def test_events_of_the_user_and_of_their_anonymous_sessions_go(house: House, tmp_path: Path) -> None:
    put_event(house, None, "film1", session="evening")
    put_event(house, GONE, "film2", session="evening")
    put_event(house, None, "film3", session="others")
    put_event(house, KEPT, "film4", session="evening")
    assert run(house, deletion_job(house, _write_list(tmp_path / "gone", GONE))) == "DONE"
    with house.database.read() as connection:
        left = connection.scalars(sa.select(metadata.events.c.item_id).order_by(metadata.events.c.seq)).all()
        links = connection.scalars(sa.select(metadata.session_links.c.user_id)).all()
    assert (left, links) == (["film3", "film4"], [])


def test_a_trained_model_keeps_its_scores_and_forgets_the_history(house: House, tmp_path: Path) -> None:
    version = trained(house, tmp_path, "aws-popularity-count")
    before = _artifact(house, version)
    scores = before.model.score(before.user_history(KEPT).as_histories())
    history = before.user_history(KEPT).items.tolist()
    run(house, deletion_job(house, _write_list(tmp_path / "gone", GONE)))
    after = _artifact(house, version)
    assert after.user_index(GONE) is None
    assert after.user_history(KEPT).items.tolist() == history
    assert (after.model.score(after.user_history(KEPT).as_histories()) == scores).all()
    assert len(after.user_ids) == len(before.user_ids) - 1


def test_a_running_server_forgets_too(house: House, tmp_path: Path) -> None:
    version = trained(house, tmp_path, "aws-popularity-count")
    house.add(arn("campaign/c"), "campaign", None, "ACTIVE", {"solutionVersionArn": version, "campaignConfig": {}})
    expression = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")'
    described = {"datasetGroupArn": GROUP, "filterExpression": expression}
    house.add(arn("filter/seen"), "filter", GROUP, "ACTIVE", described)
    runtime = Runtime(house.database, house.objects, house.settings)
    ask = {"campaignArn": arn("campaign/c"), "userId": GONE, "filterArn": arn("filter/seen"), "numResults": 300}
    unseen = runtime.get_recommendations(CALLER, ask)["itemList"]
    run(house, deletion_job(house, _write_list(tmp_path / "gone", GONE)))
    every = runtime.get_recommendations(CALLER, ask)["itemList"]
    runtime.close()
    assert len(unseen) < len(every) == 211


def _everything_on_disk(house: House) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(house.settings.home.rglob("*")) if path.is_file())


def _answered(house: House, *users: str) -> None:
    """Log an answer to each."""
    log = RecommendationLog(house.database, house.settings)
    for user in users:
        log.add(Recommended(f"RID-{user}"[:40], GROUP, arn("campaign/c"), "model", "artifact", user, ("film1",), None))
    log.close()


def test_answers_to_the_user_and_to_their_sessions_leave_the_log(house: House, tmp_path: Path) -> None:
    put_event(house, GONE, "film1", session="s-gone")
    _answered(house, GONE, "s-gone", KEPT)
    run(house, deletion_job(house, _write_list(tmp_path / "gone", GONE)))
    with house.database.read() as connection:
        assert connection.scalars(sa.select(metadata.recommendations.c.user_id)).all() == [KEPT]


def test_no_store_of_the_house_holds_the_user_any_more(house: House, tmp_path: Path) -> None:
    name = "zz-erika-mustermann-1964"
    add_users(house, tmp_path, {name: SECRET, KEPT: "kept-trait"})
    put_user(house, name, SECRET)
    rows = [*csv_rows(1500), *((name, f"film{n}", 1_500_000_000 + n) for n in range(5))]
    house.imported(write_csv(tmp_path / "own.csv", rows))
    trained(house, tmp_path, "aws-sims")
    _answered(house, name)
    put_event(house, name, "film-that-only-she-saw")  # after the training: a model keeps the items that it knows
    needles = [name.encode(), SECRET.encode(), b"film-that-only-she-saw"]
    if not house.database.is_sqlite:  # only models and imported data are in the house then
        needles = needles[:1]
    before = _everything_on_disk(house)
    assert all(needle in before for needle in needles)
    with capture_logs() as lines:
        assert run(house, deletion_job(house, _write_list(tmp_path / "gone", name))) == "DONE"
    left = _everything_on_disk(house)
    assert [needle for needle in needles if needle in left] == []
    assert KEPT.encode() in left
    assert name not in str(lines)
    tables = (metadata.events, metadata.records, metadata.session_links, metadata.jobs, metadata.resources)
    for table in (*tables, metadata.recommendations):
        with house.database.read() as connection:
            assert name not in str(connection.execute(sa.select(table)).all())


def test_files_in_deeper_folders_are_read_and_other_names_are_not(house: House, tmp_path: Path) -> None:
    trained(house, tmp_path, "aws-popularity-count")
    _write_list(tmp_path / "gone" / "deeper", GONE)
    (tmp_path / "gone" / "notes.txt").write_text("USER_ID\nuser4\n")
    assert run(house, deletion_job(house, f"file://{tmp_path}/gone/")) == "DONE"
    users = {user for user, _, _ in house.rows()}
    assert GONE not in users
    assert KEPT in users


def test_a_deletion_list_on_s3(
    house: House, s3_endpoint: str, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    trained(house, tmp_path, "aws-popularity-count")
    boto3.client("s3").put_object(Bucket=bucket, Key="gone/deep/users.csv", Body=f"USER_ID\n{GONE}\n".encode())
    assert run(house, deletion_job(house, f"s3://{bucket}/gone/")) == "DONE"
    assert GONE not in {user for user, _, _ in house.rows()}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("USER_ID,ITEM_ID\nuser3,film1\n", "The header is not that of a list of users."),
        ("USER_ID\n", "There is no user ID below the header."),
        ("USER_ID\nuser3\nuser4,extra\n", "line 3"),
    ],
)
def test_a_list_that_cannot_be_read_changes_nothing_and_shows_no_user(
    house: House, tmp_path: Path, content: str, reason: str
) -> None:
    trained(house, tmp_path, "aws-popularity-count")
    before = house.rows()
    (tmp_path / "gone.csv").write_text(content)
    assert run(house, deletion_job(house, f"file://{tmp_path}/gone.csv")) == "FAILED"
    status, said = house.status(JOB)
    assert status == "FAILED"
    assert reason in str(said)
    assert "user4" not in str(said)
    assert house.rows() == before


def test_freshness_of_a_group_changes_with_a_deletion(house: House, tmp_path: Path) -> None:
    trained(house, tmp_path, "aws-popularity-count")
    groups, freshness = Groups(), Freshness(house.database)
    with freshness.view() as view:
        before = groups.get(view, GROUP)
    run(house, deletion_job(house, _write_list(tmp_path / "gone", GONE)))
    with freshness.view() as view:
        assert groups.get(view, GROUP).erasures != before.erasures
    freshness.close()
