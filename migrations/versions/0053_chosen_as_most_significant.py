"""People of a place choose a story as the most significant, and say why."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "significances",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("movement_id", sa.String(64), nullable=False),
        sa.Column("story_id", sa.String(64), nullable=False),
        sa.Column("place_id", sa.String(64), nullable=False),
        sa.Column("round", sa.String(64), nullable=False),
        sa.Column("by_id", sa.String(64), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["movement_id"], ["movements.id"], deferrable=True, initially="DEFERRED"),
        sa.ForeignKeyConstraint(["story_id"], ["stories.id"], deferrable=True, initially="DEFERRED"),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], deferrable=True, initially="DEFERRED"),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], deferrable=True, initially="DEFERRED"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("uq_significances_round", "significances", ["round"], unique=True)
    op.create_index("ix_significances_story_id", "significances", ["story_id"])
    op.create_index("ix_significances_movement_id", "significances", ["movement_id"])
    op.create_index("ix_significances_by_id", "significances", ["by_id"])


def downgrade() -> None:
    op.drop_table("significances")
