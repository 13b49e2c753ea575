"""Programs outside read what a movement shows, by keys; its figures are kept for a week, and the stories for everyone
are found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

TOLD_OUTSIDE = "readers = 'everyone' AND withdrawn_at IS NULL"


def upgrade() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("movement_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_on", sa.Date(), nullable=True),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_api_tokens_{column}"), initially="DEFERRED", deferrable=True
            )
            for column, table in (("movement_id", "movements"), ("made_by", "people"))
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
    )
    op.create_index("uq_api_tokens_digest", "api_tokens", ["digest"], unique=True)
    op.create_index("ix_api_tokens_movement_id", "api_tokens", ["movement_id"], unique=False)
    with op.batch_alter_table("movements", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("figures", sa.JSON(), nullable=False, server_default="{}"))
    where = sa.text(TOLD_OUTSIDE)
    op.create_index(
        "ix_stories_outside",
        "stories",
        ["movement_id", "told_at", "id"],
        sqlite_where=where,
        postgresql_where=where,
    )


def downgrade() -> None:
    op.drop_index("ix_stories_outside", table_name="stories")
    with op.batch_alter_table("movements", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("figures")
    op.drop_table("api_tokens")
