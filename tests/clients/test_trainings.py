"""Trainings through boto3: one that is stopped ends, and a campaign in sync follows each new version."""

from __future__ import annotations

import threading

import pytest
from botocore.exceptions import ClientError
from tests.clients.house import RECIPES, House, describe, settle

from matinee.demo.clients import POLL_SECONDS, Clients


def _solution(house: House, recipe: str) -> str:
    arn: str = house.clients.control.create_solution(
        name=house.new_name(),
        datasetGroupArn=house.arns["DatasetGroup"],
        recipeArn=f"{RECIPES}{recipe}",
        performAutoTraining=False,
    )["solutionArn"]
    return arn


def _await_start(clients: Clients, version: str) -> None:
    while describe(clients, "SolutionVersion", version)["status"] == "CREATE PENDING":
        threading.Event().wait(POLL_SECONDS)


def test_a_running_training_can_be_stopped(house: House) -> None:
    control = house.clients.control
    solution = _solution(house, "aws-user-personalization-v2")
    version = control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    _await_start(house.clients, version)
    control.stop_solution_version_creation(solutionVersionArn=version)
    assert describe(house.clients, "SolutionVersion", version)["status"] in ("CREATE STOPPING", "CREATE STOPPED")
    assert settle(house.clients, "SolutionVersion", version) == "CREATE STOPPED"
    with pytest.raises(ClientError, match="CREATE STOPPED") as refusal:
        control.stop_solution_version_creation(solutionVersionArn=version)
    assert refusal.value.response["Error"]["Code"] == "InvalidInputException"


def test_a_stopped_training_leaves_room_for_the_next(house: House) -> None:
    control = house.clients.control
    solution = _solution(house, "aws-popularity-count")
    version = control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    assert settle(house.clients, "SolutionVersion", version) == "ACTIVE"


def test_trap_5_a_campaign_in_sync_deploys_each_new_version(house: House) -> None:
    control = house.clients.control
    solution = _solution(house, "aws-popularity-count")
    first = control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    settle(house.clients, "SolutionVersion", first)
    campaign = control.create_campaign(
        name=house.new_name(),
        solutionVersionArn=f"{solution}/$LATEST",
        campaignConfig={"syncWithLatestSolutionVersion": True},
    )["campaignArn"]
    assert settle(house.clients, "Campaign", campaign) == "ACTIVE"
    assert describe(house.clients, "Campaign", campaign)["solutionVersionArn"] == first
    second = control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    settle(house.clients, "SolutionVersion", second)
    while describe(house.clients, "Campaign", campaign)["latestCampaignUpdate"]["status"] != "ACTIVE":
        threading.Event().wait(POLL_SECONDS)
    shown = describe(house.clients, "Campaign", campaign)
    assert (shown["status"], shown["solutionVersionArn"]) == ("ACTIVE", second)
    assert len(house.clients.runtime.get_recommendations(campaignArn=campaign)["itemList"]) == 25
