"""Every table of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Bring the schema from the revision before to this one."""
    op.create_table(
        "access_keys",
        sa.Column("access_key", sa.String(length=32), nullable=False),
        sa.Column("secret", sa.String(length=128), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("access_key", name=op.f("pk_access_keys")),
    )
    op.create_table(
        "dataset_parts",
        sa.Column("seq", _serial, autoincrement=True, nullable=False),
        sa.Column("dataset_arn", sa.String(length=256), nullable=False),
        sa.Column("job_arn", sa.String(length=256), nullable=False),
        sa.Column("object_key", sa.String(length=512), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_dataset_parts")),
        sa.UniqueConstraint("object_key", name=op.f("uq_dataset_parts_object_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dataset_parts_dataset", "dataset_parts", ["dataset_arn", "seq"])
    op.create_table(
        "events",
        sa.Column("seq", _serial, autoincrement=True, nullable=False),
        sa.Column("group_arn", sa.String(length=256), nullable=False),
        sa.Column("event_id", sa.String(length=256), nullable=False),
        sa.Column("user_id", sa.String(length=256), nullable=True),
        sa.Column("session_id", sa.String(length=256), nullable=False),
        sa.Column("event_type", sa.String(length=256), nullable=False),
        sa.Column("item_id", sa.String(length=256), nullable=True),
        sa.Column("event_value", sa.Float(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
        sa.UniqueConstraint("group_arn", "event_id", name=op.f("uq_events_group_arn_event_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_session", "events", ["group_arn", "session_id", "seq"])
    op.create_index("ix_events_user", "events", ["group_arn", "user_id", "seq"])
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("arn", sa.String(length=256), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("progress", sa.JSON(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_arn", "jobs", ["arn"])
    op.create_index("ix_jobs_state", "jobs", ["state", "created_at"])
    op.create_table(
        "records",
        sa.Column("seq", _serial, autoincrement=True, nullable=False),
        sa.Column("dataset_arn", sa.String(length=256), nullable=False),
        sa.Column("entity_id", sa.String(length=256), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_records")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_records_entity", "records", ["dataset_arn", "entity_id", "seq"])
    op.create_table(
        "references",
        sa.Column("source", sa.String(length=256), nullable=False),
        sa.Column("target", sa.String(length=256), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("source", "target", "role", name=op.f("pk_references")),
    )
    op.create_index("ix_references_target", "references", ["target"])
    op.create_table(
        "resources",
        sa.Column("seq", _serial, autoincrement=True, nullable=False),
        sa.Column("arn", sa.String(length=256), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("parent", sa.String(length=256), nullable=True),
        sa.Column("status", sa.String(length=256), nullable=True),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("private", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_resources")),
        sa.UniqueConstraint("arn", name=op.f("uq_resources_arn")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_resources_children", "resources", ["parent", "kind", "seq"])
    op.create_index("ix_resources_listing", "resources", ["account", "region", "kind", "seq"])
    op.create_table(
        "session_links",
        sa.Column("group_arn", sa.String(length=256), nullable=False),
        sa.Column("session_id", sa.String(length=256), nullable=False),
        sa.Column("user_id", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("group_arn", "session_id", name=op.f("pk_session_links")),
    )
    op.create_index("ix_session_links_user", "session_links", ["group_arn", "user_id"])
    op.create_table(
        "tags",
        sa.Column("arn", sa.String(length=256), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("value", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("arn", "key", name=op.f("pk_tags")),
    )


def downgrade() -> None:
    """Bring the schema back."""
    op.drop_table("tags")
    op.drop_index("ix_session_links_user", table_name="session_links")
    op.drop_table("session_links")
    op.drop_index("ix_resources_listing", table_name="resources")
    op.drop_index("ix_resources_children", table_name="resources")
    op.drop_table("resources")
    op.drop_index("ix_references_target", table_name="references")
    op.drop_table("references")
    op.drop_index("ix_records_entity", table_name="records")
    op.drop_table("records")
    op.drop_index("ix_jobs_state", table_name="jobs")
    op.drop_index("ix_jobs_arn", table_name="jobs")
    op.drop_table("jobs")
    op.drop_index("ix_events_user", table_name="events")
    op.drop_index("ix_events_session", table_name="events")
    op.drop_table("events")
    op.drop_index("ix_dataset_parts_dataset", table_name="dataset_parts")
    op.drop_table("dataset_parts")
    op.drop_table("access_keys")
