"""Stories know how their tellers meant them; movements, what tellers are asked, and the clouds of their answers."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

ANSWERED = sa.text("meant_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("stories", sa.Column("meant", sa.String(64), nullable=False, server_default=""))
    op.add_column("stories", sa.Column("meant_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_stories_meant", "stories", ["movement_id", "meant"], sqlite_where=ANSWERED, postgresql_where=ANSWERED
    )
    op.add_column("movements", sa.Column("meaning", sa.String(32), nullable=False, server_default="triangle"))
    op.add_column("movements", sa.Column("clouds", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("movements", "clouds")
    op.drop_column("movements", "meaning")
    op.drop_index("ix_stories_meant", "stories")
    op.drop_column("stories", "meant_at")
    op.drop_column("stories", "meant")
