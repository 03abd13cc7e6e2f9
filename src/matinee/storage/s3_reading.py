"""Customers' S3 buckets through boto3: listing one folder, reading that survives broken connections, refusals told."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from matinee.errors import DataProblem

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from mypy_boto3_s3 import S3Client

_ATTEMPTS = 5
_GUIDE = "https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-s3-access.html#attach-bucket-policy"
_DENIED = {"AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "AllAccessDisabled"}
_ABSENT = {"NoSuchBucket", "NoSuchKey", "404", "InvalidBucketName", "PreconditionFailed"}


@dataclass(frozen=True)
class Key:
    """One object. With `e_tag`, only that version of its content is read."""

    bucket: str
    key: str
    e_tag: str | None = None

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class Entry:
    """One object of a listing; `size` in bytes."""

    key: str
    size: int
    e_tag: str


def listing(bucket: str, prefix: str, *, deep: bool = False) -> Iterator[Entry]:
    """Objects whose key begins with `prefix` and, unless `deep`, has no further `/`; in key order.

    Raises `DataProblem`.
    """
    with _told(Key(bucket, prefix), "ListObjectsV2"):
        within = "" if deep else "/"
        pages = _client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter=within)
        for page in pages:
            for found in page.get("Contents", []):
                yield Entry(found["Key"], found["Size"], found["ETag"])


def upload(content: IO[bytes], key: Key) -> None:
    """Write `content`, from where it stands, to `key`. Raises `DataProblem`."""
    with _told(key, "PutObject"):
        _client().upload_fileobj(content, key.bucket, key.key)


def insufficient_privileges(bucket: str) -> str:
    """The Personalize service's sentence for every refusal of access to a bucket; clients match on its beginning."""
    return (
        f"Insufficient privileges for accessing data in S3. Please look at {_GUIDE} and fix bucket policy on {bucket}."
    )


class Reader(io.RawIOBase):
    """The content of `key` from its beginning. A connection that breaks is taken up again where it broke."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._client = _client()
        self._offset = 0
        self._body: Any = None

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill `buffer` as far as the next bytes go; 0 at the end. Raises `DataProblem`."""
        view = memoryview(buffer).cast("B")
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with _told(self._key, "GetObject", passing=BotoCoreError if attempt < _ATTEMPTS else None):
                    if self._body is None:
                        self._body = self._request()
                    chunk = self._body.read(len(view)) if self._body is not None else b""
            except BotoCoreError:
                self._body = None
                continue
            view[: len(chunk)] = chunk
            self._offset += len(chunk)
            return len(chunk)
        return 0

    def close(self) -> None:
        """Let the connection go."""
        if self._body is not None:
            self._body.close()
        super().close()

    def _request(self) -> Any:
        asked: dict[str, str] = {"Range": f"bytes={self._offset}-"} if self._offset else {}
        if self._key.e_tag:
            asked["IfMatch"] = self._key.e_tag
        try:
            return self._client.get_object(Bucket=self._key.bucket, Key=self._key.key, **asked)["Body"]  # type: ignore[arg-type]
        except ClientError as error:
            if error.response["Error"]["Code"] == "InvalidRange":  # it broke exactly at the end
                return None
            raise


def _client() -> S3Client:
    return boto3.Session().client("s3", config=Config(retries={"mode": "standard", "max_attempts": _ATTEMPTS}))


@contextmanager
def _told(key: Key, operation: str, passing: type[Exception] | None = None) -> Iterator[None]:
    """Tell S3's refusals in the service's words, then what S3 said; `passing` goes through as it is."""
    try:
        yield
    except ClientError as error:
        raise _refusal(key, operation, error) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise _denied(key, f"{error}, so {operation} was not even tried: give the server AWS credentials.") from error
    except BotoCoreError as error:
        if passing and isinstance(error, passing):
            raise
        raise DataProblem(
            "Invalid Data location.", file=str(key), fix=f"{operation} got no answer from S3: {error}"
        ) from error


def _refusal(key: Key, operation: str, error: ClientError) -> DataProblem:
    answer = error.response["Error"]
    code, message = answer.get("Code", "Unknown"), answer.get("Message", "")
    said = f"S3 answered {code} ({message}) to {operation}."
    if code in _DENIED:
        return _denied(key, said)
    if code == "PreconditionFailed":
        said += " The object was replaced while it was read: import it again."
    elif code in _ABSENT:
        said += " Check the bucket's name and the key."
    return DataProblem("Invalid Data location.", file=str(key), fix=said)


def _denied(key: Key, said: str) -> DataProblem:
    return DataProblem(insufficient_privileges(key.bucket), file=str(key), fix=said)
