"""People without an account tell stories at a door that a coordinator opened."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def _key(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"), initially="DEFERRED", deferrable=True
    )


def upgrade() -> None:
    op.create_table(
        "story_doors",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("movement_id", sa.String(length=64), nullable=False),
        sa.Column("initiative_id", sa.String(length=64), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.String(length=64), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        _key("story_doors", "movement_id", "movements"),
        _key("story_doors", "initiative_id", "initiatives"),
        _key("story_doors", "opened_by", "people"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_story_doors")),
    )
    op.create_index("ix_story_doors_movement_id", "story_doors", ["movement_id", "opened_at"], unique=False)
    op.create_index("ix_story_doors_opened_by", "story_doors", ["opened_by"], unique=False)
    op.create_table(
        "door_stories",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("movement_id", sa.String(length=64), nullable=False),
        sa.Column("door_id", sa.String(length=64), nullable=False),
        sa.Column("press", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("called", sa.String(length=80), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("story_id", sa.String(length=64), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        _key("door_stories", "movement_id", "movements"),
        _key("door_stories", "door_id", "story_doors"),
        _key("door_stories", "story_id", "stories"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_door_stories")),
    )
    op.create_index("uq_door_stories_press", "door_stories", ["press"], unique=True)
    op.create_index("uq_door_stories_code", "door_stories", ["code"], unique=True)
    op.create_index("ix_door_stories_door_id", "door_stories", ["door_id", "state", "told_at"], unique=False)
    op.create_index("ix_door_stories_told_at", "door_stories", ["told_at"], unique=False)
    op.create_index("ix_door_stories_movement_id", "door_stories", ["movement_id"], unique=False)
    op.create_index("ix_door_stories_ended_at", "door_stories", ["ended_at"], unique=False)
    with op.batch_alter_table("stories", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("called", sa.String(80), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("stories", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("called")
    op.drop_table("door_stories")
    op.drop_table("story_doors")
