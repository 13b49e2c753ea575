"""Words for others that may give a client away wait until their writer chose."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "held_words",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("movement_id", sa.String(length=64), nullable=True),
        sa.Column("intent", sa.String(length=64), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("channel_name", sa.String(length=200), nullable=False),
        sa.Column("personal", sa.Boolean(), nullable=False),
        sa.Column("thread", sa.String(length=200), nullable=True),
        sa.Column("message", sa.String(length=200), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held_words")),
        *(
            sa.ForeignKeyConstraint(
                [column],
                [f"{table}.id"],
                name=op.f(f"fk_held_words_{column}"),
                initially="DEFERRED",
                deferrable=True,
            )
            for column, table in (
                ("workspace_id", "workspaces"),
                ("person_id", "people"),
                ("movement_id", "movements"),
            )
        ),
    )
    op.create_index("ix_held_words_person_id", "held_words", ["person_id"], unique=False)
    op.create_index("ix_held_words_movement_id", "held_words", ["movement_id"], unique=False)
    op.create_index("ix_held_words_asked_at", "held_words", ["asked_at"], unique=False)
    op.create_index("ix_held_words_message", "held_words", ["workspace_id", "message"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_held_words_message", table_name="held_words")
    op.drop_index("ix_held_words_asked_at", table_name="held_words")
    op.drop_index("ix_held_words_movement_id", table_name="held_words")
    op.drop_index("ix_held_words_person_id", table_name="held_words")
    op.drop_table("held_words")
