"""Rhythms have planned pauses, and movements days on which they are closed."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("rhythms", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("pauses", sa.String(440), nullable=False, server_default=""))
    with op.batch_alter_table("movements", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("closed", sa.String(440), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("movements", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("closed")
    with op.batch_alter_table("rhythms", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("pauses")
