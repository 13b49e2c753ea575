"""A step, or several, can be called an experiment, with an end at which is decided what becomes of it."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def _refers(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], deferrable=True, initially="DEFERRED")


def upgrade() -> None:
    op.create_table(
        "experiments",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("movement_id", sa.String(64), nullable=False),
        sa.Column("initiative_id", sa.String(64)),
        sa.Column("person_id", sa.String(64), nullable=False),
        sa.Column("trying", sa.Text(), nullable=False),
        sa.Column("sign", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(32)),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        _refers("movement_id", "movements"),
        _refers("initiative_id", "initiatives"),
        _refers("person_id", "people"),
    )
    op.create_index("ix_experiments_movement_id", "experiments", ["movement_id", "initiative_id"])
    op.create_index("ix_experiments_person_id", "experiments", ["person_id"])
    op.create_index("ix_experiments_ends_at", "experiments", ["ends_at"])
    op.create_table(
        "experiment_answers",
        sa.Column("experiment_id", sa.String(64), primary_key=True),
        sa.Column("person_id", sa.String(64), primary_key=True),
        sa.Column("movement_id", sa.String(64), nullable=False),
        sa.Column("answer", sa.String(32), nullable=False),
        sa.Column("learned", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        _refers("experiment_id", "experiments"),
        _refers("person_id", "people"),
        _refers("movement_id", "movements"),
    )
    op.create_index("ix_experiment_answers_person_id", "experiment_answers", ["person_id"])
    op.create_index("ix_experiment_answers_movement_id", "experiment_answers", ["movement_id"])
    with op.batch_alter_table("next_steps", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("experiment_id", sa.String(64), nullable=True))
    op.create_index("ix_next_steps_experiment_id", "next_steps", ["experiment_id"])


def downgrade() -> None:
    op.drop_index("ix_next_steps_experiment_id", table_name="next_steps")
    with op.batch_alter_table("next_steps", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("experiment_id")
    op.drop_table("experiment_answers")
    op.drop_table("experiments")
