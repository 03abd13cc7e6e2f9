"""Who is calling: the tenant and the region of one request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """The caller of one request, as the front door established it.

    `account` is the tenant (12 digits): no operation shows or names another account's resources. `region` comes from
    the credential scope of the signature.
    """

    account: str
    region: str
    access_key: str | None = None
    request_id: str = ""

    def arn(self, suffix: str) -> str:
        """The ARN of one of the caller's resources: `suffix` reads like `dataset-group/films`."""
        return f"arn:aws:personalize:{self.region}:{self.account}:{suffix}"
