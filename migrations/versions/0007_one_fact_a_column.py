"""What a home page shows, and where a changed message is, are columns of their own.

`people.home_mark` ("movement:digest") stays for processes of the version before, which may run meanwhile.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

people = sa.table("people", *map(sa.column, ("home_mark", "home_movement", "home_digest")))
deliveries = sa.table("deliveries", *map(sa.column, ("act", "target", "target_channel")))
IN_ANOTHER_CHANNEL = (
    (deliveries.c.act == "update") & deliveries.c.target.contains("/") & deliveries.c.target.not_like("http%")
)
"""Their target is "channel/message"; no message id has a slash."""


def upgrade() -> None:
    with op.batch_alter_table("people", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("home_movement", sa.String(length=64)))
        batch_op.add_column(sa.Column("home_digest", sa.String(length=24), server_default="", nullable=False))
    with op.batch_alter_table("deliveries", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("target_channel", sa.String(length=200)))
    movement, digest = _split_at_last(people.c.home_mark, ":")
    op.execute(
        sa.update(people).where(people.c.home_mark.contains(":")).values(home_movement=movement, home_digest=digest)
    )
    channel, message = _split_at_last(deliveries.c.target, "/")
    op.execute(sa.update(deliveries).where(IN_ANOTHER_CHANNEL).values(target_channel=channel, target=message))


def downgrade() -> None:
    home, target = people.c, deliveries.c
    op.execute(
        sa.update(people)
        .where(home.home_movement.is_not(None))
        .values(home_mark=home.home_movement + ":" + home.home_digest)
    )
    op.execute(
        sa.update(deliveries)
        .where(target.target_channel.is_not(None), target.target.is_not(None))
        .values(target=target.target_channel + "/" + target.target)
    )
    with op.batch_alter_table("deliveries", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("target_channel")
    with op.batch_alter_table("people", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("home_digest")
        batch_op.drop_column("home_movement")


def _split_at_last(column: sa.ColumnElement[str], mark: str) -> tuple[sa.Function[str], sa.Function[str]]:
    """Return what stands before the last such mark, and what after: all that is no mark is trimmed from the right."""
    head = sa.func.rtrim(column, sa.func.replace(column, mark, ""))
    length = sa.func.length(head)
    return sa.func.substr(column, 1, length - 1), sa.func.substr(column, length + 1)
