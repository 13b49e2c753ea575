"""The steps and questions of a stuck episode are found by it: it is deleted without looking through all of them."""

from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_questions_asked_episode_id", "questions_asked", ["episode_id"], unique=False)
    op.create_index("ix_next_steps_episode_id", "next_steps", ["episode_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_next_steps_episode_id", table_name="next_steps")
    op.drop_index("ix_questions_asked_episode_id", table_name="questions_asked")
