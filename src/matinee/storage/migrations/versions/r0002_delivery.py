"""Delivery rules, what they have to deliver, and schedules of batch jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Bring the schema from the revision before to this one."""
    op.create_table(
        "delivery_rules",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("group_arn", sa.String(length=256), nullable=False),
        sa.Column("source_arn", sa.String(length=256), nullable=False),
        sa.Column("tracker_arn", sa.String(length=256), nullable=True),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("delivered", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_rules")),
        sa.UniqueConstraint("account", "region", "name", name=op.f("uq_delivery_rules_account_region_name")),
    )
    op.create_index("ix_delivery_rules_group", "delivery_rules", ["group_arn"])
    op.create_table(
        "deliveries",
        sa.Column("seq", _serial, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("rule_id", sa.String(length=36), nullable=False),
        sa.Column("group_arn", sa.String(length=256), nullable=False),
        sa.Column("lane", sa.String(length=256), nullable=False),
        sa.Column("event", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("id", name=op.f("uq_deliveries_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deliveries_group", "deliveries", ["group_arn", "lane"])
    op.create_index("ix_deliveries_lane", "deliveries", ["state", "rule_id", "lane", "seq"])
    op.create_table(
        "schedules",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("cron", sa.String(length=128), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.Column("last_result", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
        sa.UniqueConstraint("account", "region", "name", name=op.f("uq_schedules_account_region_name")),
    )
    op.create_index("ix_schedules_next", "schedules", ["next_at"])


def downgrade() -> None:
    """Bring the schema back."""
    op.drop_index("ix_schedules_next", table_name="schedules")
    op.drop_table("schedules")
    op.drop_index("ix_deliveries_lane", table_name="deliveries")
    op.drop_index("ix_deliveries_group", table_name="deliveries")
    op.drop_table("deliveries")
    op.drop_index("ix_delivery_rules_group", table_name="delivery_rules")
    op.drop_table("delivery_rules")
