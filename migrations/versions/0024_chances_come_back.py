"""A chance comes back at a moment, ends as seized or gone, and may be shared in the look-back."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("chances", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("shared", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("state", sa.String(32), nullable=False, server_default="open"))
        batch_op.add_column(sa.Column("comes_back_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("round", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("chances", schema=None, recreate="never") as batch_op:
        for column in ("closed_at", "round", "comes_back_at", "state", "shared"):
            batch_op.drop_column(column)
