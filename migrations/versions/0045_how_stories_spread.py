"""A movement keeps how its stories spread when that was last counted, in rounded figures."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("movements", sa.Column("spread", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("movements", "spread")
