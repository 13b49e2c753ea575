"""The words of stories are in a table of their own, alike on both databases. Stories are indexed again by the running
version. Nothing of the index before was ever released, so its columns go at once."""

from pathlib import Path
from runpy import run_path

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

BEFORE = run_path(str(Path(__file__).with_name("0040_stories_found_by_words.py")))
UNINDEXED = sa.text("NOT search_indexed AND withdrawn_at IS NULL")


def upgrade() -> None:
    for statement in BEFORE["DOWN"][op.get_bind().dialect.name]:
        op.get_bind().exec_driver_sql(statement)
    op.drop_index("ix_stories_unindexed", table_name="stories")
    with op.batch_alter_table("stories", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("search_words")
        batch_op.add_column(sa.Column("search_indexed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(
        "ix_stories_unindexed",
        "stories",
        ["movement_id", "told_at"],
        sqlite_where=UNINDEXED,
        postgresql_where=UNINDEXED,
    )
    op.create_table(
        "story_postings",
        sa.Column("movement_id", sa.String(64), nullable=False),
        sa.Column("token", sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql"), nullable=False),
        sa.Column("until", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("movement_id", "token", "until", name=op.f("pk_story_postings")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("story_postings")
    op.drop_index("ix_stories_unindexed", table_name="stories")
    op.execute("UPDATE stories SET search_position = NULL")
    with op.batch_alter_table("stories", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("search_indexed")
        batch_op.add_column(sa.Column("search_words", sa.Text(), nullable=False, server_default=""))
    op.create_index(
        "ix_stories_unindexed",
        "stories",
        ["told_at"],
        sqlite_where=BEFORE["UNINDEXED"],
        postgresql_where=BEFORE["UNINDEXED"],
    )
    for statement in BEFORE["UP"][op.get_bind().dialect.name]:
        op.get_bind().exec_driver_sql(statement)
