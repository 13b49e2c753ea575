"""Files with everything about someone, and the rows they are composed from.

Which tables hold personal data is read from their foreign keys (and where an account stands instead, from
`ACCOUNT_COLUMNS`), and all their columns are read: a new table or column takes part by itself.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from enum import Enum
from typing import Any

from sqlalchemy import Column, ColumnElement, LargeBinary, Table, delete, select, tuple_, update

from adapters.database.repositories.base import Repository
from adapters.database.repositories.erasure import is_about, person_columns
from adapters.database.tables import episodes as stuck_episodes
from adapters.database.tables import (
    initiatives,
    invitations,
    movements,
    nominations,
    people,
    personal_files,
    places,
    rooms,
    slack_installations,
    story_requests,
    suggestions,
    teams_conversations,
    tie_answers,
)
from adapters.database.types import Utc
from bot.domain.person import PersonId
from bot.domain.personal_file import EVERYTHING, PersonalFile, PersonalFileId
from bot.ports.repositories import RowKey

ACCOUNT_COLUMNS: dict[Table, tuple[ColumnElement[str], Column[Any]]] = {
    teams_conversations: (teams_conversations.c.workspace_id, teams_conversations.c.account),
    slack_installations: ("slack:" + slack_installations.c.team_id, slack_installations.c.installed_by),
}
"""Tables that know someone by their account: the id of its workspace, and the account."""
LEFT_OUT: Mapping[str, str] = {
    "row": "numbers the rows of a table",
    "revision": "counts the changes of a row, for the database",
    "correlation": "leads to lines of the log",
    "key": "an idempotency key of the outbox",
    "digest": "stands for an invite code: whoever has it might find the code",
    "search_position": "says when a story was told, once more",
    "search_indexed": "says whether a story is in the index of words, for the database",
    "bot_token": "a secret of the app in a whole workspace",
    "mark": "stands for what a calendar held, to see whether it changed",
    "sealed": "a secret of a program outside",
    "refresh_token": "a secret of the app in a whole workspace",
}
"""Columns that are not handed over, by name, and why. So is binary data: the file itself."""
POINTERS = frozenset({"mentions", "old_messages"})
"""Tables that only say which messages to take back when someone is forgotten, in chats of others too: they hold no
words, and that somebody was named in another's chat is not told."""
SEEN = frozenset(
    {
        invitations.c.inviter_id,
        invitations.c.invitee_id,
        nominations.c.nominee_id,
        tie_answers.c.other_id,
        story_requests.c.author_id,
        story_requests.c.asked_by_id,
        rooms.c.asker_id,
        rooms.c.giver_id,
        stuck_episodes.c.helpers,
        suggestions.c.person_id,
    }
)
"""Columns that hold others whom the person picked themselves, or who came to them by name: their name is told. Anybody
else stays unnamed; so nobody reads who named them, or whom a tie leads to."""
WORDS_OF_OTHERS = {
    story_requests.c.text: story_requests.c.author_id,
    suggestions.c.initiative_id: suggestions.c.asker_id,
    suggestions.c.rests_until: suggestions.c.asker_id,
}
"""Columns with what is somebody's own to tell, and the column that says whose it is: others do not get it."""
NAMED_ROWS = {"movement_id": movements, "initiative_id": initiatives, "place_id": places}
"""Columns beside which the name of what they refer to is told."""
IDS_IN_TEXT = frozenset({"subject"})
"""Columns of plain text that may hold a person's id."""
LONGEST_ID = 64

_EMPTY: tuple[object, ...] = (None, "", [], {})


class SqlPersonalFiles(Repository):
    """Implements `PersonalFiles`."""

    async def get(self, id: PersonalFileId) -> PersonalFile | None:
        return await self._session.get(PersonalFile, id)

    async def latest_of(self, person: PersonId, kind: str = EVERYTHING) -> PersonalFile | None:
        return await self._session.scalar(
            select(PersonalFile)
            .where(personal_files.c.person_id == person, personal_files.c.kind == kind)
            .order_by(personal_files.c.asked_at.desc())
            .limit(1)
        )

    async def content(self, id: PersonalFileId) -> bytes | None:
        return await self._session.scalar(select(personal_files.c.content).where(personal_files.c.id == id))

    async def set_content(self, id: PersonalFileId, content: bytes) -> None:
        await self._session.post(update(personal_files).where(personal_files.c.id == id).values(content=content))

    async def keep(self, file: PersonalFile, content: bytes, made_at: datetime) -> bool:
        # In one statement: on PostgreSQL it waits for a change that is being committed, and then finds nothing.
        done = await self._session.execute(
            update(personal_files)
            .where(personal_files.c.id == file.id, personal_files.c.changes == file.changes)
            .values(content=content, made_at=made_at)
        )
        return bool(done.rowcount)  # type: ignore[attr-defined]  # a cursor result, typed wider

    async def sweep(self, now: datetime) -> int:
        done = await self._session.execute(delete(personal_files).where(personal_files.c.expires_at <= now))
        return int(done.rowcount)  # type: ignore[attr-defined]  # a cursor result, typed wider

    def tables(self) -> Sequence[str]:
        return list(_CONDITIONED)

    async def keys_about(self, person: PersonId, table: str, start: int, limit: int) -> Sequence[RowKey]:
        found = _CONDITIONED[table]
        newest = [column.desc() for column in found.c if isinstance(column.type, Utc)][:1]
        keys = select(*found.primary_key).where(await self._condition(person, found))
        keys = keys.order_by(*newest, *found.primary_key).offset(start).limit(limit)
        return [tuple(row) for row in await self._session.execute(keys)]

    async def rows_about(self, person: PersonId, table: str, keys: Sequence[RowKey]) -> Sequence[Mapping[str, object]]:
        found = _CONDITIONED[table]
        # With the condition once more: whatever the keys are, nothing about somebody else is read.
        read = select(found).where(_among_keys(found, keys), await self._condition(person, found))
        by_key = {
            tuple(row[column.name] for column in found.primary_key): dict(row)
            for row in (await self._session.execute(read)).mappings()
        }
        rows = [by_key[key] for key in keys if key in by_key]
        others = await self._others_in(person, found, rows)
        names = await self._names_in(rows)
        return [_redact_row(found, row, person, others, names) for row in rows]

    async def _condition(self, person: PersonId, table: Table) -> ColumnElement[bool]:
        if table in ACCOUNT_COLUMNS:
            workspace, account = ACCOUNT_COLUMNS[table]
            whose = select(people.c.workspace_id, people.c.account).where(people.c.id == person)
            return tuple_(workspace, account).in_(whose)
        return is_about(person, person_columns(table))

    async def _others_in(self, person: PersonId, table: Table, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Return the other people whose ids stand in rows: id → the name this person may read, else empty."""
        columns = person_columns(table)
        ids = {row[column.name] for row in rows for column in columns if row[column.name]}
        for row in rows:
            for name, value in row.items():
                if isinstance(value, list | dict) or name in IDS_IN_TEXT:
                    ids.update(_strings(value))
        ids.discard(person)
        if not ids:
            return {}
        mine = select(people.c.workspace_id).where(people.c.id == person).scalar_subquery()
        told = select(people.c.id, people.c.name, (people.c.workspace_id == mine) | people.c.named_beyond)
        found = await self._session.execute(told.where(self._among(people.c.id, sorted(ids))))
        return {other: name if may_be_told else "" for other, name, may_be_told in found}

    async def _names_in(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Return the names of the movements, initiatives and places that rows refer to, by their ids."""
        names: dict[str, str] = {}
        for column, table in NAMED_ROWS.items():
            ids = {row[column] for row in rows if row.get(column)}
            if ids:
                named = select(table.c.id, table.c.name).where(self._among(table.c.id, sorted(ids)))
                names.update((one, name) for one, name in await self._session.execute(named))
        return names


_CONDITIONED: dict[str, Table] = {
    table.name: table for table in (*(
            one for one in people.metadata.sorted_tables if person_columns(one) and one.name not in POINTERS
        ),
                                    *ACCOUNT_COLUMNS)
}  # fmt: skip
"""Every table with rows about people, by name."""
_HANDED_OVER: dict[str, list[Column[Any]]] = {
    name: [one for one in table.c if one.name not in LEFT_OUT and not isinstance(one.type, LargeBinary)]
    for name, table in _CONDITIONED.items()
}
"""The columns of those tables that are handed over."""


def _among_keys(table: Table, keys: Collection[RowKey]) -> ColumnElement[bool]:
    columns = list(table.primary_key)
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return tuple_(*columns).in_(keys)


def _redact_row(
    table: Table, row: Mapping[str, Any], person: PersonId, others: Mapping[str, str], names: Mapping[str, str]
) -> dict[str, object]:
    """Return a row as JSON values, without empty ones, and without what is somebody else's."""
    told: dict[str, object] = {}
    about = {column.name for column in person_columns(table)}
    for column in _HANDED_OVER[table.name]:
        if _is_of_another(column, row, person):
            continue
        value = _without_others(row[column.name], others, named=column in SEEN)
        if value in _EMPTY:
            continue
        of_another = column.name in about and row[column.name] != person
        told[column.name.removesuffix("_id") if of_another else column.name] = _to_json(value)
        if column.name in NAMED_ROWS and value in names:
            told[column.name.removesuffix("_id")] = names[value]
    return told


def _is_of_another(column: Column[Any], row: Mapping[str, Any], person: PersonId) -> bool:
    """Return whether a text is somebody else's own."""
    author = WORDS_OF_OTHERS.get(column)
    return author is not None and row[author.name] != person


def _without_others(value: Any, others: Mapping[str, str], *, named: bool) -> Any:
    """Return a value in which the names of other people stand for their ids, or (unless `named`) nothing does."""
    if not others:
        return value
    if isinstance(value, str) and value in others:
        return others[value] if named else None
    if isinstance(value, list):
        kept = (_without_others(one, others, named=named) for one in value)
        return [one for one in kept if one not in (None, "")]
    if isinstance(value, dict):
        cleaned = {name: _without_others(one, others, named=named) for name, one in value.items() if name not in others}
        return {name: one for name, one in cleaned.items() if one is not None or value[name] is None}
    return value


def _strings(value: object) -> Iterator[str]:
    """Yield every string within a JSON value that may be an id."""
    if isinstance(value, str):
        if 0 < len(value) <= LONGEST_ID:
            yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _strings(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            yield str(name)
            yield from _strings(one)


def _to_json(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date | time) else value
