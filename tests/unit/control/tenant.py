"""A tenant that calls operations, every request and answer held against the model, and a worker in miniature."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from tests.unit.control import shapes

from matinee.control import lifecycle
from matinee.control.context import Caller
from matinee.control.outbox import ENDED, JobKind
from matinee.control.plane import ControlPlane
from matinee.errors import ApiError
from matinee.settings import Settings
from matinee.storage.local_disk import LocalDisk
from matinee.storage.metadata import Database, jobs, tables

ROLE = "arn:aws:iam::123456789012:role/personalize"
RECIPES = "arn:aws:personalize:::recipe/"
V2 = f"{RECIPES}aws-user-personalization-v2"

METRICS = {"coverage": 0.271828, "mean_reciprocal_rank_at_25": 0.037891}


def schema_text(record: str, *fields: dict[str, Any] | tuple[str, Any]) -> str:
    """An Avro schema; a field is a dict or (name, type)."""
    named = [field if isinstance(field, dict) else {"name": field[0], "type": field[1]} for field in fields]
    return json.dumps({"type": "record", "name": record, "namespace": "n", "fields": named, "version": "1.0"})


INTERACTIONS = schema_text(
    "Interactions",
    ("USER_ID", "string"),
    ("ITEM_ID", "string"),
    ("TIMESTAMP", "long"),
    ("EVENT_TYPE", "string"),
    ("EVENT_VALUE", ["float", "null"]),
)
ITEMS = schema_text(
    "Items",
    ("ITEM_ID", "string"),
    {"name": "GENRES", "type": "string", "categorical": True},
    ("PRICE", "float"),
    ("CREATION_TIMESTAMP", "long"),
)


class Tenant:
    """One account's programs in one region. `tenant.create_schema(name=…)` calls the operation of that name."""

    def __init__(self, plane: ControlPlane, account: str = "123456789012", region: str = "us-east-1") -> None:
        self.plane, self.caller = plane, Caller(account, region)
        self.database = plane.database
        self._operations = plane.operations()

    @classmethod
    def fresh(cls, folder: Path, *, aws_quotas: bool = False) -> Tenant:
        """A tenant of a new, empty service in `folder`."""
        settings = Settings(home=folder, aws_quotas=aws_quotas)
        return cls.of(settings, settings.effective_database_url)

    @classmethod
    def of(cls, settings: Settings, url: str) -> Tenant:
        """A tenant of a service whose metadata are at `url`: an empty file of SQLite, or PostgreSQL with the tables."""
        database = Database(url)
        if database.is_sqlite:
            sa.event.listen(database.engine, "connect", _leave_out_fsync)
            with database.transaction() as connection:
                tables.create_all(connection)
        return cls(ControlPlane(database, LocalDisk(settings.home / "objects"), settings))

    def call(self, name: str, /, **params: Any) -> dict[str, Any]:
        """Call an operation by either spelling of its name; the model is held against everything that passes."""
        shapes.check_request(name, params)
        full = shapes.operation(name).name
        try:
            answer = self._operations[full](self.caller, params)
        except ApiError as refusal:
            shapes.check_refusal(name, refusal)
            raise
        shapes.check_answer(name, answer)
        return answer

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda **params: self.call(name, **params)

    def status(self, arn: str) -> str:
        """The status that Describe shows for an ARN of whatever kind."""
        return str(self.shown(arn).get("status"))

    def shown(self, arn: str) -> dict[str, Any]:
        """What Describe shows for an ARN of whatever kind."""
        word, _, rest = arn.split(":")[5].partition("/")
        word = "solution-version" if word == "solution" and "/" in rest else word
        camel = "".join(part.capitalize() for part in word.split("-"))
        member = camel[0].lower() + camel[1:]
        answer = self.call(f"Describe{camel}", **{f"{member}Arn": arn})
        return dict(answer[member])

    # The worker.

    def pending(self, kind: JobKind | None = None) -> list[str]:
        """The ids of jobs that have not ended, oldest first."""
        # Within a millisecond the place in the table tells the order: no job is changed so soon after it was written.
        place = sa.text("rowid" if self.database.is_sqlite else "ctid")
        query = sa.select(jobs.c.id).where(jobs.c.state.not_in(ENDED)).order_by(jobs.c.created_at, place)
        with self.database.read() as connection:
            return list(connection.scalars(query if kind is None else query.where(jobs.c.kind == kind.value)))

    def begin(self) -> list[lifecycle.Job]:
        """Begin every waiting job."""
        begun = []
        for job_id in self.pending():
            with self.database.transaction() as connection:
                begun.append(lifecycle.begin(connection, job_id))
        return [job for job in begun if job is not None]

    def work(self) -> None:
        """Carry out every job, also those that jobs call for, until none is left."""
        while begun := self.begin():
            for job in begun:
                self.end_well(job)

    def work_one_by_one(self, between: Callable[[], None]) -> None:
        """Carry out every job, and call `between` after each of its steps."""
        while waiting := self.pending():
            with self.database.transaction() as connection:
                job = lifecycle.begin(connection, waiting[0])
            between()
            if job is not None:
                self.end_well(job)
                between()

    def end_well(self, job: lifecycle.Job) -> None:
        """End one job as its handler would."""
        with self.database.transaction() as connection:
            lifecycle.succeed(connection, job, **_result(job))

    def fail(self, reason: str = "It did not work out.") -> None:
        """Let every waiting job fail."""
        for job in self.begin():
            with self.database.transaction() as connection:
                lifecycle.fail(connection, job, reason)

    # What most tests start from.

    def group(self, name: str = "films", **params: Any) -> str:
        """An ACTIVE dataset group."""
        arn = str(self.create_dataset_group(name=name, **params)["datasetGroupArn"])
        self.work()
        return arn

    def schema(self, name: str = "interactions", text: str = INTERACTIONS, **params: Any) -> str:
        """A schema."""
        return str(self.create_schema(name=name, schema=text, **params)["schemaArn"])

    def dataset(self, group: str, schema: str, type_: str = "Interactions") -> str:
        """An ACTIVE dataset."""
        answer = self.create_dataset(name=type_.lower(), datasetGroupArn=group, schemaArn=schema, datasetType=type_)
        self.work()
        return str(answer["datasetArn"])

    def solution(self, group: str, name: str = "picks", recipe: str = V2, **params: Any) -> str:
        """A solution, ACTIVE as solutions are."""
        return str(self.create_solution(name=name, datasetGroupArn=group, recipeArn=recipe, **params)["solutionArn"])

    def version(self, solution: str, **params: Any) -> str:
        """An ACTIVE version."""
        arn = str(self.create_solution_version(solutionArn=solution, **params)["solutionVersionArn"])
        self.work()
        return arn

    def campaign(self, version: str, name: str = "live", **params: Any) -> str:
        """An ACTIVE campaign."""
        arn = str(self.create_campaign(name=name, solutionVersionArn=version, **params)["campaignArn"])
        self.work()
        return arn


def _leave_out_fsync(connection: Any, _record: Any) -> None:
    """Nobody pulls the plug here, and waiting for the disk would take most of the time of these tests."""
    connection.execute("PRAGMA synchronous=OFF")


def _result(job: lifecycle.Job) -> dict[str, Any]:
    """What the real handlers would hand to `lifecycle.succeed`."""
    match job.kind:
        case JobKind.TRAIN:
            attributes: dict[str, Any] = {"trainingHours": 0.004}
            if job.payload["performAutoML"]:
                attributes["recipeArn"] = job.payload["recipes"][-1]
            return {"attributes": attributes, "private": {"artifact": job.payload["artifact"], "metrics": METRICS}}
        case JobKind.RECOMMENDER:
            return {"private": {"artifact": job.payload["artifact"], "metrics": METRICS}}
        case JobKind.DATA_DELETION:
            return {"attributes": {"numDeleted": 3}}
        case _:
            return {}
