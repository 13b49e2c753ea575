"""Groups have quiet hours of their own, and people follow those of their group until they choose.

Who ever saved their settings has the usual hours as if they chose them; these become no choice, so that they may follow
a group. Until one has hours, that changes nothing for anybody.
"""

from datetime import time

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

_PEOPLE = sa.table(
    "people",
    sa.column("quiet_from", sa.Time),
    sa.column("quiet_until", sa.Time),
    sa.column("quiet_weekends", sa.Boolean),
)


def _refers(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], deferrable=True, initially="DEFERRED")


def upgrade() -> None:
    with op.batch_alter_table("people", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("group_quiet_from", sa.Time(), nullable=True))
        batch_op.add_column(sa.Column("group_quiet_until", sa.Time(), nullable=True))
        batch_op.add_column(sa.Column("group_quiet_weekends", sa.Boolean(), nullable=True))
    op.execute(
        _PEOPLE.update()
        .where(
            _PEOPLE.c.quiet_from == time(18), _PEOPLE.c.quiet_until == time(8), _PEOPLE.c.quiet_weekends == sa.true()
        )
        .values(quiet_from=None, quiet_until=None, quiet_weekends=None)
    )
    op.create_table(
        "group_hours",
        sa.Column("movement_id", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(120), primary_key=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("quiet_from", sa.Time(), nullable=False),
        sa.Column("quiet_until", sa.Time(), nullable=False),
        sa.Column("quiet_weekends", sa.Boolean(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        _refers("movement_id", "movements"),
    )


def downgrade() -> None:
    op.drop_table("group_hours")
    with op.batch_alter_table("people", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("group_quiet_weekends")
        batch_op.drop_column("group_quiet_until")
        batch_op.drop_column("group_quiet_from")
