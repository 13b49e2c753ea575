"""Someone may be stuck with one initiative in two ways, each with its own readers: two open episodes about it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

episodes = sa.table(
    "stuck_episodes", *map(sa.column, ("id", "person_id", "initiative_id", "state", "opened_at", "closed_at"))
)
OPEN_ABOUT_ONE = "state = 'open' AND initiative_id IS NOT NULL"


def upgrade() -> None:
    op.drop_index("uq_stuck_episodes_open", table_name="stuck_episodes")


def downgrade() -> None:
    # All but the latest lose their initiative, and nothing else: the version before goes on with them as with those
    # that are about none.
    later = episodes.alias("later")
    is_later = (later.c.opened_at > episodes.c.opened_at) | (
        (later.c.opened_at == episodes.c.opened_at) & (later.c.id > episodes.c.id)
    )
    has_later = sa.exists(
        sa.select(later.c.id).where(
            later.c.person_id == episodes.c.person_id,
            later.c.initiative_id == episodes.c.initiative_id,
            later.c.state == "open",
            is_later,
        )
    )
    doubled = op.get_bind().scalars(sa.select(episodes.c.id).where(episodes.c.state == "open", has_later)).all()
    if doubled:
        op.execute(sa.update(episodes).where(episodes.c.id.in_(doubled)).values(initiative_id=None))
    op.create_index(
        "uq_stuck_episodes_open",
        "stuck_episodes",
        ["person_id", "initiative_id"],
        unique=True,
        sqlite_where=sa.text(OPEN_ABOUT_ONE),
        postgresql_where=sa.text(OPEN_ABOUT_ONE),
    )
