"""A leader can say their support for an initiative, once."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rooms", sa.Column("wanted", sa.String(32), nullable=False, server_default="room"))
    op.add_column("rooms", sa.Column("support", sa.String(300), nullable=False, server_default=""))
    op.add_column("rooms", sa.Column("supported_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    with op.batch_alter_table("rooms", schema=None, recreate="never") as batch_op:
        for name in ("supported_at", "support", "wanted"):
            batch_op.drop_column(name)
