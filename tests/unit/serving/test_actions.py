"""GetActionRecommendations: probabilities, the rules of actions, filters, and what is streamed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.unit.serving.shop import CALLER, STRANGER, Event, Shop, log_of

from matinee.data.schemas import parse_schema
from matinee.errors import InvalidInput, ResourceNotFound
from matinee.models.base import FitOptions
from matinee.models.popularity import Popularity
from matinee.recipes import catalogue
from matinee.training.action_data import EVENT_COLUMNS, ActionData
from matinee.training.action_version import train_actions
from matinee.training.selection import Selection
from matinee.training.snapshot import Snapshot

DAY = 86_400
NOW = int(time.time())
ACTIONS_FIELDS: list[dict[str, Any]] = [
    {"name": "ACTION_ID", "type": "string"},
    {"name": "TYPE", "type": ["string", "null"]},
    {"name": "VALUE", "type": ["long", "null"]},
    {"name": "REPEAT_FREQUENCY", "type": ["long", "null"]},
    {"name": "EXPIRATION_TIMESTAMP", "type": ["long", "null"]},
    {"name": "CREATION_TIMESTAMP", "type": ["long", "null"]},
]
ACTION_EVENT_FIELDS: list[dict[str, Any]] = [
    {"name": "USER_ID", "type": "string"},
    {"name": "ACTION_ID", "type": "string"},
    {"name": "EVENT_TYPE", "type": "string"},
    {"name": "TIMESTAMP", "type": "long"},
]
TRACKER = "6f9e1c0a-0000-4000-8000-00000000000a"
CALL, JOIN, SURF = "call", "join", "surf"


def item_log() -> list[Event]:
    """40 users of two tastes: even ones meet films a0 to a9, odd ones b0 to b9."""
    kinds = ("a", "b")
    return [
        (f"u{u}", f"{kinds[u % 2]}{(u + n) % 10}", NOW - 90 * DAY + n, "watch") for u in range(40) for n in range(6)
    ]


def answers() -> list[tuple[str, str, str, int]]:
    """Even users take `call` and refuse `join`, odd ones the other way round; nobody was shown `surf`."""
    rows = []
    for user in range(40):
        for n in range(4):
            at = NOW - (20 + 16 * n) * DAY - user
            rows.append((f"u{user}", CALL, "Taken" if user % 2 == 0 else "Not taken", at))
            rows.append((f"u{user}", JOIN, "Viewed" if user % 2 == 0 else "Taken", at))
    return rows


class ActionShop(Shop):
    """The shop with actions, and a campaign that recommends them."""

    def open_actions(self, rows: list[tuple[str, str, str, int]]) -> None:
        """Add the datasets, put three actions, train on these answers and deploy."""
        self.dataset("ACTIONS", "Actions", ACTIONS_FIELDS)
        events = self.dataset("ACTION_INTERACTIONS", "ActionInteractions", ACTION_EVENT_FIELDS)
        with self.database.read() as connection:
            from matinee.control import records

            found = records.find(connection, events)
            assert found is not None
        self.change(events, attributes={**found.attributes, "trackingId": TRACKER})
        for action, kind in ((CALL, "talk"), (JOIN, "group"), (SURF, "web")):
            self.put_action(action, type=kind, value=1)
        log = log_of(item_log())
        users = pl.DataFrame({"USER_ID": log.user_ids})
        items = pl.DataFrame({"ITEM_ID": log.item_ids})
        snapshot = Snapshot(log, items, users, np.zeros(len(items), np.int64), len(items), Selection())
        schema = parse_schema(json.dumps({"type": "record", "name": "Actions", "fields": ACTIONS_FIELDS}))
        data = ActionData(
            actions=pl.DataFrame({"ACTION_ID": [CALL, JOIN, SURF], "VALUE": [1, 1, 1]}),
            events=pl.DataFrame(rows, schema=EVENT_COLUMNS, orient="row"),
            schema=schema,
            users_schema=None,
        )
        folder = self.objects.root / "artifacts/nba"
        recipe = catalogue.find("aws-next-best-action")
        self.outcome = train_actions(snapshot, data, recipe, {}, folder, FitOptions())
        attributes = {"datasetGroupArn": CALLER.arn("dataset-group/films"), "recipeArn": recipe.arn}
        private = {"artifact": "artifacts/nba"}
        version = self.add("solution", "nba/0000000a", attributes, parent=CALLER.arn("solution/nba"), private=private)
        self.nba = self.add("campaign", "nba", {"solutionVersionArn": version})

    def put_action(self, action: str, **properties: Any) -> None:
        """Add or replace an action."""
        entry = {"actionId": action, "properties": json.dumps(properties)}
        self.put("PutActions", datasetArn=CALLER.arn("dataset/films/ACTIONS"), actions=[entry])

    def answer(self, user: str | None, action: str, kind: str, *, at: float = NOW, session: str = "s") -> None:
        """Stream what a user did about an action."""
        entry = {"actionId": action, "sessionId": session, "timestamp": at, "eventType": kind}
        self.put(
            "PutActionInteractions",
            trackingId=TRACKER,
            actionInteractions=[{**entry, **({"userId": user} if user else {})}],
        )

    def actions(self, user: str = "u0", **params: Any) -> dict[str, float]:
        """Actions for a user, in the order of the answer."""
        answer = self.get("GetActionRecommendations", campaignArn=self.nba, userId=user, **params)
        return {element["actionId"]: element["score"] for element in answer["actionList"]}


@pytest.fixture
def nba(tmp_path: Path) -> Iterator[ActionShop]:
    """A shop whose campaign has learned what is taken."""
    shop = ActionShop(tmp_path)
    shop.open_actions(answers())
    yield shop
    shop.close()


@pytest.fixture
def everywhere(tmp_path: Path, database_url: str) -> Iterator[ActionShop]:
    """The same on each of the databases."""
    shop = ActionShop(tmp_path, database_url)
    shop.open_actions(answers())
    yield shop
    shop.close()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[ActionShop]:
    """An action shop without any action yet, on SQLite."""
    shop = ActionShop(tmp_path)
    yield shop
    shop.close()


def test_users_get_the_actions_that_they_take_with_probabilities(nba: ActionShop) -> None:
    even, odd = nba.actions("u0"), nba.actions("u1")
    assert even[CALL] > 0.5 > even[JOIN]
    assert odd[JOIN] > 0.5 > odd[CALL]
    assert all(0 <= score <= 1 for score in (*even.values(), *odd.values()))
    assert even[SURF] == odd[SURF] == 0.0


def test_the_answer_has_the_wires_members(nba: ActionShop) -> None:
    answer = nba.get("GetActionRecommendations", campaignArn=nba.nba, userId="u0", numResults=1)
    assert set(answer) == {"actionList", "recommendationId"}
    assert [set(element) for element in answer["actionList"]] == [{"actionId", "score"}]
    assert answer["recommendationId"].startswith("RID-")


def test_the_training_tells_how_good_it_is(nba: ActionShop) -> None:
    assert set(nba.outcome.metrics) == {"coverage", "precision", "recall", "auc"}
    assert nba.outcome.metrics["auc"] > 0.9


def test_a_stranger_gets_actions_and_their_first_film_tells_their_taste(nba: ActionShop) -> None:
    before = nba.actions("new")
    assert set(before) == {CALL, JOIN, SURF}
    nba.put_event("new", "b3", at=NOW)
    after = nba.actions("new")
    assert after[JOIN] > before[JOIN]


def test_a_streamed_answer_changes_the_next_probabilities(nba: ActionShop) -> None:
    before = nba.actions("new")
    for n in range(3):
        nba.answer("new", CALL, "TAKEN", at=NOW - n * DAY)
    assert nba.actions("new")[CALL] > before[CALL]


def test_an_expired_action_and_one_of_the_future_are_not_recommended(nba: ActionShop) -> None:
    nba.put_action(CALL, type="talk", expirationTimestamp=NOW - 5)
    nba.put_action(SURF, type="web", creationTimestamp=NOW + DAY)
    assert set(nba.actions()) == {JOIN}
    nba.put_action(CALL, type="talk", expirationTimestamp=NOW + DAY)
    assert set(nba.actions()) == {CALL, JOIN}


def test_an_action_is_not_repeated_too_soon(nba: ActionShop) -> None:
    nba.put_action(CALL, type="talk", repeatFrequency=10)
    assert CALL in nba.actions()  # u0's answers are older than that
    nba.answer("u0", CALL, "VIEWED", at=NOW - 9 * DAY)
    assert CALL not in nba.actions()
    assert CALL in nba.actions("u2")
    nba.put_action(CALL, type="talk", repeatFrequency=5)
    assert CALL in nba.actions()


def test_repetition_counts_what_the_training_saw(nba: ActionShop) -> None:
    nba.put_action(CALL, type="talk", repeatFrequency=30)
    assert CALL not in nba.actions("u0")


def test_an_anonymous_visitors_answers_are_theirs_once_they_sign_in(everywhere: ActionShop) -> None:
    everywhere.put_action(SURF, type="web", repeatFrequency=5)
    everywhere.answer(None, SURF, "VIEWED", session="evening")
    assert SURF not in everywhere.actions("evening")
    assert SURF in everywhere.actions("u4")
    everywhere.answer("u4", CALL, "VIEWED", session="evening")
    assert SURF not in everywhere.actions("u4")


def test_a_new_action_can_be_recommended_at_once_and_reads_zero(nba: ActionShop) -> None:
    nba.put_action("sing", type="voice")
    assert nba.actions()["sing"] == 0.0


def test_new_actions_are_given_a_chance_to_be_seen(nba: ActionShop) -> None:
    first = {next(iter(nba.actions("new", numResults=1))) for _ in range(60)}
    assert SURF in first
    assert first != {SURF}


def test_between_equal_chances_the_worthier_action_comes_first(
    nba: ActionShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "matinee.models.next_best_action.NextBestAction.propensities", lambda *_: np.full(3, 0.5, np.float32)
    )
    nba.put_action(JOIN, type="group", value=9)
    nba.put_action(SURF, type="web", value=4)
    assert list(nba.actions()) == [JOIN, SURF, CALL]


@pytest.mark.parametrize(
    ("expression", "left"),
    [
        ('INCLUDE ActionID WHERE Actions.TYPE IN ("talk", "web")', {CALL, SURF}),
        ("EXCLUDE ActionID WHERE Actions.VALUE >= 1", set()),
        ('EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("not_taken", "Viewed")', {CALL, SURF}),
        ('EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("*")', {SURF}),
        ('EXCLUDE ActionID WHERE Actions.TYPE IN ("talk") IF CurrentUser.AGE > 30', {JOIN, SURF}),
    ],
)
def test_filters_of_actions(nba: ActionShop, expression: str, left: set[str]) -> None:
    nba.put(
        "PutUsers",
        datasetArn=CALLER.arn("dataset/films/USERS"),
        users=[{"userId": "u0", "properties": json.dumps({"age": 31})}],
    )
    assert set(nba.actions(filterArn=nba.filter("some", expression))) == left


def test_filter_values_come_with_the_request(nba: ActionShop) -> None:
    chosen = nba.filter("chosen", "INCLUDE ActionID WHERE Actions.TYPE IN ($TYPE)")
    assert set(nba.actions(filterArn=chosen, filterValues={"TYPE": '"group"'})) == {JOIN}
    with pytest.raises(InvalidInput, match="TYPE"):
        nba.actions(filterArn=chosen)


def test_five_actions_by_default_and_a_hundred_at_most(nba: ActionShop) -> None:
    for n in range(5):
        nba.put_action(f"more{n}", type="web")
    assert len(nba.actions()) == 5
    assert len(nba.actions(numResults=100)) == 8
    with pytest.raises(InvalidInput, match="numResults must not be above 100"):
        nba.actions(numResults=101)


def test_what_is_refused(nba: ActionShop) -> None:
    items = nba.filter("items", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")')
    films = nba.campaign("films", "aws-popularity-count", Popularity(), log_of(item_log()))
    with pytest.raises(InvalidInput, match="Required fields for the provided recipe are userId"):
        nba.actions("")
    with pytest.raises(InvalidInput, match="ItemID"):
        nba.actions(filterArn=items)
    with pytest.raises(InvalidInput, match="does not support GetActionRecommendations"):
        nba.get("GetActionRecommendations", campaignArn=films, userId="u0")
    with pytest.raises(InvalidInput, match="call GetActionRecommendations"):
        nba.get("GetRecommendations", campaignArn=nba.nba, userId="u0")
    with pytest.raises(InvalidInput, match="campaignArn"):
        nba.get("GetActionRecommendations", userId="u0")
    with pytest.raises(ResourceNotFound):
        nba.get("GetActionRecommendations", STRANGER, campaignArn=nba.nba, userId="u0")


def test_with_too_few_answers_every_score_is_zero(local: ActionShop) -> None:
    local.open_actions(answers()[:80])
    assert local.actions("u0") == dict.fromkeys(local.actions("u0"), 0.0)
    assert set(local.actions("u0")) == {CALL, JOIN, SURF}
    assert local.outcome.metrics == {"coverage": 0.0}


def test_without_any_answer_actions_are_explored(local: ActionShop) -> None:
    local.open_actions([])
    first = {next(iter(local.actions("u0", numResults=1))) for _ in range(40)}
    assert first == {CALL, JOIN, SURF}
