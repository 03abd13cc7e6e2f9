"""Objects in an S3 bucket (AWS or any endpoint that speaks S3), through obstore; local copies are checked."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import boto3
import obstore
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from matinee.errors import SettingsProblem, StorageProblem
from matinee.storage.objects import StoredObject, checked_key

if TYPE_CHECKING:
    from obstore.store import S3Config

_ABSENT = (NotFoundError, FileNotFoundError)  # obstore turns the first into the second where it can
_CHECKSUM = "matinee-sha256"  # user metadata of every object that this class writes
_Metas = list[dict[str, Any]]  # what S3 says of objects: path, size, e_tag


class S3Objects:
    """An object store in `bucket` below `prefix`. Endpoint, region and credentials are those that boto3 finds.

    `cache` is the folder for the copies that `local` hands out. A copy is filed under a digest of what the listing
    says (keys, sizes, ETags), so an object that changes gets a new copy.
    """

    def __init__(self, bucket: str, prefix: str, *, cache: Path) -> None:
        self.url = f"s3://{bucket}/{prefix}"
        self._prefix = f"{prefix}/" if prefix else ""
        self._cache = cache
        self._store = _connect(bucket)

    def put_file(self, key: str, path: Path) -> None:
        """Store a copy of the file at `path`, durably, replacing what was under `key`."""
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        with self._told(key):
            obstore.put(self._store, self._full(key), path, attributes={_CHECKSUM: digest})

    def put_bytes(self, key: str, content: bytes) -> None:
        """Store `content`, durably, replacing what was under `key`."""
        digest = hashlib.sha256(content).hexdigest()
        with self._told(key):
            obstore.put(self._store, self._full(key), content, attributes={_CHECKSUM: digest})

    def get_bytes(self, key: str) -> bytes:
        """The whole object."""
        with self._told(key):
            return bytes(obstore.get(self._store, self._full(key)).bytes())

    def open_stream(self, key: str) -> BinaryIO:
        """The object as a binary file open for reading; the caller closes it."""
        return self.local(key).open("rb")

    def list(self, prefix: str) -> Sequence[StoredObject]:
        """The objects of a folder and of the folders in it, sorted by key; empty when there are none."""
        return [
            StoredObject(meta["path"].removeprefix(self._prefix), int(meta["size"])) for meta in self._metas(prefix)
        ]

    def exists(self, key: str) -> bool:
        """Whether an object, or a folder that holds one, is there."""
        return bool(self._metas(key))

    def delete_prefix(self, prefix: str) -> None:
        """Remove an object or a whole folder, and copies of it here; nothing happens when it is not there."""
        paths = [meta["path"] for meta in self._metas(prefix)]
        if paths:
            with self._told(prefix):
                obstore.delete(self._store, paths)
        for copy in list(self._cache.glob(f"*/{checked_key(prefix)}")):
            shutil.rmtree(self._cache / copy.relative_to(self._cache).parts[0], ignore_errors=True)

    def local(self, key: str) -> Path:
        """A copy of the object (or folder) in the cache, fetched when it is not there yet.

        Size and checksum of every file are compared with what was stored; a difference raises `StorageProblem`.
        """
        metas = self._metas(key)
        if not metas:
            raise _missing(key)
        facts = "\n".join(f"{meta['path']} {meta['size']} {meta['e_tag']}" for meta in metas)
        place = self._cache / hashlib.sha256(f"{self.url}\n{facts}".encode()).hexdigest()[:32]
        if not place.is_dir():
            aside = self._cache / f".{uuid.uuid4().hex}"
            try:
                for meta in metas:
                    self._fetch(meta, aside / meta["path"].removeprefix(self._prefix))
                _keep(aside, place)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
        return place / checked_key(key)

    def sweep(self) -> None:
        """Nothing to do: S3 shows no unfinished upload."""

    def _fetch(self, meta: dict[str, Any], path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with self._told(meta["path"]):
            answer = obstore.get(self._store, meta["path"])
            expected = answer.attributes.get(_CHECKSUM)
            with path.open("wb") as copy:
                for chunk in answer.stream():
                    copy.write(chunk)
                    digest.update(chunk)
        if path.stat().st_size != meta["size"] or (expected and expected != digest.hexdigest()):
            raise StorageProblem(
                f"{meta['path']!r} in {self.url} is not what was stored: its checksum or size differs."
            )

    def _metas(self, prefix: str) -> _Metas:
        full = self._full(prefix)
        found: _Metas = []
        with self._told(prefix):
            for batch in obstore.list(self._store, prefix=full):
                found.extend(cast("_Metas", batch))
            if not found:  # S3 lists what lies in a folder, not the one object that the name itself is
                try:
                    found.append(cast("dict[str, Any]", obstore.head(self._store, full)))
                except _ABSENT:
                    return []
        return sorted(found, key=lambda meta: str(meta["path"]))

    def _full(self, key: str) -> str:
        return self._prefix + checked_key(key)

    @contextmanager
    def _told(self, key: str) -> Iterator[None]:
        """Tell S3's refusals as this project's error."""
        try:
            yield
        except _ABSENT as problem:
            if "NoSuchBucket" in str(problem):
                raise StorageProblem(f"The bucket of the object store {self.url} does not exist: make it.") from problem
            raise _missing(key) from None
        except (BaseError, OSError) as problem:
            raise StorageProblem(f"The object store {self.url} refused {key!r}: {problem}") from problem


def _connect(bucket: str) -> S3Store:
    session = boto3.Session()
    region = session.region_name or "us-east-1"
    endpoint = session.client("s3", region_name=region).meta.endpoint_url
    if session.get_credentials() is None:
        raise SettingsProblem("MATINEE_STORE_URL names S3, and no AWS credentials were found: set AWS_ACCESS_KEY_ID.")
    own: S3Config = {} if ".amazonaws.com" in endpoint else {"endpoint": endpoint}
    return S3Store(
        bucket,
        config=own,
        region=region,
        credential_provider=Boto3CredentialProvider(session),
        client_options={"allow_http": endpoint.startswith("http://")},
        virtual_hosted_style_request=not own,
    )


def _keep(aside: Path, place: Path) -> None:
    """File a finished copy, unless another process was faster with the same one."""
    try:
        aside.rename(place)
    except OSError:
        if not place.is_dir():
            raise


def _missing(key: str) -> StorageProblem:
    return StorageProblem(f"There is no object under {key!r}.")
