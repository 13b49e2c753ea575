"""A workspace remembers when Ritme was last seen to be installed there, to tell late news of a removal from new."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("workspaces", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("installed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("workspaces", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("installed_at")
