"""Steps of an initiative, shared chances, and people of a group are found without looking through all others."""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_next_steps_initiative_id",
        "next_steps",
        ["initiative_id", "movement_id", "state", "closed_at"],
        unique=False,
    )
    op.create_index(
        "ix_chances_shared",
        "chances",
        ["movement_id", "noted_at"],
        unique=False,
        sqlite_where=sa.text("shared"),
        postgresql_where=sa.text("shared"),
    )
    op.create_index("ix_people_group", "people", ["group"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_people_group", table_name="people")
    op.drop_index("ix_chances_shared", table_name="chances")
    op.drop_index("ix_next_steps_initiative_id", table_name="next_steps")
