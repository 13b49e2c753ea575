"""The ties of somebody in a movement are found by both: SQLite looked through all ties of the movement."""

from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_ties_other_id", table_name="ties")
    op.create_index("ix_ties_other_id", "ties", ["other_id", "movement_id", "one_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_ties_other_id", table_name="ties")
    op.create_index("ix_ties_other_id", "ties", ["other_id"], unique=False)
