"""What follows from a job's end: campaigns that follow their solution move on, AutoML's choice is noted."""

from __future__ import annotations

import sqlalchemy as sa

from matinee.control import campaigns, records, updates
from matinee.control.outbox import Job, JobKind
from matinee.control.records import Resource
from matinee.control.solution_versions import newest_active


def after(connection: sa.Connection, job: Job) -> None:
    """Do what the end of a job calls for, in the same transaction."""
    if job.kind is JobKind.TRAIN:
        version = records.find(connection, job.arn)
        if version is not None and version.status == "ACTIVE":
            _note_choice(connection, version)
            for campaign in records.children(connection, version["solutionArn"], "campaign"):
                _follow(connection, campaign)
    elif job.kind in (JobKind.DEPLOY, JobKind.UPDATE_CAMPAIGN):
        campaign_now = records.find(connection, job.arn)
        if campaign_now is not None:
            _follow(connection, campaign_now)


def _follow(connection: sa.Connection, campaign: Resource) -> None:
    """Move a campaign that is in sync with its solution to the newest ACTIVE version, once."""
    if campaign.status != "ACTIVE" or updates.running(campaign) or campaign.parent is None:
        return
    if not campaign.attributes.get("campaignConfig", {}).get("syncWithLatestSolutionVersion"):
        return
    newest = newest_active(connection, campaign.parent)
    # A version that could not be deployed is not tried again; the next one is.
    tried = {campaign["solutionVersionArn"], updates.latest(campaign).get("solutionVersionArn")}
    if newest is not None and newest.arn not in tried:
        campaigns.start_update(connection, campaign, newest, {"solutionVersionArn": newest.arn})


def _note_choice(connection: sa.Connection, version: Resource) -> None:
    """Show in the solution which recipe AutoML chose."""
    solution = records.find(connection, version["solutionArn"])
    if solution is not None and version["performAutoML"] and "recipeArn" in version.attributes:
        choice = {"autoMLResult": {"bestRecipeArn": version["recipeArn"]}}
        records.change(connection, solution, attributes={**solution.attributes, **choice})
