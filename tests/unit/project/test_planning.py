"""What is done about each difference between a file and the service."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.project import stage
from tests.unit.project.stage import CAMPAIGN, DATASET, FILTER, GROUP, SCHEMA, SOLUTION, VERSION, at, everything, told

from matinee.project.comparing import Change
from matinee.project.desired import Address, Reference, Retraining, Wanted
from matinee.project.observed import Observed, Unmanaged
from matinee.project.planning import Policy, make_plan
from matinee.project.problems import ProjectProblem


def test_nothing_exists_so_everything_is_made_in_order() -> None:
    plan = make_plan(stage.project(), Observed(fingerprints={"ITEMS": stage.PRINTS}))
    assert told(plan) == [
        "create group group",
        "create schema s",
        "create dataset ITEMS",
        "import import ITEMS",
        "create filter f",
        "create solution p",
        "train version p",
        "create campaign c",
    ]


def test_everything_is_as_the_file_says() -> None:
    plan = make_plan(stage.project(), everything())
    assert plan.actions == ()
    assert plan.arns[CAMPAIGN] == f"{stage.ARN}campaign/c"
    assert plan.arns[VERSION] == f"{stage.ARN}solution/p/00000001"


def test_a_mutable_member_is_updated() -> None:
    (action,) = make_plan(stage.with_request(CAMPAIGN, minProvisionedTPS=3), everything()).actions
    assert (action.verb, action.request) == ("update", {"minProvisionedTPS": 3})
    assert action.changes == (Change("minProvisionedTPS", 1, 3),)


def test_an_update_keeps_what_the_file_leaves_out() -> None:
    project = stage.with_request(CAMPAIGN, campaignConfig={"itemExplorationConfig": {"explorationWeight": "0.5"}})
    config = {"enableMetadataWithRecommendations": True, "itemExplorationConfig": {"explorationWeight": "0.3"}}
    (action,) = make_plan(project, everything(campaign={"campaignConfig": config})).actions
    assert action.request == {
        "campaignConfig": {
            "enableMetadataWithRecommendations": True,
            "itemExplorationConfig": {"explorationWeight": "0.5"},
        }
    }


def test_only_the_changed_parts_of_a_solution_are_sent() -> None:
    events = {"eventParametersList": [{"eventType": "watch", "weight": 1.0}]}
    config = {"eventsConfig": events, "autoTrainingConfig": {"schedulingExpression": "rate(7 days)"}}
    observed = everything(solution={"solutionConfig": {"autoTrainingConfig": config["autoTrainingConfig"]}})
    update, train, campaign = make_plan(stage.with_request(SOLUTION, solutionConfig=config), observed).actions
    assert update.request == {"solutionUpdateConfig": {"eventsConfig": events}}
    assert (train.verb, train.reason) == ("train", "its configuration changes")
    assert campaign.request == {"solutionVersionArn": Reference(VERSION)}


def test_a_fixed_member_is_refused_with_the_way_out() -> None:
    plan = make_plan(stage.with_request(FILTER, filterExpression="X"), everything())
    assert told(plan) == ["delete filter f", "create filter f"]
    assert plan.blocked[0].reason == "filterExpression cannot be changed in place"
    assert "--replace" in plan.blocked[0].blocked


def test_a_replaced_solution_takes_its_campaign_along() -> None:
    project = stage.with_request(SOLUTION, recipeArn="arn:aws:personalize:::recipe/other")
    plan = make_plan(project, everything(), Policy(replace=True))
    assert plan.blocked == ()
    assert told(plan) == [
        "delete solution p",
        "create solution p",
        "train version p",
        "delete campaign c",
        "create campaign c",
    ]
    after = {str(action.id): action.after for action in plan.actions}
    assert after["delete solution p p"] == {"delete campaign c c"}
    assert after["create solution p p"] == {"delete solution p p"}


def test_the_group_cannot_be_replaced() -> None:
    plan = make_plan(stage.with_request(GROUP, domain="ECOMMERCE"), everything(), Policy(replace=True))
    assert plan.blocked[0].blocked == "Destroy the project and apply it again."


def test_a_changed_schema_gets_a_new_name_and_its_dataset_moves() -> None:
    project = stage.with_request(SCHEMA, schema='{"a": 2}')
    create, update = make_plan(project, everything(without=(SCHEMA,))).actions
    assert create.name.startswith("s-")
    assert create.request["name"] == create.name
    assert (update.verb, update.address, update.request) == ("update", DATASET, {"schemaArn": Reference(SCHEMA)})


def test_interactions_cannot_move_to_another_schema() -> None:
    address = replace(DATASET, key="INTERACTIONS")
    project = stage.with_request(SCHEMA, schema='{"a": 2}')
    renamed = tuple(replace(one, address=address) if one.address == DATASET else one for one in project.resources)
    observed = everything(without=(SCHEMA,))
    observed = replace(observed, found={**observed.found, address: observed.found[DATASET]})
    plan = make_plan(replace(project, resources=renamed, data={}), observed)
    assert [action.address for action in plan.blocked] == [address]


def test_newer_data_means_a_new_version_and_the_campaign_follows() -> None:
    observed = replace(everything(), imports={"ITEMS": (stage.job(f"g-items-{stage.HASH}", hour=3),)})
    train, update = make_plan(stage.project(), observed).actions
    assert (train.verb, train.reason) == ("train", "the data is newer than its version")
    assert (update.verb, update.address) == ("update", CAMPAIGN)


def test_changed_data_is_imported_and_trained_on() -> None:
    observed = replace(everything(), fingerprints={"ITEMS": ("2" * 64,)})
    plan = make_plan(stage.project(), observed)
    assert told(plan) == ["import import ITEMS", "train version p", "update campaign c"]
    assert plan.actions[0].id in plan.actions[1].after
    assert plan.actions[1].id in plan.actions[2].after


@pytest.mark.parametrize("when", [Retraining.ONCE, Retraining.NEVER])
def test_newer_data_is_left_to_whoever_trains(when: Retraining) -> None:
    observed = replace(everything(), imports={"ITEMS": (stage.job(f"g-items-{stage.HASH}", hour=3),)})
    assert make_plan(stage.project(retraining={"p": when}), observed).actions == ()


def test_a_newer_version_reaches_the_campaign() -> None:
    observed = replace(everything(), versions={"p": (stage.version(2, hour=5), stage.version(1))})
    (update,) = make_plan(stage.project(), observed).actions
    assert update.changes == (
        Change("solutionVersionArn", f"{stage.ARN}solution/p/00000001", f"{stage.ARN}solution/p/00000002"),
    )


def test_a_campaign_that_follows_by_itself_is_left_to_it() -> None:
    config = {"syncWithLatestSolutionVersion": True}
    project = stage.with_request(CAMPAIGN, solutionVersionArn=Reference(SOLUTION, "/$LATEST"), campaignConfig=config)
    observed = replace(
        everything(campaign={"campaignConfig": config}), versions={"p": (stage.version(2, hour=5), stage.version(1))}
    )
    assert make_plan(project, observed).actions == ()


def test_a_campaign_of_another_solution_is_made_again() -> None:
    observed = everything(campaign={"solutionVersionArn": f"{stage.ARN}solution/old/1"})
    old = Unmanaged("solution", "old", f"{stage.ARN}solution/old")
    plan = make_plan(stage.project(), replace(observed, unmanaged=(old,)))
    assert told(plan) == ["delete campaign c", "create campaign c"]
    assert plan.unmanaged == (old,)


def test_what_is_pending_from_an_earlier_run_is_waited_for() -> None:
    observed = replace(
        everything(filter={"status": "CREATE IN_PROGRESS"}, without=(CAMPAIGN,)),
        versions={"p": (stage.version(1, status="CREATE PENDING"),)},
    )
    plan = make_plan(stage.project(), observed)
    assert told(plan) == ["wait filter f", "wait version p", "create campaign c"]
    assert plan.actions[2].after == {"wait version p p"}


def test_an_update_that_runs_is_waited_for_before_the_next() -> None:
    observed = everything(campaign={"latestCampaignUpdate": {"status": "CREATE IN_PROGRESS"}})
    wait, update = make_plan(stage.with_request(CAMPAIGN, minProvisionedTPS=3), observed).actions
    assert (wait.verb, update.verb) == ("wait", "update")
    assert update.after == {wait.id}


def test_the_last_failed_update_is_mentioned() -> None:
    failed = {"status": "CREATE FAILED", "failureReason": "no room"}
    observed = everything(campaign={"latestCampaignUpdate": failed})
    (update,) = make_plan(stage.with_request(CAMPAIGN, minProvisionedTPS=3), observed).actions
    assert "the last update failed: no room" in update.reason


def test_a_failed_resource_is_reported_and_made_again_on_request() -> None:
    observed = everything(filter={"status": "CREATE FAILED", "failureReason": "no such column"})
    blocked = make_plan(stage.project(), observed).blocked
    assert [action.reason for action in blocked] == ["ended as CREATE FAILED: no such column"]
    plan = make_plan(stage.project(), observed, Policy(retry=True))
    assert (told(plan), plan.blocked) == (["delete filter f", "create filter f"], ())


def test_a_failed_training_is_reported_and_repeated_on_request() -> None:
    failed = stage.version(1, status="CREATE FAILED", failureReason="too few users")
    observed = replace(everything(without=(CAMPAIGN,)), versions={"p": (failed,)})
    (blocked,) = make_plan(stage.project(), observed).blocked
    assert "too few users" in blocked.reason
    assert make_plan(stage.project(), observed, Policy(retry=True)).blocked == ()


def test_a_failed_training_is_repeated_when_there_is_new_data() -> None:
    failed = stage.version(1, status="CREATE FAILED", failureReason="too few users")
    observed = replace(everything(without=(CAMPAIGN,)), versions={"p": (failed,)}, fingerprints={"ITEMS": ("2" * 64,)})
    plan = make_plan(stage.project(), observed)
    assert (told(plan), plan.blocked) == (["import import ITEMS", "train version p", "create campaign c"], ())


def test_a_configuration_changed_after_the_version_means_training() -> None:
    update = {
        "status": "ACTIVE",
        "creationDateTime": at(4),
        "solutionUpdateConfig": {"eventsConfig": {"eventParametersList": []}},
    }
    plan = make_plan(stage.project(), everything(solution={"latestSolutionUpdate": update}))
    assert told(plan) == ["train version p", "update campaign c"]


def test_a_resource_that_is_being_deleted_is_made_again_after_that() -> None:
    plan = make_plan(stage.project(), everything(filter={"status": "DELETE IN_PROGRESS"}))
    assert (told(plan), plan.blocked) == (["delete filter f", "create filter f"], ())


def test_a_name_of_another_group_is_never_touched() -> None:
    observed = everything(filter={"datasetGroupArn": f"{stage.ARN}dataset-group/theirs"})
    with pytest.raises(ProjectProblem, match=r"'f' is taken by .*filter/f, which belongs to .*theirs"):
        make_plan(stage.project(), observed, Policy(replace=True))


def test_a_campaign_of_another_project_is_never_touched() -> None:
    observed = everything(campaign={"solutionVersionArn": f"{stage.ARN}solution/theirs/1"})
    with pytest.raises(ProjectProblem, match="'c' is taken"):
        make_plan(stage.project(), observed, Policy(replace=True))


def test_a_campaign_of_a_solution_that_is_never_trained_is_refused_before_anything_is_made() -> None:
    project = stage.project(retraining={"p": Retraining.NEVER})
    observed = everything(without=(CAMPAIGN,))
    assert told(make_plan(project, observed)) == ["create campaign c"]
    with pytest.raises(ProjectProblem, match=r"'p' has no ACTIVE version, and train: never .* Leave train out"):
        make_plan(project, replace(observed, versions={}))


def test_what_the_file_does_not_name_is_left_alone_or_pruned() -> None:
    extra = Unmanaged("filter", "extra", f"{stage.ARN}filter/extra")
    streamed = Unmanaged("dataset", "EVENT_INTERACTIONS", f"{stage.ARN}dataset/g/EVENT_INTERACTIONS")
    observed = replace(everything(), unmanaged=(extra, streamed))
    plan = make_plan(stage.project(), observed)
    assert (plan.actions, plan.unmanaged) == ((), (extra,))
    assert told(make_plan(stage.project(), observed, Policy(prune=True))) == ["delete filter extra"]


def test_tags_are_given_at_creation_and_put_right_afterwards() -> None:
    project = stage.project(tags={"team": "a"})
    observed = everything(without=(FILTER,))
    tagged = {address: replace(one, tags={"team": "a", "other": "x"}) for address, one in observed.found.items()}
    tagged[CAMPAIGN] = replace(tagged[CAMPAIGN], tags={})
    create, tag = make_plan(project, replace(observed, found=tagged)).actions
    assert create.request["tags"] == [{"tagKey": "team", "tagValue": "a"}]
    assert (tag.verb, tag.address, tag.changes) == ("tag", CAMPAIGN, (Change("tags.team", None, "a"),))


def test_recommenders_wait_for_the_data() -> None:
    address = Address("recommender", "top")
    recommender = Wanted(address, "top", {"datasetGroupArn": Reference(GROUP), "recipeArn": "x"}, stage.PLACE)
    project = stage.project()
    project = replace(project, resources=(*project.resources, recommender))
    plan = make_plan(project, Observed(fingerprints={"ITEMS": stage.PRINTS}))
    last = plan.actions[-1]
    assert {action.id for action in plan.actions if action.verb == "import"} <= last.after
