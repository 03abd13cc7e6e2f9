"""The service as a project needs it: boto3's personalize client behind a handful of verbs, the same for every kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from matinee.errors import MatineeError
from matinee.project.desired import Project
from matinee.project.kinds import Kind

if TYPE_CHECKING:
    from mypy_boto3_personalize import PersonalizeClient
    from mypy_boto3_s3 import S3Client

#: Seconds between two looks at what is under way: a hosted service asks for patience, one of our own does not.
AWS_POLL_SECONDS = 20.0
OWN_POLL_SECONDS = 0.2

_AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".amazonwebservices.com.cn")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class ServiceRefused(MatineeError):
    """The service, or the way to it, refused a request; carries its words."""


@dataclass(frozen=True)
class Answer:
    """A Describe object, and how far its job is where the server says so (Matinee's extra headers)."""

    described: Mapping[str, Any]
    fraction: float | None = None
    message: str = ""


@dataclass(frozen=True)
class Service:
    """The control plane and the S3 that a project works with. `is_aws`: Amazon's own endpoint."""

    client: PersonalizeClient
    s3: S3Client
    is_aws: bool
    partition: str = "aws"

    @classmethod
    def of(cls, project: Project, endpoint: str | None = None, region: str | None = None) -> Self:
        """Connect as boto3 would; `endpoint` and `region` from the command line come before those of the file.

        Without either, boto3's own variables count (`AWS_ENDPOINT_URL_PERSONALIZE`, `AWS_PROFILE`, …), and then
        Amazon's endpoint. A server on loopback takes any credentials, so none have to be configured for it.
        """
        given = endpoint or project.endpoint
        session = boto3.session.Session(region_name=region or project.region)
        local = given is not None and urlsplit(given).hostname in _LOOPBACK
        try:
            if local and not session.region_name:
                session = boto3.session.Session(region_name="us-east-1")
            if local and session.get_credentials() is None:
                anyone = "matinee"
                session = boto3.session.Session(
                    aws_access_key_id=anyone, aws_secret_access_key=anyone, region_name=session.region_name
                )
            config = Config(retries={"mode": "standard", "max_attempts": 5})
            # A proxy of the environment is for the way out, not for this machine's own addresses.
            direct = config.merge(Config(proxies={})) if local else config
            client = session.client("personalize", endpoint_url=given, config=direct)
            s3 = session.client("s3", config=config)
        except (BotoCoreError, ValueError) as error:
            raise ServiceRefused(
                f"No connection can be made: {error} Give --endpoint and --region, or configure AWS."
            ) from error
        host = urlsplit(client.meta.endpoint_url).hostname or ""
        return cls(
            client=client,
            s3=s3,
            is_aws=host.endswith(_AWS_HOSTS),
            partition=session.get_partition_for_region(client.meta.region_name),
        )

    @property
    def endpoint(self) -> str:
        """The URL that requests go to."""
        return str(self.client.meta.endpoint_url)

    @property
    def poll_seconds(self) -> float:
        """How long to wait between two looks."""
        return AWS_POLL_SECONDS if self.is_aws else OWN_POLL_SECONDS

    def listing(self, kind: Kind, **given: str) -> list[Mapping[str, Any]]:
        """All summaries of a kind, over all pages. Raises `ServiceRefused`."""
        client: Any = self.client  # typed by literal names, and this one is put together
        try:
            pages = client.get_paginator(f"list_{kind.snake}s").paginate(**given)
            return [summary for page in pages for summary in page[kind.listed]]
        except (ClientError, BotoCoreError) as error:
            raise refused(f"{kind.title}s cannot be listed", error) from error

    def describe(self, kind: Kind, arn: str) -> Answer | None:
        """A resource as it is now; None when it does not exist. Raises `ServiceRefused`."""
        try:
            answer = self._call(f"describe_{kind.snake}", {kind.arn: arn})
        except ClientError as error:
            if code(error) == "ResourceNotFoundException":
                return None
            raise refused(f"The {kind.title} {arn} cannot be described", error) from error
        except BotoCoreError as error:
            raise refused(f"The {kind.title} {arn} cannot be described", error) from error
        headers = answer["ResponseMetadata"].get("HTTPHeaders", {})
        fraction = headers.get("x-matinee-progress")
        return Answer(
            answer[kind.member],
            float(fraction) if fraction else None,
            headers.get("x-matinee-progress-message", ""),
        )

    def create(self, kind: Kind, request: Mapping[str, Any]) -> str:
        """Ask for a new resource; returns its ARN. Raises what botocore raises."""
        return str(self._call(f"create_{kind.snake}", self._own(request))[kind.arn])

    def update(self, kind: Kind, arn: str, request: Mapping[str, Any]) -> None:
        """Ask for a change. Raises what botocore raises."""
        self._call(f"update_{kind.snake}", {kind.arn: arn, **self._own(request)})

    def delete(self, kind: Kind, arn: str) -> None:
        """Ask for a deletion. Raises what botocore raises."""
        self._call(f"delete_{kind.snake}", {kind.arn: arn})

    def has_recipe(self, arn: str) -> bool:
        """Whether the service knows a recipe. Raises `ServiceRefused`."""
        try:
            self.client.describe_recipe(recipeArn=self._own({"recipeArn": arn})["recipeArn"])
        except ClientError as error:
            if code(error) in ("ResourceNotFoundException", "InvalidInputException"):
                return False
            raise refused(f"The recipe {arn} cannot be described", error) from error
        except BotoCoreError as error:
            raise refused(f"The recipe {arn} cannot be described", error) from error
        return True

    def recipes(self) -> list[str]:
        """The names of the recipes on offer."""
        pages = self.client.get_paginator("list_recipes").paginate()
        return [recipe["name"] for page in pages for recipe in page["recipes"]]

    def tags(self, arn: str) -> dict[str, str]:
        """The tags of a resource. Raises `ServiceRefused`."""
        try:
            listed = self.client.list_tags_for_resource(resourceArn=arn)["tags"]
        except (ClientError, BotoCoreError) as error:
            raise refused(f"The tags of {arn} cannot be listed", error) from error
        return {tag["tagKey"]: tag["tagValue"] for tag in listed}

    def _own(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The request with recipes in the partition of the region (`aws-cn` has its own)."""
        recipe = request.get("recipeArn", "")
        if recipe.startswith("arn:aws:") and self.partition != "aws":
            return {**request, "recipeArn": recipe.replace("arn:aws:", f"arn:{self.partition}:", 1)}
        return dict(request)

    def _call(self, method: str, request: Mapping[str, Any]) -> Any:
        return getattr(self.client, method)(**request)


def code(error: ClientError) -> str:
    """The exception's name on the wire."""
    return str(error.response.get("Error", {}).get("Code", ""))


def refused(what: str, error: Exception) -> ServiceRefused:
    """An error of botocore in a sentence."""
    if isinstance(error, ClientError):
        return ServiceRefused(f"{what}: {code(error)}: {error.response['Error'].get('Message', '')}")
    return ServiceRefused(f"{what}: {error}")
