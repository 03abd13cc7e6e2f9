"""Recommenders: domains, start and stop, updates, metrics."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.control.tenant import RECIPES, V2, Tenant

from matinee.control import outbox
from matinee.control.lifecycle import belongings
from matinee.errors import InvalidInput, LimitExceeded, ResourceAlreadyExists, ResourceInUse, ResourceNotFound

TOP_PICKS = f"{RECIPES}aws-vod-top-picks"
POPULAR = f"{RECIPES}aws-vod-most-popular"


@pytest.fixture
def group(tenant: Tenant) -> str:
    """An ACTIVE group of domain VIDEO_ON_DEMAND."""
    return tenant.group("films", domain="VIDEO_ON_DEMAND")


def create(tenant: Tenant, group: str, name: str = "picks", recipe: str = TOP_PICKS, **params: Any) -> str:
    """Ask for a recommender."""
    answer = tenant.create_recommender(name=name, datasetGroupArn=group, recipeArn=recipe, **params)
    return str(answer["recommenderArn"])


@pytest.fixture
def recommender(tenant: Tenant, group: str) -> str:
    """An ACTIVE recommender."""
    arn = create(tenant, group)
    tenant.work()
    return arn


def test_a_recommender_goes_through_its_states(tenant: Tenant, group: str) -> None:
    arn = create(tenant, group)
    shown = tenant.shown(arn)
    assert (shown["status"], shown["recommenderConfig"]) == (
        "CREATE PENDING",
        {"minRecommendationRequestsPerSecond": 1},
    )
    assert {"modelMetrics", "latestRecommenderUpdate"}.isdisjoint(shown)
    tenant.begin()
    assert tenant.status(arn) == "CREATE IN_PROGRESS"
    tenant.work()
    shown = tenant.shown(arn)
    assert (shown["status"], shown["modelMetrics"]["coverage"]) == ("ACTIVE", 0.2718)


def test_describe_returns_what_create_was_given(tenant: Tenant, group: str) -> None:
    config = {
        "itemExplorationConfig": {"explorationWeight": "0.2"},
        "minRecommendationRequestsPerSecond": 2,
        "enableMetadataWithRecommendations": True,
    }
    arn = create(tenant, group, recommenderConfig=config)
    assert tenant.shown(arn)["recommenderConfig"] == config
    (summary,) = tenant.list_recommenders(datasetGroupArn=group)["recommenders"]
    assert (summary["recommenderConfig"], summary["recipeArn"]) == (config, TOP_PICKS)


def test_a_custom_group_is_refused_in_the_recorded_sentence(tenant: Tenant) -> None:
    with pytest.raises(InvalidInput) as refusal:
        create(tenant, tenant.group("books"))
    assert refusal.value.message == "Please use a domains-specific Dataset Group to create the Recommender"


@pytest.mark.parametrize("recipe", [V2, f"{RECIPES}aws-ecomm-recommended-for-you"])
def test_the_recipe_must_be_a_use_case_of_the_domain(tenant: Tenant, group: str, recipe: str) -> None:
    with pytest.raises(InvalidInput, match="is of domain VIDEO_ON_DEMAND"):
        create(tenant, group, recipe=recipe)


def test_an_unknown_recipe_does_not_exist(tenant: Tenant, group: str) -> None:
    with pytest.raises(ResourceNotFound, match="aws-vod-nothing"):
        create(tenant, group, recipe=f"{RECIPES}aws-vod-nothing")


def test_exploration_is_for_the_use_cases_that_explore(tenant: Tenant, group: str) -> None:
    with pytest.raises(InvalidInput, match="aws-vod-most-popular has no exploration"):
        create(
            tenant,
            group,
            recipe=POPULAR,
            recommenderConfig={"itemExplorationConfig": {"explorationWeight": "0.2"}},
        )


def test_columns_must_exist(tenant: Tenant, group: str) -> None:
    tenant.dataset(group, tenant.schema(domain="VIDEO_ON_DEMAND"))
    config = {"trainingDataConfig": {"excludedDatasetColumns": {"Interactions": ["DEVICE"]}}}
    with pytest.raises(InvalidInput, match="has no column 'DEVICE'"):
        create(tenant, group, recommenderConfig=config)


def test_a_name_can_be_used_once(tenant: Tenant, group: str, recommender: str) -> None:
    with pytest.raises(ResourceAlreadyExists, match=recommender):
        create(tenant, group)


def test_stop_and_start(tenant: Tenant, recommender: str) -> None:
    assert tenant.stop_recommender(recommenderArn=recommender) == {"recommenderArn": recommender}
    seen = [tenant.status(recommender)]
    tenant.begin()
    seen.append(tenant.status(recommender))
    tenant.work()
    seen.append(tenant.status(recommender))
    tenant.start_recommender(recommenderArn=recommender)
    seen.append(tenant.status(recommender))
    tenant.begin()
    seen.append(tenant.status(recommender))
    tenant.work()
    seen.append(tenant.status(recommender))
    assert seen == ["STOP PENDING", "STOP IN_PROGRESS", "INACTIVE", "START PENDING", "START IN_PROGRESS", "ACTIVE"]


def test_trap_2_a_start_that_fails_leaves_it_inactive(tenant: Tenant, recommender: str) -> None:
    tenant.stop_recommender(recommenderArn=recommender)
    tenant.work()
    tenant.start_recommender(recommenderArn=recommender)
    tenant.fail("No memory.")
    assert (tenant.status(recommender), tenant.shown(recommender)["failureReason"]) == ("INACTIVE", "No memory.")


def test_wrong_states_are_refused(tenant: Tenant, recommender: str) -> None:
    with pytest.raises(ResourceInUse, match=r"cannot be started now\. It must be INACTIVE"):
        tenant.start_recommender(recommenderArn=recommender)
    tenant.stop_recommender(recommenderArn=recommender)
    with pytest.raises(ResourceInUse, match=r"cannot be stopped now\. It must be ACTIVE"):
        tenant.stop_recommender(recommenderArn=recommender)
    with pytest.raises(ResourceInUse, match="status STOP PENDING"):
        tenant.delete_recommender(recommenderArn=recommender)


def test_an_update_of_the_described_configuration(tenant: Tenant, recommender: str) -> None:
    config = tenant.shown(recommender)["recommenderConfig"]
    config["minRecommendationRequestsPerSecond"] = 4
    tenant.update_recommender(recommenderArn=recommender, recommenderConfig=config)
    shown = tenant.shown(recommender)
    assert (shown["status"], shown["latestRecommenderUpdate"]["status"]) == ("ACTIVE", "CREATE PENDING")
    assert shown["recommenderConfig"]["minRecommendationRequestsPerSecond"] == 1
    tenant.work()
    shown = tenant.shown(recommender)
    assert (shown["recommenderConfig"], shown["latestRecommenderUpdate"]["status"]) == (config, "ACTIVE")


def test_only_new_training_columns_call_for_a_training(tenant: Tenant, recommender: str) -> None:
    def retrains(**config: Any) -> bool:
        tenant.update_recommender(recommenderArn=recommender, recommenderConfig=config)
        with tenant.database.read() as connection:
            job = outbox.find(connection, tenant.pending()[0])
        tenant.work()
        assert job is not None
        return bool(job.payload["retrain"])

    assert not retrains(minRecommendationRequestsPerSecond=2)
    assert retrains(trainingDataConfig={"excludedDatasetColumns": {"Items": ["PRICE"]}})


def test_updates_that_must_wait_or_change_nothing(tenant: Tenant, recommender: str) -> None:
    with pytest.raises(InvalidInput, match="changes nothing"):
        tenant.update_recommender(recommenderArn=recommender, recommenderConfig={})
    change = {"minRecommendationRequestsPerSecond": 2}
    tenant.update_recommender(recommenderArn=recommender, recommenderConfig=change)
    with pytest.raises(ResourceInUse, match=r"An update of .* is in progress"):
        tenant.update_recommender(recommenderArn=recommender, recommenderConfig=change)
    for operation in ("stop_recommender", "delete_recommender"):
        with pytest.raises(ResourceInUse, match=r"An update of .* is in progress"):
            tenant.call(operation, recommenderArn=recommender)


def test_an_inactive_recommender_can_be_updated_and_deleted(tenant: Tenant, recommender: str) -> None:
    tenant.stop_recommender(recommenderArn=recommender)
    tenant.work()
    change = {"minRecommendationRequestsPerSecond": 2}
    tenant.update_recommender(recommenderArn=recommender, recommenderConfig=change)
    tenant.work()
    assert tenant.status(recommender) == "INACTIVE"
    tenant.delete_recommender(recommenderArn=recommender)
    assert "modelMetrics" not in tenant.shown(recommender)
    tenant.work()
    assert tenant.list_recommenders() == {"recommenders": []}


def test_a_deletion_that_fails_gives_back_the_state_before(tenant: Tenant, recommender: str) -> None:
    tenant.stop_recommender(recommenderArn=recommender)
    tenant.work()
    tenant.delete_recommender(recommenderArn=recommender)
    tenant.fail()
    assert tenant.status(recommender) == "INACTIVE"


def test_a_recommender_keeps_its_group(tenant: Tenant, group: str, recommender: str) -> None:
    with pytest.raises(ResourceInUse, match=recommender):
        tenant.delete_dataset_group(datasetGroupArn=group)


def test_its_objects_are_named_for_its_deletion(tenant: Tenant, recommender: str) -> None:
    with tenant.database.read() as connection:
        assert belongings(connection, recommender) == ("recommenders/123456789012/us-east-1/picks",)


def test_real_quotas_allow_five_recommenders_in_a_group(limited: Tenant) -> None:
    group = limited.group("films", domain="VIDEO_ON_DEMAND")
    for number in range(5):
        create(limited, group, f"r{number}")
    with pytest.raises(LimitExceeded, match="More than 5 recommenders in this dataset group"):
        create(limited, group, "r5")
