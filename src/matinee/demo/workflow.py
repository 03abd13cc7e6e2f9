"""The movie project from its file to campaigns and back, and what an application asks of them. boto3 only."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matinee.demo.carried import Timed, Together
from matinee.demo.clients import POLL_SECONDS, Clients, WorkflowFailed
from matinee.demo.narrator import Narrator
from matinee.project import commands
from matinee.project.carrying_out import Listener, Outcome
from matinee.project.desired import Address, Project
from matinee.project.kinds import CAMPAIGN, SOLUTION, TRACKER, VERSION
from matinee.project.plan import Plan
from matinee.project.reading import read_project
from matinee.project.service import Service
from matinee.project.telling import Teller, draw_plan


@dataclass
class Movies:
    """What the workflow made: campaigns by their keys in the file, and what was measured, by recipe."""

    campaign_arns: dict[str, str] = field(default_factory=dict)
    tracking_id: str = ""
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    training_seconds: dict[str, float] = field(default_factory=dict)


class Workflow:
    """The movie project. What exists follows from the file alone, as with `matinee plan`, `apply` and `destroy`."""

    def __init__(self, clients: Clients, file: Path, narrator: Narrator) -> None:
        self.clients = clients
        self.narrator = narrator
        self.project: Project = read_project(file)
        self.service = Service(client=clients.control, s3=clients.s3, is_aws=False)
        self.made = Movies()

    def run(self) -> Movies:
        """Show the plan and carry it out: data in, three trainings, three campaigns, a tracker for events."""
        plan = commands.plan(self.project, self.service)
        draw_plan(plan, self.narrator.console)
        with Teller(self.narrator.console) as teller:
            timed = Timed(teller)
            outcome = self._carried_out(plan, timed)
        self.narrator.seconds.update(timed.seconds)
        self._remember(outcome, timed)
        return self.made

    def check(self) -> None:
        """Plan the same file again. Raises `WorkflowFailed` when that asks for anything."""
        with self.narrator.step("the same file planned again: nothing to do"):
            left = commands.plan(self.project, self.service).actions
            if left:
                raise WorkflowFailed(f"A second plan would still {left[0].id}: {left[0].reason}.")

    def destroy(self) -> None:
        """Delete everything, users of a resource before the resource; also what the tracker made by itself."""
        with self.narrator.step("everything deleted again") as step:
            plan = commands.removal(self.project, self.service, everything=True)
            self._carried_out(plan, Together(step, len(plan.actions)))

    def _carried_out(self, plan: Plan, listener: Listener) -> Outcome:
        outcome = commands.apply(plan, self.project, self.service, listener, poll_seconds=POLL_SECONDS)
        if not outcome.complete:
            raise WorkflowFailed("\n".join(f"{action}: {why}" for action, why in outcome.failures.items()))
        return outcome

    def _remember(self, outcome: Outcome, timed: Timed) -> None:
        for wanted in self.project.of(SOLUTION.word):
            recipe = wanted.request["recipeArn"].rsplit("/", 1)[-1]
            version = Address(VERSION.word, wanted.address.key)
            metrics = self.clients.control.get_solution_metrics(solutionVersionArn=outcome.arns[version])["metrics"]
            self.made.metrics[recipe] = dict(metrics)
            self.made.training_seconds[recipe] = timed.training_seconds[wanted.address.key]
        for wanted in self.project.of(CAMPAIGN.word):
            self.made.campaign_arns[wanted.address.key] = outcome.arns[wanted.address]
        for wanted in self.project.of(TRACKER.word):
            tracker = self.clients.control.describe_event_tracker(eventTrackerArn=outcome.arns[wanted.address])
            self.made.tracking_id = tracker["eventTracker"]["trackingId"]

    # -- what an application asks -----------------------------------------------------------------------------------

    def recommend(self, user_id: str, count: int) -> list[str]:
        """Item IDs for one user, best first."""
        answer = self.clients.runtime.get_recommendations(
            campaignArn=self.made.campaign_arns["personal"], userId=user_id, numResults=count
        )
        return [item["itemId"] for item in answer["itemList"]]

    def similar(self, item_id: str, count: int) -> list[str]:
        """Item IDs most alike one item, best first."""
        answer = self.clients.runtime.get_recommendations(
            campaignArn=self.made.campaign_arns["similar"], itemId=item_id, numResults=count
        )
        return [item["itemId"] for item in answer["itemList"]]

    def watch(self, user_id: str, items: Sequence[str]) -> None:
        """Send one `watch` event for each item, as a player would."""
        now = int(time.time())
        events: list[Any] = [
            {"eventType": "watch", "itemId": item, "sentAt": now - len(items) + place}
            for place, item in enumerate(items)
        ]
        for start in range(0, len(events), 10):
            self.clients.events.put_events(
                trackingId=self.made.tracking_id,
                userId=user_id,
                sessionId=f"demo-{user_id}",
                eventList=events[start : start + 10],
            )
