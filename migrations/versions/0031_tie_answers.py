"""People answer alone whom they last asked something; it becomes a tie only when the other says so too."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def _refers(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], deferrable=True, initially="DEFERRED")


def upgrade() -> None:
    op.create_table(
        "tie_answers",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("movement_id", sa.String(64), nullable=False),
        sa.Column("person_id", sa.String(64), nullable=False),
        sa.Column("other_id", sa.String(64), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        _refers("movement_id", "movements"),
        _refers("person_id", "people"),
        _refers("other_id", "people"),
    )
    op.create_index("uq_tie_answers_pair", "tie_answers", ["movement_id", "person_id", "other_id"], unique=True)
    for column in ("person_id", "other_id", "at"):
        op.create_index(f"ix_tie_answers_{column}", "tie_answers", [column])


def downgrade() -> None:
    op.drop_table("tie_answers")
