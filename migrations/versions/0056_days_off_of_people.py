"""Who works abroad keeps the days off of the place where they work. Nobody does yet: they are found as people act."""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("people", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("days_place", sa.String(64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("days_off", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    with op.batch_alter_table("people", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("days_off")
        batch_op.drop_column("days_place")
