"""A movement puts stories in print, as far as those who told them agree."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def _refers(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], deferrable=True, initially="DEFERRED")


def upgrade() -> None:
    op.create_table(
        "magazines",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("movement_id", sa.String(64), nullable=False),
        sa.Column("initiative_id", sa.String(64)),
        sa.Column("dimension", sa.String(32)),
        sa.Column("period", sa.String(16), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("history", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.String(64)),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shown_at", sa.DateTime(timezone=True)),
        _refers("movement_id", "movements"),
        _refers("initiative_id", "initiatives"),
        _refers("made_by", "people"),
    )
    op.create_index("ix_magazines_movement_id", "magazines", ["movement_id", "begun_at"])
    op.create_index("ix_magazines_made_by", "magazines", ["made_by"])
    op.create_table(
        "magazine_stories",
        sa.Column("magazine_id", sa.String(64), primary_key=True),
        sa.Column("story_id", sa.String(64), primary_key=True),
        sa.Column("movement_id", sa.String(64), nullable=False),
        sa.Column("person_id", sa.String(64), nullable=False),
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.String(32), nullable=False),
        sa.Column("shown_name", sa.String(32), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        _refers("magazine_id", "magazines"),
        _refers("story_id", "stories"),
        _refers("movement_id", "movements"),
        _refers("person_id", "people"),
    )
    op.create_index("ix_magazine_stories_person_id", "magazine_stories", ["person_id"])
    op.create_index("ix_magazine_stories_movement_id", "magazine_stories", ["movement_id"])
    op.create_index("ix_magazine_stories_story_id", "magazine_stories", ["story_id"])
    op.create_index("ix_magazine_stories_asked_at", "magazine_stories", ["asked_at"])
    with op.batch_alter_table("personal_files", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("subject", sa.String(64), nullable=False, server_default=""))


def downgrade() -> None:
    files = sa.table("personal_files", sa.column("kind", sa.String))
    op.execute(files.delete().where(files.c.kind.in_(("magazine_a4", "magazine_phone", "card"))))
    with op.batch_alter_table("personal_files", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("subject")
    op.drop_table("magazine_stories")
    op.drop_table("magazines")
