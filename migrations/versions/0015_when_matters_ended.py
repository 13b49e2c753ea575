"""Matters that ended long ago are found by when they ended, not by reading all of them."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ENDINGS = {
    "stuck_episodes": "closed_at",
    "next_steps": "closed_at",
    "chances": "noted_at",
    "nominations": "at",
    "invitations": "sent_at",
}


def upgrade() -> None:
    for table, column in ENDINGS.items():
        op.create_index(f"ix_{table}_{column}", table, [column], unique=False)


def downgrade() -> None:
    for table, column in ENDINGS.items():
        op.drop_index(f"ix_{table}_{column}", table_name=table)
