"""For many processes: races are seen, what is due is found quickly, and PostgreSQL has procrastinate's tables."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JOBS = Path(__file__).resolve().parents[1] / "procrastinate-3.10.sql"
"""The tables as that version of procrastinate has them: a later one brings a revision of its own."""
HELD_BACK = "state = 'waiting' AND reason IN ('pace', 'behind_unknown', 'not_arrived')"
WITHOUT_JOBS = """
DO $$
DECLARE it record;
BEGIN
    DROP TABLE procrastinate_periodic_defers, procrastinate_events, procrastinate_jobs, procrastinate_workers CASCADE;
    FOR it IN
        SELECT oid::regprocedure AS named FROM pg_proc
        WHERE proname LIKE 'procrastinate%' AND pronamespace = current_schema()::regnamespace
    LOOP
        EXECUTE 'DROP FUNCTION ' || it.named || ' CASCADE';
    END LOOP;
    DROP TYPE procrastinate_job_to_defer_v1, procrastinate_job_event_type, procrastinate_job_status;
END $$
"""


def upgrade() -> None:
    with op.batch_alter_table("deliveries", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("revision", sa.Integer(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("correlation", sa.String(length=32), server_default="", nullable=False))
    op.execute("UPDATE deliveries SET queued_at = due_at")
    with op.batch_alter_table("deliveries", schema=None, recreate="never") as batch_op:
        batch_op.drop_index("ix_deliveries_due")
        batch_op.create_index("ix_deliveries_due", ["state", "due_at"], unique=False)
        batch_op.create_index(
            "ix_deliveries_waiting",
            ["workspace_id", "priority", "queued_at", "row"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.create_index(
            "ix_deliveries_held_back",
            ["workspace_id"],
            unique=False,
            sqlite_where=sa.text(HELD_BACK),
            postgresql_where=sa.text(HELD_BACK),
        )
    with op.batch_alter_table("rhythms", schema=None, recreate="never") as batch_op:
        batch_op.drop_index("ix_rhythms_movement_id")
        batch_op.create_index("ix_rhythms_movement_id", ["movement_id", "next_at"], unique=False)
    op.create_table(
        "engine_failures",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("lane", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engine_failures")),
    )
    with op.batch_alter_table("engine_failures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_engine_failures_at"), ["at"], unique=False)
    _on_postgresql(JOBS.read_text(encoding="utf-8"))


def downgrade() -> None:
    _on_postgresql(WITHOUT_JOBS)
    op.drop_table("engine_failures")
    with op.batch_alter_table("rhythms", schema=None, recreate="never") as batch_op:
        batch_op.drop_index("ix_rhythms_movement_id")
        batch_op.create_index("ix_rhythms_movement_id", ["movement_id"], unique=False)
    with op.batch_alter_table("deliveries", schema=None, recreate="never") as batch_op:
        batch_op.drop_index("ix_deliveries_held_back")
        batch_op.drop_index("ix_deliveries_waiting")
        batch_op.drop_index("ix_deliveries_due")
        batch_op.create_index("ix_deliveries_due", ["state", "workspace_id", "due_at"], unique=False)
        batch_op.drop_column("correlation")
        batch_op.drop_column("queued_at")
        batch_op.drop_column("revision")


def _on_postgresql(statements: str) -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        # As it stands: its percent signs are no parameters.
        connection.connection.cursor().execute(statements)
