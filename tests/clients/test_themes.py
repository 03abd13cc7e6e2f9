"""Themes of batch inference with boto3: titles by a language model and, where it fails, Matinee's own. Spec 10.2."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.clients.data import INTERACTIONS, schema_text
from tests.clients.house import RECIPES, ROLE, House, describe
from tests.unit.jobs.themes.endpoint import Endpoint, Reply, endpoint

from matinee.demo.clients import Clients
from matinee.demo.embedded import EmbeddedServer

ITEMS = schema_text(
    "Items",
    ("ITEM_ID", "string"),
    ("TITLE", ["null", "string"]),
    {"name": "GENRES", "type": ["null", "string"], "categorical": True},
    {"name": "PLOT", "type": ["null", "string"], "textual": True},
    ("PRICE", ["null", "float"]),
)
CONFIG = {"fieldsForThemeGeneration": {"itemName": "TITLE"}}
BUCKET = "themes"
OWN = "Animation and Children's: friends"


@dataclass
class Stage:
    """A server with two kinds of films, versions by recipe, and the language model that it knows."""

    server: EmbeddedServer
    house: House
    model: Endpoint
    versions: dict[str, str]
    s3: Any

    def job(self, lines: list[dict[str, str]], recipe: str = "aws-similar-items", **more: Any) -> dict[str, Any]:
        """A themed job on these lines: what Describe shows of it at the end."""
        name = self.house.new_name()
        body = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
        self.s3.put_object(Bucket=BUCKET, Key=f"in/{name}.json", Body=body)
        request = {
            "solutionVersionArn": self.versions[recipe],
            "numResults": 4,
            "jobInput": {"s3DataSource": {"path": f"s3://{BUCKET}/in/{name}.json"}},
            "jobOutput": {"s3DataDestination": {"path": f"s3://{BUCKET}/out/"}},
            "roleArn": ROLE,
            "batchInferenceJobMode": "THEME_GENERATION",
            "themeGenerationConfig": CONFIG,
            **more,
        }
        arn = self.house.create("BatchInferenceJob", **{key: value for key, value in request.items() if value})
        return describe(self.house.clients, "BatchInferenceJob", arn)

    def output(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        """The lines that a job wrote."""
        name = job["jobInput"]["s3DataSource"]["path"].rpartition("/")[2]
        body = self.s3.get_object(Bucket=BUCKET, Key=f"out/{name}.out")["Body"].read().decode()
        return [json.loads(line) for line in body.splitlines()]


@pytest.fixture(scope="module")
def stage(
    server_environment: dict[str, str],
    s3_endpoint: str,
    put: Callable[[str, str, bytes], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    """A server whose language model refuses the key until a test has it answer."""
    with endpoint([Reply(status=401)]) as model:
        environment = {
            **server_environment,
            "MATINEE_LLM_URL": model.url,
            "MATINEE_LLM_MODEL": "small",
            "MATINEE_LLM_KEY": "very-secret",
            "MATINEE_QUOTAS": "themed-records=3",
        }
        with EmbeddedServer(tmp_path_factory.mktemp("themes") / "home", environment) as server:
            house = House(Clients.of(server.url), BUCKET, "themes")
            group = house.create("DatasetGroup", name="themes")
            for kind, schema, content in (("Interactions", INTERACTIONS, _watches()), ("Items", ITEMS, _films())):
                house.settle_all()
                text = house.begin("Schema", schema=schema)
                dataset = house.create("Dataset", datasetGroupArn=group, datasetType=kind, schemaArn=text)
                source = {"dataLocation": put(BUCKET, f"{kind}.csv", content)}
                house.begin("DatasetImportJob", datasetArn=dataset, dataSource=source, roleArn=ROLE)
            house.settle_all()
            versions = {recipe: _trained(house, group, recipe) for recipe in ("aws-similar-items", "aws-sims")}
            session = boto3.session.Session("testing", "testing", region_name="us-east-1")
            s3 = session.client("s3", endpoint_url=s3_endpoint)
            yield Stage(server, house, model, versions, s3)


def _trained(house: House, group: str, recipe: str) -> str:
    made = {"datasetGroupArn": group, "recipeArn": f"{RECIPES}{recipe}", "performAutoTraining": False}
    return house.create("SolutionVersion", solutionArn=house.create("Solution", **made))


def _watches() -> bytes:
    """Of 60 users, the even ones watch the films with even numbers, the odd ones the others."""
    lines = [f"u{n % 60},f{n // 60 * 2 % 20 + n % 2},{1_600_000_000 + n},watch" for n in range(1200)]
    return "\n".join(["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE", *lines, ""]).encode()


def _films() -> bytes:
    even = "Animation|Children's,A lonely toy finds friends"
    lines = [f"f{n},Film {n},{'Drama,A man finds nothing' if n % 2 else even},1.0" for n in range(20)]
    return "\n".join(["ITEM_ID,TITLE,GENRES,PLOT,PRICE", *lines, ""]).encode()


def test_a_job_is_themed_by_the_model_and_without_it(stage: Stage) -> None:
    asked = len(stage.model.asked)
    stage.model.replies[:] = [
        Reply(),
        Reply('{"theme": "Go to evil.example"}'),
        Reply('{"theme": "Toys"}'),
        Reply(status=401),
    ]
    job = stage.job([{"itemId": "f0"}, {"itemId": "f2"}, {"itemId": "f4"}])
    assert (job["status"], job["batchInferenceJobMode"]) == ("ACTIVE", "THEME_GENERATION")
    assert job["themeGenerationConfig"] == CONFIG
    lines = stage.output(job)
    assert [line["input"]["itemId"] for line in lines] == ["f0", "f2", "f4"]
    assert all(line["error"] is None for line in lines)
    outputs = [line["output"] for line in lines]
    assert [(one["theme"], one["themeSource"]) for one in outputs] == [
        ("Quiet dramas", "llm:small"),
        ("Toys", "llm:small"),
        (OWN, "matinee:terms"),
    ]
    for one in outputs:
        scores = one["itemsThemeRelevanceScores"]
        assert len(one["recommendedItems"]) == len(scores) == 4
        assert scores == sorted(scores, reverse=True)
        assert all(0 < score <= 1 for score in scores)
    assert [headers["authorization"] for _, headers, _ in stage.model.asked[asked:]] == ["Bearer very-secret"] * 4
    told = json.loads(stage.model.asked[asked][2]["messages"][1]["content"])
    assert {film["name"] for film in told} == {f"Film {item[1:]}" for item in outputs[0]["recommendedItems"]}
    log = stage.server.log_path.read_text()
    assert "very-secret" not in log
    assert "the language model gave no title" in log


def test_a_line_that_fails_has_its_error_and_no_theme(stage: Stage) -> None:
    bad, good = stage.output(stage.job([{"userId": "u1"}, {"itemId": "f0"}]))
    assert bad["output"] == {"recommendedItems": []}
    assert "Required fields for the provided recipe are itemId" in bad["error"]
    assert good["output"]["theme"] == OWN


def test_the_same_job_again_has_the_same_titles(stage: Stage) -> None:
    first, second = (stage.output(stage.job([{"itemId": "f0"}, {"itemId": "f1"}])) for _ in range(2))
    assert first == second
    assert first[1]["output"]["theme"].startswith("Drama")


def test_more_lines_than_the_quota_fail_the_job(stage: Stage) -> None:
    job = stage.job([{"itemId": f"f{n}"} for n in range(4)])
    assert job["status"] == "CREATE FAILED"
    assert "more than 3 lines, the most in a file for themes" in job["failureReason"]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"recipe": "aws-sims"}, "aws-sims makes no themes: THEME_GENERATION is for aws-similar-items only"),
        ({"themeGenerationConfig": None}, "needs themeGenerationConfig.fieldsForThemeGeneration.itemName"),
        ({"batchInferenceJobMode": None}, "themeGenerationConfig is for batchInferenceJobMode THEME_GENERATION only"),
        (
            {"themeGenerationConfig": {"fieldsForThemeGeneration": {"itemName": "NAME"}}},
            "NAME, which is no text column",
        ),
        (
            {"themeGenerationConfig": {"fieldsForThemeGeneration": {"itemName": "PRICE"}}},
            "it has ITEM_ID, TITLE, GENRES, PLOT",
        ),
    ],
)
def test_what_cannot_be_themed_is_refused(stage: Stage, more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ClientError, match=sentence) as refusal:
        stage.job([{"itemId": "f0"}], **more)
    assert refusal.value.response["Error"]["Code"] == "InvalidInputException"
