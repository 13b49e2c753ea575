"""A movement keeps how far it reached when that was last counted, in rounded figures."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("movements", sa.Column("reach", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("movements", "reach")
