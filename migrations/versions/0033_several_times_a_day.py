"""Rhythms come several times a day: a change to a moment tells which of that day it is about."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def _replace_table(*more: sa.Column[int]) -> None:
    """Make the table anew with another primary key, which SQLite cannot alter, and keep its rows."""
    op.execute(
        'create table moment_changes_kept as select rhythm_id, "on", movement_id, skipped, moved_to from moment_changes'
    )
    op.drop_table("moment_changes")
    op.create_table(
        "moment_changes",
        sa.Column("rhythm_id", sa.String(64), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        *more,
        sa.Column("movement_id", sa.String(64), nullable=False),
        sa.Column("skipped", sa.Boolean(), nullable=False),
        sa.Column("moved_to", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["rhythm_id"], ["rhythms.id"], deferrable=True, initially="DEFERRED"),
        sa.ForeignKeyConstraint(["movement_id"], ["movements.id"], deferrable=True, initially="DEFERRED"),
        sa.PrimaryKeyConstraint("rhythm_id", "on", *(one.name for one in more)),
    )
    op.execute(
        'insert into moment_changes (rhythm_id, "on", movement_id, skipped, moved_to) '
        'select rhythm_id, "on", movement_id, skipped, moved_to from moment_changes_kept'
    )
    op.drop_table("moment_changes_kept")


def upgrade() -> None:
    _replace_table(sa.Column("slot", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Keep what was changed of the first moment of a day: the version before knows no other."""
    op.execute("delete from moment_changes where slot > 0")
    _replace_table()
