"""A service that serves every recipe and every use case from tiny models, made once, and boto3 clients of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from botocore import xform_name
from scipy import sparse
from tests.contract.serving_table import ACTIONS, OF_ITEMS, RANKING, Row
from tests.unit.api.live import clients, serving
from tests.unit.serving.shop import CALLER, GROUP, Event, log_of
from tests.unit.serving.test_actions import ActionShop, answers

from matinee.api.aws.model import Service
from matinee.api.server import application
from matinee.models.base import ItemFeatures, Model
from matinee.models.ease import EASE
from matinee.models.item_knn import ItemKNN
from matinee.models.popularity import Popularity
from matinee.models.semantic import Semantic
from matinee.models.similar_items import SimilarItems
from matinee.models.trending import Trending
from matinee.storage.metadata import Database
from matinee.training.artifact import write_artifact

TYPES = ("Watch", "Click", "View", "Purchase")
ITEMS = tuple(f"i{number:02}" for number in range(40))
#: User n met the items 0 to n, so that no two items are equally popular: the first is the most.
EVENTS: list[Event] = [
    (f"u{user:02}", ITEMS[item], 1_600_000_000 + 100 * user + item, TYPES[(user + item) % 4])
    for user in range(40)
    for item in range(user + 1)
]
#: A user who knows 30 of the 40 items; nobody knows the other one.
USER, STRANGER = "u29", "nobody"
#: The least popular items are of this genre, and the others of that one.
RARE, COMMON = "Rare", "Common"
NEW_ACTIONS = tuple(f"a{number}" for number in range(5))
_CREATED = 1_700_000_000_000
_NO_EXPLORATION = {"itemExplorationConfig": {"explorationWeight": "0"}}
_MODELS: Mapping[str, type[Model]] = {
    "user-personalization": EASE,
    "personalized-ranking": EASE,
    "top-picks": EASE,
    "recommended-for-you": EASE,
    "trending-now": Trending,
    "most-popular": Popularity,
    "popular": Popularity,
    "similar-items": SimilarItems,
    "more-like-x": SimilarItems,
    "semantic-similarity": Semantic,
}


def genre(item: str) -> str:
    """An item's genre."""
    return RARE if item >= "i30" else COMMON


def had(user: str, kind: str) -> set[str]:
    """Items that a user had at training, by event type."""
    return {item for who, item, _, of in EVENTS if who == user and of == kind}


@dataclass
class Stage:
    """`arns` by recipe; with `+metadata` after it of one whose configuration enables metadata."""

    shop: ActionShop
    url: str
    arns: dict[str, str]

    @cached_property
    def clients(self) -> dict[Service, Any]:
        """boto3 clients that leave the checking of requests to the service."""
        return clients(self.url, region=CALLER.region, validate=False)

    @cached_property
    def filters(self) -> dict[str, str]:
        """Filters by name."""
        texts = {
            "common": f'INCLUDE ItemID WHERE Items.GENRES IN ("{COMMON}")',
            "rare": f'INCLUDE ItemID WHERE Items.GENRES IN ("{RARE}")',
            "nothing": 'INCLUDE ItemID WHERE Items.GENRES IN ("no such genre")',
            "genre": "INCLUDE ItemID WHERE Items.GENRES IN ($GENRE)",
            "actions": f'EXCLUDE ActionID WHERE Actions.ACTION_ID IN ("{NEW_ACTIONS[0]}")',
        }
        elsewhere = self.shop.filter("elsewhere", texts["rare"], group=CALLER.arn("dataset-group/other"))
        return {name: self.shop.filter(name, text) for name, text in texts.items()} | {"elsewhere": elsewhere}

    def ask(self, row: Row, *, deployment: str = "", operation: str = "", **given: Any) -> dict[str, Any]:
        """An answer of a recipe: what it needs is given unless `given` says otherwise; None leaves a member out."""
        member = "recommenderArn" if row.use_case else "campaignArn"
        usual: dict[str, Any] = {"userId": USER, "itemId": "i20", "inputList": ["i05", "i35", "i03"]}
        needed = {name: usual[name] for name in (*row.needs, *(("inputList",) if row.operation == RANKING else ()))}
        request = {member: self.arns[row.recipe + deployment], **needed, **given}
        call = getattr(self.clients["personalize-runtime"], xform_name(operation or row.operation))
        answer: dict[str, Any] = call(**{name: value for name, value in request.items() if value is not None})
        return answer

    def elements(self, row: Row, **given: Any) -> list[dict[str, Any]]:
        """The elements of an answer."""
        answer = self.ask(row, **given)
        (found,) = (answer[name] for name in ("itemList", "personalizedRanking", "actionList") if name in answer)
        return list(found)

    def ids(self, row: Row, **given: Any) -> list[str]:
        """The IDs of an answer."""
        return [one["actionId" if row.operation == ACTIONS else "itemId"] for one in self.elements(row, **given)]

    def put_event(self, user: str, item: str, kind: str) -> None:
        """Stream an event."""
        event = {"eventType": kind, "sentAt": 1_650_000_000, "itemId": item}
        events = self.clients["personalize-events"]
        events.put_events(trackingId=self.shop.tracking_id, userId=user, sessionId=user, eventList=[event])


@contextmanager
def filled(folder: Path) -> Iterator[Stage]:
    """A stage with a deployment of every recipe."""
    home = folder / "home"
    migrated = Database(f"sqlite:///{home / 'matinee.db'}")
    migrated.upgrade()
    migrated.close()
    shop = ActionShop(home)
    try:
        shop.import_rows("ITEMS", [_record(item) for item in ITEMS])
        arns = {name: arn for row in OF_ITEMS for name, arn in _deployed(shop, row)}
        shop.open_actions(answers())
        for action in NEW_ACTIONS:
            shop.put_action(action, type="new")
        with serving(application(shop.settings)) as url:
            yield Stage(shop, url, arns | {"aws-next-best-action": shop.nba})
    finally:
        shop.close()


def _record(item: str) -> dict[str, Any]:
    number = int(item[1:])
    return {
        "ITEM_ID": item,
        "TITLE": f"Film {number}",
        "GENRES": f"{genre(item)}|Film",
        "PRICE": number / 2,
        "RELEASE_YEAR": None if number == 0 else 1980 + number,
    }


def _deployed(shop: ActionShop, row: Row) -> Iterator[tuple[str, str]]:
    """One deployment with metadata and one without; both serve one artifact."""
    prefix = f"artifacts/{row.recipe}"
    log = log_of(EVENTS)
    kinds = [kind for part, kind in _MODELS.items() if part in row.recipe]
    model = (kinds or [ItemKNN])[0]()
    texts = tuple(f"{genre(item)} film {item}" for item in log.item_ids)
    none = sparse.csr_array((len(ITEMS), 0)), np.zeros((len(ITEMS), 0), np.float32), np.zeros(len(ITEMS), np.int64)
    fitted = model.fit(log.interactions, ItemFeatures(*none, texts) if isinstance(model, Semantic) else None)
    manifest = {"recipe": row.recipe, "created": _CREATED, "data": {}}
    write_artifact(shop.objects.root / prefix, model=fitted, log=log, manifest=manifest)
    recipe = f"arn:aws:personalize:::recipe/{row.recipe}"
    served = {"datasetGroupArn": GROUP, "recipeArn": recipe, "solutionArn": CALLER.arn(f"solution/{row.recipe}")}
    usual = _NO_EXPLORATION if row.explores else {}
    private = {"artifact": prefix}
    version = "" if row.use_case else shop.add("solution", f"{row.recipe}/0000000a", served, private=private)
    for suffix, own in (("", {}), ("+metadata", {"enableMetadataWithRecommendations": True})):
        name, config = f"{row.recipe}{suffix.replace('+', '-')}", {**usual, **own}
        if row.use_case:
            attributes = {**served, "recommenderConfig": config}
            yield row.recipe + suffix, shop.add("recommender", name, attributes, parent=GROUP, private=private)
        else:
            attributes = {"solutionVersionArn": version, "campaignConfig": config}
            yield row.recipe + suffix, shop.add("campaign", name, attributes)
