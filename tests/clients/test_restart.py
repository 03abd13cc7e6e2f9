"""What was created is there again after the server died by kill -9 and another one took up its data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.clients.house import House, arn_member, describe, listed
from tests.clients.requests import RESOURCES

from matinee.demo.clients import Clients
from matinee.demo.embedded import EmbeddedServer

Seen = tuple[dict[str, Any], dict[str, Any]]


@dataclass(frozen=True)
class Restarted:
    """A house, and what Describe and List showed of its resources before the server died and after."""

    house: House
    before: dict[str, Seen]
    after: dict[str, Seen]


def _looks(house: House) -> dict[str, Seen]:
    """Each resource as Describe and as List show it."""
    seen = {}
    for resource, arn in house.arns.items():
        (summary,) = (one for one in listed(house.clients, resource) if one[arn_member(resource)] == arn)
        seen[resource] = describe(house.clients, resource, arn), summary
    return seen


@pytest.fixture(scope="module")
def restarted(
    tmp_path_factory: pytest.TempPathFactory, server_environment: dict[str, str], films_bucket: str
) -> Iterator[Restarted]:
    home: Path = tmp_path_factory.mktemp("restarted") / "home"
    with EmbeddedServer(home, server_environment) as first:
        house = House.build(Clients.of(first.url), films_bucket, "kept")
        before = _looks(house)
        first.kill()
    with EmbeddedServer(home, server_environment) as second:
        house.clients = Clients.of(second.url)
        yield Restarted(house, before, _looks(house))


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_restart_keeps_what_was_created(restarted: Restarted, resource: str) -> None:
    assert restarted.after[resource] == restarted.before[resource]


def test_a_restart_keeps_tags_and_metrics(restarted: Restarted) -> None:
    control, arns = restarted.house.clients.control, restarted.house.arns
    tags = control.list_tags_for_resource(resourceArn=arns["DatasetGroup"])["tags"]
    assert tags == [{"tagKey": "owner", "tagValue": "tests"}]
    metrics = control.list_metric_attribution_metrics(metricAttributionArn=arns["MetricAttribution"])["metrics"]
    assert [metric["metricName"] for metric in metrics] == ["one", "two"]


def test_a_restarted_server_recommends(restarted: Restarted) -> None:
    answer = restarted.house.clients.runtime.get_recommendations(campaignArn=restarted.house.arns["Campaign"])
    assert len(answer["itemList"]) == 25
