"""Reading S3: a broken connection is taken up again; a refusal is told in the service's words."""

from __future__ import annotations

import io
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ResponseStreamingError
from botocore.response import StreamingBody

from matinee.errors import DataProblem
from matinee.storage import s3_reading
from matinee.storage.s3_reading import Key, Reader


class _BreakingBody(StreamingBody):
    """An answer that breaks off after its first bytes."""

    def __init__(self, content: bytes, good: int) -> None:
        super().__init__(io.BytesIO(content), len(content))
        self._good = good

    def read(self, amt: int | None = None) -> bytes:
        if not self._good:
            raise ResponseStreamingError(error="connection broken")
        chunk, self._good = super().read(self._good), 0
        return chunk


class _BreakingClient:
    """Real S3 behind answers that break the first `breaks` times."""

    def __init__(self, breaks: int) -> None:
        self._real = boto3.client("s3")
        self._breaks = breaks
        self.ranges: list[str | None] = []

    def get_object(self, **asked: Any) -> dict[str, Any]:
        self.ranges.append(asked.get("Range"))
        body = self._real.get_object(**asked)["Body"].read()
        if len(self.ranges) <= self._breaks:
            return {"Body": _BreakingBody(body, 3)}
        return {"Body": StreamingBody(io.BytesIO(body), len(body))}


@pytest.fixture
def key(s3_endpoint: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Key:
    """An object of ten bytes."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    boto3.client("s3").put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    return Key(bucket, "k")


def test_a_broken_connection_goes_on_where_it_broke(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    client = _BreakingClient(breaks=2)
    monkeypatch.setattr(s3_reading, "_client", lambda: client)
    with io.BufferedReader(Reader(key)) as stream:
        assert stream.read() == b"0123456789"
    assert client.ranges == [None, "bytes=3-", "bytes=6-"]


def test_an_endpoint_that_never_answers_is_told(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    class Dead:
        def get_object(self, **_: Any) -> dict[str, Any]:
            raise EndpointConnectionError(endpoint_url="http://nowhere")

    monkeypatch.setattr(s3_reading, "_client", Dead)
    with Reader(key) as stream, pytest.raises(DataProblem, match="GetObject got no answer"):
        stream.read()


def test_a_denial_names_the_bucket_the_key_and_the_answer(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    class Denying:
        def get_object(self, **_: Any) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}, "GetObject")

    monkeypatch.setattr(s3_reading, "_client", Denying)
    with Reader(key) as stream, pytest.raises(DataProblem) as caught:
        stream.read()
    assert str(caught.value) == (
        "Insufficient privileges for accessing data in S3. Please look at "
        "https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-s3-access.html#attach-bucket-policy "
        f"and fix bucket policy on {key.bucket}. At file s3://{key.bucket}/k. "
        "S3 answered AccessDenied (Access Denied) to GetObject."
    )
