"""Where the objects of a resource lie: key prefixes that control, jobs and serving agree on."""

from __future__ import annotations

from matinee.control.records import Resource


def dataset_prefix(account: str, region: str, group: str, dataset_type: str) -> str:
    """Folder of a dataset's Parquet parts; `group` is the dataset group's name."""
    return f"datasets/{account}/{region}/{group}/{dataset_type}"


def artifact_prefix(account: str, region: str, solution: str, version: str) -> str:
    """Folder of a solution version's artifact; `version` is the hex id that ends its ARN."""
    return f"artifacts/{account}/{region}/{solution}/{version}"


def recommender_prefix(account: str, region: str, recommender: str) -> str:
    """Folder of a recommender's artifacts, one folder inside it for each training."""
    return f"recommenders/{account}/{region}/{recommender}"


def prefixes(resource: Resource) -> tuple[str, ...]:
    """The folders that hold nothing but this resource's objects."""
    owner = (resource.account, resource.region)
    match resource.kind:
        case "dataset":
            return (dataset_prefix(*owner, *resource.arn.split("/")[1:]),)
        case "solution-version":
            return (artifact_prefix(*owner, *resource.arn.split("/")[1:]),)
        case "recommender":
            return (recommender_prefix(*owner, resource.name),)
        case _:
            return ()
