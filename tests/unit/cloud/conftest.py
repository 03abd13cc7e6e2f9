"""An account on moto's server."""

from __future__ import annotations

import pytest
from tests.unit.cloud.account import Account


@pytest.fixture
def account(s3_endpoint: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account with a bucket in it, and no role yet; S3 is found through the environment, as in a worker."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    return Account(s3_endpoint, bucket)
