"""Give a coordinator what the movement may take along: one zip with tables, the same as JSON, and a PDF to read.

A movement may have a hundred thousand stories. They are read a batch at a time, each in a transaction of its own, and
written to files on disk, which are packed in a thread; only the packed file is held in memory. People are nameless:
only who told a story under their name, and agreed to be named beyond their own organisation, is named with it. Names of
all others are taken out of what people wrote. What somebody kept to themselves, was stuck on, or said of others is not
read at all.
"""

import csv
import json
from asyncio import sleep, to_thread
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, TextIO, TypeVar
from zipfile import ZIP_DEFLATED, ZipFile

from bot import wording
from bot.catalogue.base import Entry
from bot.catalogue.rhythms import RhythmSummary
from bot.catalogue.takeaways import TakeawayComing, TakeawayFile
from bot.changes import record_change
from bot.domain.change import CoordinatorAct
from bot.domain.connectors import MIN_GROUP_SIZE
from bot.domain.delivery import DeliveryState, to_person
from bot.domain.experiment import DecidedExperiment
from bot.domain.initiative import Initiative, InitiativeId
from bot.domain.movement import Movement, MovementId
from bot.domain.person import Language, Person, PersonId
from bot.domain.personal_file import LINK_TTL, TAKEAWAY, TAKEAWAY_FILE, PersonalFile, PersonalFileId
from bot.domain.takeaway import NameMask, TakenAfter, TakenMoment, TakenStep, TakenStory, make_cell
from bot.errors import Unwanted
from bot.guard.word_lists import word_lists
from bot.pictures import AFTER_ANSWER
from bot.ports import Outgoing, Transact, Turn, Typesetter, TypesettingFailed, UnitOfWork
from bot.ports.turn import timezone_for
from bot.wording import Reader

README_WORDS = "takeaways/readme.md.j2"
ROWS_TAKEN = 20
"""Rows read and written at once: some milliseconds in which nobody else is answered."""
NAMES_TAKEN = 200
"""Names read at once."""
MOST_DECIDED = 200
"""Decisions about the experiments of one initiative."""
STORIES_IN_PDF, HISTORY_IN_PDF, INITIATIVES_IN_PDF, RHYTHMS_IN_PDF = 40, 60, 100, 100
"""Rows that the PDF holds, the newest; everything is in the tables."""
LISTED_PARTS = frozenset({"core_message", "behaviour"})
"""Parts of a purpose of which there may be several."""
LONG_AGO = timedelta(days=3650)
UNDER_WAY = (DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.UNKNOWN)
README, PDF, JSON = "README.txt", "movement.pdf", "movement.json"
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "purpose": ("written_at", "part", "text"),
    "rhythms": ("kind", "place", "rule", "at", "timezone", "starts_on", "ended_at"),
    "moments": ("posted_at", "kind", "place"),
    "initiatives": ("number", "name", "trying", "started_at", "closed_at"),
    "steps": ("done_at", "initiative", "when", "then"),
    "stories": ("number", "told_at", "initiative", "dimension", "teller", "from_outside", "do_this_too", "text"),
    "history": ("at", "what", "initiative", "text"),
    "figures": ("what", "how_many"),
}
"""The tables, and their columns."""
T = TypeVar("T")
RowsAfter = TypeVar("RowsAfter")
R = TypeVar("R", TakenStory, TakenStep, TakenMoment)
TakenRow = Mapping[str, object]
NextRows = Callable[[UnitOfWork, RowsAfter | None], Awaitable[Sequence[T]]]


async def ask(work: UnitOfWork, turn: Turn) -> Entry:
    """Plan the file for a coordinator, given in their own chat; within the hour, the same file again, unless a story
    was taken back since."""
    movement, person, now = turn.require_coordinator(), turn.person, turn.now
    file = await work.files.latest_of(person.id, TAKEAWAY)
    if file is None or file.movement_id != movement.id or not file.is_fresh(now):
        file = PersonalFile.ask(person, now, TAKEAWAY, movement.id)
        work.files.add(file)
        record_change(work, turn, CoordinatorAct.EXPORT_MADE)
    last = await work.deliveries.by_key(file.delivery_key) if file.sends else None
    if last is None or last.state not in UNDER_WAY:
        file.send_again(now)
        await work.deliveries.add(
            to_person(
                person,
                TAKEAWAY_FILE,
                key=file.delivery_key,
                now=now,
                movement=movement.id,
                subject=file.id,
                # Where the answer goes through the outbox too, it comes first: it says what is coming.
                due_at=now if turn.intent.answerable else now + AFTER_ANSWER,
                expires_at=file.expires_at,
            )
        )
    if (made_at := await _standing_since(work, file, movement.id)) is None:
        return TakeawayComing(name=movement.name)
    return TakeawayComing(name=movement.name, made_at=made_at, renewable_at=file.renewable_at)


async def _standing_since(work: UnitOfWork, file: PersonalFile, movement: MovementId) -> datetime | None:
    """Return when the file that is given was made; None where it is still to be, or is made anew when it is given,
    because a story in it is not what it was."""
    if file.made_at is None or await work.takeaways.has_withdrawn_since(movement, file.made_at):
        return None
    return file.made_at


async def compose_file(work: UnitOfWork, outgoing: Outgoing) -> TakeawayFile:
    """Word the message with the file; the file itself is composed outside this transaction, when it is sent. Raises
    `Unwanted` for one who does not coordinate the movement any more."""
    movement, reader = outgoing.require_movement(), outgoing.person
    file = await work.files.get(PersonalFileId(outgoing.delivery.subject))
    if file is None or reader is None or file.person_id != reader.id or file.movement_id != movement.id:
        raise Unwanted("gone")
    if not await _coordinates(work, reader, movement.id):
        raise Unwanted("gone")
    made_at = await _standing_since(work, file, movement.id) or outgoing.now
    return TakeawayFile(file=file.id, name=movement.name, made_at=made_at, until=outgoing.now + LINK_TTL)


async def _coordinates(work: UnitOfWork, person: Person, movement: MovementId) -> bool:
    member = await work.movements.membership(movement, person.id)
    return member is not None and member.coordinates


class _Tables:
    """Writes rows, as they come, to a CSV file for each table and to one JSON file, in a folder."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._stack = folder, stack
        self._json: TextIO = stack.enter_context((folder / JSON).open("w", encoding="utf-8"))
        self._json.write("{")
        self._tables = 0

    async def write(self, table: str, rows: AsyncIterator[Sequence[TakenRow]]) -> int:
        """Write a table, batch by batch, and return how many rows it has."""
        columns, count = COLUMNS[table], 0
        self._json.write(f"{',' if self._tables else ''}\n{json.dumps(table)}: [")
        # With a mark of its encoding, without which Excel reads it as another.
        with (self.folder / f"{table}.csv").open("w", encoding="utf-8-sig", newline="") as file:
            written = csv.writer(file, quoting=csv.QUOTE_ALL)
            written.writerow(columns)
            async for batch in rows:
                for row in batch:
                    written.writerow([make_cell(row[name]) for name in columns])
                    self._json.write(f"{',' if count else ''}\n{json.dumps(row, ensure_ascii=False, default=str)}")
                    count += 1
        self._json.write("]")
        self._tables += 1
        return count

    def close(self) -> None:
        """End the JSON file."""
        self._json.write("\n}\n")
        self._json.close()


async def compose_takeaway(
    transact: Transact,
    person: Person,
    movement: MovementId,
    language: Language,
    now: datetime,
    typesetter: Typesetter | None,
) -> bytes | None:
    """Compose the zip for a coordinator, in this language; None for one who does not coordinate the movement."""

    async def look(work: UnitOfWork) -> Movement | None:
        found = await work.movements.get(movement)
        if found is None or not await _coordinates(work, person, movement):
            return None
        return found

    found = await transact(look)
    if found is None:
        return None
    reader = Reader(
        language=language, timezone=timezone_for(person, None, found), now=now, personal=True, knows_privacy=True
    )
    # Made and removed in threads, as all that is done with whole files: a disk may be slow.
    folder = Path(await to_thread(mkdtemp, prefix="ritme-takeaway-"))
    try:
        with ExitStack() as stack:
            mask = await _load_mask(transact, movement, reader)
            writer = _Takeaway(transact, found, reader, mask, _Tables(folder, stack))
            await writer.write()
        pdf = await writer.draw(typesetter)
        if pdf is not None:
            await to_thread((folder / PDF).write_bytes, pdf)
        readme = writer.say(
            "readme", has_pdf=pdf is not None, somebody=wording.render_sentence(README_WORDS, "somebody", reader)
        )
        await to_thread((folder / README).write_text, readme, encoding="utf-8")
        return await to_thread(_pack, folder)
    finally:
        await to_thread(rmtree, folder, ignore_errors=True)


async def _load_mask(transact: Transact, movement: MovementId, reader: Reader) -> NameMask:
    """Return the mask of the names of all in the workspaces of a movement, and all its members, who did not agree."""
    lists = [word_lists(one) for one in Language]
    mask = NameMask(
        (),
        wording.render_sentence(README_WORDS, "somebody", reader),
        ordinary=frozenset().union(*(one["ordinary"].words for one in lists)),
        particles=frozenset().union(*(one["particles"].words for one in lists)),
    )

    async def list_colleagues(work: UnitOfWork, after: tuple[str, str] | None) -> Sequence[tuple[str, str, str]]:
        return await work.takeaways.colleagues_after(movement, after, NAMES_TAKEN)

    async def list_members(work: UnitOfWork, after: PersonId | None) -> Sequence[tuple[PersonId, str]]:
        return await work.takeaways.members_after(movement, after, NAMES_TAKEN)

    async for colleagues in _read(transact, list_colleagues, lambda one: (one[0], one[1]), NAMES_TAKEN):
        mask.add(name for _, _, name in colleagues)
    async for joined in _read(transact, list_members, lambda one: one[0], NAMES_TAKEN):
        mask.add(name for _, name in joined)
    return mask


async def _read(
    transact: Transact, next_rows: NextRows[RowsAfter, T], key: Callable[[T], RowsAfter], limit: int
) -> AsyncIterator[Sequence[T]]:
    """Yield batch after batch of so many rows, each read in a transaction of its own, after the key of the last one."""
    after: RowsAfter | None = None
    while True:
        batch = await transact(partial(_read_after, next_rows=next_rows, after=after))
        if batch:
            yield batch
            after = key(batch[-1])
        if len(batch) < limit:
            return
        await sleep(0)  # SQLite answers without waiting: let others be answered too


def _pack(folder: Path) -> bytes:
    """Return the files of a folder as a zip."""
    packed = folder / "packed.zip"
    files = sorted(one for one in folder.iterdir() if one != packed)
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for one in sorted(files, key=lambda each: (each.name != README, each.name)):
            archive.write(one, one.name)
    return packed.read_bytes()


async def _read_after(work: UnitOfWork, *, next_rows: NextRows[RowsAfter, T], after: RowsAfter | None) -> Sequence[T]:
    return await next_rows(work, after)


class _Takeaway:
    """Reads what one movement takes along, writes it, and remembers the little of it that the PDF shows."""

    def __init__(self, transact: Transact, movement: Movement, reader: Reader, mask: NameMask, tables: _Tables) -> None:
        self._transact, self._movement, self._reader = transact, movement, reader
        self._mask, self._tables = mask.mask, tables
        self._places: dict[str, str] = {}
        self._initiatives: list[Initiative] = []
        self._names: dict[str, str] = {}
        self._figures: dict[str, str] = {}
        self._shown: dict[str, list[TakenRow]] = {"stories": [], "history": [], "purpose": []}
        self._rhythms_shown: list[RhythmSummary] = []

    def say(self, block: str, **values: object) -> str:
        """Return words about the file; lines stay lines."""
        name = self._mask(self._movement.name)
        return wording.render_text(
            README_WORDS, block, self._reader, {"name": name, "made_at": self._reader.now, **values}
        )

    async def _say_each(self, block: str, values: Sequence[Mapping[str, object]]) -> list[str]:
        said = []
        for one in values:
            said.append(self.say(block, **one))
            await sleep(0)
        return said

    async def write(self) -> None:
        """Write all tables."""

        async def load(work: UnitOfWork) -> int:
            labels = await work.movements.labels(self._movement.id, await self._home(work))
            self._places = {place: self._mask(label) for place, label in labels.items()}
            self._initiatives = list(await work.initiatives.of_movement(self._movement.id, closed=True))
            self._names = {one.id: self._mask(one.name) for one in self._initiatives}
            return await work.people.count_in(self._movement.id)

        members = await self._transact(load)
        await self._tables.write("purpose", self._purpose())
        await self._tables.write("rhythms", self._rhythms())
        counts = {
            "moments": await self._tables.write("moments", self._moments()),
            "initiatives": await self._tables.write("initiatives", self._list_initiatives()),
            "steps": await self._tables.write("steps", self._steps()),
            "stories": await self._tables.write("stories", self._stories()),
        }
        await self._tables.write("history", self._history())
        people = str(members) if members >= MIN_GROUP_SIZE else self.say("few", least=MIN_GROUP_SIZE)
        self._figures = {"people": people, **{name: str(many) for name, many in counts.items()}}
        await self._tables.write(
            "figures", _once([{"what": name, "how_many": many} for name, many in self._figures.items()])
        )
        self._tables.close()

    async def _home(self, work: UnitOfWork) -> Any:
        places = await work.movements.places(self._movement.id)
        return places[0].workspace_id if places else ""

    async def _purpose(self) -> AsyncIterator[Sequence[TakenRow]]:
        versions = await self._transact(lambda work: work.movements.purposes(self._movement.id))
        for version in versions:
            rows = [
                {"written_at": version.written_at.isoformat(), "part": key, "text": self._mask(text)}
                for key, text in dict(version.parts()).items()
            ]
            if not self._shown["purpose"] or version.written_at.isoformat() > str(
                self._shown["purpose"][0]["written_at"]
            ):
                self._shown["purpose"] = list(rows)
            yield rows

    async def _rhythms(self) -> AsyncIterator[Sequence[TakenRow]]:
        found = await self._transact(lambda work: work.rhythms.of_movement(self._movement.id))
        rows = [
            {
                "kind": one.kind.value,
                "place": self._places.get(one.place_id, ""),
                "rule": one.rule,
                "at": one.at.strftime("%H:%M"),
                "timezone": one.timezone,
                "starts_on": one.starts_on.isoformat(),
                "ended_at": one.ended_at.isoformat() if one.ended_at else "",
            }
            for one in found
        ]
        going = [one for one in found if one.ended_at is None][-RHYTHMS_IN_PDF:]
        self._rhythms_shown = [
            RhythmSummary.of(one, self._places.get(one.place_id, ""), (), self._reader.now) for one in going
        ]
        yield rows

    async def _moments(self) -> AsyncIterator[Sequence[TakenRow]]:
        async def read(work: UnitOfWork, after: TakenAfter | None) -> Sequence[TakenMoment]:
            return await work.takeaways.moments_after(self._movement.id, after, ROWS_TAKEN)

        async for batch in self._read(read):
            yield [
                {
                    "posted_at": one.sent_at.isoformat(),
                    "kind": one.kind.removeprefix("rhythm_"),
                    "place": self._places.get(one.place_id or "", ""),
                }
                for one in batch
            ]

    async def _list_initiatives(self) -> AsyncIterator[Sequence[TakenRow]]:
        yield [
            {
                "number": number,
                "name": self._names[one.id],
                "trying": self._mask(one.description),
                "started_at": one.started_at.isoformat(),
                "closed_at": one.closed_at.isoformat() if one.closed_at else "",
            }
            for number, one in enumerate(sorted(self._initiatives, key=lambda one: one.started_at), 1)
        ]

    async def _steps(self) -> AsyncIterator[Sequence[TakenRow]]:
        async for batch in self._read(self._next_steps):
            yield [
                {
                    "done_at": one.closed_at.isoformat(),
                    "initiative": self._names.get(one.initiative_id or "", ""),
                    "when": self._mask(one.cue),
                    "then": self._mask(one.action),
                }
                for one in batch
            ]

    async def _next_steps(self, work: UnitOfWork, after: TakenAfter | None) -> Sequence[TakenStep]:
        return await work.takeaways.steps_after(self._movement.id, after, ROWS_TAKEN)

    async def _stories(self) -> AsyncIterator[Sequence[TakenRow]]:
        async def read(work: UnitOfWork, after: TakenAfter | None) -> Sequence[TakenStory]:
            return await work.takeaways.stories_after(self._movement.id, after, ROWS_TAKEN)

        number = 0
        async for batch in self._read(read):
            rows: list[TakenRow] = []
            for one in batch:
                number += 1
                rows.append(
                    {
                        "number": number,
                        "told_at": one.told_at.isoformat(),
                        "initiative": self._names.get(one.initiative_id or "", ""),
                        "dimension": one.dimension.value if one.dimension else "",
                        "teller": one.teller,
                        "from_outside": one.outside,
                        "do_this_too": one.ripples,
                        "text": self._mask(one.text),
                    }
                )
            self._remember("stories", rows, STORIES_IN_PDF)
            yield rows

    async def _history(self) -> AsyncIterator[Sequence[TakenRow]]:
        """Yield what began and ended, what was decided, and the steps that were done; the stories have a table."""
        yield self._note({"at": self._movement.started_at.isoformat(), "what": "started", "initiative": "", "text": ""})
        for one in self._initiatives:
            about = {"initiative": self._names[one.id], "text": ""}
            yield self._note({"at": one.started_at.isoformat(), "what": "begun", **about})
            if one.closed_at is not None:
                yield self._note({"at": one.closed_at.isoformat(), "what": "closed", **about})
            decided = await self._transact(partial(self._read_decisions, initiative=one.id))
            for each in decided:
                text = "; ".join(self._mask(told) for told in (each.trying, *each.learned))
                about = {"initiative": self._names[one.id], "text": text}
                yield self._note({"at": each.decided_at.isoformat(), "what": each.decision.value, **about})
            await sleep(0)
        async for batch in self._read(self._next_steps):
            for step in batch:
                about = {"initiative": self._names.get(step.initiative_id or "", ""), "text": self._mask(step.action)}
                yield self._note({"at": step.closed_at.isoformat(), "what": "step", **about})

    async def _read_decisions(self, work: UnitOfWork, *, initiative: InitiativeId) -> Sequence[DecidedExperiment]:
        return await work.experiments.decided_in(self._movement.id, initiative, None, MOST_DECIDED)

    def _note(self, row: TakenRow) -> Sequence[TakenRow]:
        self._remember("history", [row], HISTORY_IN_PDF * 4)
        return [row]

    def _remember(self, table: str, rows: Sequence[TakenRow], most: int) -> None:
        self._shown[table] = [*self._shown[table], *rows][-most:]

    def _read(self, next_rows: NextRows[TakenAfter, R]) -> AsyncIterator[Sequence[R]]:
        return _read(self._transact, next_rows, lambda one: (one[0], one[1]), ROWS_TAKEN)

    async def draw(self, typesetter: Typesetter | None) -> bytes | None:
        """Return the PDF, set outside the event loop; None where nothing can be set here."""
        if typesetter is None:
            return None
        history = sorted(self._shown["history"], key=lambda one: str(one["at"]))[-HISTORY_IN_PDF:]
        initiatives = sorted(self._initiatives, key=lambda one: one.started_at)[-INITIATIVES_IN_PDF:]
        headings = ("purpose", "rhythms", "initiatives", "history", "stories", "figures")
        stories = self._shown["stories"][::-1]
        by = await self._say_each("by", [{"one": one, "at": _moment_of(one["told_at"])} for one in stories])
        data = {
            "language": self._reader.language.value,
            "title": self._mask(self._movement.name),
            "made": self.say("made"),
            "headings": {one: self.say(f"heading_{one}") for one in headings},
            "purpose": self._draw_purpose(),
            "rhythms": self._say_rhythms(),
            "initiatives": [
                {"name": self._names[one.id], "trying": self._mask(one.description)} for one in initiatives
            ],
            "history": await self._say_each("moment", [{"one": one, "at": _moment_of(one["at"])} for one in history]),
            "stories": [{"text": str(one["text"]), "by": who} for one, who in zip(stories, by, strict=True)],
            "figures": [self.say("figure", what=name, many=many) for name, many in self._figures.items()],
            "note": self.say("pdf_note"),
        }
        try:
            return await typesetter.typeset("takeaway", data, "pdf")
        except TypesettingFailed:
            return None

    def _draw_purpose(self) -> list[Mapping[str, object]]:
        """Return the parts of the purpose, each with its label; what there are several of as a list."""
        parts: dict[str, list[str]] = {}
        for one in self._shown["purpose"]:
            parts.setdefault(str(one["part"]).partition(":")[0], []).append(str(one["text"]))
        return [
            {"label": self.say(f"part_{part}"), "texts": texts, "listed": part in LISTED_PARTS}
            for part, texts in parts.items()
        ]

    def _say_rhythms(self) -> list[str]:
        # As if it were read long ago: whole dates, as "tomorrow" is another day when the file is read.
        reader = replace(self._reader, now=self._reader.now - LONG_AGO)
        return [wording.render_text(README_WORDS, "rhythm", reader, {"one": one}) for one in self._rhythms_shown]


def _moment_of(written: object) -> datetime:
    return datetime.fromisoformat(str(written))


async def _once(rows: Sequence[TakenRow]) -> AsyncIterator[Sequence[TakenRow]]:
    yield rows
