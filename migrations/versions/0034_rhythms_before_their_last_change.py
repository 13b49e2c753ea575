"""A rhythm keeps what it was before its last change, to take that back."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("rhythms", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("previous", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    with op.batch_alter_table("rhythms", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("previous")
