"""How often a story told at a door was changed is counted, and who told it is not named after its words are erased."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("door_stories", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("changes", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_door_stories_changed_at", "door_stories", ["changed_at"], unique=False)
    op.execute("UPDATE door_stories SET called = '' WHERE ended_at IS NOT NULL")
    op.execute("UPDATE stories SET called = '' WHERE withdrawn_at IS NOT NULL AND called <> ''")


def downgrade() -> None:
    op.drop_index("ix_door_stories_changed_at", table_name="door_stories")
    with op.batch_alter_table("door_stories", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("changes")
        batch_op.drop_column("changed_at")
