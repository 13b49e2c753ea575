"""Links to the pages, and the sessions that they open."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "page_sessions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.String(length=64), server_default="", nullable=False),
        sa.Column("device", sa.String(length=60), server_default="", nullable=False),
        sa.Column("coordinated", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_page_sessions_person_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_sessions")),
    )
    op.create_index("ix_page_sessions_person_id", "page_sessions", ["person_id", "made_at"], unique=False)
    op.create_index("ix_page_sessions_expires_at", "page_sessions", ["expires_at"], unique=False)
    op.create_index("ix_page_sessions_digest", "page_sessions", ["digest"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_page_sessions_digest", table_name="page_sessions")
    op.drop_index("ix_page_sessions_expires_at", table_name="page_sessions")
    op.drop_index("ix_page_sessions_person_id", table_name="page_sessions")
    op.drop_table("page_sessions")
