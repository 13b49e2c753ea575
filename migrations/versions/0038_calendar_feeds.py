"""People have a private link by which their own calendar follows a movement."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_feeds",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("movement_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [f"{column}_id"],
                [f"{table}.id"],
                name=op.f(f"fk_calendar_feeds_{column}_id"),
                initially="DEFERRED",
                deferrable=True,
            )
            for column, table in (("workspace", "workspaces"), ("movement", "movements"), ("person", "people"))
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feeds")),
    )
    op.create_index("uq_calendar_feeds_digest", "calendar_feeds", ["digest"], unique=True)
    op.create_index("uq_calendar_feeds_person_id", "calendar_feeds", ["person_id", "movement_id"], unique=True)
    op.create_index("ix_calendar_feeds_movement_id", "calendar_feeds", ["movement_id"], unique=False)


def downgrade() -> None:
    op.drop_table("calendar_feeds")
