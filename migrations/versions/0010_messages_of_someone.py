"""Messages that name someone, and old ones in someone's own chat, are found again when that person is forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _ref(name: str, table: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [name], [f"{to}.id"], name=f"fk_{table}_{name}", deferrable=True, initially="DEFERRED"
    )


def upgrade() -> None:
    op.create_table(
        "mentions",
        sa.Column("delivery_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        _ref("person_id", "mentions", "people"),
        _ref("workspace_id", "mentions", "workspaces"),
        sa.PrimaryKeyConstraint("delivery_id", "person_id", name="pk_mentions"),
    )
    op.create_index("ix_mentions_person_id", "mentions", ["person_id"], unique=False)
    op.create_table(
        "old_messages",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("message", sa.String(length=200), nullable=False),
        _ref("workspace_id", "old_messages", "workspaces"),
        _ref("person_id", "old_messages", "people"),
        sa.PrimaryKeyConstraint("id", name="pk_old_messages"),
    )
    op.create_index("ix_old_messages_person_id", "old_messages", ["person_id"], unique=False)


def downgrade() -> None:
    op.drop_table("old_messages")
    op.drop_table("mentions")
