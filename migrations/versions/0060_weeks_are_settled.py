"""A movement keeps what may be told of its last whole weeks, until the next Monday."""

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("movements", sa.Column("weeks", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("movements", "weeks")
