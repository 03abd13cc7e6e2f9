"""Recommenders through boto3: trained and deployed in one step, stopped, started, updated, in both domains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import polars as pl
import pytest
from botocore.exceptions import ClientError
from tests.clients.data import INTERACTIONS, schema_text
from tests.clients.house import RECIPES, ROLE, describe, settle

from matinee.data.sample import generate_sample
from matinee.demo.clients import Clients, wait_until_active

if TYPE_CHECKING:
    from mypy_boto3_personalize.literals import DomainType
    from mypy_boto3_personalize.type_defs import RecommenderConfigTypeDef, TrainingDataConfigTypeDef

WIDE_ITEMS = schema_text(
    "Items",
    ("ITEM_ID", "string"),
    {"name": "GENRES", "type": "string", "categorical": True},
    ("CREATION_TIMESTAMP", "long"),
    ("PRICE", "float"),
    {"name": "CATEGORY_L1", "type": "string", "categorical": True},
)
METRICS = {"coverage", "mean_reciprocal_rank_at_25", "precision_at_5", "normalized_discounted_cumulative_gain_at_25"}


@dataclass(frozen=True)
class Domain:
    """A dataset group of a domain, its interactions imported."""

    clients: Clients
    group: str
    name: str

    @classmethod
    def build(cls, clients: Clients, name: str, domain: DomainType, location: str) -> Domain:
        """Make the group and import the interactions at `location`."""
        control = clients.control
        group = control.create_dataset_group(name=name, domain=domain)["datasetGroupArn"]
        assert settle(clients, "DatasetGroup", group) == "ACTIVE"
        for kind, text in (("Interactions", INTERACTIONS), ("Items", WIDE_ITEMS)):
            schema = control.create_schema(name=f"{name}-{kind}", schema=text, domain=domain)["schemaArn"]
            dataset = control.create_dataset(
                name=f"{name}-{kind}", datasetGroupArn=group, schemaArn=schema, datasetType=kind
            )["datasetArn"]
            assert settle(clients, "Dataset", dataset) == "ACTIVE"
            if kind == "Interactions":
                job = control.create_dataset_import_job(
                    jobName=name, datasetArn=dataset, dataSource={"dataLocation": location}, roleArn=ROLE
                )["datasetImportJobArn"]
        assert settle(clients, "DatasetImportJob", job) == "ACTIVE"
        return cls(clients, group, name)

    def recommender(self, use_case: str) -> str:
        """A recommender that has settled."""
        arn = self.clients.control.create_recommender(
            name=f"{self.name}-{use_case}", datasetGroupArn=self.group, recipeArn=f"{RECIPES}{use_case}"
        )["recommenderArn"]
        settle(self.clients, "Recommender", arn)
        return arn

    def shown(self, arn: str) -> dict[str, Any]:
        """A recommender as Describe shows it."""
        return describe(self.clients, "Recommender", arn)

    def items(self, arn: str, **request: Any) -> list[str]:
        """The items that a recommender answers with."""
        answer = self.clients.runtime.get_recommendations(recommenderArn=arn, **request)
        return [item["itemId"] for item in answer["itemList"]]

    def updated(self, arn: str, **config: Unpack[RecommenderConfigTypeDef]) -> dict[str, Any]:
        """Update the configuration, wait for the end, and give the recommender."""
        self.clients.control.update_recommender(recommenderArn=arn, recommenderConfig=config)
        # An update has the same members as a resource: it is waited for alike.
        latest = wait_until_active(lambda: self._latest(arn), "update")
        assert latest["status"] == "ACTIVE"
        return self.shown(arn)

    def _latest(self, arn: str) -> dict[str, Any]:
        answer: dict[str, Any] = dict(self.clients.control.describe_recommender(recommenderArn=arn))
        return {**answer, "update": answer["recommender"]["latestRecommenderUpdate"]}


def _events(event_type: str, count: int, seed: int) -> pl.DataFrame:
    """About `count` interactions of a type; the same arguments give the same rows."""
    return generate_sample(users=40, films=80, ratings=count, seed=seed).ratings.select(
        USER_ID=pl.format("u{}", "userId"),
        ITEM_ID=pl.format("i{}", "movieId"),
        TIMESTAMP="timestamp",
        EVENT_TYPE=pl.lit(event_type),
    )


WATCHES = _events("Watch", 1400, 0)


def _location(put: Callable[[str, str, bytes], str], name: str, *events: pl.DataFrame) -> str:
    """A CSV file with the interactions."""
    return put("recommender-tests", f"{name}.csv", pl.concat(events).write_csv().encode())


@pytest.fixture(scope="module")
def films(clients: Clients, put: Callable[[str, str, bytes], str]) -> Domain:
    """Video on demand: watches enough, and some clicks."""
    return Domain.build(clients, "vod", "VIDEO_ON_DEMAND", _location(put, "vod", WATCHES, _events("Click", 200, 1)))


@pytest.fixture(scope="module")
def shop(clients: Clients, put: Callable[[str, str, bytes], str]) -> Domain:
    """A shop: views enough, purchases too few."""
    return Domain.build(
        clients, "shop", "ECOMMERCE", _location(put, "shop", _events("View", 1400, 2), _events("Purchase", 300, 3))
    )


@pytest.fixture(scope="module")
def popular(films: Domain) -> str:
    """The most popular films."""
    return films.recommender("aws-vod-most-popular")


def test_a_recommender_is_trained_and_deployed_in_one_step(films: Domain, popular: str) -> None:
    shown = films.shown(popular)
    assert shown["status"] == "ACTIVE", shown
    assert set(shown["modelMetrics"]) >= METRICS
    assert "latestRecommenderUpdate" not in shown
    items = films.items(popular, userId="u1", numResults=10)
    assert len(set(items)) == 10


def test_what_is_like_a_film_leaves_out_what_the_user_watched(films: Domain) -> None:
    arn = films.recommender("aws-vod-because-you-watched-x")
    (film, *_) = films.items(arn, userId="a-stranger", itemId="i1")
    items = films.items(arn, userId="u1", itemId=film)
    assert items
    assert {film, *WATCHES.filter(pl.col("USER_ID") == "u1")["ITEM_ID"]}.isdisjoint(items)


def test_a_stopped_recommender_refuses_and_serves_the_same_model_again_once_started(
    films: Domain, popular: str
) -> None:
    before, metrics = films.items(popular, userId="u2"), films.shown(popular)["modelMetrics"]
    films.clients.control.stop_recommender(recommenderArn=popular)
    assert settle(films.clients, "Recommender", popular) == "INACTIVE"
    with pytest.raises(ClientError, match="INACTIVE") as refusal:
        films.items(popular, userId="u2")
    assert refusal.value.response["Error"]["Code"] == "InvalidInputException"
    films.clients.control.start_recommender(recommenderArn=popular)
    assert settle(films.clients, "Recommender", popular) == "ACTIVE"
    assert films.items(popular, userId="u2") == before
    assert films.shown(popular)["modelMetrics"] == metrics


def test_updates_show_their_progress_and_keep_serving(films: Domain, popular: str) -> None:
    before = films.items(popular, userId="u3")
    shown = films.updated(popular, minRecommendationRequestsPerSecond=2)
    assert shown["recommenderConfig"] == {"minRecommendationRequestsPerSecond": 2}
    columns: TrainingDataConfigTypeDef = {"excludedDatasetColumns": {"Items": ["GENRES"]}}
    shown = films.updated(popular, minRecommendationRequestsPerSecond=2, trainingDataConfig=columns)
    assert shown["recommenderConfig"]["trainingDataConfig"] == columns
    assert shown["latestRecommenderUpdate"]["recommenderConfig"] == shown["recommenderConfig"]
    assert films.items(popular, userId="u3") == before


def test_views_are_what_viewed_items_are_counted_by(shop: Domain) -> None:
    arn = shop.recommender("aws-ecomm-popular-items-by-views")
    assert shop.shown(arn)["status"] == "ACTIVE"
    assert len(shop.items(arn, userId="u1")) == 25


def test_too_few_events_of_the_use_cases_own_type_fail_in_the_services_words(shop: Domain) -> None:
    shown = shop.shown(shop.recommender("aws-ecomm-frequently-bought-together"))
    assert shown["status"] == "CREATE FAILED"
    assert shown["failureReason"] == "Dataset has fewer than 1000 interactions after filtering by event type: Purchase"


def test_a_deleted_recommender_is_gone_for_the_runtime(shop: Domain) -> None:
    arn = shop.recommender("aws-ecomm-customers-who-viewed-x-also-viewed")
    assert shop.items(arn, userId="u1", itemId="i1")
    shop.clients.control.delete_recommender(recommenderArn=arn)
    with pytest.raises(ClientError) as refusal:
        shop.items(arn, userId="u1", itemId="i1")
    assert refusal.value.response["Error"]["Code"] == "ResourceNotFoundException"
