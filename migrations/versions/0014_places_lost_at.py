"""A place remembers since when it is out of reach, to tell what arrives late from what is new."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("places", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("places", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("lost_at")
