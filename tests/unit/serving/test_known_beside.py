"""A request's context, its time and the user's record reach the model; those put a moment ago, too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from tests.unit.serving.shop import CALLER, GROUP, Shop, log_of

from matinee.data.interactions import FloatArray, Histories, InteractionLog, Interactions
from matinee.errors import InvalidInput
from matinee.models.popularity import Popularity
from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.model import Transformer
from matinee.serving.runtime import Runtime
from matinee.training.artifact import write_artifact
from matinee.training.columns import ColumnEncoder
from matinee.training.inputs import InputColumns

CONFIG = TransformerConfig(
    dimension=8, layers=1, length=4, epochs=30, batch_events=128, learning_rate=2e-2, ahead=1, dropout=0.0
)
INPUTS = InputColumns(
    context=ColumnEncoder((("DEVICE", "tv"), ("DEVICE", "phone"))),
    attributes=ColumnEncoder((("MEMBERSHIP_STATUS", "gold"), ("MEMBERSHIP_STATUS", "none"))),
)


def trained() -> tuple[Transformer, InteractionLog]:
    """Item 2 · (no gold) + (phone) is what a user has on an occasion; the items are a, b, c and d."""
    random = np.random.default_rng(0)
    user = np.repeat(np.arange(60), 4).astype(np.int32)
    phone, poor = random.integers(0, 2, len(user)), user % 2
    data = Interactions.of(
        user,
        (2 * poor + phone).astype(np.int32),
        np.arange(len(user), dtype=np.int64),
        n_users=60,
        n_items=4,
        context=sparse.csr_array(np.eye(2, dtype=np.float32)[phone]),
        attributes=np.eye(2, dtype=np.float32)[np.arange(60) % 2],
    )
    log = InteractionLog(data, tuple(f"u{n:02}" for n in range(60)), tuple("abcd"), ())
    return Transformer(CONFIG).fit(data), log


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    shop = Shop(tmp_path_factory.mktemp("shop"))
    model, log = trained()
    manifest = {"recipe": "aws-user-personalization-v2", "data": {}, "inputs": INPUTS.as_dict()}
    write_artifact(shop.objects.root / "artifacts/v", model=model, log=log, manifest=manifest)
    attributes = {
        "datasetGroupArn": GROUP,
        "recipeArn": "arn:aws:personalize:::recipe/aws-user-personalization-v2",
    }
    version = shop.add(
        "solution", "v/1", attributes, parent=CALLER.arn("solution/s"), private={"artifact": "artifacts/v"}
    )
    shop.add("campaign", "c", {"solutionVersionArn": version, "campaignConfig": {}})
    shop.import_rows("USERS", [{"USER_ID": "rich", "MEMBERSHIP_STATUS": "gold"}])
    yield shop
    shop.close()


def first(shop: Shop, user: str, device: str) -> str:
    return shop.recommend(CALLER.arn("campaign/c"), userId=user, context={"device": device}, numResults=1)[0]


def test_a_new_user_is_told_by_record_and_context(shop: Shop) -> None:
    assert (first(shop, "rich", "tv"), first(shop, "rich", "phone")) == ("a", "b")


def test_a_user_who_was_put_counts_with_the_next_request(shop: Shop) -> None:
    dataset = CALLER.arn("dataset/films/USERS")
    user = {"userId": "late", "properties": '{"membershipStatus": "none"}'}
    shop.put("PutUsers", datasetArn=dataset, users=[user])
    assert (first(shop, "late", "tv"), first(shop, "late", "phone")) == ("c", "d")


def test_a_ranking_reads_them_too(shop: Shop) -> None:
    arn = shop.add("campaign", "r", {"solutionVersionArn": rank_version(shop), "campaignConfig": {}})
    answer = shop.get(
        "GetPersonalizedRanking",
        campaignArn=arn,
        userId="rich",
        inputList=["d", "c", "a", "b"],
        context={"DEVICE": "phone"},
    )
    assert answer["personalizedRanking"][0]["itemId"] == "b"


def rank_version(shop: Shop) -> str:
    """The same model as a version that ranks."""
    recipe = {"datasetGroupArn": GROUP, "recipeArn": "arn:aws:personalize:::recipe/aws-personalized-ranking-v2"}
    return shop.add("solution", "r/1", recipe, parent=CALLER.arn("solution/s"), private={"artifact": "artifacts/v"})


def test_a_context_that_is_no_number_where_one_is_due_is_refused(shop: Shop) -> None:
    with pytest.raises(InvalidInput, match="TIMESTAMP is a number"):
        shop.recommend(CALLER.arn("campaign/c"), userId="rich", context={"TIMESTAMP": "noon"})


def test_the_time_of_a_request_reaches_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    score = Popularity.score

    def noted(model: Popularity, histories: Histories) -> FloatArray:
        asked.extend(histories.asked().tolist())
        return score(model, histories)

    monkeypatch.setattr(Popularity, "score", noted)
    shop = Shop(tmp_path)
    arn = shop.campaign("c", "aws-user-personalization-v2", Popularity(), log_of([("ada", "a", 100, "watch")]))
    other = Runtime(shop.database, shop.objects, shop.settings, clock=lambda: 1234.5)
    other.get_recommendations(CALLER, {"campaignArn": arn, "userId": "ada"})
    assert asked == [1234]
    other.close()
    shop.close()
