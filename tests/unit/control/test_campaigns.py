"""Campaigns: versions and aliases, updates that keep the old, following, refusals."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.control.tenant import RECIPES, Tenant

from matinee.errors import InvalidInput, LimitExceeded, ResourceAlreadyExists, ResourceInUse, ResourceNotFound

V1 = f"{RECIPES}aws-user-personalization"


@pytest.fixture
def solution(tenant: Tenant) -> str:
    """A solution."""
    return tenant.solution(tenant.group("films"))


@pytest.fixture
def version(tenant: Tenant, solution: str) -> str:
    """An ACTIVE version."""
    return tenant.version(solution)


def test_a_campaign_goes_through_its_states(tenant: Tenant, version: str) -> None:
    arn = tenant.create_campaign(name="live", solutionVersionArn=version)["campaignArn"]
    assert arn == "arn:aws:personalize:us-east-1:123456789012:campaign/live"
    assert tenant.status(arn) == "CREATE PENDING"
    tenant.begin()
    assert tenant.status(arn) == "CREATE IN_PROGRESS"
    tenant.work()
    shown = tenant.shown(arn)
    assert (shown["status"], shown["solutionVersionArn"], shown["minProvisionedTPS"]) == ("ACTIVE", version, 1)
    assert {"latestCampaignUpdate", "campaignConfig"}.isdisjoint(shown)


def test_describe_returns_what_create_was_given(tenant: Tenant) -> None:
    version = tenant.version(tenant.solution(tenant.group(), recipe=V1))
    config = {
        "itemExplorationConfig": {"explorationWeight": "0.4", "explorationItemAgeCutOff": "14"},
        "enableMetadataWithRecommendations": True,
    }
    shown = tenant.shown(tenant.campaign(version, minProvisionedTPS=3, campaignConfig=config))
    assert (shown["campaignConfig"], shown["minProvisionedTPS"]) == (config, 3)


def test_a_name_can_be_used_once(tenant: Tenant, version: str) -> None:
    arn = tenant.campaign(version)
    with pytest.raises(ResourceAlreadyExists, match=f"Another resource with Arn {arn} already exists."):
        tenant.create_campaign(name="live", solutionVersionArn=version)


def test_a_bare_solution_arn_is_no_version(tenant: Tenant, solution: str, version: str) -> None:
    with pytest.raises(ResourceNotFound, match=f"Resource Arn {solution} does not exist."):
        tenant.create_campaign(name="live", solutionVersionArn=solution)


def test_latest_is_resolved_to_the_newest_active_version(tenant: Tenant, solution: str, version: str) -> None:
    newest = tenant.version(solution)
    tenant.create_solution_version(solutionArn=solution)
    tenant.create_campaign(name="live", solutionVersionArn=f"{solution}/$LATEST")
    assert tenant.shown(tenant.caller.arn("campaign/live"))["solutionVersionArn"] == newest


def test_latest_needs_a_version(tenant: Tenant, solution: str) -> None:
    with pytest.raises(InvalidInput, match="has no ACTIVE version"):
        tenant.create_campaign(name="live", solutionVersionArn=f"{solution}/$LATEST")
    tenant.create_solution_version(solutionArn=solution)
    with pytest.raises(ResourceInUse, match="Wait until it is ACTIVE"):
        tenant.create_campaign(name="live", solutionVersionArn=f"{solution}/$LATEST")


def test_the_version_must_be_active(tenant: Tenant, solution: str) -> None:
    arn = tenant.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    with pytest.raises(ResourceInUse, match="status CREATE PENDING"):
        tenant.create_campaign(name="live", solutionVersionArn=arn)
    tenant.fail()
    with pytest.raises(InvalidInput, match="status CREATE FAILED and cannot be used"):
        tenant.create_campaign(name="live", solutionVersionArn=arn)


def test_a_version_whose_solution_goes_is_not_deployed(tenant: Tenant, solution: str, version: str) -> None:
    tenant.delete_solution(solutionArn=solution)
    with pytest.raises(ResourceInUse, match="DELETE PENDING"):
        tenant.create_campaign(name="live", solutionVersionArn=version)


def test_segments_are_not_served(tenant: Tenant) -> None:
    version = tenant.version(tenant.solution(tenant.group(), recipe=f"{RECIPES}aws-item-affinity"))
    with pytest.raises(InvalidInput, match="Use CreateBatchSegmentJob"):
        tenant.create_campaign(name="live", solutionVersionArn=version)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"itemExplorationConfig": {"explorationWeight": "0.3"}}, "has no exploration to set"),
        ({"rankingInfluence": {"POPULARITY": 0.5}}, "rankingInfluence cannot be given"),
        ({"syncWithLatestSolutionVersion": True}, "to end in /"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(
    tenant: Tenant, version: str, config: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        tenant.create_campaign(name="live", solutionVersionArn=version, campaignConfig=config)


@pytest.mark.parametrize("given", [{"explorationWeight": "1.5"}, {"explorationItemAgeCutOff": "0"}, {"speed": "1"}])
def test_exploration_keeps_to_its_ranges(tenant: Tenant, given: dict[str, str]) -> None:
    version = tenant.version(tenant.solution(tenant.group(), recipe=V1))
    with pytest.raises(InvalidInput, match="itemExplorationConfig"):
        tenant.create_campaign(name="live", solutionVersionArn=version, campaignConfig={"itemExplorationConfig": given})


def test_lists_are_narrowed_by_solution_or_by_version(tenant: Tenant, solution: str, version: str) -> None:
    newer = tenant.version(solution)
    first, second = tenant.campaign(version, "a"), tenant.campaign(newer, "b")
    assert [c["campaignArn"] for c in tenant.list_campaigns()["campaigns"]] == [first, second]
    assert [c["campaignArn"] for c in tenant.list_campaigns(solutionArn=solution)["campaigns"]] == [first, second]
    assert [c["campaignArn"] for c in tenant.list_campaigns(solutionArn=newer)["campaigns"]] == [second]
    assert tenant.list_campaigns(solutionArn=tenant.caller.arn("solution/none")) == {"campaigns": []}


def test_an_update_keeps_the_old_until_it_is_done(tenant: Tenant, solution: str, version: str) -> None:
    arn, newer = tenant.campaign(version), tenant.version(solution)
    config = {"enableMetadataWithRecommendations": True}
    tenant.update_campaign(campaignArn=arn, solutionVersionArn=newer, minProvisionedTPS=2, campaignConfig=config)
    for state in ("CREATE PENDING", "CREATE IN_PROGRESS"):
        shown = tenant.shown(arn)
        assert (shown["status"], shown["solutionVersionArn"], shown["minProvisionedTPS"]) == ("ACTIVE", version, 1)
        assert (shown["latestCampaignUpdate"]["status"], shown["latestCampaignUpdate"]["solutionVersionArn"]) == (
            state,
            newer,
        )
        tenant.begin()
    tenant.work()
    shown = tenant.shown(arn)
    assert (shown["solutionVersionArn"], shown["minProvisionedTPS"], shown["campaignConfig"]) == (newer, 2, config)
    assert shown["latestCampaignUpdate"]["status"] == "ACTIVE"
    assert [c["campaignArn"] for c in tenant.list_campaigns(solutionArn=newer)["campaigns"]] == [arn]
    assert tenant.list_campaigns(solutionArn=version) == {"campaigns": []}


def test_the_same_configuration_changes_nothing(tenant: Tenant, solution: str, version: str) -> None:
    arn = tenant.campaign(version)
    for params in ({}, {"solutionVersionArn": version}, {"minProvisionedTPS": 1}):
        with pytest.raises(InvalidInput, match="changes nothing"):
            tenant.update_campaign(campaignArn=arn, **params)
    with pytest.raises(InvalidInput, match="changes nothing"):
        tenant.update_campaign(campaignArn=arn, solutionVersionArn=f"{solution}/$LATEST")


def test_a_second_update_must_wait(tenant: Tenant, version: str) -> None:
    arn = tenant.campaign(version)
    tenant.update_campaign(campaignArn=arn, minProvisionedTPS=2)
    with pytest.raises(ResourceInUse, match=r"An update of .* is in progress"):
        tenant.update_campaign(campaignArn=arn, minProvisionedTPS=3)
    with pytest.raises(ResourceInUse, match=r"An update of .* is in progress"):
        tenant.delete_campaign(campaignArn=arn)


def test_a_failed_update_keeps_serving(tenant: Tenant, solution: str, version: str) -> None:
    arn, newer = tenant.campaign(version), tenant.version(solution)
    tenant.update_campaign(campaignArn=arn, solutionVersionArn=newer)
    tenant.fail("The artifact is damaged.")
    shown = tenant.shown(arn)
    assert (shown["status"], shown["solutionVersionArn"]) == ("ACTIVE", version)
    assert shown["latestCampaignUpdate"]["failureReason"] == "The artifact is damaged."
    assert tenant.list_campaigns(solutionArn=newer) == {"campaigns": []}


def test_a_pending_campaign_cannot_be_updated(tenant: Tenant, version: str) -> None:
    arn = tenant.create_campaign(name="live", solutionVersionArn=version)["campaignArn"]
    with pytest.raises(ResourceInUse, match="status CREATE PENDING"):
        tenant.update_campaign(campaignArn=arn, minProvisionedTPS=2)


def test_an_update_repairs_a_failed_campaign(tenant: Tenant, version: str) -> None:
    arn = tenant.create_campaign(name="live", solutionVersionArn=version)["campaignArn"]
    tenant.fail("No.")
    tenant.update_campaign(campaignArn=arn, minProvisionedTPS=2)
    tenant.work()
    shown = tenant.shown(arn)
    assert shown["status"] == "ACTIVE"
    assert "failureReason" not in shown


def test_a_campaign_stays_in_its_group(tenant: Tenant, version: str) -> None:
    arn = tenant.campaign(version)
    elsewhere = tenant.version(tenant.solution(tenant.group("books"), "other"))
    with pytest.raises(InvalidInput, match="Use a version of the same dataset group"):
        tenant.update_campaign(campaignArn=arn, solutionVersionArn=elsewhere)


def test_a_campaign_can_move_to_another_solution(tenant: Tenant, solution: str, version: str) -> None:
    arn = tenant.campaign(version)
    other = tenant.solution(tenant.caller.arn("dataset-group/films"), "other")
    tenant.update_campaign(campaignArn=arn, solutionVersionArn=tenant.version(other))
    for held in (solution, other):
        with pytest.raises(ResourceInUse, match=arn):
            tenant.delete_solution(solutionArn=held)
    tenant.work()
    tenant.delete_solution(solutionArn=solution)
    with pytest.raises(ResourceInUse, match=arn):
        tenant.delete_solution(solutionArn=other)


def test_a_following_campaign_moves_to_each_new_version(tenant: Tenant, solution: str, version: str) -> None:
    arn = tenant.campaign(f"{solution}/$LATEST", campaignConfig={"syncWithLatestSolutionVersion": True})
    newer = tenant.version(solution)
    shown = tenant.shown(arn)
    assert shown["solutionVersionArn"] == newer
    assert shown["latestCampaignUpdate"]["status"] == "ACTIVE"


def test_a_following_campaign_catches_up_after_its_creation(tenant: Tenant, solution: str, version: str) -> None:
    tenant.create_solution_version(solutionArn=solution)
    training = tenant.pending()
    arn = tenant.create_campaign(
        name="live",
        solutionVersionArn=f"{solution}/$LATEST",
        campaignConfig={"syncWithLatestSolutionVersion": True},
    )["campaignArn"]
    assert len(training) == 1
    tenant.work()
    newest = tenant.shown(solution)["latestSolutionVersion"]["solutionVersionArn"]
    assert tenant.shown(arn)["solutionVersionArn"] == newest != version


def test_a_version_that_could_not_be_deployed_is_not_tried_for_ever(
    tenant: Tenant, solution: str, version: str
) -> None:
    arn = tenant.campaign(f"{solution}/$LATEST", campaignConfig={"syncWithLatestSolutionVersion": True})
    tenant.create_solution_version(solutionArn=solution)
    (training,) = tenant.begin()
    tenant.end_well(training)
    tenant.fail("The artifact is damaged.")
    assert tenant.pending() == []
    assert tenant.shown(arn)["solutionVersionArn"] == version


def test_real_quotas_allow_five_campaigns(limited: Tenant) -> None:
    version = limited.version(limited.solution(limited.group()))
    for number in range(5):
        limited.create_campaign(name=f"c{number}", solutionVersionArn=version)
    with pytest.raises(LimitExceeded) as refusal:
        limited.create_campaign(name="c5", solutionVersionArn=version)
    assert refusal.value.message == (
        "Cannot create a campaign. More than 5 resources in ACTIVE state. Please delete some and try again."
    )


def test_deleting_a_campaign_keeps_the_version(tenant: Tenant, version: str) -> None:
    arn = tenant.campaign(version)
    tenant.delete_campaign(campaignArn=arn)
    assert tenant.status(arn) == "DELETE PENDING"
    tenant.work()
    with pytest.raises(ResourceNotFound):
        tenant.describe_campaign(campaignArn=arn)
    assert tenant.status(version) == "ACTIVE"
