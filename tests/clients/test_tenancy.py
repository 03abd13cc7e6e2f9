"""No account sees, names or guesses another's resources, nor those of its own in another region.

Every member of every operation that names a resource, taken from botocore's models, is given what belongs to someone
else. The answer must be the one for a name that nobody has, to the letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.model import ListShape, StructureShape
from tests.clients.tenants import Account, Town, town
from tests.unit.api.aws.examples import example, input_of
from tests.unit.control.tenant import RECIPES

from matinee.api.aws.model import SERVICES, Service, service_model

#: What is everyone's, or no resource of ours.
_SHARED = {"recipeArn", "algorithmArn", "featureTransformationArn", "roleArn", "kmsKeyArn"}
#: This version refuses the operation before it looks at the member.
_NOT_READ = {("GetActionRecommendations", "filterArn")}
#: Where the model or the service's words have no ResourceNotFoundException.
_CODES = {
    "ListMetricAttributionMetrics": "InvalidInputException",
    "PutEvents": "InvalidInputException",
    "PutActionInteractions": "InvalidInputException",
}
#: Values that the model cannot say, so that the reference is what is wrong with the request; `@` names the caller's.
_VALUES: dict[str, dict[str, Any]] = {
    "CreateDataset": {"datasetType": "Actions"},
    "CreateRecommender": {"datasetGroupArn": "@domainArn", "recipeArn": f"{RECIPES}aws-vod-top-picks"},
    "CreateSolution": {"recipeArn": f"{RECIPES}aws-user-personalization-v2"},
    "CreateBatchSegmentJob": {"solutionVersionArn": "@segmentsArn"},
    "GetPersonalizedRanking": {"campaignArn": "@rankingArn"},
    "GetActionRecommendations": {"userId": "u1"},
    "GetRecommendations": {"campaignArn": "@campaignArn", "userId": "u1"},
}


@dataclass(frozen=True)
class Reference:
    """A place in an operation's input that names a resource: a member, or one of a list of structures."""

    service: Service
    operation: str
    member: str
    within: str | None = None

    def __str__(self) -> str:
        return f"{self.operation}.{self.within + '.' if self.within else ''}{self.member}"

    def params(self, caller: Account, named: str) -> dict[str, Any]:
        """A request of `caller`, right in all but that this place says `named`."""
        shape = input_of(service_model(self.service).operation_model(self.operation))
        params = {name: caller.arns.get(name, value) for name, value in example(shape, full=False).items()}
        for name, value in _VALUES.get(self.operation, {}).items():
            params[name] = caller.arns[value[1:]] if str(value).startswith("@") else value
        if self.within is not None:
            return {**params, self.within: [{"name": "p", "percentPromotedItems": 50, self.member: named}]}
        if self.member == "recommenderArn":
            params.pop("campaignArn", None)
        return {**params, self.member: named}


def _references() -> Iterator[Reference]:
    for service in SERVICES:
        model = service_model(service)
        for operation in model.operation_names:
            shape = input_of(model.operation_model(operation))
            for member, of in shape.members.items():
                if _names_a_resource(member) and (operation, member) not in _NOT_READ:
                    yield Reference(service, operation, member)
                elif isinstance(of, ListShape) and isinstance(of.member, StructureShape):
                    inner = [name for name in of.member.members if _names_a_resource(name)]
                    yield from (Reference(service, operation, name, member) for name in inner)


def _names_a_resource(member: str) -> bool:
    return (member.endswith("Arn") and member not in _SHARED) or member == "trackingId"


REFERENCES = list(_references())
KINDS = [
    "campaignArn", "datasetArn", "datasetGroupArn", "datasetImportJobArn", "eventTrackerArn", "filterArn",
    "recommenderArn", "schemaArn", "solutionArn", "solutionVersionArn", "metricAttributionArn",
]  # fmt: skip
#: Each place with each kind of resource that it may name.
CASES = [
    (reference, kind)
    for reference in REFERENCES
    for kind in (KINDS if reference.member == "resourceArn" else [reference.member])
]


@pytest.fixture(scope="module")
def streets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, dict[str, Any]]]:
    """The town, and what its others owned at first."""
    with town(tmp_path_factory.mktemp("town")) as built:
        yield built, {other: belongings(getattr(built, other)) for other in ("neighbour", "branch")}


@pytest.fixture(scope="module")
def home(streets: tuple[Town, dict[str, Any]]) -> Account:
    return streets[0].home


@pytest.fixture(params=["neighbour", "branch"])
def other(request: pytest.FixtureRequest, streets: tuple[Town, dict[str, Any]]) -> Account:
    """Another account in the same region, then the same account in another region."""
    found: Account = getattr(streets[0], request.param)
    return found


def answer(caller: Account, reference: Reference, named: str) -> tuple[str, str]:
    """Code and sentence of an error, or what was answered, with the name itself left out of it."""
    try:
        given = caller.call(reference.service, reference.operation, **reference.params(caller, named))
    except ClientError as error:
        return str(error.response["Error"]["Code"]), str(error.response["Error"]["Message"]).replace(named, "NAMED")
    return "", str(given)


def nobodys(named: str) -> str:
    """A name of the same form that nobody has."""
    return named.replace("/", "/no-", 1) if "/" in named else "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(("reference", "kind"), CASES, ids=[f"{reference}-{kind}" for reference, kind in CASES])
def test_what_belongs_to_another_is_answered_like_what_nobody_has(
    home: Account, other: Account, reference: Reference, kind: str
) -> None:
    theirs = other.arns[kind]
    told = answer(home, reference, theirs)

    assert told == answer(home, reference, nobodys(theirs))
    assert told == answer(home, reference, nobodys(home.arns[kind]))
    if reference.operation.startswith("List") and not told[0]:
        assert re.search(r": \[\]", told[1]), told
    else:
        assert told[0] == _CODES.get(reference.operation, "ResourceNotFoundException"), told
        assert "NAMED" in told[1] or kind == "trackingId", told


def test_the_walk_is_over_every_operation_that_names_a_resource() -> None:
    walked = {reference.operation for reference in REFERENCES}
    every = {name for service in SERVICES for name in service_model(service).operation_names}

    assert every - walked == {
        "CreateDatasetGroup", "CreateSchema", "ListDatasetGroups", "ListRecipes", "ListSchemas",
        "DescribeAlgorithm", "DescribeFeatureTransformation", "DescribeRecipe",
    }  # fmt: skip


@pytest.mark.parametrize("which", ["neighbour", "branch"])
def test_nothing_of_theirs_was_touched(streets: tuple[Town, dict[str, Any]], which: str) -> None:
    built, before = streets

    assert belongings(getattr(built, which)) == before[which]


def test_everyone_sees_their_own_only(home: Account, other: Account) -> None:
    for account in (home, other):
        seen = set(re.findall(r"arn:aws:personalize:[a-z0-9-]+:\d+:", str(belongings(account))))
        assert seen == {f"arn:aws:personalize:{account.region}:{account.number}:"}


def test_the_same_names_are_free_for_everyone(home: Account, other: Account) -> None:
    names = [re.sub(r"[0-9a-f]{8}$", "", arn.split(":")[5]) for arn in home.arns.values() if ":" in arn]

    assert names == [re.sub(r"[0-9a-f]{8}$", "", arn.split(":")[5]) for arn in other.arns.values() if ":" in arn]
    assert not set(home.arns.values()) & set(other.arns.values())


def test_their_page_tokens_are_no_tokens(home: Account, other: Account) -> None:
    token = other.call("personalize", "ListSchemas", maxResults=1)["nextToken"]

    with pytest.raises(ClientError) as refused:
        home.call("personalize", "ListSchemas", nextToken=token)

    assert refused.value.response["Error"]["Code"] == "InvalidNextTokenException"


@pytest.mark.parametrize("account", ["home", "neighbour", "branch"])
def test_their_own_names_are_answered(streets: tuple[Town, dict[str, Any]], account: str) -> None:
    """What the walk is refused is not refused to everyone."""
    own: Account = getattr(streets[0], account)
    user = {"userId": "u1"}
    filtered = {"filterArn": own.arns["filterArn"]}

    runtime = own.call(
        "personalize-runtime", "GetRecommendations", campaignArn=own.arns["campaignArn"], **user, **filtered
    )
    ranked = own.call(
        "personalize-runtime",
        "GetPersonalizedRanking",
        campaignArn=own.arns["rankingArn"],
        inputList=["b", "a"],
        **user,
    )
    described = own.call("personalize", "DescribeCampaign", campaignArn=own.arns["campaignArn"])["campaign"]

    assert [item["itemId"] for item in runtime["itemList"]] == ["b"]
    assert {item["itemId"] for item in ranked["personalizedRanking"]} == {"a", "b"}
    assert (described["name"], described["status"]) == ("live", "ACTIVE")


def belongings(account: Account) -> dict[str, Any]:
    """Everything that an account can list and describe, with tags."""
    found: dict[str, Any] = {}
    for operation in service_model("personalize").operation_names:
        shape = input_of(service_model("personalize").operation_model(operation))
        if operation.startswith("List") and not shape.required_members and operation not in ("ListRecipes",):
            named = {"metricAttributionArn": account.arns["metricAttributionArn"]}
            params = named if operation == "ListMetricAttributionMetrics" else {}
            found[operation] = account.call("personalize", operation, **params)
        elif operation.startswith("Describe") and set(shape.required_members) <= set(account.arns):
            params = {name: account.arns[name] for name in shape.required_members}
            found[operation] = account.call("personalize", operation, **params)
    for kind, arn in account.arns.items():
        if kind not in ("trackingId", "schemaArn", "metricAttributionArn"):
            found[f"tags of {kind}"] = account.call("personalize", "ListTagsForResource", resourceArn=arn)
    return found
