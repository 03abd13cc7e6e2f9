"""Artifacts in memory: opened once, let go when nobody serves them."""

from __future__ import annotations

import gc

import pytest
from tests.unit.serving.shop import CALLER, Shop, log_of

from matinee.errors import ArtifactProblem, ResourceNotFound
from matinee.models.popularity import Popularity
from matinee.recipes.catalogue import Call
from matinee.serving.deployments import Deployment, Deployments
from matinee.serving.freshness import Freshness

LOG = log_of([("u", "a", 1, "watch")])
RECIPE = "aws-popularity-count"


def _resolve(shop: Shop, deployments: Deployments, arn: str) -> Deployment:
    freshness = Freshness(shop.database)
    with freshness.view() as view:
        found = deployments.resolve(view, CALLER, arn, "campaign", Call.RECOMMENDATIONS)
    freshness.close()
    return found


def test_two_campaigns_of_one_version_share_its_artifact(shop: Shop) -> None:
    version = shop.version("s/0000000a", RECIPE, Popularity(), LOG)
    deployments = Deployments(shop.objects)
    first, second = (
        deployments.artifact(_resolve(shop, deployments, shop.add("campaign", name, {"solutionVersionArn": version})))
        for name in ("one", "two")
    )
    assert first is second


def test_an_artifact_that_nobody_serves_is_let_go(shop: Shop) -> None:
    arn = shop.campaign("c", RECIPE, Popularity(), LOG)
    version = shop.version("s/0000000b", RECIPE, Popularity(), LOG)
    deployments = Deployments(shop.objects)
    _resolve(shop, deployments, arn)
    shop.change(arn, attributes={"solutionVersionArn": version, "campaignConfig": {}})
    _resolve(shop, deployments, arn)
    gc.collect()
    assert list(deployments.opened()) == ["artifacts/s/0000000b"]


def test_an_unrelated_change_opens_nothing_again(shop: Shop) -> None:
    arn = shop.campaign("c", RECIPE, Popularity(), LOG)
    deployments = Deployments(shop.objects)
    before = _resolve(shop, deployments, arn)
    shop.put_event("u", "a")
    assert _resolve(shop, deployments, arn) is before


def test_an_altered_artifact_is_not_served(shop: Shop) -> None:
    arn = shop.campaign("c", RECIPE, Popularity(), LOG)
    (shop.objects.root / "artifacts/c/0000000a/items.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ArtifactProblem, match=r"items\.safetensors"):
        shop.recommend(arn)


@pytest.mark.parametrize("arn", ["arn:aws:personalize:eu-west-1:123456789012:campaign/c", CALLER.arn("filter/c")])
def test_an_arn_of_elsewhere_is_not_looked_up(shop: Shop, arn: str) -> None:
    with pytest.raises(ResourceNotFound):
        _resolve(shop, Deployments(shop.objects), arn)
