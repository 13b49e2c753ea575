"""An initiative may look for somebody to carry it, be asked about after a silence, and rest."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None
_MOMENTS = ("seeks_since", "silence_asked_at", "rests_since")


def upgrade() -> None:
    for name in _MOMENTS:
        op.add_column("initiatives", sa.Column(name, sa.DateTime(timezone=True)))


def downgrade() -> None:
    with op.batch_alter_table("initiatives", schema=None, recreate="never") as batch_op:
        for name in _MOMENTS:
            batch_op.drop_column(name)
