"""How often something that is told in a file changed is counted: one that was composed meanwhile is composed anew."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("personal_files", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("changes", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("personal_files", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("changes")
