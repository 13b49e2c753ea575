"""Places can take turns, by lot, of being left out of reminders, to see whether reminders help."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def _refers(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], deferrable=True, initially="DEFERRED")


def upgrade() -> None:
    op.create_table(
        "holdouts",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("movement_id", sa.String(64), nullable=False),
        sa.Column("seed", sa.String(64), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        _refers("movement_id", "movements"),
    )
    op.create_index("ix_holdouts_movement_id", "holdouts", ["movement_id"])
    op.create_table(
        "holdout_turns",
        sa.Column("holdout_id", sa.String(64), primary_key=True),
        sa.Column("place_id", sa.String(64), primary_key=True),
        sa.Column("period", sa.Integer(), primary_key=True),
        sa.Column("movement_id", sa.String(64), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_out", sa.Boolean(), nullable=False),
        sa.Column("stories", sa.Integer(), nullable=True),
        sa.Column("steps", sa.Integer(), nullable=True),
        _refers("holdout_id", "holdouts"),
        _refers("place_id", "places"),
        _refers("movement_id", "movements"),
    )
    op.create_index("ix_holdout_turns_movement_id", "holdout_turns", ["movement_id", "ends_at"])
    op.create_index("ix_holdout_turns_place_id", "holdout_turns", ["place_id", "ends_at"])


def downgrade() -> None:
    op.drop_table("holdout_turns")
    op.drop_table("holdouts")
