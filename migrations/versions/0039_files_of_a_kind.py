"""Files for one person are of a kind: everything about them, or a calendar."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("personal_files", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(16), nullable=False, server_default="everything"))


def downgrade() -> None:
    with op.batch_alter_table("personal_files", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("kind")
