"""Compose the file with everything about someone, once, when it is to be given for the first time.

It may take seconds for somebody with years of messages, while everybody else is answered: rows are read and laid out a
few at a time, each time in a transaction and a turn of the event loop of their own, and packed in a thread. They are
not laid out in one: a thread that computes keeps the interpreter for 5 ms whenever the loop asks for it back, which it
does at every statement (measured: stalls of 150 ms). The file is stored, for an hour, because another process may be
asked for it.
"""

import json
import zlib
from asyncio import sleep, to_thread
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from time import perf_counter

import structlog

from bot.chat import OpenedFile, PostedFile
from bot.domain.magazine import MagazineId
from bot.domain.movement import Member, Movement, MovementId
from bot.domain.person import Language, Person, PersonId
from bot.domain.personal_file import CALENDAR, EVERYTHING, INVITATION_CARD, TAKEAWAY, PersonalFile, PersonalFileId
from bot.magazines import DRAWING, PAPER_KINDS, Printed, draw_magazine, load_print, may_read
from bot.ports import (
    Clock,
    Conflict,
    RetryAfter,
    StorageUnavailable,
    Transact,
    Typesetter,
    TypesettingFailed,
    UnitOfWork,
    Unreachable,
)
from bot.ports.repositories import RowKey
from bot.ports.turn import language_for, timezone_for
from bot.transactions import TransactionRunner
from bot.use_cases.movements.takeaways import compose_takeaway
from bot.use_cases.people.export_page import ExportPage
from bot.wording import Reader

ROWS_AT_A_TIME = 10
"""Rows read and laid out at once: two milliseconds in which nobody else is answered."""
KEYS_AT_A_TIME = 1000
MOST_TRIES = 5
"""How often a takeaway is composed for who waits for it, when something in it changes all the time."""
PACKED_ALREADY = 0
"""The level of compression of what is packed already."""
STORAGE_RETRY = timedelta(seconds=30)
"""How long a file waits when storage gives no answer."""
FILE_NAMES = {
    EVERYTHING: "ritme.html",
    CALENDAR: "ritme.ics",
    TAKEAWAY: "ritme.zip",
    INVITATION_CARD: "invitation.pdf",
    **dict.fromkeys(PAPER_KINDS, "magazine.pdf"),
}
log = structlog.get_logger("ritme")


class FileComposer:
    """Composes files and loads them."""

    def __init__(self, *, run: TransactionRunner, clock: Clock, typesetter: Typesetter | None = None) -> None:
        self._run = run
        self._clock = clock
        self._typesetter = typesetter

    async def load(self, posted: PostedFile, language: Language) -> bytes:
        """Return the content of a file that is to be given, composed in this language unless it was already.

        Nothing is sent here, so its failures are certain: raises `RetryAfter`, or `Unreachable` when the file is gone,
        or cannot be composed.
        """
        try:
            return await self._load_or_compose(PersonalFileId(posted.id), language)
        except Unreachable:
            raise
        except (StorageUnavailable, Conflict):
            raise RetryAfter(self._clock.now() + STORAGE_RETRY, reason="still_not_arrived") from None
        except Exception:
            log.exception("file_compose_failed", file=posted.id)
            raise Unreachable("broken") from None

    async def open(self, id: PersonalFileId) -> OpenedFile | None:
        """Return a file for its person; None when it expired, or was deleted with everything about them."""

        async def look(work: UnitOfWork) -> tuple[PersonalFile | None, bytes | None]:
            file = await work.files.get(id)
            is_there = file is not None and self._clock.now() < file.expires_at
            return (file, await work.files.content(id)) if is_there else (None, None)

        file, packed = await self._run(look)
        if file is not None and file.kind in PAPER_KINDS:
            return await self._open_anew(file)
        if file is None or not packed:
            return None
        if file.kind == INVITATION_CARD:
            return OpenedFile(name=FILE_NAMES[INVITATION_CARD], content=await self._set_card(packed))
        if file.kind == TAKEAWAY:
            return await self._open_anew(file)
        return OpenedFile(name=FILE_NAMES[file.kind], content=await to_thread(zlib.decompress, packed))

    async def _load_or_compose(self, id: PersonalFileId, language: Language) -> bytes:
        async def look(work: UnitOfWork) -> tuple[PersonalFile | None, bytes | None, Person | None]:
            file = await work.files.get(id)
            packed = await work.files.content(id)
            person = await work.people.in_workspace(file.person_id, file.workspace_id) if file is not None else None
            return file, packed, person

        file, packed, person = await self._run(look)
        if file is None or person is None or person.account is None:
            raise Unreachable("forgotten")
        if file.kind in PAPER_KINDS:
            return await self._print(file, person, language)
        if packed is not None and file.kind == INVITATION_CARD:
            return await self._set_card(packed)
        if file.kind == TAKEAWAY:
            # Once: nothing else of the workspace is sent meanwhile.
            return await self._give_takeaway(file, person, language, tries=1)
        if packed is not None:
            return await to_thread(zlib.decompress, packed)
        if file.kind != EVERYTHING:
            raise Unreachable("forgotten")  # what is composed when it is asked for, is there or gone
        return await self._compose(file, person, language)

    async def _open_anew(self, file: PersonalFile) -> OpenedFile | None:
        """Return a takeaway or a print for who opens it as it may be read now: without what was taken back since it was
        given. Returns None when it is not theirs any more, or nothing is left."""
        person = await self._run(lambda work: work.people.in_workspace(file.person_id, file.workspace_id))
        if person is None or person.account is None:
            return None
        try:
            if file.kind == TAKEAWAY:
                language = language_for(person, None, None)
                content = await self._give_takeaway(file, person, language, tries=MOST_TRIES)
            else:
                content = await self._print(file, person, None)
        except (Unreachable, Conflict):
            return None
        return OpenedFile(name=FILE_NAMES[file.kind], content=content)

    async def _give_takeaway(self, file: PersonalFile, person: Person, language: Language, *, tries: int) -> bytes:
        """Return the stored content while it may be given, else compose it. Raises as `_compose_takeaway` does."""
        movement = file.movement_id or MovementId("")

        async def look(work: UnitOfWork) -> tuple[bytes | None, Member | None, bool]:
            packed = await work.files.content(file.id)
            member = await work.movements.membership(movement, person.id)
            fresh = await work.files.get(file.id)  # it may be stale since the file was found
            made_at = fresh.made_at if fresh is not None else None
            is_stale = made_at is None or await work.takeaways.has_withdrawn_since(movement, made_at)
            return packed, member, is_stale

        packed, member, is_stale = await self._run(look)
        if member is None or not member.coordinates:
            raise Unreachable("forgotten")
        if packed is None or is_stale:
            return await self._compose_takeaway(file, person, language, tries)
        return await to_thread(zlib.decompress, packed)

    async def _print(self, file: PersonalFile, person: Person, language: Language | None) -> bytes:
        """Set a magazine with what may be printed now, in this language or that of its reader; nothing of it is kept.
        Raises `Unreachable`."""
        started, now = perf_counter(), self._clock.now()

        async def look(work: UnitOfWork) -> tuple[Movement | None, Printed | None]:
            found = await work.magazines.find_for(MagazineId(file.subject), person.id)
            if found is None or not await may_read(work, found[0], person.id):
                return None, None
            return found[1], await load_print(work, found[1], found[0].id)

        movement, printed = await self._run(look)
        if movement is None or printed is None or not printed.stories:
            raise Unreachable("withdrawn")
        reader = Reader(
            language=language or language_for(person, None, movement),
            timezone=timezone_for(person, None, movement),
            now=now,
        )
        content = await self._set(DRAWING, draw_magazine(printed, reader, PAPER_KINDS[file.kind]))
        took = round((perf_counter() - started) * 1000)
        log.info("magazine_printed", stories=len(printed.stories), bytes=len(content), ms=took)
        return content

    async def _set_card(self, packed: bytes) -> bytes:
        """Set a card of which all that stands on it is kept. Raises `Unreachable`."""
        drawn: dict[str, object] = json.loads(zlib.decompress(packed))
        return await self._set("card_drawn", drawn)

    async def _set(self, drawing: str, drawn: Mapping[str, object]) -> bytes:
        """Set a drawing as a PDF. Raises `Unreachable`."""
        if self._typesetter is None:
            raise Unreachable("broken")
        try:
            return await self._typesetter.typeset(drawing, drawn, "pdf")
        except TypesettingFailed:
            log.exception("file_print_failed", drawing=drawing)
            raise Unreachable("broken") from None

    async def _compose(self, file: PersonalFile, person: Person, language: Language) -> bytes:
        started, now = perf_counter(), self._clock.now()
        content = await compose_page(self._run, person, language, now)
        packed = await to_thread(zlib.compress, content)
        await self._run(partial(_store, file=file.id, packed=packed, now=now))
        log.info("file_composed", bytes=len(content), ms=round((perf_counter() - started) * 1000))
        return content

    async def _compose_takeaway(self, file: PersonalFile, person: Person, language: Language, tries: int) -> bytes:
        """Compose what a movement takes along, anew whenever something in it changed meanwhile: it may take a minute,
        in which fewer are to read a story. Raises `Unreachable`, and `Conflict` when it changes all the time."""
        for _ in range(tries):
            started, now = perf_counter(), self._clock.now()
            found = await self._run(lambda work: work.files.get(file.id))
            if found is None or found.movement_id is None:
                raise Unreachable("forgotten")
            composed = await compose_takeaway(self._run, person, found.movement_id, language, now, self._typesetter)
            if composed is None:
                raise Unreachable("forgotten")
            packed = await to_thread(zlib.compress, composed, PACKED_ALREADY)
            is_whole = await self._run(partial(_keep_takeaway, file=found, packed=packed, now=now))
            took = round((perf_counter() - started) * 1000)
            log.info("takeaway_composed", bytes=len(composed), ms=took, whole=is_whole)
            if is_whole:
                return composed
        raise Conflict(f"what is told in {file.id} changes all the time")


async def compose_page(transact: Transact, person: Person, language: Language, now: datetime) -> bytes:
    """Compose the page with everything about a person, in this language, a few rows at a time."""
    page = ExportPage(
        person.name, Reader(language=language, timezone=timezone_for(person, None, None), now=now, personal=True)
    )

    async def name_tables(work: UnitOfWork) -> Sequence[str]:
        return work.files.tables()

    for table in await transact(name_tables):
        keys = await _read_keys(transact, person, table)
        for start in range(0, len(keys), ROWS_AT_A_TIME):
            page.add(
                table,
                await transact(
                    partial(_read_rows, about=person.id, table=table, keys=keys[start : start + ROWS_AT_A_TIME])
                ),
            )
            await sleep(0)  # SQLite answers without waiting: let others be answered too
    return await to_thread(b"".join, page.finish())  # where it is long, joining leaves the interpreter to others


async def _read_rows(
    work: UnitOfWork, *, about: PersonId, table: str, keys: Sequence[RowKey]
) -> Sequence[Mapping[str, object]]:
    return await work.files.rows_about(about, table, keys)


async def _read_keys(transact: Transact, person: Person, table: str) -> Sequence[RowKey]:
    # A row that is added meanwhile moves the others: a key may come twice.
    keys: dict[RowKey, None] = {}
    start = 0
    while True:
        found = await transact(partial(_read_next_keys, about=person.id, table=table, start=start))
        keys.update(dict.fromkeys(found))
        start += len(found)
        if len(found) < KEYS_AT_A_TIME:
            return list(keys)
        await sleep(0)


async def _read_next_keys(work: UnitOfWork, *, about: PersonId, table: str, start: int) -> Sequence[RowKey]:
    return await work.files.keys_about(about, table, start, KEYS_AT_A_TIME)


async def _store(work: UnitOfWork, *, file: PersonalFileId, packed: bytes, now: datetime) -> None:
    found = await work.files.get(file)
    if found is None:  # everything about them was deleted meanwhile
        raise Unreachable("forgotten")
    found.made_at = now
    await work.files.set_content(file, packed)


async def _keep_takeaway(work: UnitOfWork, *, file: PersonalFile, packed: bytes, now: datetime) -> bool:
    """Store what a movement takes along, as far as its reader still coordinates it and nothing in it changed; return
    whether that is so. Raises `Unreachable`."""
    movement = file.movement_id or MovementId("")
    member = await work.movements.membership(movement, file.person_id)
    if member is None or not member.coordinates:
        raise Unreachable("forgotten")
    return await work.files.keep(file, packed, now)
