"""Somebody asks a leader for room to try something, who answers that."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def _refers(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], deferrable=True, initially="DEFERRED")


def upgrade() -> None:
    op.create_table(
        "rooms",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("movement_id", sa.String(64), nullable=False),
        sa.Column("initiative_id", sa.String(64)),
        sa.Column("asker_id", sa.String(64), nullable=False),
        sa.Column("giver_id", sa.String(64), nullable=False),
        sa.Column("trying", sa.Text(), nullable=False),
        sa.Column("asking", sa.Text(), nullable=False),
        sa.Column("limit", sa.String(300), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        _refers("movement_id", "movements"),
        _refers("initiative_id", "initiatives"),
        _refers("asker_id", "people"),
        _refers("giver_id", "people"),
    )
    for column in ("movement_id", "initiative_id", "asker_id", "giver_id", "ends_at"):
        op.create_index(f"ix_rooms_{column}", "rooms", [column])


def downgrade() -> None:
    op.drop_table("rooms")
