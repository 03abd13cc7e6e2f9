"""The log of answered recommendations."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Bring the schema from the revision before to this one."""
    op.create_table(
        "recommendations",
        sa.Column("seq", _serial, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("group_arn", sa.String(length=256), nullable=False),
        sa.Column("arn", sa.String(length=256), nullable=False),
        sa.Column("model_arn", sa.String(length=256), nullable=False),
        sa.Column("artifact", sa.String(length=512), nullable=False),
        sa.Column("user_id", sa.String(length=256), nullable=True),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("propensities", sa.JSON(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_recommendations")),
        sa.UniqueConstraint("id", name=op.f("uq_recommendations_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_recommendations_user", "recommendations", ["group_arn", "user_id"])


def downgrade() -> None:
    """Bring the schema back."""
    op.drop_index("ix_recommendations_user", table_name="recommendations")
    op.drop_table("recommendations")
