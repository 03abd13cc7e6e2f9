"""Events are counted once, by metric, source and window; reports and imports tell of them once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
from tests.unit.jobs.rig import GROUP, House, arn

from matinee.control import outbox, places, records
from matinee.control.attribution_schedule import start_attributing
from matinee.control.outbox import JobKind
from matinee.control.records import now_ms
from matinee.jobs.attribution import ledger
from matinee.jobs.handlers import HANDLERS
from matinee.jobs.task import Workshop
from matinee.jobs.workflow import run_job
from matinee.storage.metadata import attribution_sums, dataset_parts, events, jobs, recommendations

ATTRIBUTION = arn("metric-attribution/worth")
CAMPAIGN = arn("campaign/home")
#: A moment whose window of 15 minutes has just begun.
NOON = now_ms() // 1000 // 900 * 900
_FIELDS = ("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_ATTRIBUTION_SOURCE", "RECOMMENDATION_ID")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house with an ACTIVE attribution: watches, what they are worth, and clicks."""
    house = House.build(tmp_path / "home")
    house.add(
        ATTRIBUTION,
        "metric-attribution",
        GROUP,
        "ACTIVE",
        {
            "datasetGroupArn": GROUP,
            "metricsOutputConfig": {"s3DataDestination": {"path": f"file://{tmp_path}/reports/"}},
        },
    )
    metrics = [
        {"number": 1, "metricName": "countWatches", "eventType": "watch", "expression": "SAMPLECOUNT()"},
        {"number": 2, "metricName": "worth", "eventType": "watch", "expression": "SUM(Interactions.EVENT_VALUE)"},
        {"number": 3, "metricName": "clicks", "eventType": "click", "expression": "SAMPLECOUNT()"},
    ]
    with house.database.transaction() as connection:
        found = records.find(connection, ATTRIBUTION)
        assert found is not None
        records.change(connection, found, private={"metrics": metrics}, created_at=found.created_at - 60_000)
    yield house
    house.database.close()


def happen(house: House, *many: dict[str, Any]) -> None:
    """Let events come in."""
    with house.database.transaction() as connection:
        count = connection.scalar(sa.select(sa.func.count()).select_from(events)) or 0
        rows = [
            {
                "group_arn": GROUP,
                "event_id": f"e{count + number}",
                "user_id": "u",
                "session_id": "s",
                "event_type": "Watch",
                "item_id": "film",
                "event_value": None,
                "sent_at": NOON,
                "details": None,
                "received_at": now_ms(),
                **event,
            }
            for number, event in enumerate(many)
        ]
        connection.execute(sa.insert(events), rows)


def attribute(house: House, later: int = 0) -> int:
    """Let the schedule start what is due `later` seconds from now, and carry it out; returns how many jobs."""
    started = start_attributing(house.database, now_ms() + 1000 * later)
    with house.database.read() as connection:
        waiting = list(connection.scalars(sa.select(jobs.c.id).where(jobs.c.state == "QUEUED")))
    assert [run_job(house.workshop, HANDLERS, job_id) for job_id in waiting] == ["DONE"] * len(started)
    return len(started)


def totals(house: House) -> dict[tuple[int, str], float]:
    """Metric's number and source to everything counted."""
    with house.database.read() as connection:
        return {(metric, source): value for _, metric, source, value in ledger.totals(connection)}


def reported(tmp_path: Path) -> list[str]:
    """The lines of all report files, without their headers."""
    header = "METRIC_NAME,EVENT_TYPE,VALUE,MATH_FUNCTION,EVENT_ATTRIBUTION_SOURCE,TIMESTAMP"
    lines: list[str] = []
    for file in sorted((tmp_path / "reports").glob("AggregatedAttributionMetrics - *.csv")):
        first, *rest = file.read_text().splitlines()
        assert first == header
        lines += rest
    return lines


def test_the_source_is_what_the_client_says_else_what_recommended(house: House) -> None:
    with house.database.transaction() as connection:
        row = {"id": "RID-1", "group_arn": GROUP, "arn": CAMPAIGN, "model_arn": "v", "artifact": "a", "items": ["film"]}
        connection.execute(sa.insert(recommendations).values(**row, at=now_ms()))
    happen(
        house,
        {"details": {"eventAttributionSource": "mail", "recommendationId": "RID-1"}},
        {"details": {"recommendationId": "RID-1"}, "event_value": 2.5},
        {"details": {"recommendationId": "RID-unknown"}},
        {"event_type": "click"},
        {"event_type": "scroll"},
    )
    assert attribute(house) == 1
    assert totals(house) == {
        (1, "mail"): 1.0,
        (1, CAMPAIGN): 1.0,
        (2, CAMPAIGN): 2.5,
        (1, "SOURCE_NAME_UNDEFINED"): 1.0,
        (3, "SOURCE_NAME_UNDEFINED"): 1.0,
    }


def test_events_are_counted_once_and_nothing_new_starts_nothing(house: House) -> None:
    happen(house, {}, {})
    assert [attribute(house), attribute(house)] == [1, 0]
    happen(house, {})
    attribute(house)
    assert totals(house) == {(1, "SOURCE_NAME_UNDEFINED"): 3.0}


def test_what_came_before_the_attribution_or_far_too_late_is_not_counted(house: House) -> None:
    happen(
        house,
        {"received_at": now_ms() - 3_600_000},
        {"sent_at": NOON - 15 * 86_400},
        {"sent_at": NOON + 3 * 3600},
        {"sent_at": NOON - 13 * 86_400},
    )
    attribute(house)
    assert totals(house) == {(1, "SOURCE_NAME_UNDEFINED"): 1.0}


def test_a_closed_window_is_reported_and_a_late_event_as_a_further_row(house: House, tmp_path: Path) -> None:
    happen(house, {}, {"sent_at": NOON + 1}, {"sent_at": NOON + 900})
    attribute(house)
    assert reported(tmp_path) == []
    assert attribute(house, later=2 * 3600) == 1
    assert reported(tmp_path) == [
        f"COUNTWATCHES,WATCH,2.0,samplecount,SOURCE_NAME_UNDEFINED,{NOON}",
        f"COUNTWATCHES,WATCH,1.0,samplecount,SOURCE_NAME_UNDEFINED,{NOON + 900}",
    ]
    happen(house, {"sent_at": NOON + 2})
    attribute(house, later=3 * 3600)
    assert len(reported(tmp_path)) == 3
    assert reported(tmp_path)[-1] == f"COUNTWATCHES,WATCH,1.0,samplecount,SOURCE_NAME_UNDEFINED,{NOON}"


class Killed(BaseException):
    """What a kill looks like from inside the job."""


@pytest.mark.parametrize("point", ["page-counted", "taken", "reported", "handled"])
def test_a_killed_job_counts_and_reports_nothing_twice(house: House, tmp_path: Path, point: str) -> None:
    happen(house, {}, {})
    (job_arn,) = start_attributing(house.database, now_ms() + 2 * 3_600_000)
    assert job_arn == ATTRIBUTION
    with house.database.read() as connection:
        (job_id,) = connection.scalars(sa.select(jobs.c.id))
    dead = threading.Event()

    def die(reached: str) -> None:
        if reached == f"attribute.{point}" and not dead.is_set():
            dead.set()
            raise Killed

    workshop = Workshop(house.database, house.objects, house.settings, die)
    with pytest.raises(Killed):
        run_job(workshop, HANDLERS, job_id)
    happen(house, {})
    assert run_job(workshop, HANDLERS, job_id) == "DONE"
    attribute(house, later=3 * 3600)
    assert totals(house) == {(1, "SOURCE_NAME_UNDEFINED"): 3.0}
    assert sum(float(line.split(",")[2]) for line in reported(tmp_path)) == 3.0


def test_sources_beyond_a_hundred_count_as_undefined(house: House) -> None:
    happen(house, *({"details": {"eventAttributionSource": f"s{number}"}} for number in range(120)))
    attribute(house)
    found = totals(house)
    assert len(found) == 100
    assert found[1, "SOURCE_NAME_UNDEFINED"] == 21.0
    assert sum(found.values()) == 120.0


def import_rows(house: House, tmp_path: Path, mode: str, *, publish: bool) -> str:
    """Import 750 watches of a source and 250 of none; returns how the job ended."""
    types: dict[str, Any] = {"TIMESTAMP": "long", **{name: ["string", "null"] for name in _FIELDS[4:]}}
    fields = [{"name": name, "type": types.get(name, "string")} for name in _FIELDS]
    schema = {"type": "record", "name": "Interactions", "namespace": "n", "fields": fields, "version": "1.0"}
    dataset, name = arn("dataset/films/INTERACTIONS"), arn(f"schema/{mode}")
    house.add(name, "schema", None, None, {"schema": json.dumps(schema)})
    file = tmp_path / f"{mode}.csv"
    rows = [("u", "film", NOON, "watch", "mail", "")] * 750 + [("v", "film", NOON, "watch", "", "")] * 250
    file.write_text("\n".join([",".join(_FIELDS), *(",".join(map(str, row)) for row in rows)]) + "\n")
    job = arn(f"dataset-import-job/{mode}")
    house.add(job, "dataset-import-job", dataset, "CREATE PENDING", {"importMode": mode, "datasetArn": dataset})
    payload = {
        "datasetArn": dataset,
        "datasetGroupArn": GROUP,
        "datasetType": "INTERACTIONS",
        "schemaArn": name,
        "dataLocation": f"file://{file}",
        "importMode": mode,
        "publishAttributionMetricsToS3": publish,
        "prefix": places.dataset_prefix("123456789012", "us-east-1", "films", "INTERACTIONS"),
    }
    with house.database.transaction() as connection:
        job_id = outbox.enqueue(connection, JobKind.IMPORT, job, payload)
    return run_job(house.workshop, HANDLERS, job_id)


@pytest.mark.parametrize(("mode", "counted"), [("FULL", 0.0), ("INCREMENTAL", 1000.0)])
def test_an_import_writes_its_report_and_adds_when_incremental(
    house: House, tmp_path: Path, mode: str, counted: float
) -> None:
    assert import_rows(house, tmp_path, mode, publish=True) == "DONE"
    assert reported(tmp_path) == [
        f"COUNTWATCHES,WATCH,250.0,samplecount,SOURCE_NAME_UNDEFINED,{NOON}",
        f"COUNTWATCHES,WATCH,750.0,samplecount,mail,{NOON}",
    ]
    assert sum(totals(house).values()) == counted
    assert attribute(house, later=3600) == 0  # no second report of it


def test_an_import_that_does_not_ask_writes_no_report(house: House, tmp_path: Path) -> None:
    assert import_rows(house, tmp_path, "FULL", publish=False) == "DONE"
    assert reported(tmp_path) == []


def test_what_is_kept_goes_with_the_attribution(house: House) -> None:
    happen(house, {})
    attribute(house)
    assert run_job(house.workshop, HANDLERS, house.delete(ATTRIBUTION)) == "DONE"
    with house.database.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(attribution_sums)) == 0


def test_numbers_of_items_are_added_up(house: House) -> None:
    schema = {
        "type": "record",
        "name": "Items",
        "namespace": "n",
        "version": "1.0",
        "fields": [{"name": "ITEM_ID", "type": "string"}, {"name": "PRICE", "type": "float"}],
    }
    items = arn("dataset/films/ITEMS")
    house.add(arn("schema/items"), "schema", None, None, {"schema": json.dumps(schema)})
    described = {"datasetGroupArn": GROUP, "datasetType": "ITEMS", "schemaArn": arn("schema/items")}
    house.add(items, "dataset", GROUP, "ACTIVE", described)
    part = house.settings.home / "items.parquet"
    pl.DataFrame({"ITEM_ID": ["film", "other"], "PRICE": [4.0, 9.0]}).write_parquet(part)
    house.objects.put_file("datasets/items.parquet", part)
    metrics = [{"number": 7, "metricName": "takings", "eventType": "watch", "expression": "SUM(Items.PRICE)"}]
    with house.database.transaction() as connection:
        row = {"dataset_arn": items, "job_arn": "j", "object_key": "datasets/items.parquet", "rows": 2, "bytes": 1}
        connection.execute(sa.insert(dataset_parts).values(**row, created_at=now_ms()))
        found = records.find(connection, ATTRIBUTION)
        assert found is not None
        records.change(connection, found, private={"metrics": metrics})
    happen(house, {}, {}, {"item_id": "unknown"}, {"item_id": None})
    attribute(house)
    assert totals(house) == {(7, "SOURCE_NAME_UNDEFINED"): 8.0}
