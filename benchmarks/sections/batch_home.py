"""What the batch benchmark runs against: users made of ML-1M's, and a home with solution versions that know them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from matinee.bench.short_training import write_short
from matinee.control import records
from matinee.control.context import Caller
from matinee.control.outbox import JobKind, enqueue
from matinee.data.interactions import InteractionLog, Interactions, LongArray
from matinee.jobs.handlers import HANDLERS
from matinee.jobs.task import Workshop
from matinee.jobs.workflow import run_job
from matinee.models.base import FitOptions
from matinee.models.factors import Factors, FactorsConfig
from matinee.settings import Settings
from matinee.storage.metadata import Database
from matinee.storage.objects import open_store
from matinee.training.artifact import write_artifact

CALLER = Caller("123456789012", "us-east-1")
GROUP = CALLER.arn("dataset-group/bench")
RECIPE = "aws-user-personalization-v2"
SEEN = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")'
RESULTS = 25


def drawn_users(log: InteractionLog, users: int, seed: int = 0) -> tuple[InteractionLog, LongArray]:
    """`users` users, each with the history of a user of `log` that is drawn at random; and which one (users,)."""
    chosen = np.random.default_rng(seed).integers(0, log.interactions.n_users, users)
    histories = log.interactions.histories().take(chosen)
    data = log.interactions
    grown = Interactions(
        user=np.repeat(np.arange(users, dtype=np.int32), np.diff(histories.indptr)),
        item=histories.items,
        timestamp=histories.timestamps,
        n_users=users,
        n_items=data.n_items,
        event_type=histories.event_types,
    )
    names = tuple(f"user-{number}" for number in range(users))
    return replace(log, interactions=grown, user_ids=names, occasions=None), chosen


@dataclass(frozen=True)
class BatchHome:
    """A Matinee home; `versions` are the ARNs of solution versions by the model's name, `seen` of the filter."""

    folder: Path
    versions: Mapping[str, str]
    seen: str

    @classmethod
    def make(cls, folder: Path, whole: InteractionLog, grown: InteractionLog, factors: int) -> BatchHome:
        """Models of `whole`, the blend trained for seconds only: its speed is a whole one's; users of `grown`."""
        database = Database(Settings(home=folder).effective_database_url)
        database.upgrade()
        _add(database, GROUP, "dataset-group", {})
        _add_interactions(database)
        versions = {}
        for name in ("factors", "blend"):
            artifact = folder / "objects" / "artifacts" / name
            if name == "factors":
                model = Factors(FactorsConfig(dimension=factors)).fit(whole.interactions, None, FitOptions())
                write_artifact(artifact, model=model, log=grown, manifest={"recipe": RECIPE, "data": {}})
            else:
                write_short(artifact, grown, whole)
            described = {"datasetGroupArn": GROUP, "recipeArn": f"arn:aws:personalize:::recipe/{RECIPE}"}
            versions[name] = CALLER.arn(f"solution/{name}/00000001")
            _add(database, versions[name], "solution-version", described, {"artifact": f"artifacts/{name}"})
        seen = CALLER.arn("filter/seen")
        _add(database, seen, "filter", {"datasetGroupArn": GROUP, "filterExpression": SEEN})
        database.close()
        return cls(folder, versions, seen)

    def run(self, version: str, source: Path, target: Path, filter_arn: str | None) -> None:
        """One batch inference job, as the worker carries it out: JSON Lines in, JSON Lines out."""
        settings = Settings(home=self.folder, threads=1)
        database = Database(settings.effective_database_url)
        with database.read() as connection:
            count = len(records.children(connection, version, "batch-inference-job"))
        arn = CALLER.arn(f"batch-inference-job/{count}-{version.split('/')[1]}")
        described = {
            "solutionVersionArn": version,
            "jobInput": {"s3DataSource": {"path": f"file://{source}"}},
            "jobOutput": {"s3DataDestination": {"path": f"file://{target}/"}},
            "roleArn": "arn:aws:iam::123456789012:role/personalize",
            "numResults": RESULTS,
            **({} if filter_arn is None else {"filterArn": filter_arn}),
        }
        _add(database, arn, "batch-inference-job", described, parent=version, status="CREATE PENDING")
        with database.transaction() as connection:
            job = enqueue(connection, JobKind.BATCH_INFERENCE, arn, {**described, "datasetGroupArn": GROUP})
        state = run_job(Workshop(database, open_store(settings), settings), HANDLERS, job)
        database.close()
        if state != "DONE":
            raise SystemExit(f"the batch job ended as {state}")


def write_input(path: Path, lines: int, users: int) -> Path:
    """A line for each of `users` users, over and over until there are `lines`."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(lines):
            file.write(f'{{"userId": "user-{number % users}"}}\n')
    return path


def _add_interactions(database: Database) -> None:
    columns = (("USER_ID", "string"), ("ITEM_ID", "string"), ("TIMESTAMP", "long"), ("EVENT_TYPE", "string"))
    fields = [{"name": name, "type": of} for name, of in columns]
    text = json.dumps({"type": "record", "name": "Interactions", "fields": fields, "version": "1.0"})
    _add(database, CALLER.arn("schema/bench"), "schema", {"schema": text}, status=None)
    described = {"datasetGroupArn": GROUP, "datasetType": "INTERACTIONS", "schemaArn": CALLER.arn("schema/bench")}
    _add(database, CALLER.arn("dataset/bench/INTERACTIONS"), "dataset", described, parent=GROUP)


def _add(
    database: Database,
    arn: str,
    kind: str,
    attributes: Mapping[str, object],
    private: Mapping[str, object] | None = None,
    *,
    parent: str | None = None,
    status: str | None = "ACTIVE",
) -> None:
    with database.transaction() as connection:
        made = records.insert(
            connection,
            arn=arn,
            account=CALLER.account,
            region=CALLER.region,
            kind=kind,
            name=arn.rpartition("/")[2],
            parent=parent,
            status=status,
            attributes=attributes,
        )
        if private:
            records.change(connection, made, private=dict(private))
