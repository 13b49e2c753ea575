"""What rhythms posted in a movement is found among all messages."""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

NUDGES_IN_PLACES = "person_id IS NULL AND act = 'post' AND priority <> 0"


def upgrade() -> None:
    where = sa.text(NUDGES_IN_PLACES)
    op.create_index(
        "ix_deliveries_posts",
        "deliveries",
        ["movement_id", "created_at"],
        sqlite_where=where,
        postgresql_where=where,
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_posts", table_name="deliveries")
