"""What people do every day is found by an index, however much there is of it."""

from typing import NamedTuple

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


class By(NamedTuple):
    table: str
    columns: list[str]
    where: str | None = None


NOT_SENT = "person_id IS NULL AND act = 'post' AND priority <> 0 AND reason <> ''"
NEW = {
    "ix_companies_person_id": By("companies", ["person_id"]),
    "ix_deliveries_not_sent": By("deliveries", ["movement_id", "person_id", "created_at"], NOT_SENT),
    "ix_deliveries_taken_away": By("deliveries", ["place_id", "target"], "act = 'delete'"),
    "ix_invitations_inviter_id": By("invitations", ["inviter_id"]),
    "ix_nominations_nominator_id": By("nominations", ["nominator_id"]),
    "ix_nominations_nominee_id": By("nominations", ["nominee_id"]),
    "ix_people_nameless": By("people", ["workspace_id"], "name = '' AND account IS NOT NULL"),
    "ix_places_nameless": By("places", ["workspace_id"], "name = ''"),
    "ix_stories_harvested": By("stories", ["movement_id", "harvested_at"], "harvested_at IS NOT NULL"),
    "ix_stories_thread": By("stories", ["place_id", "thread"], "thread IS NOT NULL"),
    "ix_story_requests_open": By("story_requests", ["asked_at"], "answered_at IS NULL"),
    "ix_stuck_episodes_now": By("stuck_episodes", ["person_id", "movement_id", "opened_at"], "state = 'open'"),
    "ix_ties_one_id": By("ties", ["one_id"]),
    "ix_ties_other_id": By("ties", ["other_id"]),
}
BEFORE = {
    "ix_next_steps_movement_id": By("next_steps", ["movement_id", "chosen_at"]),
    "ix_questions_asked_initiative_id": By("questions_asked", ["initiative_id", "asked_at"]),
    "ix_questions_asked_person_id": By("questions_asked", ["person_id", "asked_at"]),
    "ix_ripples_movement_id": By("ripples", ["movement_id"]),
    "ix_stories_teller_id": By("stories", ["teller_id"]),
}
AFTER = {
    "ix_next_steps_movement_id": By("next_steps", ["movement_id", "state", "closed_at"]),
    "ix_questions_asked_initiative_id": By(
        "questions_asked", ["initiative_id", "asked_at", "id", "movement_id", "question"]
    ),
    "ix_questions_asked_person_id": By("questions_asked", ["person_id", "movement_id", "asked_at"]),
    "ix_ripples_movement_id": By("ripples", ["movement_id", "story_id"]),
    "ix_stories_teller_id": By("stories", ["teller_id", "told_at"]),
}


def upgrade() -> None:
    _drop(BEFORE)
    _create({**AFTER, **NEW})


def downgrade() -> None:
    _drop({**AFTER, **NEW})
    _create(BEFORE)


def _drop(indexes: dict[str, By]) -> None:
    for name, by in indexes.items():
        op.drop_index(name, table_name=by.table)


def _create(indexes: dict[str, By]) -> None:
    for name, by in indexes.items():
        where = {} if by.where is None else dict.fromkeys(("sqlite_where", "postgresql_where"), sa.text(by.where))
        op.create_index(name, by.table, by.columns, unique=False, **where)
