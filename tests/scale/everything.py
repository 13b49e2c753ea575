"""Do everything that a person waits for in one movement with a `Past`, and undo it: each command, button, form, event,
page, and question of a program. What it asks of the database may not depend on how much there is.

Every unit of work is rolled back in its end, so one thing can be done again and again over the same rows. A form is
opened first, for real; what is counted is its sending.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from time import perf_counter, process_time
from typing import Any

from sqlalchemy import insert, select

from adapters.clock import SettableClock
from adapters.database.tables import initiatives, movements
from adapters.database.unit_of_work import UnitsOfWork
from adapters.pages.links import PageLinks
from adapters.vault import SecretVault
from bot.api import MAX_API_PAGE, ApiReader
from bot.app import Ritme
from bot.catalogue.base import CATALOGUE, FormEntry
from bot.chat import CommandSyntax, Form, Intent
from bot.domain.api_token import ApiTokenId, RequestPace, Scope, digest_token
from bot.domain.page_session import SESSION_SECRET_CHARS, PageSession
from bot.domain.person import PersonId
from bot.pages import BOARDS
from bot.ports import Platform, UnitOfWork
from bot.transactions import TransactionRunner
from tests.fakes.messenger import RecordingMessenger
from tests.scale.everyday import NoEngine, RecordingTelemetry
from tests.scale.past import Past
from tests.scale.plans import Tally
from tests.support.databases import OpenDatabase
from tests.support.pressing import MOVEMENT, PEOPLE, PRESSES, SUBMISSIONS, Act, fill
from tests.support.world import API, KEEP_FOR_YEARS, LANE, MONDAY, VAULT_KEY, World

FORMS = {entry.intent for entry in CATALOGUE.values() if issubclass(entry, FormEntry) and entry.intent}
KEY = f"ritme_{'k' * 43}"
SECRET = "s" * SESSION_SECRET_CHARS
KEPT = ("map", "reach", "cloud", "effect")
"""Presses that show what was counted now and then."""
ABOUT = {"initiative": "walk", "rhythm": "weekly", "magazine": "printed"}
SMALL_STORIES = 5_000
KNOWN_PEOPLE = ("iris", *PEOPLE)


def past_of(stories: int, people: int, *, things: int = 0, partakers: int = 0, like: int = 0) -> Past:
    """Return a past for the movement of `fill`: so many stories and people, and places, initiatives and groups as
    usual with those, or with as many people as are in one `like` it, or so many `things` of each. Of the people,
    `partakers` take part in initiatives."""
    many = like or people
    return Past(
        stories=stories,
        weeks=52 if like or stories > SMALL_STORIES else 4,
        lanes=1,
        movements=1,
        places=things or max(4, many // 100),
        people=people,
        initiatives=things or max(4, many // 50),
        groups=things or max(3, many // 50),
        partakers=partakers,
        into=MOVEMENT,
        lane_into=LANE,
        known_people=KNOWN_PEOPLE,
        known_places=("general", "night"),
        known_initiatives=("walk",),
    )


class _Undo(Exception):
    """Raised to end a unit of work without keeping anything of it."""


class UndoneUnits:
    """Runs functions in a transaction each, whose rows are written, and then rolled back."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def __call__(self, act: Callable[[UnitOfWork], Awaitable[Any]], /) -> Any:
        """Run a function in a transaction that is undone; return what it returned."""
        result: Any = None

        async def undone(work: UnitOfWork) -> None:
            nonlocal result
            result = await act(work)
            await work.flush()
            raise _Undo

        with suppress(_Undo):
            await self._units(undone)
        return result

    async def give_way(self, act: Callable[[UnitOfWork], Awaitable[Any]], /) -> Any:
        """Run a function as calling does: nobody else is there."""
        return await self(act)

    async def read(self, act: Callable[[UnitOfWork], Awaitable[Any]], /) -> Any:
        """Run a function that only reads."""
        return await self._units.read(act)

    def begin(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a transaction that is not undone."""
        return self._units.begin()


Do = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Thing:
    """One thing that somebody does and waits for. `prepare` is done once, for real, and gives what to do.

    `keeps`: what is shown is counted once a day or week, and then stands: the usual case comes after the first time.
    """

    what: str
    prepare: Callable[["Stage", World], Awaitable[Do]]
    keeps: bool = False


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Holds what it took to do a thing once: statements, rows that were loaded, and milliseconds of this process and on
    the clock."""

    statements: int
    rows: int
    processor: float
    wall: float


class Stage:
    """A movement with a past, in which things are done for real (`world`) or undone (`undone`)."""

    def __init__(self, storage: OpenDatabase) -> None:
        self.telemetry = RecordingTelemetry()
        self.clock = SettableClock(MONDAY, running=False)
        self.world = self._make_world(storage)
        self.undone = self._make_world(replace(storage, transact=UndoneUnits(storage.transact)))
        self.undone.keys = self.world.keys

    def _make_world(self, storage: OpenDatabase) -> World:
        messenger = RecordingMessenger()
        links = PageLinks(("secret",), "https://ritme.example.org")
        platform = Platform(
            messenger=messenger,
            syntax=CommandSyntax(pages=links),
            feeds="https://ritme.example.org/slack/calendar/",
            api=API,
        )
        ritme = Ritme(
            transact=storage.transact,
            platforms={"test": platform},
            clock=self.clock,
            engine=NoEngine(),
            telemetry=self.telemetry,
            retention=KEEP_FOR_YEARS,
            vault=SecretVault((VAULT_KEY,)),
        )
        return World(ritme=ritme, clock=self.clock, messenger=messenger, storage=storage)

    async def fill(self) -> None:
        """Add one of everything that a button or form can be about, an open page, and a key of a program."""
        await fill(self.world)
        async with self.world.begin() as work:
            iris = await work.people.get(PersonId("iris"), MOVEMENT)
            assert iris is not None
            session = PageSession.offer(iris, self.clock.now())
            work.sessions.add(session)
            key = await work.outside.token(ApiTokenId("token"), MOVEMENT)
            assert key is not None
            key.digest, key.scopes = digest_token(KEY), [one.value for one in Scope]
        assert await self.world.ritme.pages.open(session.id, SECRET, "?")

    async def do(self, world: World, intent: Intent) -> Any:
        """Handle an intent. Raises RuntimeError unless it is "ok"."""
        reply = await world.ritme.handle(intent)
        if self.telemetry.outcome != "ok":
            raise RuntimeError(f"{intent.name}: {self.telemetry.outcome}, {reply}")
        return reply

    def intent(self, name: str, act: Act, **more: Any) -> Intent:
        """Make the intent of a press, anew each time."""
        args = {**act.args, **more}
        where = {"message": "m9"} if name in ("story.save_message", "saving.ask") else {}
        return self.world.intent(act.who, name, args, channel=act.channel, **where)

    async def count_anew(self) -> None:
        """Let what is counted now and then be counted, for real."""
        for one in THINGS:
            if one.keeps:
                await (await one.prepare(self, self.world))()

    async def take(self, act: Do) -> Taken:
        """Do something once and return what it took."""
        with Tally() as tally:
            processor, wall = process_time(), perf_counter()
            await act()
            wall, processor = perf_counter() - wall, process_time() - processor
        return Taken(statements=tally.statements, rows=tally.rows, processor=processor * 1000, wall=wall * 1000)


def _press(name: str, act: Act) -> Thing:
    async def prepare(stage: Stage, world: World) -> Do:
        return lambda: stage.do(world, stage.intent(name, act, card="c1"))

    return Thing(name, prepare, keeps=name in KEPT)


def _submit(name: str, act: Act) -> Thing:
    async def prepare(stage: Stage, world: World) -> Do:
        form = await stage.do(stage.world, stage.intent(act.opener, act, card="c1"))
        assert isinstance(form, Form), form
        values = {one.name: one.value for one in form.fields}
        filled = replace(act, args={**act.args, **values, **form.hidden, **act.values})
        return lambda: stage.do(world, stage.intent(name, filled))

    return Thing(name, prepare)


def _happen(name: str, args: Mapping[str, str] | None = None, who: str = "jan", what: str = "", **where: Any) -> Thing:
    async def prepare(stage: Stage, world: World) -> Do:
        return lambda: stage.do(world, stage.world.intent(who, name, args or {}, **where))

    return Thing(what or name, prepare)


def _type(line: str, who: str = "jan") -> Thing:
    command, _, text = line.partition(" ")
    return _happen("command", {"command": command, "text": text}, who, what=line)


def _show(name: str) -> Thing:
    async def prepare(stage: Stage, world: World) -> Do:
        about = ABOUT.get(BOARDS[name].about, "")
        return lambda: world.ritme.pages.show(SECRET, name, MOVEMENT, about)

    return Thing(f"page {name}", prepare, keeps=True)


Ask = Callable[[ApiReader], Awaitable[object]]


def _ask(what: str, ask: Ask) -> Thing:
    async def prepare(stage: Stage, world: World) -> Do:
        run = TransactionRunner(world.storage.transact, NoEngine())
        return lambda: ask(ApiReader(run=run, clock=stage.clock, pace=RequestPace()))

    return Thing(f"API {what}", prepare, keeps=True)


THINGS: Sequence[Thing] = (
    *(_press(name, act) for name, act in PRESSES.items()),
    *(_submit(name, act) for name, act in SUBMISSIONS.items()),
    *(
        _happen(name)
        for name in ("conversation.thanks", "conversation.small_talk", "conversation.unsure", "conversation.crisis")
    ),
    _happen("home.opened", channel=None),
    _happen("home.opened", who="iris", what="home.opened by a coordinator", channel=None),
    _press("story.save_message", SUBMISSIONS["saving.ask"]),
    _happen("place.joined", who="fatima", channel="another"),
    _happen("thread.mentioned", message="m-1", thread="root"),
    _happen("thread.replied", {"text": "Wij liepen ook een rondje."}, message="m-2", thread="root"),
    _happen("thread.replied", {"text": "Tot morgen!"}, message="m-3", thread="t", what="thread.replied elsewhere"),
    _happen("message.edited", {"text": "We lachten hard."}, "fatima", message="m1", thread="root"),
    _happen("message.deleted", who="fatima", message="m1", thread="root"),
    _happen("message.restored", {"text": "We lachten."}, "fatima", message="m1", thread="root"),
    _happen("message.gone", message="m1"),
    _happen("reaction.added", {"reaction": "heart"}, message="m1"),
    _happen("reaction.removed", {"reaction": "heart"}, message="m1"),
    _happen("person.changed", {"deactivated": "yes"}),
    _happen("place.gone", {"reason": "place_gone"}),
    _happen("place.back"),
    _happen("place.renamed"),
    _happen("group.changed", {"group": "S1", "name": "Nacht"}),
    _type("/stuck De nachtdienst hoort het als laatste"),
    _type("/story Vandaag liepen we met z’n vieren, en het regende"),
    _type("/ritme home"),
    _type("/ritme search nachtdienst overdracht"),
    _type("/ritme nobody joins our morning walk"),
    *(_show(name) for name in BOARDS),
    _ask("movement", lambda api: api.movement(KEY)),
    _ask("purpose", lambda api: api.purpose(KEY)),
    _ask("rhythms", lambda api: api.rhythms(KEY, None, MAX_API_PAGE)),
    _ask("initiatives", lambda api: api.initiatives(KEY, None, MAX_API_PAGE)),
    _ask("initiative", lambda api: api.initiative(KEY, "walk")),
    _ask("stories", lambda api: api.stories(KEY, None, None, MAX_API_PAGE)),
    _ask("stories of an initiative", lambda api: api.stories(KEY, "walk", None, MAX_API_PAGE)),
    _ask("figures", lambda api: api.figures(KEY)),
)
"""Everything that a person, or a program, waits for."""


async def _do_bare(stage: Stage, world: World) -> Do:
    async def act(work: UnitOfWork) -> None:
        session: Any = work.movements._session  # type: ignore[attr-defined]  # beside all repositories
        await session.execute(select(movements).where(movements.c.id == MOVEMENT))
        values = {"id": "bare", "name": "Kaal", "movement_id": MOVEMENT, "started_at": MONDAY}
        needed = {
            column.name: column.type.python_type()
            for column in initiatives.c
            if not column.nullable and column.server_default is None and column.name not in values
        }
        await session.execute(insert(initiatives).values({**needed, **values}))

    return lambda: world.storage.transact(act)


BARE = Thing("one indexed select and one insert", _do_bare)
"""The least that a durable answer takes."""
