"""A coordinator is given a file with what a movement takes along."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("personal_files", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("movement_id", sa.String(64), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("personal_files", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("movement_id")
