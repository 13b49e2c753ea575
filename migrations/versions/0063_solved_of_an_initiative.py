"""How an initiative moved again lately is found without looking through all its episodes."""

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None

SOLVED = sa.text("state = 'breakthrough'")


def upgrade() -> None:
    op.create_index(
        "ix_stuck_episodes_solved",
        "stuck_episodes",
        ["initiative_id", "movement_id", "closed_at"],
        unique=False,
        sqlite_where=SOLVED,
        postgresql_where=SOLVED,
    )


def downgrade() -> None:
    op.drop_index("ix_stuck_episodes_solved", table_name="stuck_episodes")
