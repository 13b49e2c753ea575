"""Stories are found by their words. Those told before are indexed by the running version, the newest first."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

UNINDEXED = sa.text("search_position IS NULL AND withdrawn_at IS NULL")
WORDS_TABLE = """
CREATE VIRTUAL TABLE story_words
USING fts5(tokens, content='', columnsize=0, detail=none, tokenize="ascii tokenchars '_'")
"""
ADDED = """
CREATE TRIGGER story_words_added AFTER INSERT ON stories WHEN new.search_position IS NOT NULL
BEGIN INSERT INTO story_words(rowid, tokens) VALUES (new.search_position, new.search_words); END
"""
REMOVED = """
CREATE TRIGGER story_words_removed AFTER DELETE ON stories WHEN old.search_position IS NOT NULL
BEGIN
    INSERT INTO story_words(story_words, rowid, tokens) VALUES ('delete', old.search_position, old.search_words);
END
"""
# One trigger for both: the order in which several of them act is not defined.
CHANGED = """
CREATE TRIGGER story_words_changed AFTER UPDATE OF search_position, search_words ON stories
WHEN new.search_position IS NOT old.search_position OR new.search_words <> old.search_words
BEGIN
    INSERT INTO story_words(story_words, rowid, tokens)
    SELECT 'delete', old.search_position, old.search_words WHERE old.search_position IS NOT NULL;
    INSERT INTO story_words(rowid, tokens)
    SELECT new.search_position, new.search_words WHERE new.search_position IS NOT NULL;
END
"""
OUTDATED = """
CREATE TRIGGER story_words_outdated AFTER UPDATE OF text ON stories
WHEN new.text <> old.text AND new.search_words = old.search_words AND new.search_position = old.search_position
BEGIN UPDATE stories SET search_position = NULL, search_words = '' WHERE id = new.id; END
"""
GIN = """
CREATE INDEX ix_stories_search_words ON stories
USING gin (array_to_tsvector(string_to_array(search_words, ' '))) WITH (fastupdate = off)
"""
FORGET = """
CREATE FUNCTION forget_story_words() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN new.search_position := NULL; new.search_words := ''''; RETURN new; END'
"""
OUTDATED_ON_POSTGRESQL = """
CREATE TRIGGER story_words_outdated BEFORE UPDATE OF text ON stories FOR EACH ROW
WHEN (new.text <> old.text AND new.search_words = old.search_words AND new.search_position = old.search_position)
EXECUTE FUNCTION forget_story_words()
"""
UP = {
    "sqlite": (WORDS_TABLE, ADDED, REMOVED, CHANGED, OUTDATED),
    "postgresql": (GIN, FORGET, OUTDATED_ON_POSTGRESQL),
}
DOWN = {
    "sqlite": (
        "DROP TRIGGER story_words_added",
        "DROP TRIGGER story_words_removed",
        "DROP TRIGGER story_words_changed",
        "DROP TRIGGER story_words_outdated",
        "DROP TABLE story_words",
    ),
    "postgresql": (
        "DROP TRIGGER story_words_outdated ON stories",
        "DROP FUNCTION forget_story_words()",
        "DROP INDEX ix_stories_search_words",
    ),
}


def upgrade() -> None:
    with op.batch_alter_table("stories", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("search_position", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("search_words", sa.Text(), nullable=False, server_default=""))
    op.create_index("uq_stories_search_position", "stories", ["search_position"], unique=True)
    op.create_index("ix_stories_search", "stories", ["movement_id", "search_position"])
    op.create_index("ix_stories_unindexed", "stories", ["told_at"], sqlite_where=UNINDEXED, postgresql_where=UNINDEXED)
    for statement in UP[op.get_bind().dialect.name]:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN[op.get_bind().dialect.name]:
        op.get_bind().exec_driver_sql(statement)
    op.drop_index("ix_stories_unindexed", table_name="stories")
    op.drop_index("ix_stories_search", table_name="stories")
    op.drop_index("uq_stories_search_position", table_name="stories")
    with op.batch_alter_table("stories", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("search_words")
        batch_op.drop_column("search_position")
