"""The full-text index of stories: an FTS5 table on SQLite, a GIN index on PostgreSQL, of the same tokens.

`stories.search_words` holds the tokens of a story (see `bot.domain.story_search`), written with the story itself by the
events below. The database keeps the index in step with that column, whoever writes it; and when the words of a story
change and their tokens do not, it takes the story out of the index: it is indexed again by `SqlStories.index_stories`.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import DDL, event, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper

from adapters.database.tables import stories
from bot.domain.story import Story
from bot.domain.story_search import Alternative, StoryMatch, index_story

TOKENS = "array_to_tsvector(string_to_array(stories.search_words, ' '))"
"""The expression that the GIN index is made of; a query must repeat it."""
# No copy of the words (content=''), no places of words in a text, no lengths: only which story holds which.
_WORDS_TABLE = """
CREATE VIRTUAL TABLE story_words
USING fts5(tokens, content='', columnsize=0, detail=none, tokenize="ascii tokenchars '_'")
"""
_ADDED = """
CREATE TRIGGER story_words_added AFTER INSERT ON stories WHEN new.search_position IS NOT NULL
BEGIN INSERT INTO story_words(rowid, tokens) VALUES (new.search_position, new.search_words); END
"""
_REMOVED = """
CREATE TRIGGER story_words_removed AFTER DELETE ON stories WHEN old.search_position IS NOT NULL
BEGIN
    INSERT INTO story_words(story_words, rowid, tokens) VALUES ('delete', old.search_position, old.search_words);
END
"""
# One trigger for both: the order in which several of them act is not defined.
_CHANGED = """
CREATE TRIGGER story_words_changed AFTER UPDATE OF search_position, search_words ON stories
WHEN new.search_position IS NOT old.search_position OR new.search_words <> old.search_words
BEGIN
    INSERT INTO story_words(story_words, rowid, tokens)
    SELECT 'delete', old.search_position, old.search_words WHERE old.search_position IS NOT NULL;
    INSERT INTO story_words(rowid, tokens)
    SELECT new.search_position, new.search_words WHERE new.search_position IS NOT NULL;
END
"""
_OUTDATED = """
CREATE TRIGGER story_words_outdated AFTER UPDATE OF text ON stories
WHEN new.text <> old.text AND new.search_words = old.search_words AND new.search_position = old.search_position
BEGIN UPDATE stories SET search_position = NULL, search_words = '' WHERE id = new.id; END
"""
# fastupdate: a list of what is still to be sorted in would be read through by every search.
_GIN = """
CREATE INDEX ix_stories_search_words ON stories
USING gin (array_to_tsvector(string_to_array(search_words, ' '))) WITH (fastupdate = off)
"""
_FORGET = """
CREATE FUNCTION forget_story_words() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN new.search_position := NULL; new.search_words := ''''; RETURN new; END'
"""
_OUTDATED_ON_POSTGRESQL = """
CREATE TRIGGER story_words_outdated BEFORE UPDATE OF text ON stories FOR EACH ROW
WHEN (new.text <> old.text AND new.search_words = old.search_words AND new.search_position = old.search_position)
EXECUTE FUNCTION forget_story_words()
"""
CREATE = {
    "sqlite": (_WORDS_TABLE, _ADDED, _REMOVED, _CHANGED, _OUTDATED),
    "postgresql": (_GIN, _FORGET, _OUTDATED_ON_POSTGRESQL),
}
"""The statements that make the index, by dialect; migration 0040 has the same."""
DROP = {
    "sqlite": ("DROP TABLE IF EXISTS story_words",),
    "postgresql": ("DROP FUNCTION IF EXISTS forget_story_words()",),
}
"""The statements that remove what is left of it once the table of stories is gone."""


async def purge_words(session: AsyncSession) -> None:
    """Remove the words of stories that changed from the files of the index.

    FTS5 only marks them as gone, until it happens to merge what it wrote: nobody finds them, but they stand there.
    """
    await session.flush()
    if session.get_bind().dialect.name == "sqlite":
        await session.execute(text("INSERT INTO story_words(story_words) VALUES ('optimize')"))


def _ddl(statement: str, dialect: str) -> Any:
    return DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]


for _dialect, _statements in CREATE.items():
    for _statement in _statements:
        event.listen(stories, "after_create", _ddl(_statement, _dialect))
for _dialect, _statements in DROP.items():
    for _statement in _statements:
        event.listen(stories, "after_drop", _ddl(_statement, _dialect))


@event.listens_for(Story, "before_insert")
@event.listens_for(Story, "before_update")
def _index_with(_mapper: Mapper[Story], _connection: Connection, story: Story) -> None:
    """Write by what a story is found with the story itself, in one statement."""
    index_at_flush(story)


def index_at_flush(story: Story) -> None:
    """Have written by what a story is found."""
    story._search_position, story._search_words = index_story(story)  # type: ignore[attr-defined]  # mapped, not told


def fts5_query(*matches: StoryMatch) -> str:
    """Return the query of SQLite's FTS5 for stories that match all of these."""
    wanted = " AND ".join(_fts5_group(group) for match in matches for group in match.every)
    unwanted = [" AND ".join(map(_fts5_group, match.without)) for match in matches if match.without]
    return " NOT ".join([f"({wanted})", *(f"({one})" for one in unwanted)])


def _fts5_group(group: tuple[Alternative, ...]) -> str:
    tokens = (" AND ".join(f'"{one[:-1]}" *' if one.endswith("*") else f'"{one}"' for one in each) for each in group)
    return f"({' OR '.join(f'({one})' for one in tokens)})"


def tsquery(*matches: StoryMatch) -> str:
    """Return the tsquery of PostgreSQL for stories that match all of these."""
    wanted = [_tsquery_group(group) for match in matches for group in match.every]
    unwanted = [f"!({' & '.join(map(_tsquery_group, match.without))})" for match in matches if match.without]
    return " & ".join([*wanted, *unwanted])


def _tsquery_group(group: tuple[Alternative, ...]) -> str:
    return f"({' | '.join(' & '.join(_lexemes(each)) for each in group)})"


def _lexemes(tokens: Alternative) -> Iterator[str]:
    for one in tokens:
        yield f"'{one[:-1]}':*" if one.endswith("*") else f"'{one}'"
