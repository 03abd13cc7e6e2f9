"""The metadata tables and the database that holds them: SQLite (WAL, synchronous=FULL) or PostgreSQL, one URL apart."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event as sa_event

tables = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Numbers that only grow. `sqlite_autoincrement` below: SQLite, too, never gives the number of a deleted row again.
_Serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")

resources = sa.Table(
    "resources",
    tables,
    sa.Column("seq", _Serial, primary_key=True, autoincrement=True, comment="creation order, the order of every List"),
    sa.Column("arn", sa.String(256), nullable=False, unique=True),
    sa.Column("account", sa.String(12), nullable=False),
    sa.Column("region", sa.String(32), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False, comment="the ARN's word: dataset-group, solution-version, …"),
    sa.Column("name", sa.String(256), nullable=False),
    sa.Column("parent", sa.String(256), comment="ARN of the group, dataset or solution it lives in; filters Lists"),
    sa.Column("status", sa.String(256), comment="as on the wire; null for schemas, which have none"),
    sa.Column("failure_reason", sa.Text),
    sa.Column("created_at", sa.BigInteger, nullable=False, comment="epoch milliseconds"),
    sa.Column("updated_at", sa.BigInteger, nullable=False, comment="epoch milliseconds"),
    sa.Column("attributes", sa.JSON, nullable=False, comment="members of Describe beyond name, ARN, status, dates"),
    sa.Column("private", sa.JSON, nullable=False, comment="what Describe does not show: artifact prefix, counters"),
    sa.Index("ix_resources_listing", "account", "region", "kind", "seq"),
    sa.Index("ix_resources_children", "parent", "kind", "seq"),
    sqlite_autoincrement=True,
)

references = sa.Table(
    "references",
    tables,
    sa.Column("source", sa.String(256), primary_key=True, comment="ARN of the resource that uses another"),
    sa.Column("target", sa.String(256), primary_key=True, comment="ARN of the resource that is used"),
    sa.Column("role", sa.String(40), primary_key=True, comment="the member that names it: schemaArn, filterArn, …"),
    sa.Index("ix_references_target", "target"),
)

tags = sa.Table(
    "tags",
    tables,
    sa.Column("arn", sa.String(256), primary_key=True),
    sa.Column("key", sa.String(128), primary_key=True),
    sa.Column("value", sa.String(256), nullable=False),
)

jobs = sa.Table(
    "jobs",
    tables,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(40), nullable=False, comment="which handler carries it out"),
    sa.Column("arn", sa.String(256), nullable=False, comment="the resource that it moves"),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("state", sa.String(20), nullable=False, comment="QUEUED, DISPATCHED, RUNNING, DONE, FAILED, STOPPED"),
    sa.Column("progress", sa.JSON, comment="{fraction, message, seconds_left}"),
    sa.Column("cancel_requested", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    sa.Column("attempts", sa.Integer, nullable=False, default=0, server_default="0", comment="times it was begun"),
    sa.Column("reason", sa.Text),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Index("ix_jobs_state", "state", "created_at"),
    sa.Index("ix_jobs_arn", "arn"),
)

dataset_parts = sa.Table(
    "dataset_parts",
    tables,
    sa.Column("seq", _Serial, primary_key=True, autoincrement=True, comment="order in which parts were committed"),
    sa.Column("dataset_arn", sa.String(256), nullable=False),
    sa.Column("job_arn", sa.String(256), nullable=False, comment="the import that wrote it"),
    sa.Column("object_key", sa.String(512), nullable=False, unique=True, comment="a Parquet object"),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Index("ix_dataset_parts_dataset", "dataset_arn", "seq"),
    sqlite_autoincrement=True,
)

events = sa.Table(
    "events",
    tables,
    sa.Column("seq", _Serial, primary_key=True, autoincrement=True, comment="order of arrival"),
    sa.Column("group_arn", sa.String(256), nullable=False, comment="dataset group"),
    sa.Column("event_id", sa.String(256), nullable=False, comment="the client's or a generated one; repeats ignored"),
    sa.Column("user_id", sa.String(256)),
    sa.Column("session_id", sa.String(256), nullable=False),
    sa.Column("event_type", sa.String(256), nullable=False),
    sa.Column("item_id", sa.String(256)),
    sa.Column("event_value", sa.Float),
    sa.Column("sent_at", sa.BigInteger, nullable=False, comment="epoch seconds, as the client said"),
    sa.Column("details", sa.JSON, comment="properties, impression, recommendationId, attribution source"),
    sa.Column("received_at", sa.BigInteger, nullable=False, comment="epoch milliseconds"),
    sa.UniqueConstraint("group_arn", "event_id"),
    sa.Index("ix_events_user", "group_arn", "user_id", "seq"),
    sa.Index("ix_events_session", "group_arn", "session_id", "seq"),
    sqlite_autoincrement=True,
)

session_links = sa.Table(
    "session_links",
    tables,
    sa.Column("group_arn", sa.String(256), primary_key=True),
    sa.Column("session_id", sa.String(256), primary_key=True),
    sa.Column("user_id", sa.String(256), nullable=False, comment="who the session turned out to be"),
    sa.Index("ix_session_links_user", "group_arn", "user_id"),
)

records = sa.Table(
    "records",
    tables,
    sa.Column("seq", _Serial, primary_key=True, autoincrement=True),
    sa.Column("dataset_arn", sa.String(256), nullable=False),
    sa.Column("entity_id", sa.String(256), nullable=False, comment="item, user or action ID"),
    sa.Column("properties", sa.JSON, nullable=False, comment="schema field name to value"),
    sa.Column("received_at", sa.BigInteger, nullable=False, comment="epoch milliseconds"),
    sa.Index("ix_records_entity", "dataset_arn", "entity_id", "seq"),
    sqlite_autoincrement=True,
)
attribution_marks = sa.Table(
    "attribution_marks",
    tables,
    sa.Column("attribution_arn", sa.String(256), primary_key=True),
    sa.Column("counted", sa.BigInteger, nullable=False, comment="seq of the last event that was looked at"),
)

attribution_sources = sa.Table(
    "attribution_sources",
    tables,
    sa.Column("attribution_arn", sa.String(256), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False, comment="0 to 99, in order of appearance"),
    sa.Column("source", sa.String(1024), nullable=False, comment="what a client gave, or a campaign's ARN"),
)

attribution_sums = sa.Table(
    "attribution_sums",
    tables,
    sa.Column("attribution_arn", sa.String(256), primary_key=True),
    sa.Column("metric", sa.Integer, primary_key=True, autoincrement=False, comment="the metric's own number"),
    sa.Column("source", sa.Integer, primary_key=True, autoincrement=False, comment="number of attribution_sources"),
    sa.Column("begins", sa.BigInteger, primary_key=True, autoincrement=False, comment="window's begin, epoch seconds"),
    sa.Column("value", sa.Float, nullable=False, comment="sum or count of the window so far"),
    sa.Column("reported", sa.Float, nullable=False, comment="the part of it that report files tell of"),
    sa.Column("changed_at", sa.BigInteger, nullable=False, comment="epoch milliseconds"),
)

access_keys = sa.Table(
    "access_keys",
    tables,
    sa.Column("access_key", sa.String(32), primary_key=True, comment="the public half, as in AWS_ACCESS_KEY_ID"),
    sa.Column("secret", sa.String(128), nullable=False, comment="in the clear: SigV4 needs it to check a signature"),
    sa.Column("account", sa.String(12), nullable=False, comment="whose resources it opens"),
    sa.Column("name", sa.String(256), nullable=False, comment="what people call it; may be empty"),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False, comment="epoch milliseconds"),
)


delivery_rules = sa.Table(
    "delivery_rules",
    tables,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("account", sa.String(12), nullable=False),
    sa.Column("region", sa.String(32), nullable=False),
    sa.Column("name", sa.String(63), nullable=False),
    sa.Column("group_arn", sa.String(256), nullable=False, comment="dataset group whose events it looks at"),
    sa.Column("source_arn", sa.String(256), nullable=False, comment="campaign or recommender that recommends"),
    sa.Column("tracker_arn", sa.String(256), comment="only events that came through this tracker"),
    sa.Column("terms", sa.JSON, nullable=False, comment="event type, condition, destination, results, filter, secret"),
    sa.Column("delivered", sa.BigInteger, nullable=False, default=0, server_default="0", comment="how many so far"),
    sa.Column("created_at", sa.BigInteger, nullable=False, comment="epoch milliseconds"),
    sa.UniqueConstraint("account", "region", "name"),
    sa.Index("ix_delivery_rules_group", "group_arn"),
)

deliveries = sa.Table(
    "deliveries",
    tables,
    sa.Column("seq", _Serial, primary_key=True, autoincrement=True, comment="order of the events that caused them"),
    sa.Column("id", sa.String(36), nullable=False, unique=True, comment="the CloudEvent's id"),
    sa.Column("rule_id", sa.String(36), nullable=False),
    sa.Column("group_arn", sa.String(256), nullable=False),
    sa.Column(
        "lane", sa.String(256), nullable=False, comment="user, or session while nobody knows the user: kept in order"
    ),
    sa.Column("event", sa.JSON, nullable=False, comment="the event in the members of the wire"),
    sa.Column("state", sa.String(10), nullable=False, comment="PENDING or DEAD; delivered ones are gone"),
    sa.Column("attempts", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("since", sa.BigInteger, nullable=False, comment="epoch milliseconds: tried from then on"),
    sa.Column("not_before", sa.BigInteger, nullable=False, comment="epoch milliseconds of the next attempt"),
    sa.Column("reason", sa.Text, comment="why the last attempt failed"),
    sa.Index("ix_deliveries_lane", "state", "rule_id", "lane", "seq"),
    sa.Index("ix_deliveries_group", "group_arn", "lane"),
    sqlite_autoincrement=True,
)

schedules = sa.Table(
    "schedules",
    tables,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("account", sa.String(12), nullable=False),
    sa.Column("region", sa.String(32), nullable=False),
    sa.Column("name", sa.String(63), nullable=False),
    sa.Column("cron", sa.String(128), nullable=False, comment="five fields"),
    sa.Column("timezone", sa.String(64), nullable=False, comment="IANA name in which the fields are read"),
    sa.Column("request", sa.JSON, nullable=False, comment="members of CreateBatchInferenceJob, and solutionArn"),
    sa.Column("next_at", sa.BigInteger, nullable=False, comment="epoch milliseconds"),
    sa.Column("last_at", sa.BigInteger, comment="epoch milliseconds of the last run"),
    sa.Column("last_result", sa.Text, comment="ARN of the job that the last run made, or why it made none"),
    sa.Column("created_at", sa.BigInteger, nullable=False, comment="epoch milliseconds"),
    sa.UniqueConstraint("account", "region", "name"),
    sa.Index("ix_schedules_next", "next_at"),
)


recommendations = sa.Table(
    "recommendations",
    tables,
    sa.Column("seq", _Serial, primary_key=True, autoincrement=True, comment="order of the answers, oldest first"),
    sa.Column("id", sa.String(40), nullable=False, unique=True, comment="the answer's recommendationId"),
    sa.Column("group_arn", sa.String(256), nullable=False),
    sa.Column("arn", sa.String(256), nullable=False, comment="campaign or recommender that answered"),
    sa.Column("model_arn", sa.String(256), nullable=False, comment="its solution version, or the recommender"),
    sa.Column("artifact", sa.String(512), nullable=False, comment="key prefix of the model that scored"),
    sa.Column("user_id", sa.String(256), comment="as asked for; a session's ID before its user is known"),
    sa.Column("items", sa.JSON, nullable=False, comment="item IDs, best first"),
    sa.Column("propensities", sa.JSON, comment="chance of each item at its place; null where nothing was explored"),
    sa.Column("teams", sa.JSON, comment="number of the arm whose ranking put each item there; null unless interleaved"),
    sa.Column("at", sa.BigInteger, nullable=False, comment="epoch milliseconds"),
    sa.Index("ix_recommendations_user", "group_arn", "user_id"),
    sqlite_autoincrement=True,
)


class Database:
    """One metadata database. Cheap to build; connections are made on first use.

    `url` is a SQLAlchemy URL. SQLite runs in WAL mode with synchronous=FULL: what a transaction
    acknowledged survives kill -9 and power loss.
    """

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        if self.url.drivername in ("postgresql", "postgres"):
            self.url = self.url.set(drivername="postgresql+psycopg")
        # What statements carry (secrets, user IDs) must not come into logs by way of an exception's text.
        options: dict[str, Any] = {"hide_parameters": True, "json_deserializer": _from_json}
        if self.is_sqlite:
            if self.url.database not in (None, "", ":memory:"):
                _make_private(Path(str(self.url.database)))
            options["connect_args"] = {"timeout": 60, "isolation_level": None}
        else:
            options["pool_pre_ping"] = True
            options["pool_size"] = 16
        self.engine = sa.create_engine(self.url, **options)
        if self.is_sqlite:
            sa_event.listen(self.engine, "connect", _prepare_sqlite)
            sa_event.listen(self.engine, "begin", _begin_sqlite)

    @property
    def is_sqlite(self) -> bool:
        """Whether the backend is SQLite."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path | None:
        """The file of SQLite's database; None for PostgreSQL and for a database in memory."""
        name = self.url.database if self.is_sqlite else None
        return None if name in (None, "", ":memory:") else Path(str(name))

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """A write transaction: committed at the end of the block, rolled back when it raises."""
        with self.engine.connect() as connection:
            writer = connection.execution_options(matinee_write=True)
            with writer.begin():
                yield writer

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent view for reading, the same from its first statement to its last; takes no write lock."""
        with self.engine.connect() as connection:
            # SQLite's transactions are like that anyway; PostgreSQL's own choice shows each statement the newest rows.
            reader = connection if self.is_sqlite else connection.execution_options(isolation_level="REPEATABLE READ")
            with reader.begin():
                yield reader

    def upgrade(self) -> None:
        """Bring the schema to the newest revision (Alembic); safe to call from several processes at once."""
        from matinee.storage.migrations import upgrade

        upgrade(self)

    def wipe_log(self) -> None:
        """Have SQLite empty its write-ahead log, which still holds what was deleted; waits for readers, for a minute.

        Pages of the database itself are wiped as rows are deleted. PostgreSQL does it by itself, when it vacuums.
        """
        if self.is_sqlite:
            connection = self.engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.close()

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


_decode_json = json.JSONDecoder().decode


def _from_json(text: str | bytes) -> Any:
    """A JSON column. Most are empty objects, and psycopg hands over bytes, whose encoding need not be guessed."""
    if text in ("{}", b"{}"):
        return {}
    return _decode_json(text.decode() if isinstance(text, bytes) else text)


def _make_private(path: Path) -> None:
    """Make a new database's file readable by its owner alone: it holds access keys. SQLite's -wal and -shm follow."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # What is deleted or changed is overwritten, whoever deletes it: the deletion of users could not find it any more.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=60000", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    """Take the write lock at once: a transaction that upgrades from read to write could fail as busy."""
    writing = connection.get_execution_options().get("matinee_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
