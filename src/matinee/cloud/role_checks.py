"""The check of a job's role before the job touches a bucket: on or off by the settings, refusals in the known words."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import structlog

from matinee.cloud.bucket_access import examine
from matinee.cloud.personalize_requests import Asker, Use
from matinee.cloud.reading import read_bucket_policy, read_role
from matinee.errors import JobFailed
from matinee.settings import Settings
from matinee.storage.s3_reading import insufficient_privileges

log = structlog.get_logger(__name__)


def check_role(settings: Settings, role_arn: str | None, asker_arn: str, uses: Sequence[Use]) -> None:
    """Make sure that the service may do what `uses` say with the role that was given to the resource `asker_arn`.

    Nothing is checked without a role, without a use, or where the settings leave the check out. Raises `JobFailed`
    with the service's own sentence, then which policy lacks what and the JSON to add; also when IAM or S3 cannot be
    asked. Raises `DataProblem` when a policy cannot be understood.
    """
    if role_arn is None or not uses:
        return
    if settings.check_roles == "never" or (settings.check_roles == "auto" and settings.iam_endpoint_url is None):
        _say_that_nothing_is_checked(settings.check_roles)
        return
    asker = Asker.of(asker_arn)
    refusal = insufficient_privileges(uses[0].bucket)
    owner = role_arn.split(":")[4]
    if owner != asker.account:
        raise JobFailed(
            f"{refusal} The role {role_arn} belongs to account {owner}, {asker.arn} to account {asker.account}: "
            "give a role of the same account."
        )
    role = read_role(role_arn, endpoint_url=settings.iam_endpoint_url)
    if role is None:
        raise JobFailed(f"{refusal} The role {role_arn} does not exist: create it, or give the ARN of one that does.")
    buckets = {use.bucket: read_bucket_policy(use.bucket) for use in uses}
    examination = examine(role, buckets, uses, asker)
    if examination.findings:
        raise JobFailed(" ".join([refusal, *map(str, examination.findings)]))
    if examination.assumed:
        log.warning(
            "the role check passed on statements that depend on what only AWS knows",
            role=role_arn,
            statements=[statement.place for statement in examination.assumed],
            keys=sorted({condition.key for statement in examination.assumed for condition in statement.conditions}),
        )


@functools.cache
def _say_that_nothing_is_checked(setting: str) -> None:
    """Once in the life of a process: a line for each job would say nothing new."""
    log.info(
        "roles and bucket policies are not checked: MATINEE_CHECK_ROLES is never"
        if setting == "never"
        else "roles and bucket policies are not checked: no IAM endpoint is configured; "
        "set AWS_ENDPOINT_URL_IAM, or MATINEE_CHECK_ROLES=always to ask the IAM that boto3 finds"
    )
