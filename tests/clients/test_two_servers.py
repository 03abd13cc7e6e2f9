"""Two API processes and two workers, each on a machine of its own as it were, with one PostgreSQL: one service."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from botocore.exceptions import ClientError
from tests.clients.data import INTERACTIONS
from tests.clients.house import ROLE, House, describe, listed, settle

from matinee.demo.clients import Clients
from matinee.demo.embedded import EmbeddedServer


def _outcome(clients: Clients, name: str) -> str:
    """Create a group; the code of the refusal, if any."""
    try:
        clients.control.create_dataset_group(name=name)
    except ClientError as refusal:
        return str(refusal.response["Error"]["Code"])
    return "made"


def test_two_servers_on_one_database_are_one_service(
    postgres_url: str, films_bucket: str, bucket: str, server_environment: dict[str, str], tmp_path: Path
) -> None:
    shared = {"MATINEE_DATABASE_URL": postgres_url, "MATINEE_STORE_URL": f"s3://{bucket}/store"}
    environment = {**server_environment, **shared}
    with (
        EmbeddedServer(tmp_path / "one", environment) as first,
        EmbeddedServer(tmp_path / "other", environment) as second,
    ):
        one, other = (House(Clients.of(server.url), films_bucket, "shared") for server in (first, second))
        _names_are_given_once(one, other)
        group = one.create("DatasetGroup")
        other.arns["DatasetGroup"] = group
        schema = other.create("Schema", schema=INTERACTIONS)
        dataset = one.create("Dataset", datasetGroupArn=group, schemaArn=schema, datasetType="Interactions")
        source = {"dataLocation": one.place("interactions.csv")}
        job = other.create("DatasetImportJob", datasetArn=dataset, dataSource=source, roleArn=ROLE)
        assert describe(one.clients, "DatasetImportJob", job)["status"] == "ACTIVE"
        version = one.create("SolutionVersion", solutionArn=other.solution("aws-popularity-count"))
        assert describe(other.clients, "SolutionVersion", version)["status"] == "ACTIVE"
        campaign = other.create("Campaign", solutionVersionArn=version)
        answers = [house.clients.runtime.get_recommendations(campaignArn=campaign) for house in (one, other)]
        assert len(answers[0]["itemList"]) == 25
        assert answers[0]["itemList"] == answers[1]["itemList"]
        for resource in ("DatasetGroup", "Dataset", "SolutionVersion", "Campaign"):
            assert listed(one.clients, resource) == listed(other.clients, resource)

        second.kill()
        again = one.clients.control.create_solution_version(solutionArn=version.rpartition("/")[0])
        assert settle(one.clients, "SolutionVersion", again["solutionVersionArn"]) == "ACTIVE"


def _names_are_given_once(one: House, other: House) -> None:
    """Of two who ask at the same time, one gets the name; both workers settle what was made."""
    names = [f"raced-{number}" for number in range(12)]
    with ThreadPoolExecutor(8) as pool:
        outcomes = [[pool.submit(_outcome, house.clients, name) for house in (one, other)] for name in names]
    for pair in outcomes:
        assert sorted(made.result() for made in pair) == ["ResourceAlreadyExistsException", "made"]
    for summary in listed(other.clients, "DatasetGroup"):
        assert settle(one.clients, "DatasetGroup", summary["datasetGroupArn"]) == "ACTIVE"
