"""A small world for core tests: the real core over a real database, a recording messenger, a clock the test moves."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.clock import SettableClock
from adapters.database.unit_of_work import Begin
from adapters.pages.links import PageLinks
from adapters.vault import SecretVault
from bot.app import Retention, Ritme
from bot.chat import Account, Answer, Button, ChatPlace, CommandSyntax, FieldErrors, Form, Intent, Message, Reply, Value
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceId, Role
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId
from bot.ports import Platform, Telemetry, UnitOfWork
from tests.fakes.messenger import RecordingMessenger, Sent
from tests.support.databases import OpenDatabase, open_database

MONDAY = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
"""Monday 1 March 2027, 09:00 in Amsterdam."""
LANE = "test:W1"
MOVEMENT = MovementId("movement")
API = "https://ritme.example.org/api/v1"
VAULT_KEY = "Zm9yLXRlc3RzLW9ubHktbm90LWEtcmVhbC1rZXktISE="
KEEP_FOR_YEARS = Retention(**dict.fromkeys(("events", "deliveries", "closed", "left"), timedelta(days=4000)))
"""Retention of eleven years: a test that lives through years still sees all of them."""


async def agree(
    begin: Begin, *people: str, answer: bool = True, figures: Sequence[str] = (), movement: str = "movement"
) -> None:
    """Store that people (by id) said yes, or no, to being suggested in a movement, and as what."""
    async with begin() as work:
        for name in people:
            member = await work.movements.membership(MovementId(movement), PersonId(name))
            assert member is not None
            member.suggestible, member.figures = answer, list(figures)


@dataclass
class World:
    """One workspace on a platform of the tests' own; people are named by their account ids."""

    ritme: Ritme
    clock: SettableClock
    messenger: RecordingMessenger
    storage: OpenDatabase
    keys: "count[int]" = field(default_factory=count)

    @property
    def database(self) -> AsyncEngine:
        return self.storage.database

    @property
    def begin(self) -> Begin:
        return self.storage.begin

    def intent(
        self,
        who: str,
        name: str,
        args: Mapping[str, Value],
        *,
        channel: str | None = "general",
        language: str = "",
        workspace: str = LANE,
        thread: str | None = None,
        message: str | None = None,
        key: str | None = None,
        answerable: bool = True,
    ) -> Intent:
        """Make the intent of `who` (an account id, also the name), in a channel or (None) in their own chat."""
        return Intent(
            name=name,
            args=args,
            actor=Account(workspace=workspace, id=who, name=who, language=language, timezone="Europe/Amsterdam"),
            place=ChatPlace(
                workspace=workspace, channel=channel or f"dm-{who}", name=channel or "", personal=channel is None
            ),
            key=key or f"k{next(self.keys)}",
            thread=thread,
            message=message,
            answerable=answerable,
        )

    async def do(
        self,
        who: str,
        name: str,
        *,
        args: Mapping[str, Value] | None = None,
        channel: str | None = "general",
        language: str = "",
        workspace: str = LANE,
        thread: str | None = None,
        message: str | None = None,
        key: str | None = None,
        answerable: bool = True,
        **more: Value,
    ) -> Reply:
        """Handle an intent (see `intent`; `args` and `more` together are its arguments), and send all that is due."""
        reply = await self.ritme.handle(
            self.intent(
                who,
                name,
                {**(args or {}), **more},
                channel=channel,
                language=language,
                workspace=workspace,
                thread=thread,
                message=message,
                key=key,
                answerable=answerable,
            )
        )
        await self.drain()
        return reply

    async def movement(
        self, *people: str, coordinator: str = "iris", channels: tuple[str, ...] = ("general",)
    ) -> Movement:
        """Add a movement in these channels, with a coordinator and members, straight into storage."""
        now = self.clock.now()
        movement = Movement(id=MovementId("movement"), name="Samen op pad", language=Language.NL, started_at=now)
        async with self.begin() as work:
            work.people.add(Workspace(id=WorkspaceId(LANE)))
            work.movements.add(movement)
            for channel in channels:
                place = Place(
                    id=PlaceId(channel), workspace_id=WorkspaceId(LANE), channel=channel, name=channel, created_at=now
                )
                place.movement_id = movement.id
                work.movements.add(place)
            for name in (coordinator, *people):
                person = Person(
                    id=PersonId(name), workspace_id=WorkspaceId(LANE), account=name, name=name, created_at=now
                )
                person.language = Language.NL
                work.people.add(person)
                role = Role.COORDINATOR if name == coordinator else Role.MEMBER
                work.movements.add(Member(movement_id=movement.id, person_id=person.id, role=role, joined_at=now))
        return movement

    async def type(self, who: str, line: str, **where: object) -> Reply:
        """Type a command, such as "/stuck nobody comes"."""
        command, _, text = line.partition(" ")
        return await self.do(who, "command", command=command, text=text, **where)  # type: ignore[arg-type]

    async def press(self, who: str, shown: Reply | Message | Sent, name: str, **where: object) -> Reply:
        """Press a button by its name."""
        button = button_of(shown, name)
        if isinstance(shown, Sent):
            where = {
                "message": shown.receipt.message,
                "thread": shown.post.thread,
                "channel": shown.post.channel,
                **where,
            }
        return await self.do(who, button.intent, args=button.args, **where)  # type: ignore[arg-type]

    async def submit(self, who: str, form: Reply, *, channel: str | None = "general", **values: Value) -> Reply:
        """Fill in a form over what it already holds, and submit it."""
        assert isinstance(form, Form), form
        filled = {one.name: one.value for one in form.fields}
        unknown = set(values) - set(filled)
        assert not unknown, f"the form has no field {unknown}; it has {set(filled)}"
        return await self.do(who, form.intent, args={**filled, **form.hidden, **values}, channel=channel)

    async def drain(self) -> None:
        """Plan and send everything due now."""
        await self.storage.engine.run_until_idle()

    async def until(self, moment: datetime) -> None:
        """Move the clock to `moment`, and send everything planned on the way at its own moment."""
        while (due := await self.ritme.next_due()) is not None and due <= moment:
            self.clock.set(max(due, self.clock.now()))
            before = await self.ritme.next_due()
            await self.drain()
            if await self.ritme.next_due() == before:
                break
        self.clock.set(moment)
        await self.drain()

    async def pass_(self, **time: float) -> None:
        """Move the clock on by the arguments of a timedelta, as `until` does."""
        await self.until(self.clock.now() + timedelta(**time))

    def posts(self, channel: str = "general") -> list[Sent]:
        """List the messages for everyone in a channel that were not deleted, oldest first."""
        return self.messenger.in_channel(channel)

    def private(self, who: str) -> list[Sent]:
        """List the messages for one person alone, oldest first."""
        return self.messenger.to(who)


async def members_of(work: UnitOfWork) -> list[Person]:
    """Return everyone in the movement who is of the workspace, in no order."""
    everyone = await work.people.accounts_in(WorkspaceId(LANE))
    return [one for one in everyone if await work.movements.membership(MOVEMENT, one.id) is not None]


def button_of(shown: Reply | Message | Sent, name: str) -> Button:
    """Return the first button of this name under a message."""
    message = shown.message if isinstance(shown, Answer | Sent) else shown
    assert isinstance(message, Message), f"no message to press {name} on: {shown}"
    found = [button for button in message.buttons if button.name == name]
    assert found, f"no button {name}; there are {[button.name for button in message.buttons]}"
    return found[0]


def text_of(shown: Reply | Sent) -> str:
    """Return the text of an answer or a sent message, or the errors of a form."""
    if isinstance(shown, FieldErrors):
        return str(shown.errors)
    assert isinstance(shown, Answer | Sent), shown
    assert shown.message is not None
    return shown.message.text


@asynccontextmanager
async def open_world(
    tmp_path: Path,
    start: datetime = MONDAY,
    kind: str = "sqlite",
    telemetry: Telemetry | None = None,
    works_council: bool = False,
    *,
    pages: bool = False,
    answers_directly: bool = False,
) -> AsyncIterator[World]:
    """Open a fresh world over a fresh database, with its engine; with `pages` in a browser or not."""
    async with open_database(kind, tmp_path) as storage:
        clock, messenger = SettableClock(start, running=False), RecordingMessenger()
        links = PageLinks(("secret",), "https://ritme.example.org") if pages else None
        platforms = {
            "test": Platform(
                messenger=messenger,
                syntax=CommandSyntax(pages=links),
                feeds="https://ritme.example.org/slack/calendar/",
                api=API,
                answers_directly=answers_directly,
            )
        }
        ritme = Ritme(
            transact=storage.transact,
            platforms=platforms,
            clock=clock,
            engine=storage.engine,
            telemetry=telemetry,
            retention=KEEP_FOR_YEARS,
            vault=SecretVault((VAULT_KEY,)),
            works_council=works_council,
        )
        await storage.start_engine(ritme)
        yield World(ritme=ritme, clock=clock, messenger=messenger, storage=storage)
