"""Movements know when Ritme last looked by itself how far they reach."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("movements", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("movements", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("looked_at")
