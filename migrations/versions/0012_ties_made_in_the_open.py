"""A tie is made in the open: in a thread, or by a meeting that both confirmed.

Until now naming somebody, "I do this too" and letting a message be kept made one, too, and "X knows Y" showed it. What
those counted is subtracted; a tie of nothing else is deleted, for good: that it was there would itself be a hint. A
meeting counted when the inviter told of it; such a tie stays only if the two also answered each other in a thread.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ties = sa.table("ties", *map(sa.column, ("movement_id", "one_id", "other_id", "strength")))
nominations = sa.table("nominations", *map(sa.column, ("movement_id", "nominator_id", "nominee_id")))
stories = sa.table("stories", *map(sa.column, ("id", "teller_id")))
ripples = sa.table("ripples", *map(sa.column, ("movement_id", "story_id", "person_id")))
requests = sa.table("story_requests", *map(sa.column, ("movement_id", "author_id", "asked_by_id", "answered_at")))
invitations = sa.table("invitations", *map(sa.column, ("movement_id", "inviter_id", "invitee_id", "state")))


def upgrade() -> None:
    with op.batch_alter_table("invitations", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("confirmed", sa.Boolean()))
    op.execute(sa.update(ties).values(strength=ties.c.strength - _told_in_private()))
    op.execute(sa.delete(ties).where(ties.c.strength < 1))


def downgrade() -> None:
    with op.batch_alter_table("invitations", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("confirmed")


def _told_in_private() -> sa.ColumnElement[int]:
    """Count the occasions between the two of a tie that nobody else saw."""
    rippled = sa.select(ripples.c.movement_id, ripples.c.person_id, stories.c.teller_id).join_from(
        ripples, stories, stories.c.id == ripples.c.story_id
    )
    kinds = (
        sa.select(nominations.c.movement_id, nominations.c.nominator_id, nominations.c.nominee_id),
        rippled,
        sa.select(requests.c.movement_id, requests.c.author_id, requests.c.asked_by_id).where(
            requests.c.answered_at.is_not(None)
        ),
        sa.select(invitations.c.movement_id, invitations.c.inviter_id, invitations.c.invitee_id).where(
            invitations.c.state == "met"
        ),
    )
    total: sa.ColumnElement[int] = sa.literal_column("0")
    for kind in kinds:
        movement, one, other = kind.subquery().c
        between = sa.or_(
            sa.and_(one == ties.c.one_id, other == ties.c.other_id),
            sa.and_(one == ties.c.other_id, other == ties.c.one_id),
        )
        count = sa.select(sa.func.count()).where(movement == ties.c.movement_id, between).correlate(ties)
        total = total + count.scalar_subquery()
    return total
