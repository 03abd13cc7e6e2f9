"""A house with a dataset group in it, and jobs to carry out: what tests of jobs and of crashes start from."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from matinee.control import outbox, places, records
from matinee.control.outbox import ENDED, JobKind
from matinee.control.records import Resource
from matinee.jobs.handlers import HANDLERS
from matinee.jobs.task import Handler, Workshop
from matinee.jobs.worker import Worker
from matinee.jobs.workflow import run_job
from matinee.settings import Settings
from matinee.storage.metadata import Database, dataset_parts, jobs
from matinee.storage.objects import ObjectStore, open_store

ACCOUNT, REGION = "123456789012", "us-east-1"
PATIENCE = 60.0
_SCHEMA = {
    "type": "record",
    "name": "Interactions",
    "namespace": "com.amazonaws.personalize.schema",
    "fields": [
        {"name": "USER_ID", "type": "string"},
        {"name": "ITEM_ID", "type": "string"},
        {"name": "TIMESTAMP", "type": "long"},
    ],
    "version": "1.0",
}


def arn(suffix: str) -> str:
    """The ARN of a resource of the one tenant."""
    return f"arn:aws:personalize:{REGION}:{ACCOUNT}:{suffix}"


GROUP, SCHEMA, DATASET = arn("dataset-group/films"), arn("schema/films"), arn("dataset/films/INTERACTIONS")


@dataclass(frozen=True)
class House:
    """One home folder with its database and object store."""

    settings: Settings
    database: Database
    objects: ObjectStore

    @classmethod
    def build(cls, home: Path, database_url: str | None = None) -> House:
        """A house with an ACTIVE dataset group, schema and Interactions dataset."""
        settings = Settings(home=home, database_url=database_url, threads=1)
        database = Database(settings.effective_database_url)
        database.upgrade()
        house = cls(settings, database, open_store(settings))
        house.add(GROUP, "dataset-group", None, "ACTIVE")
        house.add(SCHEMA, "schema", None, None, {"schema": json.dumps(_SCHEMA)})
        described = {"datasetGroupArn": GROUP, "datasetType": "INTERACTIONS", "schemaArn": SCHEMA}
        house.add(DATASET, "dataset", GROUP, "ACTIVE", described)
        return house

    @property
    def workshop(self) -> Workshop:
        """What handlers share."""
        return Workshop(self.database, self.objects, self.settings)

    def add(
        self, name: str, kind: str, parent: str | None, status: str | None, attributes: Mapping[str, Any] | None = None
    ) -> None:
        """Add a resource."""
        with self.database.transaction() as connection:
            records.insert(
                connection,
                arn=name,
                account=ACCOUNT,
                region=REGION,
                kind=kind,
                name=name.rpartition("/")[2],
                parent=parent,
                status=status,
                attributes=attributes or {},
            )

    def job(self, kind: JobKind, name: str, payload: Mapping[str, Any] | None = None) -> str:
        """Write a job; returns its id."""
        with self.database.transaction() as connection:
            return outbox.enqueue(connection, kind, name, payload)

    def settle(self, name: str) -> str:
        """Create a dataset group that a job settles; returns the job's id."""
        self.add(arn(f"dataset-group/{name}"), "dataset-group", None, "CREATE PENDING")
        return self.job(JobKind.SETTLE, arn(f"dataset-group/{name}"))

    def import_job(self, name: str, location: str, mode: str = "FULL") -> str:
        """Create an import job of the dataset; returns the job's id."""
        resource = arn(f"dataset-import-job/{name}")
        self.add(resource, "dataset-import-job", DATASET, "CREATE PENDING", {"importMode": mode, "datasetArn": DATASET})
        payload = {
            "datasetArn": DATASET,
            "datasetGroupArn": GROUP,
            "datasetType": "INTERACTIONS",
            "schemaArn": SCHEMA,
            "dataLocation": location,
            "importMode": mode,
            "prefix": places.dataset_prefix(ACCOUNT, REGION, "films", "INTERACTIONS"),
        }
        return self.job(JobKind.IMPORT, resource, payload)

    def imported(self, location: str) -> None:
        """Carry out a FULL import here and now."""
        count = len(self.part_keys())
        assert run_job(self.workshop, HANDLERS, self.import_job(f"at-once-{count}", location)) == "DONE"

    def train_job(self, version: str, *recipes: str, **members: Any) -> str:
        """Create a solution version that is to be trained with one recipe, or with AutoML; returns the job's id.

        `members` are more of the solution's: `performHPO`, `solutionConfig`.
        """
        arns = [f"arn:aws:personalize:::recipe/{recipe}" for recipe in recipes]
        resource = arn(f"solution/s/{version}")
        described = {
            "solutionArn": arn("solution/s"),
            "datasetGroupArn": GROUP,
            "performAutoML": len(arns) > 1,
            **({"recipeArn": arns[0]} if len(arns) == 1 else {}),
        }
        if self.resource(arn("solution/s")) is None:
            self.add(arn("solution/s"), "solution", GROUP, "ACTIVE", {"performAutoML": len(arns) > 1})
        self.add(resource, "solution-version", arn("solution/s"), "CREATE PENDING", described)
        payload = {
            **described,
            "solutionConfig": {},
            **members,
            "recipes": arns,
            "artifact": places.artifact_prefix(ACCOUNT, REGION, "s", version),
        }
        return self.job(JobKind.TRAIN, resource, payload)

    def delete(self, name: str) -> str:
        """Ask for the deletion of a resource; returns the job's id."""
        with self.database.transaction() as connection:
            resource = records.find(connection, name)
            assert resource is not None
            records.change(connection, resource, status="DELETE PENDING")
            return outbox.enqueue(connection, JobKind.DELETE, name)

    def resource(self, name: str) -> Resource | None:
        """A resource as it is now."""
        with self.database.read() as connection:
            return records.find(connection, name)

    def status(self, name: str) -> tuple[str | None, str | None]:
        """Status and failure reason of a resource that exists."""
        found = self.resource(name)
        assert found is not None
        return found.status, found.failure_reason

    def row(self, job_id: str) -> sa.Row[Any]:
        """A job's row."""
        with self.database.read() as connection:
            return connection.execute(sa.select(jobs).where(jobs.c.id == job_id)).one()

    def await_end(self, *job_ids: str) -> None:
        """Wait until the jobs have ended."""
        left = sa.select(sa.func.count()).where(jobs.c.id.in_(job_ids), jobs.c.state.not_in(ENDED))
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with self.database.read() as connection:
                if connection.scalar(left) == 0:
                    return
            threading.Event().wait(0.01)
        raise AssertionError(f"not ended after {PATIENCE} s: {[self.row(job_id) for job_id in job_ids]}")

    def part_keys(self) -> list[str]:
        """The dataset's parts, oldest first."""
        query = sa.select(dataset_parts.c.object_key).where(dataset_parts.c.dataset_arn == DATASET)
        with self.database.read() as connection:
            return list(connection.scalars(query.order_by(dataset_parts.c.seq)))

    def stored_keys(self) -> list[str]:
        """Every object of datasets, whether a row names it or not."""
        return [stored.key for stored in self.objects.list("datasets")]

    def rows(self) -> list[tuple[str, str, int]]:
        """Every imported row, in order."""
        frames = [pl.read_parquet(self.objects.local(key)) for key in self.part_keys()]
        return [] if not frames else [tuple(row) for row in pl.concat(frames).rows()]

    @contextmanager
    def worker(self, handlers: Mapping[JobKind, Handler] = HANDLERS) -> Iterator[None]:
        """A worker in a thread of this process, for as long as the block runs."""
        stop = threading.Event()
        thread = threading.Thread(target=Worker(self.settings, handlers=handlers).run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def csv_rows(count: int, start: int = 0) -> list[tuple[str, str, int]]:
    """`count` different interactions."""
    return [(f"user{n % 97}", f"film{n % 211}", 1_000_000_000 + n) for n in range(start, start + count)]


def write_csv(path: Path, rows: list[tuple[str, str, int]]) -> str:
    """Write a CSV file; returns its `file://` location."""
    lines = (f"{user},{item},{at}" for user, item, at in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("USER_ID,ITEM_ID,TIMESTAMP\n" + "\n".join(lines) + "\n")
    return f"file://{path}"
