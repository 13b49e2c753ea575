"""The posts of a movement's rhythms are found by that movement only, never in the place of those of a place.

Where a table has no statistics yet, as after an installation's first rhythms, PostgreSQL took this index for what was
sent in places, and looked through the posts of all movements for each batch.
"""

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

NUDGES_IN_PLACES = "person_id IS NULL AND act = 'post' AND priority <> 0"


def upgrade() -> None:
    _replace(f"{NUDGES_IN_PLACES} AND movement_id IS NOT NULL")


def downgrade() -> None:
    _replace(NUDGES_IN_PLACES)


def _replace(where: str) -> None:
    op.drop_index("ix_deliveries_posts", table_name="deliveries")
    op.create_index(
        "ix_deliveries_posts",
        "deliveries",
        ["movement_id", "created_at"],
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
