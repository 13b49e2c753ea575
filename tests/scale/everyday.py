"""Do what people, and the clock, do all day in a movement with a `Past`: it must stay quick however long that is."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from adapters.clock import SettableClock
from adapters.database.unit_of_work import Begin, UnitsOfWork
from bot.app import NullTelemetry, Retention, Ritme
from bot.chat import Account, Answer, ChatPlace, Intent, Reply
from bot.domain.delivery import Delivery, DeliveryState
from bot.domain.movement import MovementId, PlaceId
from bot.domain.page_session import SESSION_SECRET_CHARS, PageSession
from bot.domain.person import WorkspaceId
from bot.domain.rhythm import Due, Moment, RhythmId, RhythmKind, plan_moment
from bot.ports import Messenger, Platform
from tests.scale.past import ACTORS, LATEST, Past
from tests.support.world import MONDAY

KEEP_ALL = Retention(**dict.fromkeys(("events", "deliveries", "closed", "left"), timedelta(days=4000)))
"""Nothing is cleaned up while activities are measured."""


class RecordingTelemetry(NullTelemetry):
    """Keeps the outcome of the last intent, and the kinds of deliveries that were sent."""

    def __init__(self) -> None:
        self.outcome = ""
        self.sent: list[str] = []

    def record_intent(self, intent: str, outcome: str, seconds: float) -> None:
        self.outcome = outcome

    def record_delivery(self, delivery: Delivery) -> None:
        if delivery.state is DeliveryState.SENT:
            self.sent.append(delivery.kind)


class NoEngine:
    """An engine that drains nothing: a benchmark or test calls `Ritme.drain` itself, or other processes do."""

    def wake(self, lane: WorkspaceId, *, after: timedelta = timedelta(0)) -> None: ...


class Everyday:
    """The core over a database with a past, on a Monday morning; activities are done one after the other."""

    def __init__(self, past: Past, transact: UnitsOfWork, messenger: Messenger) -> None:
        self.past = past
        self.clock = SettableClock(MONDAY, running=False)
        self.telemetry = RecordingTelemetry()
        self.begin: Begin = transact.begin
        self.ritme = Ritme(
            transact=transact,
            platforms={past.platform: Platform(messenger=messenger)},
            clock=self.clock,
            engine=NoEngine(),
            telemetry=self.telemetry,
            retention=KEEP_ALL,
        )
        self._things = 0

    async def do(
        self,
        name: str,
        args: Mapping[str, str],
        movement: int,
        person: int,
        *,
        place: int | None = None,
        **more: str,
    ) -> Reply:
        """Handle an intent of a person, in a place or (None) in their own chat. Raises RuntimeError unless it is "ok".

        Movement, person and place are numbers (see `Past`).
        """
        past = self.past
        lane, who = past.lane(movement), past.person(movement, person)
        channel = f"dm-{who}" if place is None else past.place(movement, place)
        self._things += 1
        reply = await self.ritme.handle(
            Intent(
                name=name,
                args=args,
                actor=Account(workspace=lane, id=who, name=who, language="nl", timezone="Europe/Amsterdam"),
                place=ChatPlace(workspace=lane, channel=channel, name=channel, personal=place is None),
                key=f"everyday-{self._things}",
                **more,  # type: ignore[arg-type]  # its message and thread
            )
        )
        if self.telemetry.outcome != "ok":
            raise RuntimeError(f"{name} {args}: {self.telemetry.outcome}")
        return reply

    async def drain(self, movement: int) -> None:
        """Drain the lane of a movement once."""
        await self.ritme.drain(WorkspaceId(self.past.lane(movement)))

    async def run_until_idle(self) -> None:
        """Send all that is due, then let a second pass."""
        for lane in await self.ritme.lanes_due():
            while await self.ritme.drain(lane):
                pass
        self.clock.set(self.clock.now() + timedelta(seconds=1))

    async def make_due(self, kind: RhythmKind, movement: int, place: int) -> None:
        """Plan a moment of a rhythm, of any kind, that is due now."""
        past, now = self.past, self.clock.now()
        async with self.begin() as work:
            rhythm = await work.rhythms.get(
                RhythmId(past.rhythm(movement, place, "purpose")), MovementId(past.movement(movement))
            )
            assert rhythm is not None
            due = Due(
                rhythm.id,
                rhythm.movement_id,
                PlaceId(past.place(movement, place)),
                WorkspaceId(past.lane(movement)),
                kind,
                now,
                rhythm.timing,
            )
            await work.deliveries.add(plan_moment(due, Moment(on=now.date(), at=now, given=now.time()), now))


Act = Callable[[Everyday, int, int], Awaitable[object]]
"""Does something; takes the number of a movement, and how often it was done there before."""


@dataclass(frozen=True, kw_only=True)
class Activity:
    """One thing that is done all day. `prepare` runs before it, unmeasured; `sends`: a kind it must have sent."""

    what: str
    act: Act
    prepare: Act | None = None
    sends: str = ""
    times: int = ACTORS * LATEST
    """How often it can be done in one movement, before there is no story to press or no room for one more post."""


def _type(line: str, person: int | None = None) -> Act:
    command, _, text = line.partition(" ")

    async def act(day: Everyday, movement: int, time: int) -> None:
        who = person if person is not None else _pick_member(time)
        said = text.replace("#", str(time))
        reply = await day.do("command", {"command": command, "text": said}, movement, who, place=time % day.past.places)
        assert isinstance(reply, Answer), reply

    return act


def _pick_member(time: int) -> int:
    """Return the number of an actor who does not coordinate."""
    return 1 + time % (ACTORS - 1)


async def _press_ripple(day: Everyday, movement: int, time: int) -> None:
    teller = time % ACTORS
    story = day.past.story(movement, teller + ACTORS * (time // ACTORS % LATEST))
    where = (time // ACTORS % LATEST) % day.past.places
    await day.do("ripple", {"story": story}, movement, (teller + 1) % ACTORS, place=where)


async def _reply_in_thread(day: Everyday, movement: int, time: int) -> None:
    where = time % day.past.places
    words = {"text": f"Wij liepen vandaag een rondje extra, voor de {time}e keer."}
    message, thread = f"reply-{movement}-{time}", day.past.thread(movement, where)
    await day.do("thread.replied", words, movement, _pick_member(time), place=where, message=message, thread=thread)


async def _reply_elsewhere(day: Everyday, movement: int, time: int) -> None:
    where = {"message": f"talk-{movement}-{time}", "thread": f"talk-{movement}"}
    await day.do("thread.replied", {"text": "Tot morgen!"}, movement, _pick_member(time), place=0, **where)


async def _tick(day: Everyday, movement: int, time: int) -> None:
    await day.ritme.plan()
    await day.ritme.lanes_due()


def _make_due(kind: RhythmKind, place: int) -> Act:
    async def act(day: Everyday, movement: int, time: int) -> None:
        await day.make_due(kind, movement, (place + time) % day.past.places)

    return act


async def _open_coordinators_page(day: Everyday, movement: int, time: int) -> None:
    """Look at the page of coordinators, as somebody with a session does."""
    past, now, secret = day.past, day.clock.now(), f"{movement}-{time}".ljust(SESSION_SECRET_CHARS, ".")
    async with day.begin() as work:
        who = await work.people.by_account(WorkspaceId(past.lane(movement)), past.person(movement, 0))
        assert who is not None
        session = PageSession.offer(who, now)
        work.sessions.add(session)
    assert await day.ritme.pages.open(session.id, secret, "?")
    page = await day.ritme.pages.show(secret, "coordinator", past.movement(movement))
    assert page is not None


async def _drain(day: Everyday, movement: int, time: int) -> None:
    await day.drain(movement)


async def _look_at_magazine(day: Everyday, movement: int, time: int) -> None:
    await day.do("magazine.look", {"magazine": day.past.magazine(movement)}, movement, _pick_member(time))


ACTIVITIES = (
    Activity(what="/stuck <text>", act=_type("/stuck De nachtdienst hoort het als laatste #")),
    Activity(what="/story <text>", act=_type("/story Vandaag liepen we met z’n vieren, en het regende #")),
    Activity(what="Home", act=_type("/ritme home")),
    Activity(what="Home of a coordinator", act=_type("/ritme home", person=0)),
    Activity(what="/ritme me", act=_type("/ritme me")),
    Activity(what="“I do this too”", act=_press_ripple),
    Activity(what="a reply in a thread", act=_reply_in_thread),
    Activity(what="a reply to nothing of ours", act=_reply_elsewhere),
    Activity(what="/ritme lookback", act=_type("/ritme lookback")),
    Activity(what="the coordinators’ page", act=_open_coordinators_page),
    Activity(
        what="drain of a purpose", prepare=_make_due(RhythmKind.PURPOSE, 0), act=_drain, sends="rhythm_purpose", times=2
    ),
    Activity(
        what="drain of a harvest", prepare=_make_due(RhythmKind.HARVEST, 3), act=_drain, sends="rhythm_harvest", times=1
    ),
    Activity(what="a tick with nothing due", act=_tick),
    Activity(what="/ritme magazine", act=_type("/ritme magazine")),
    Activity(what="a magazine", act=_look_at_magazine),
    Activity(what="/ritme search <words>", act=_type("/ritme search nachtdienst overdracht")),
)
"""Everything that must be quick."""
