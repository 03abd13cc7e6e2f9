"""The requests that Personalize makes for a job: assume the role, list the bucket, read or write objects in it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from matinee.cloud.reading import Role
from matinee.cloud.request import Context, Principal, Request

SERVICE = "personalize.amazonaws.com"
# The service chooses the name of its sessions and the address that it calls from; no policy of a customer can rely on
# either. The address is one that AWS publishes as its own.
_SESSION, _ADDRESS = "personalize", "52.94.0.1"
# What real requests carry, or may carry, with values that cannot be known here.
_UNKNOWN = (
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    "aws:ResourceTag/*",
    "aws:UserAgent",
    "s3:BucketTag/*",
    "s3:ExistingObjectTag/*",
    "s3:max-keys",
    "s3:RequestObjectTag*",
    "s3:x-amz-*",
    "sts:RoleSessionName",
)


@dataclass(frozen=True)
class Use:
    """What a job does in a bucket: list what begins with `prefix`, and read or (`writes`) write the objects `keys`."""

    bucket: str
    prefix: str
    keys: tuple[str, ...]
    writes: bool = False


@dataclass(frozen=True)
class Asker:
    """The resource, such as an import job, that a role was given to and that the service acts for."""

    arn: str
    partition: str
    region: str
    account: str

    @classmethod
    def of(cls, arn: str) -> Asker:
        """From the resource's ARN."""
        _, partition, _, region, account, _ = arn.split(":", 5)
        return cls(arn, partition, region, account)


def reading(location: str, files: Iterable[str]) -> tuple[Use, ...]:
    """The use that reads `files`, all of them found at `location` (`s3://…`); none for other locations."""
    bucket, key = _bucket_and_key(location)
    keys = tuple(_bucket_and_key(file)[1] for file in files)
    folder = key if not key or key.endswith("/") or keys == (key,) else f"{key}/"
    return (Use(bucket, folder, keys),) if bucket else ()


def writing(location: str) -> tuple[Use, ...]:
    """The use that writes one object at `location` or, when it ends with `/`, objects in that folder."""
    bucket, key = _bucket_and_key(location)
    written = f"{key}result" if not key or key.endswith("/") else key
    return (Use(bucket, key, (written,), writes=True),) if bucket else ()


def assume(role: Role, asker: Asker) -> Request:
    """The service assumes the role."""
    return Request(Principal.service(SERVICE), "sts:AssumeRole", role.arn, asker.account, _as_service(asker))


def use_as_service(use: Use, asker: Asker) -> Iterator[Request]:
    """The service as itself in the bucket."""
    return _use(use, Principal.service(SERVICE), asker, _as_service(asker))


def use_as_role(use: Use, asker: Asker, role: Role) -> Iterator[Request]:
    """The service with the role in the bucket."""
    known: dict[str, str | Iterable[str]] = {
        **_always(asker),
        "aws:PrincipalAccount": asker.account,
        "aws:PrincipalArn": role.arn,
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalType": "AssumedRole",
        "aws:ViaAWSService": "false",
        "aws:userid": f"{role.unique_id}:{_SESSION}",
        **{f"aws:PrincipalTag/{key}": value for key, value in role.tags.items()},
    }
    context = Context.of(known, (*_UNKNOWN, "aws:PrincipalOrgID", "aws:PrincipalOrgPaths"))
    return _use(use, Principal.role(role.arn, _SESSION), asker, context)


def _use(use: Use, principal: Principal, asker: Asker, context: Context) -> Iterator[Request]:
    bucket = f"arn:{asker.partition}:s3:::{use.bucket}"
    listed = context.with_values({"s3:prefix": use.prefix, "s3:delimiter": "/"})
    yield Request(principal, "s3:ListBucket", bucket, asker.account, listed)
    for key in use.keys:
        action = "s3:PutObject" if use.writes else "s3:GetObject"
        yield Request(principal, action, f"{bucket}/{key}", asker.account, context)


def _as_service(asker: Asker) -> Context:
    known: Mapping[str, str | Iterable[str]] = {
        **_always(asker),
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": SERVICE,
        "aws:PrincipalServiceNamesList": [SERVICE],
        "aws:SourceAccount": asker.account,
        "aws:SourceArn": asker.arn,
    }
    return Context.of(known, (*_UNKNOWN, "aws:SourceOrgID", "aws:SourceOrgPaths"))


def _always(asker: Asker) -> dict[str, str]:
    """Keys of every request. The bucket is taken to belong to the account that asks: S3 does not tell whose it is."""
    return {
        "aws:CurrentTime": datetime.now(UTC).isoformat(timespec="seconds"),
        "aws:EpochTime": str(int(time.time())),
        "aws:RequestedRegion": asker.region,
        "aws:ResourceAccount": asker.account,
        "aws:SecureTransport": "true",
        "aws:SourceIp": _ADDRESS,
        "s3:authType": "REST-HEADER",
        "s3:ResourceAccount": asker.account,
        "s3:signatureversion": "AWS4-HMAC-SHA256",
        "s3:TlsVersion": "1.2",
    }


def _bucket_and_key(location: str) -> tuple[str, str]:
    """Of `s3://bucket/key`; empty texts for any other location."""
    bucket, _, key = location.removeprefix("s3://").partition("/") if location.startswith("s3://") else ("", "", "")
    return bucket, key
