"""What metric attributions have counted, and which arm of an interleaved answer each item came from."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema from the revision before to this one."""
    op.create_table(
        "attribution_marks",
        sa.Column("attribution_arn", sa.String(length=256), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("attribution_arn", name=op.f("pk_attribution_marks")),
    )
    op.create_table(
        "attribution_sources",
        sa.Column("attribution_arn", sa.String(length=256), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(length=1024), nullable=False),
        sa.PrimaryKeyConstraint("attribution_arn", "number", name=op.f("pk_attribution_sources")),
    )
    op.create_table(
        "attribution_sums",
        sa.Column("attribution_arn", sa.String(length=256), nullable=False),
        sa.Column("metric", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("begins", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("reported", sa.Float(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("attribution_arn", "metric", "source", "begins", name=op.f("pk_attribution_sums")),
    )
    op.add_column("recommendations", sa.Column("teams", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Bring the schema back."""
    op.drop_column("recommendations", "teams")
    op.drop_table("attribution_sums")
    op.drop_table("attribution_sources")
    op.drop_table("attribution_marks")
