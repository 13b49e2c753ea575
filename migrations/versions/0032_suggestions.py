"""Whom people were suggested is kept, and how often the network of a movement changed."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def _refers(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], deferrable=True, initially="DEFERRED")


def upgrade() -> None:
    op.create_table(
        "networks",
        sa.Column("movement_id", sa.String(64), primary_key=True),
        sa.Column("ties", sa.Integer(), nullable=False),
        sa.Column("circle", sa.Integer(), nullable=False),
        _refers("movement_id", "movements"),
    )
    op.create_table(
        "suggestions",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("movement_id", sa.String(64), nullable=False),
        sa.Column("initiative_id", sa.String(64)),
        sa.Column("asker_id", sa.String(64), nullable=False),
        sa.Column("person_id", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rests_until", sa.DateTime(timezone=True)),
        _refers("movement_id", "movements"),
        _refers("initiative_id", "initiatives"),
        _refers("asker_id", "people"),
        _refers("person_id", "people"),
    )
    op.create_index("ix_suggestions_movement_id", "suggestions", ["movement_id"])
    op.create_index("ix_suggestions_asker_id", "suggestions", ["asker_id", "at"])
    op.create_index("ix_suggestions_person_id", "suggestions", ["person_id", "at"])
    op.create_index("ix_suggestions_at", "suggestions", ["at"])
    op.create_index("ix_ties_movement_id", "ties", ["movement_id", "last_at"])


def downgrade() -> None:
    op.drop_index("ix_ties_movement_id", table_name="ties")
    op.drop_table("suggestions")
    op.drop_table("networks")
