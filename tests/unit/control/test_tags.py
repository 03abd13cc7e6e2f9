"""Tags: at creation and after, limits, what cannot be tagged."""

from __future__ import annotations

import pytest
from tests.unit.control.tenant import Tenant

from matinee.errors import InvalidInput, ResourceInUse, ResourceNotFound, TooManyTagKeys, TooManyTags


def tags(**values: str) -> list[dict[str, str]]:
    """Tags in the wire's form."""
    return [{"tagKey": key, "tagValue": value} for key, value in values.items()]


def many(count: int) -> list[dict[str, str]]:
    """So many tags."""
    return tags(**{f"k{number:02}": "v" for number in range(count)})


def test_tags_given_at_creation_are_listed_by_key(tenant: Tenant) -> None:
    arn = tenant.group(tags=tags(stage="test", owner=""))
    assert tenant.list_tags_for_resource(resourceArn=arn) == {"tags": tags(owner="", stage="test")}


def test_a_tag_of_the_same_key_replaces_the_old(tenant: Tenant) -> None:
    arn = tenant.group(tags=tags(stage="test"))
    tenant.tag_resource(resourceArn=arn, tags=tags(stage="live", team="a"))
    assert tenant.list_tags_for_resource(resourceArn=arn)["tags"] == tags(stage="live", team="a")


def test_tags_are_taken_away(tenant: Tenant) -> None:
    arn = tenant.group(tags=tags(a="1", b="2"))
    tenant.untag_resource(resourceArn=arn, tagKeys=["a", "unknown"])
    assert tenant.list_tags_for_resource(resourceArn=arn)["tags"] == tags(b="2")


def test_fifty_tags_at_most(tenant: Tenant) -> None:
    with pytest.raises(TooManyTags, match="would have 51 tags"):
        tenant.create_dataset_group(name="films", tags=many(51))
    arn = tenant.group(tags=many(50))
    with pytest.raises(TooManyTags, match="Remove 1"):
        tenant.tag_resource(resourceArn=arn, tags=tags(another="v"))
    tenant.tag_resource(resourceArn=arn, tags=tags(k00="w"))


def test_a_refused_creation_leaves_nothing_behind(tenant: Tenant) -> None:
    with pytest.raises(TooManyTags):
        tenant.create_dataset_group(name="films", tags=many(51))
    assert tenant.list_dataset_groups() == {"datasetGroups": []}
    assert tenant.pending() == []


def test_reserved_and_repeated_keys_are_refused(tenant: Tenant) -> None:
    with pytest.raises(InvalidInput, match="must not begin with aws:"):
        tenant.create_dataset_group(name="films", tags=tags(**{"aws:x": "1"}))
    with pytest.raises(InvalidInput, match="'a' is given more than once"):
        tenant.create_dataset_group(name="films", tags=[*tags(a="1"), *tags(a="2")])


def test_fifty_keys_at_most_in_one_call(tenant: Tenant) -> None:
    arn = tenant.group()
    with pytest.raises(TooManyTagKeys, match="51 tag keys are given"):
        tenant.untag_resource(resourceArn=arn, tagKeys=[f"k{number}" for number in range(51)])


def test_schemas_have_no_tags(tenant: Tenant) -> None:
    with pytest.raises(InvalidInput, match="schemas have no tags"):
        tenant.tag_resource(resourceArn=tenant.schema(), tags=tags(a="1"))


def test_a_missing_resource_has_no_tags(tenant: Tenant) -> None:
    with pytest.raises(ResourceNotFound):
        tenant.list_tags_for_resource(resourceArn=tenant.caller.arn("campaign/none"))


def test_what_is_being_deleted_is_not_tagged(tenant: Tenant) -> None:
    arn = tenant.group()
    tenant.delete_dataset_group(datasetGroupArn=arn)
    with pytest.raises(ResourceInUse, match="DELETE PENDING"):
        tenant.tag_resource(resourceArn=arn, tags=tags(a="1"))


def test_tags_go_with_their_resource(tenant: Tenant) -> None:
    arn = tenant.group(tags=tags(a="1"))
    tenant.delete_dataset_group(datasetGroupArn=arn)
    tenant.work()
    tenant.group()
    assert tenant.list_tags_for_resource(resourceArn=arn) == {"tags": []}
