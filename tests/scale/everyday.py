"""What people, and the clock, do all day in a movement with a `Past`: what has to stay quick however long that is."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from adapters.clock import DialClock
from bot.app import NullTelemetry, Retention, Ritme
from bot.chat import Account, Answer, ChatPlace, Intent, Reply
from bot.domain.delivery import Delivery, DeliveryState
from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import WorkspaceId
from bot.domain.rhythm import Due, Moment, RhythmId, RhythmKind, planned
from bot.ports import Begin, Messenger, Platform
from tests.scale.past import ACTORS, LATEST, Past
from tests.support.world import MONDAY

FOR_EVER = Retention(events=timedelta(days=4000), deliveries=timedelta(days=4000))


class Notes(NullTelemetry):
    """What came of what was done."""

    def __init__(self) -> None:
        self.outcome = ""
        self.sent: list[str] = []

    def record_intent(self, intent: str, outcome: str, seconds: float) -> None:
        self.outcome = outcome

    def record_delivery(self, delivery: Delivery) -> None:
        if delivery.state is DeliveryState.SENT:
            self.sent.append(delivery.kind)


class Nobody:
    """An engine that leaves it to others to drain."""

    def wake(self, lane: WorkspaceId, *, after: timedelta = timedelta(0)) -> None: ...


class Everyday:
    """The core over a database with a past; what is done is done on a Monday morning, by one after the other."""

    def __init__(self, past: Past, begin: Begin, messenger: Messenger) -> None:
        self.past = past
        self.clock = DialClock(MONDAY, running=False)
        self.notes = Notes()
        self.begin = begin
        self.ritme = Ritme(
            begin=begin,
            platforms={past.platform: Platform(messenger=messenger)},
            clock=self.clock,
            engine=Nobody(),
            telemetry=self.notes,
            retention=FOR_EVER,
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
        """Somebody does something, in a place or (None) in their own chat. Raises unless it was done."""
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
        if self.notes.outcome != "ok":
            raise RuntimeError(f"{name} {args}: {self.notes.outcome}")
        return reply

    async def drain(self, movement: int) -> None:
        await self.ritme.drain(WorkspaceId(self.past.lane(movement)))

    async def run_until_idle(self) -> None:
        """All that is due is sent, and a second passes."""
        for lane in await self.ritme.lanes_due():
            while await self.ritme.drain(lane):
                pass
        self.clock.set(self.clock.now() + timedelta(seconds=1))

    async def is_due(self, kind: RhythmKind, movement: int, place: int) -> None:
        """The moment of a rhythm has come."""
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
            await work.deliveries.add(planned(due, Moment(on=now.date(), at=now), now))


Act = Callable[[Everyday, int, int], Awaitable[object]]
"""By the number of a movement, and how often it was done there before."""


@dataclass(frozen=True, kw_only=True)
class Doing:
    """One thing that is done all day. `before` comes before it; `sends` is what it must have sent."""

    what: str
    act: Act
    before: Act | None = None
    sends: str = ""
    times: int = ACTORS * LATEST
    """How often it can be done in one movement, before there is no story to press or no room for one more post."""


def _typed(line: str, person: int | None = None) -> Act:
    command, _, text = line.partition(" ")

    async def act(day: Everyday, movement: int, time: int) -> None:
        who = person if person is not None else _member(time)
        said = text.replace("#", str(time))
        reply = await day.do("command", {"command": command, "text": said}, movement, who, place=time % day.past.places)
        assert isinstance(reply, Answer), reply

    return act


def _member(time: int) -> int:
    """An actor who does not coordinate."""
    return 1 + time % (ACTORS - 1)


async def _presses(day: Everyday, movement: int, time: int) -> None:
    teller = time % ACTORS
    story = day.past.story(movement, teller + ACTORS * (time // ACTORS % LATEST))
    where = (time // ACTORS % LATEST) % day.past.places
    await day.do("ripple", {"story": story}, movement, (teller + 1) % ACTORS, place=where)


async def _replies(day: Everyday, movement: int, time: int) -> None:
    where = time % day.past.places
    words = {"text": f"Wij liepen vandaag een rondje extra, voor de {time}e keer."}
    message, thread = f"reply-{movement}-{time}", day.past.thread(movement, where)
    await day.do("thread.replied", words, movement, _member(time), place=where, message=message, thread=thread)


async def _talks(day: Everyday, movement: int, time: int) -> None:
    where = {"message": f"talk-{movement}-{time}", "thread": f"talk-{movement}"}
    await day.do("thread.replied", {"text": "Tot morgen!"}, movement, _member(time), place=0, **where)


async def _ticks(day: Everyday, movement: int, time: int) -> None:
    await day.ritme.plan()
    await day.ritme.lanes_due()


def _moment(kind: RhythmKind, place: int) -> Act:
    async def act(day: Everyday, movement: int, time: int) -> None:
        await day.is_due(kind, movement, (place + time) % day.past.places)

    return act


async def _drains(day: Everyday, movement: int, time: int) -> None:
    await day.drain(movement)


EVERYDAY = (
    Doing(what="/stuck <text>", act=_typed("/stuck De nachtdienst hoort het als laatste #")),
    Doing(what="/story <text>", act=_typed("/story Vandaag liepen we met z’n vieren, en het regende #")),
    Doing(what="Home", act=_typed("/ritme home")),
    Doing(what="Home of a coordinator", act=_typed("/ritme home", person=0)),
    Doing(what="/ritme me", act=_typed("/ritme me")),
    Doing(what="“I do this too”", act=_presses),
    Doing(what="a reply in a thread", act=_replies),
    Doing(what="a reply to nothing of ours", act=_talks),
    Doing(what="/ritme lookback", act=_typed("/ritme lookback")),
    Doing(
        what="drain of a purpose", before=_moment(RhythmKind.PURPOSE, 0), act=_drains, sends="rhythm_purpose", times=2
    ),
    Doing(
        what="drain of a harvest", before=_moment(RhythmKind.HARVEST, 3), act=_drains, sends="rhythm_harvest", times=1
    ),
    Doing(what="a tick with nothing due", act=_ticks),
)
"""What there is to be quick at."""
