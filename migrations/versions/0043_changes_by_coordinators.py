"""What coordinators change is logged, and a movement knows since when its works council agreed."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "coordinator_changes",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("movement_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("about", sa.String(120), nullable=False),
        sa.Column("by_id", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["movement_id"],
            ["movements.id"],
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], deferrable=True, initially="DEFERRED"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_coordinator_changes_movement_id", "coordinator_changes", ["movement_id", "at"])
    op.create_index("ix_coordinator_changes_by_id", "coordinator_changes", ["by_id"])
    op.create_index("ix_coordinator_changes_at", "coordinator_changes", ["at"])
    with op.batch_alter_table("movements", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("council_agreed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("movements", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("council_agreed_at")
    op.drop_table("coordinator_changes")
