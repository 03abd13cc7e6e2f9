"""The content of data files: a fingerprint that tells whether it changed, and the place that the service can read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from matinee.project.desired import DataFile
from matinee.project.problems import ProjectProblem
from matinee.project.service import Service

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

#: Hexadecimal digits of a fingerprint that go into names.
SHORT = 8


def fingerprint(data: DataFile, s3: S3Client) -> str:
    """SHA-256 (hexadecimal) of what `data` holds: of the bytes of local files, of the ETags of objects in S3.

    A `version` given in the file stands for the content, which is then not looked at. Raises `ProjectProblem` when
    there is nothing, or it cannot be read.
    """
    if data.version is not None:
        return _sha(["version", data.version])
    if data.is_local:
        return _sha(_of_path(path) for path in local_files(data))
    try:
        return _sha(_objects(data, s3))
    except (ClientError, BotoCoreError) as error:
        raise ProjectProblem.of(
            data.place,
            f"{data.location} cannot be listed: {error}",
            "Allow s3:ListBucket, or give a `version` beside the location that you change with the data.",
        ) from error


def chained(fingerprints: Sequence[str], data: Sequence[DataFile]) -> tuple[str, ...]:
    """For each file the short hash of it and all before it: an increment is done when its whole row is."""
    hashes: list[str] = []
    before = ""
    for own, file in zip(fingerprints, data, strict=True):
        before = _sha([before, own, str(file.request.get("importMode", ""))])
        hashes.append(before[:SHORT])
    return tuple(hashes)


def local_files(data: DataFile) -> list[Path]:
    """The files of a local location: itself, or those directly in the folder (hidden and `_` ones left out)."""
    path = Path(data.location)
    if not path.is_dir():
        return [path]
    found = sorted(one for one in path.iterdir() if one.is_file() and not one.name.startswith((".", "_")))
    if not found:
        raise ProjectProblem.of(data.place, f"The folder {path} holds no files.", "Put the CSV files there.")
    return found


def readable_location(data: DataFile, service: Service, upload: str | None) -> str:
    """Where the service will read `data`: S3 as it is, a local file uploaded, or by its `file://` URI.

    Raises `ProjectProblem` for a local file that AWS could not reach.
    """
    if not data.is_local:
        return data.location
    if upload is not None:
        name = Path(data.location).name
        folder = f"{upload.rstrip('/')}/{_sha(_of_path(path) for path in local_files(data))[:SHORT]}/"
        return f"{folder}{name}/" if data.location.endswith("/") else f"{folder}{name}"
    if service.is_aws:
        raise ProjectProblem.of(
            data.place,
            f"AWS cannot read the local file {data.location}.",
            "Give `upload: s3://bucket/folder`, where it is put first, or an s3:// location.",
        )
    uri = Path(data.location).as_uri()
    return f"{uri}/" if data.location.endswith("/") else uri


def bring(data: DataFile, location: str, s3: S3Client) -> None:
    """Upload a local file or folder to `location`; objects of the same size are there already, by their hash."""
    if not data.is_local or not location.startswith("s3://"):
        return
    bucket, _, key = location.removeprefix("s3://").partition("/")
    for path in local_files(data):
        target = key + path.name if key.endswith("/") else key
        if not _is_there(s3, bucket, target, path.stat().st_size):
            s3.upload_file(str(path), bucket, target)


def _is_there(s3: S3Client, bucket: str, key: str, size: int) -> bool:
    try:
        return s3.head_object(Bucket=bucket, Key=key)["ContentLength"] == size
    except ClientError:
        return False


def _objects(data: DataFile, s3: S3Client) -> Iterator[str]:
    bucket, _, key = data.location.removeprefix("s3://").partition("/")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
    folder = key if key.endswith("/") else f"{key}/"
    empty = True
    for page in pages:
        for item in page.get("Contents", ()):
            inside = item["Key"].startswith(folder) and "/" not in item["Key"][len(folder) :]
            if item["Key"] == key or inside:
                empty = False
                yield f"{item['Key']} {item['ETag']} {item['Size']}"
    if empty:
        raise ProjectProblem.of(data.place, f"There is nothing at {data.location}.", "Check the bucket and the key.")


def _of_path(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha(parts: Iterator[str] | Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
