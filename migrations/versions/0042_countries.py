"""Movements and places have a region, a weekend and holidays of their own; a place may be in another country.

A movement keeps the country it had, and Good Friday if it chose that: no day moves without anybody asking. The column
`good_friday` stays for processes of the version before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

GOOD_FRIDAY = "+Goede vrijdag"


def upgrade() -> None:
    for table in ("movements", "places"):
        with op.batch_alter_table(table, schema=None, recreate="never") as batch_op:
            if table == "places":
                batch_op.add_column(sa.Column("country", sa.String(8), nullable=False, server_default=""))
            batch_op.add_column(sa.Column("region", sa.String(64), nullable=False, server_default=""))
            batch_op.add_column(sa.Column("weekend", sa.String(7), nullable=False, server_default=""))
            batch_op.add_column(sa.Column("holidays", sa.JSON(), nullable=False, server_default="[]"))
    movements = _movements()
    kept = movements.update().where(movements.c.country == "NL", movements.c.good_friday)
    op.execute(kept.values(holidays=[GOOD_FRIDAY]))


def downgrade() -> None:
    movements = _movements()
    keeps = sa.cast(movements.c.holidays, sa.Text()).contains(GOOD_FRIDAY)
    op.execute(movements.update().values(good_friday=sa.and_(movements.c.country == "NL", keeps)))
    for table in ("places", "movements"):
        with op.batch_alter_table(table, schema=None, recreate="never") as batch_op:
            batch_op.drop_column("holidays")
            batch_op.drop_column("weekend")
            batch_op.drop_column("region")
            if table == "places":
                batch_op.drop_column("country")


def _movements() -> sa.Table:
    return sa.table(
        "movements",
        sa.column("country", sa.String),
        sa.column("good_friday", sa.Boolean),
        sa.column("holidays", sa.JSON),
    )
