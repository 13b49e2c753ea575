"""A member reads how often their name was shown to a colleague who looks for somebody to invite."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("members", sa.Column("suggested", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("members", "suggested")
