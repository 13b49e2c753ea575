"""Whether, and as what, somebody may be suggested is said in each movement.

Until now one answer held in all of them. A yes goes to the movements where its person was named, for that is where they
were asked; who was named nowhere said it in the settings, about all movements they belong to now. As what: as they were
named there. A no goes to every movement, and to the nominations of who belongs to
none of them. `people.suggestible` stays for processes of the version before, which may run
meanwhile.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

people = sa.table("people", *map(sa.column, ("id", "suggestible")))
members = sa.table(
    "members",
    sa.column("movement_id"),
    sa.column("person_id"),
    sa.column("suggestible", sa.Boolean()),
    sa.column("figures", sa.JSON()),
)
nominations = sa.table("nominations", *map(sa.column, ("movement_id", "nominee_id", "figure", "refused")))


def upgrade() -> None:
    with op.batch_alter_table("members", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("suggestible", sa.Boolean()))
        batch_op.add_column(sa.Column("figures", sa.JSON(), server_default="[]", nullable=False))
    with op.batch_alter_table("nominations", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("refused", sa.Boolean(), server_default=sa.false(), nullable=False))
    refused = sa.select(people.c.id).where(people.c.suggestible.is_(sa.false()))
    agreed = sa.select(people.c.id).where(people.c.suggestible.is_(sa.true()))
    named_here = sa.exists().where(
        nominations.c.nominee_id == members.c.person_id, nominations.c.movement_id == members.c.movement_id
    )
    named_nowhere = members.c.person_id.not_in(sa.select(nominations.c.nominee_id))
    op.execute(sa.update(members).where(members.c.person_id.in_(refused)).values(suggestible=sa.false()))
    op.execute(sa.update(nominations).where(nominations.c.nominee_id.in_(refused)).values(refused=sa.true()))
    op.execute(
        sa.update(members)
        .where(members.c.person_id.in_(agreed), sa.or_(named_here, named_nowhere))
        .values(suggestible=sa.true())
    )
    named = sa.select(nominations.c.movement_id, nominations.c.nominee_id, nominations.c.figure).distinct()
    figures: dict[tuple[str, str], list[str]] = {}
    for movement, person, figure in op.get_bind().execute(named.order_by(nominations.c.figure)):
        figures.setdefault((movement, person), []).append(figure)
    for (movement, person), some in figures.items():
        op.execute(
            sa.update(members)
            .where(
                members.c.movement_id == movement,
                members.c.person_id == person,
                members.c.suggestible.is_(sa.true()),
            )
            .values(figures=some)
        )


def downgrade() -> None:
    # One answer for all movements: a no in any of them is a no.
    for answer in (True, False):
        said = sa.select(members.c.person_id).where(members.c.suggestible.is_(sa.true() if answer else sa.false()))
        op.execute(sa.update(people).where(people.c.id.in_(said)).values(suggestible=answer))
    with op.batch_alter_table("nominations", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("refused")
    with op.batch_alter_table("members", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("figures")
        batch_op.drop_column("suggestible")
