"""The example program, run as a user runs it, and what it leaves on the server."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients.house import describe, listed

from matinee.demo.clients import Clients

PROGRAM = Path(__file__).parents[2] / "examples" / "personalize_program.py"
RECIPES = ("aws-user-personalization-v2", "aws-sims", "aws-popularity-count")


@dataclass(frozen=True)
class Films:
    """What the program printed, and the ARNs of what it made; campaigns, solutions and versions by recipe."""

    output: str
    group: str
    dataset: str
    import_job: str
    tracking_id: str
    campaigns: dict[str, str]
    versions: dict[str, str]
    solutions: dict[str, str]

    def printed(self, word: str) -> list[str]:
        """The item IDs that the program printed after a word."""
        (line,) = re.findall(rf"^{word} (.*)$", self.output, re.MULTILINE)
        return list(ast.literal_eval(line))

    def statuses(self, member: str) -> list[str]:
        """The statuses that the program saw of one kind of resource."""
        return re.findall(rf"^{member}: (.*)$", self.output, re.MULTILINE)

    def metrics(self) -> list[dict[str, float]]:
        """The metrics of the three solutions."""
        return [json.loads(text) for text in re.findall(r"^\{$.*?^\}$", self.output, re.MULTILINE | re.DOTALL)]


def run_program(clients: Clients, url: str, s3_endpoint: str, interactions: Path) -> Films:
    """Run the program against a Matinee server and moto's S3, IAM and STS; fails with its output when it fails."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ended = subprocess.run(
        [sys.executable, "-u", str(PROGRAM), str(interactions), "films-of-the-program"],
        env={
            **own,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": url,
            **{f"AWS_ENDPOINT_URL_{service}": s3_endpoint for service in ("S3", "IAM", "STS")},
            "POLL_SECONDS": "0.2",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    return _films(clients, ended.stdout)


def _films(clients: Clients, output: str) -> Films:
    control = clients.control
    prefix = "arn:aws:personalize:us-east-1:123456789012"
    group = f"{prefix}:dataset-group/films"
    (tracker,) = control.list_event_trackers(datasetGroupArn=group)["eventTrackers"]
    solutions = {recipe: f"{prefix}:solution/films-{recipe}" for recipe in RECIPES}
    versions: dict[str, Any] = {
        recipe: listed(clients, "SolutionVersion", solutionArn=arn)[0] for recipe, arn in solutions.items()
    }
    return Films(
        output=output,
        group=group,
        dataset=f"{prefix}:dataset/films/INTERACTIONS",
        import_job=f"{prefix}:dataset-import-job/films-import",
        tracking_id=describe(clients, "EventTracker", tracker["eventTrackerArn"])["trackingId"],
        campaigns={recipe: f"{prefix}:campaign/films-{recipe}" for recipe in RECIPES},
        versions={recipe: version["solutionVersionArn"] for recipe, version in versions.items()},
        solutions=solutions,
    )
