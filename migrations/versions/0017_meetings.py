"""A few people who agreed to it are brought together, and say afterwards whether they met."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def _refers(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], deferrable=True, initially="DEFERRED")


def upgrade() -> None:
    op.add_column("members", sa.Column("meets", sa.Boolean()))
    op.create_table(
        "meetings",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("movement_id", sa.String(64), nullable=False),
        sa.Column("place_id", sa.String(64)),
        sa.Column("question", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        _refers("movement_id", "movements"),
        _refers("place_id", "places"),
    )
    op.create_index("ix_meetings_movement_id", "meetings", ["movement_id"])
    op.create_index("ix_meetings_proposed_at", "meetings", ["proposed_at"])
    op.create_table(
        "meeting_guests",
        sa.Column("meeting_id", sa.String(64), primary_key=True),
        sa.Column("person_id", sa.String(64), primary_key=True),
        sa.Column("movement_id", sa.String(64), nullable=False),
        sa.Column("answer", sa.String(32), nullable=False),
        sa.Column("met", sa.Boolean()),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        _refers("meeting_id", "meetings"),
        _refers("person_id", "people"),
        _refers("movement_id", "movements"),
    )
    op.create_index("ix_meeting_guests_person_id", "meeting_guests", ["person_id"])
    op.create_index("ix_meeting_guests_movement_id", "meeting_guests", ["movement_id"])


def downgrade() -> None:
    op.drop_table("meeting_guests")
    op.drop_table("meetings")
    with op.batch_alter_table("members", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("meets")
