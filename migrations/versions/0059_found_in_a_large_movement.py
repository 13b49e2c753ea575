"""What was told or stuck within an initiative, moved lately, or did not go out, is found among all of a movement."""

from alembic import op
from sqlalchemy import text

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

TROUBLED = "(state IN ('unknown', 'failed', 'dropped') OR (state = 'waiting' AND reason <> ''))"


def upgrade() -> None:
    op.drop_index("ix_stories_initiative_id", table_name="stories")
    op.create_index("ix_stories_initiative_id", "stories", ["initiative_id", "movement_id", "told_at"], unique=False)
    op.create_index(
        "ix_stuck_episodes_initiative_id",
        "stuck_episodes",
        ["initiative_id", "movement_id", "opened_at"],
        unique=False,
    )
    op.create_index("ix_ripples_at", "ripples", ["movement_id", "at"], unique=False)
    op.create_index(
        "ix_deliveries_troubled",
        "deliveries",
        ["movement_id", "due_at"],
        unique=False,
        postgresql_where=text(TROUBLED),
        sqlite_where=text(TROUBLED),
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_troubled", table_name="deliveries")
    op.drop_index("ix_ripples_at", table_name="ripples")
    op.drop_index("ix_stuck_episodes_initiative_id", table_name="stuck_episodes")
    op.drop_index("ix_stories_initiative_id", table_name="stories")
    op.create_index("ix_stories_initiative_id", "stories", ["initiative_id"], unique=False)
