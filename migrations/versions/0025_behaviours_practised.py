"""People say of a small behaviour: I do this too."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def _refers(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], deferrable=True, initially="DEFERRED")


def upgrade() -> None:
    op.create_table(
        "practices",
        sa.Column("movement_id", sa.String(64), primary_key=True),
        sa.Column("behaviour", sa.String(16), primary_key=True),
        sa.Column("person_id", sa.String(64), primary_key=True),
        sa.Column("place_id", sa.String(64)),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        _refers("movement_id", "movements"),
        _refers("person_id", "people"),
        _refers("place_id", "places"),
    )
    op.create_index("ix_practices_person_id", "practices", ["person_id"])


def downgrade() -> None:
    op.drop_table("practices")
