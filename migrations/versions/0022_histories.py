"""Who takes part in an initiative looks back together: rounds, and what each answers in them."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def _refers(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], deferrable=True, initially="DEFERRED")


def upgrade() -> None:
    op.create_table(
        "history_rounds",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("movement_id", sa.String(64), nullable=False),
        sa.Column("initiative_id", sa.String(64), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        _refers("movement_id", "movements"),
        _refers("initiative_id", "initiatives"),
    )
    op.create_index("ix_history_rounds_movement_id", "history_rounds", ["movement_id"])
    op.create_index("ix_history_rounds_initiative_id", "history_rounds", ["initiative_id", "asked_at"])
    op.create_index("ix_history_rounds_told_at", "history_rounds", ["told_at"])
    op.create_table(
        "history_answers",
        sa.Column("round_id", sa.String(64), primary_key=True),
        sa.Column("person_id", sa.String(64), primary_key=True),
        sa.Column("movement_id", sa.String(64), nullable=False),
        sa.Column("moment", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        _refers("round_id", "history_rounds"),
        _refers("person_id", "people"),
        _refers("movement_id", "movements"),
    )
    op.create_index("ix_history_answers_person_id", "history_answers", ["person_id"])
    op.create_index("ix_history_answers_movement_id", "history_answers", ["movement_id"])


def downgrade() -> None:
    op.drop_table("history_answers")
    op.drop_table("history_rounds")
