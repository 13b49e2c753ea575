"""A person remembers when the platform's directory was last asked about them: Teams does not tell who left."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("people", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("looked_up_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_people_looked_up", "people", ["workspace_id", "looked_up_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_people_looked_up", table_name="people")
    with op.batch_alter_table("people", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("looked_up_at")
