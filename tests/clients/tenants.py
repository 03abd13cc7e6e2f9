"""Two accounts of one server that checks signatures, each with a resource of every kind and a campaign that answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials
from tests.unit.api.live import clients, serving
from tests.unit.control.tenant import ITEMS, RECIPES, ROLE, Tenant, schema_text
from tests.unit.serving.shop import log_of

from matinee.api.aws.model import Service
from matinee.api.aws.stored_keys import SqlKeys
from matinee.api.server import application
from matinee.control import solutions
from matinee.control.plane import ControlPlane
from matinee.models.popularity import Popularity
from matinee.settings import Settings
from matinee.storage import access_keys
from matinee.storage.local_disk import LocalDisk
from matinee.storage.metadata import Database
from matinee.training.artifact import write_artifact

REGION, ELSEWHERE = "eu-west-1", "us-west-2"
USERS = schema_text("Users", ("USER_ID", "string"), ("AGE", "int"))
WATCHED = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'
METRIC = {"eventType": "watch", "metricName": "watches", "expression": "SAMPLECOUNT()"}
SOURCE = {"s3DataSource": {"path": "s3://bucket/in.json"}}
TARGET = {"s3DataDestination": {"path": "s3://bucket/out/"}}
BATCH = {"jobInput": SOURCE, "jobOutput": TARGET, "roleArn": ROLE}


@dataclass(frozen=True)
class Account:
    """One account in one region: its clients, and the ARN of one of its resources by the member that names it."""

    number: str
    region: str
    clients: dict[Service, Any]
    arns: dict[str, str]

    def call(self, service: Service, operation: str, **params: Any) -> dict[str, Any]:
        """Call an operation by its wire name, unchecked by the client."""
        client = self.clients[service]
        method = next(python for python, wire in client.meta.method_to_api_mapping.items() if wire == operation)
        answer: dict[str, Any] = getattr(client, method)(**params)
        answer.pop("ResponseMetadata")
        return answer


@dataclass(frozen=True)
class Town:
    """Everyone on the server. `neighbour` is another account; `branch` is `home`'s own, in another region."""

    home: Account
    neighbour: Account
    branch: Account


@contextmanager
def town(folder: Path) -> Iterator[Town]:
    """A server with its tenants, for as long as the block lasts."""
    settings = Settings(home=folder)
    database = Database(settings.effective_database_url)
    database.upgrade()
    plane = ControlPlane(database, LocalDisk(folder / "objects"), settings)
    mine, other = (access_keys.create(database, number) for number in ("111122223333", "444455556666"))
    owners = [(mine, REGION), (other, REGION), (mine, ELSEWHERE)]
    arns = [furnish(Tenant(plane, key.account, region), folder / "objects") for key, region in owners]
    keys = SqlKeys(Database(settings.effective_database_url))
    with serving(application(settings, key_store=keys)) as url:
        yield Town(
            *(
                Account(
                    key.account,
                    region,
                    clients(url, credentials=Credentials(key.access_key, key.secret), region=region, validate=False),
                    owned,
                )
                for (key, region), owned in zip(owners, arns, strict=True)
            )
        )
    keys.close()
    database.close()


def furnish(tenant: Tenant, objects: Path) -> dict[str, str]:
    """Give a tenant a resource of every kind, all ACTIVE; gives member to ARN (`trackingId` to tracking ID)."""
    group, schema = tenant.group("films"), tenant.schema()
    dataset = tenant.dataset(group, schema)
    items = tenant.dataset(group, tenant.schema("items", ITEMS), "Items")
    users = tenant.dataset(group, tenant.schema("users", USERS), "Users")
    popular = tenant.solution(group, "popular", f"{RECIPES}aws-popularity-count")
    version = tenant.version(popular)
    write_model(tenant, version, objects)
    ranking = tenant.version(tenant.solution(group, "ranking", f"{RECIPES}aws-personalized-ranking-v2"))
    write_model(tenant, ranking, objects)
    with pytest.MonkeyPatch.context() as patch:  # a later version will let it be made
        patch.setattr(solutions, "check_solution", lambda *_: None)
        segments = tenant.version(tenant.solution(group, "segments", f"{RECIPES}aws-item-affinity"))
    domain = tenant.group("domain", domain="VIDEO_ON_DEMAND")
    location = {"dataLocation": "s3://bucket/in.csv"}
    made = {
        **tenant.create_dataset_import_job(jobName="j", datasetArn=dataset, dataSource=location, roleArn=ROLE),
        **tenant.create_dataset_export_job(jobName="j", datasetArn=dataset, jobOutput=TARGET, roleArn=ROLE),
        **tenant.create_data_deletion_job(jobName="j", datasetGroupArn=group, dataSource=location, roleArn=ROLE),
        **tenant.create_event_tracker(name="events", datasetGroupArn=group),
        **tenant.create_filter(name="unseen", datasetGroupArn=group, filterExpression=WATCHED),
        **tenant.create_recommender(name="picks", datasetGroupArn=domain, recipeArn=f"{RECIPES}aws-vod-top-picks"),
        **tenant.create_metric_attribution(
            name="a",
            datasetGroupArn=group,
            metrics=[METRIC],
            metricsOutputConfig={"roleArn": ROLE, "s3DataDestination": {"path": "s3://bucket/reports/"}},
        ),
        **tenant.create_campaign(name="live", solutionVersionArn=version),
    }
    tenant.work()
    made |= tenant.create_batch_inference_job(jobName="j", solutionVersionArn=version, **BATCH)
    made |= tenant.create_batch_segment_job(jobName="j", solutionVersionArn=segments, **BATCH)
    tenant.work()
    return {
        **made,
        "datasetGroupArn": group,
        "schemaArn": schema,
        "datasetArn": dataset,
        "solutionArn": popular,
        "solutionVersionArn": version,
        "itemsArn": items,
        "usersArn": users,
        "domainArn": domain,
        "segmentsArn": segments,
        "rankingArn": tenant.campaign(ranking, "ranking"),
    }


def write_model(tenant: Tenant, version: str, objects: Path) -> None:
    """Put a trained model where the version's artifact is looked for."""
    prefix = f"artifacts/{tenant.caller.account}/{tenant.caller.region}/{'/'.join(version.split('/')[1:])}"
    log = log_of([("u1", "a", 1, "watch"), ("u2", "a", 2, "watch"), ("u2", "b", 3, "watch")])
    model = Popularity().fit(log.interactions)
    write_artifact(objects / prefix, model=model, log=log, manifest={"recipe": "aws-popularity-count", "data": {}})
