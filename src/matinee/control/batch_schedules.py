"""Scheduled batch inference: a cron expression, and the CreateBatchInferenceJob request that each of its times makes.

The API has no such resource, so `matinee schedule` manages them. A time that passes while no worker runs is made up for
once. The next time and the job are written in one transaction: no time makes two jobs.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
from croniter import CroniterError, croniter

from matinee.control import records
from matinee.control.batch_inference_jobs import create_batch_inference_job
from matinee.control.context import Caller
from matinee.control.operation import Operation
from matinee.control.records import now_ms
from matinee.control.turns import take_turn
from matinee.errors import ApiError, InvalidInput, ResourceAlreadyExists, ResourceNotFound
from matinee.settings import Settings
from matinee.storage.metadata import Database, schedules

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_SOLUTION = re.compile(r"arn:aws:personalize:([a-z0-9-]{1,32}):(\d{12}):solution/[^/]+")


@dataclass(frozen=True)
class Schedule:
    """One schedule. Times are epoch milliseconds; `request` has `solutionArn` in the place of a version's ARN.

    `last_result` is the ARN of the job that the last time made, or why it made none.
    """

    id: str
    account: str
    region: str
    name: str
    cron: str
    timezone: str
    request: Mapping[str, Any]
    next_at: int
    last_at: int | None
    last_result: str | None
    created_at: int


def next_time(cron: str, timezone: str, after: int) -> int:
    """The first time of a cron expression (five fields, read in an IANA time zone) after a moment; both epoch
    milliseconds. Raises `InvalidInput` for what is no expression or no zone."""
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidInput(f"{timezone!r} is no time zone; it should read like UTC or Europe/Berlin.") from None
    if len(cron.split()) != 5:
        raise InvalidInput(f"{cron!r} has not the five fields of cron: minute, hour, day, month, weekday.")
    try:
        following: datetime = croniter(cron, datetime.fromtimestamp(after / 1000, zone)).get_next(datetime)
    except (CroniterError, ValueError) as problem:
        raise InvalidInput(f"{cron!r} is no cron expression: {problem}.") from None
    return int(following.timestamp() * 1000)


def add(connection: sa.Connection, name: str, cron: str, timezone: str, request: Mapping[str, Any]) -> Schedule:
    """Write a schedule for the account and region of `request["solutionArn"]`. Raises `ApiError`.

    `request`: the members of CreateBatchInferenceJob beside the job's name and version, and `solutionArn`.
    """
    match = _SOLUTION.fullmatch(request["solutionArn"])
    if match is None or records.find(connection, request["solutionArn"]) is None:
        raise ResourceNotFound.of(request["solutionArn"])
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"A schedule's name has letters, digits, - and _, at most 40; {name!r} has not.")
    region, account = match.groups()
    if any(one.name == name for one in every(connection, account, region)):
        raise ResourceAlreadyExists(f"There is a schedule {name} already. Remove it first, or choose another name.")
    now = now_ms()
    made = Schedule(
        id=str(uuid.uuid4()),
        account=account,
        region=region,
        name=name,
        cron=cron,
        timezone=timezone,
        request=dict(request),
        next_at=next_time(cron, timezone, now),
        last_at=None,
        last_result=None,
        created_at=now,
    )
    connection.execute(sa.insert(schedules).values(vars(made)))
    return made


def every(connection: sa.Connection, account: str | None = None, region: str | None = None) -> list[Schedule]:
    """The schedules of an account and region, or all, by age."""
    query = sa.select(schedules).order_by(schedules.c.created_at, schedules.c.name)
    if account is not None:
        query = query.where(schedules.c.account == account)
    if region is not None:
        query = query.where(schedules.c.region == region)
    return [Schedule(**row._mapping) for row in connection.execute(query)]


def remove(connection: sa.Connection, account: str, region: str, name: str) -> None:
    """Forget a schedule; the jobs that it made stay. Raises `ResourceNotFound`."""
    c = schedules.c
    gone = sa.delete(schedules).where(c.account == account, c.region == region, c.name == name)
    if not connection.execute(gone).rowcount:
        raise ResourceNotFound(f"Account {account} has no schedule {name} in {region}.")


def start_scheduled(database: Database, settings: Settings, now: int) -> list[str]:
    """Make the jobs of all schedules whose time has come at `now`, epoch milliseconds; returns the jobs' ARNs."""
    with database.read() as connection:
        due = connection.execute(sa.select(schedules).where(schedules.c.next_at <= now)).all()
    started = []
    for row in due:
        with database.transaction() as connection:
            take_turn(connection, row.account, row.region)
            found = connection.execute(sa.select(schedules).where(schedules.c.id == row.id)).one_or_none()
            if found is None or found.next_at > now:
                continue
            arn, result = _start(connection, settings, Schedule(**found._mapping))
            _note(connection, Schedule(**found._mapping), now, result)
        if arn is not None:
            started.append(arn)
    return started


def _start(connection: sa.Connection, settings: Settings, schedule: Schedule) -> tuple[str | None, str]:
    """The ARN of the job, if one was made, and what to say about it."""
    newest = records.newest_child(connection, schedule.request["solutionArn"], "solution-version", "ACTIVE")
    if newest is None:
        return None, f"{schedule.request['solutionArn']} has no ACTIVE version."
    operation = Operation(connection, Caller(schedule.account, schedule.region), settings)
    name = f"{schedule.name}-{datetime.fromtimestamp(schedule.next_at / 1000, UTC):%Y%m%dT%H%M}"
    request = {member: value for member, value in schedule.request.items() if member != "solutionArn"}
    # A folder for each job: output files are called after input files, which are the same every night.
    folder = request["jobOutput"]["s3DataDestination"]["path"].rstrip("/")
    request["jobOutput"] = {"s3DataDestination": {"path": f"{folder}/{name}/"}}
    try:
        with connection.begin_nested():
            answer = create_batch_inference_job(
                operation, {**request, "jobName": name, "solutionVersionArn": newest.arn}
            )
    except ApiError as refusal:
        return None, str(refusal)
    arn = str(answer["batchInferenceJobArn"])
    return arn, arn


def _note(connection: sa.Connection, schedule: Schedule, now: int, result: str) -> None:
    following = next_time(schedule.cron, schedule.timezone, now)
    change = {"next_at": following, "last_at": now, "last_result": result}
    connection.execute(sa.update(schedules).where(schedules.c.id == schedule.id).values(change))
