"""Live eight weeks of a movement of twelve people, through its own doors: nobody falls out of the loop.

What people do is drawn from seeds, one of their own: some answer at once, some days later, some decline, some read
nothing at all until the last week. Only what they read leads them on: a button, a form, their own page.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.database.repositories.rows import SELECT_DELIVERIES, Rows
from bot.chat import Answer, Button, FieldErrors, Form, Reply, Value
from bot.domain.attention import MAX_NUDGES_PER_WEEK, MAX_POSTS_PER_WEEK, PLACE_WEEK, WEEK, budget_owner
from bot.domain.delivery import Delivery, DeliveryState, Priority
from bot.domain.initiative import EpisodeState, StuckEpisode
from bot.domain.next_step import NextStep, rests_since
from bot.domain.story import Story
from tests.fakes.messenger import Sent
from tests.support.world import MONDAY, World, open_world, text_of

WEEKS = 8
DAY = timedelta(days=1)
EVERYONE = ("iris", *["fatima", "jan", "sanne", "kwame", "priya", "wim", "agnieszka", "bram", "noor", "teun", "yara"])
ANSWERS = {
    "step.done": 6, "step.else": 2, "step.not_yet": 2, "step.still_stuck": 2, "step.let_go": 1, "step.pick_up": 2,
    "step": 4, "story": 3, "stuck.moves_again": 3, "stuck.let_go": 1, "stuck.go_on": 2, "stuck.not_now": 1,
    "stuck.return": 1, "stuck.solved": 1, "company": 2, "company.ask": 3, "company.give": 4, "company.decline": 1,
    "company.rest": 1, "invite": 1, "invitation.accept": 3, "invitation.decline": 1, "invitation.later": 1,
    "invitation.met": 2, "invitation.not_met": 1, "meeting.join": 3, "meeting.come": 3, "meeting.decline": 1,
    "meeting.met": 2, "meeting.not_met": 1, "suggest.yes": 3, "suggest.no": 1, "ripple": 3, "ripple.introduce": 2,
    "chance.seize": 2, "chance.keep": 1, "chance.let_pass": 1, "experiment.answer": 3, "experiment.end": 1,
    "history.begin": 3, "history.answer": 3, "story.keep": 4, "story.here": 1, "rhythm.keep": 1,
}  # fmt: skip
"""The buttons people press, and how readily; any other button is left alone."""
LAST_BEGIN = 6 * 7
"""The day from which people begin nothing new, so that all of it can end within the eight weeks."""
BEGIN_ANEW = ("step", "step.pick_up", "stuck.go_on", "invite", "company.ask", "story", "experiment.end")
ENDINGS = ("stuck.moves_again", "stuck.let_go", "step.let_go", "chance.let_pass")
"""The buttons that someone presses on their own page to be done with what rests."""
DEEDS = ("liepen we een rondje door de tuin", "zongen we aan tafel", "vroeg ik eerst wat iemand zelf al doet",
         "dekten bewoners zelf de tafel", "kwam de nachtdienst meedenken", "schrapten we een formulier")  # fmt: skip
WHEN = ("Na de overdracht", "Voor het eten", "Op de gang", "Bij de koffie", "In de huiskamer")
ENDS = ("en het werd stil", "en iedereen lachte", "en we bleven langer zitten", "en morgen doen we het weer")
STUCK = ("De nacht doet niet mee", "Niemand weet wie dit mag beslissen", "Ik krijg de artsen niet mee",
         "We hebben er geen tijd voor", "Ik weet niet hoe je zoiets begint")  # fmt: skip


@dataclass
class Life:
    """One of the twelve: how they deal with what reaches them, and what of it they still have to look at.

    `ignores` is how many in ten messages they leave alone, `late` after how many days they look, `reads_from` the
    first day on which they read anything that Ritme sends.
    """

    name: str
    random: Random
    ignores: int = 2
    late: int = 0
    reads_from: int = 0
    came: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)


def lives(seed: str) -> dict[str, Life]:
    """Return the twelve, each with their own way."""
    people = {name: Life(name, Random(f"{seed} {name}")) for name in EVERYONE}
    for name in ("jan", "priya", "teun"):
        people[name].late = people[name].random.randint(1, 6)
    for name in ("sanne", "wim"):
        people[name].ignores = 7
    for name in ("kwame", "yara"):
        people[name].reads_from = (WEEKS - 1) * 7
    return people


def buttons_of(shown: Reply | Sent) -> tuple[Button, ...]:
    message = shown.message if isinstance(shown, Answer | Sent) else None
    return message.buttons if message is not None else ()


def draw_same_ids(patch: pytest.MonkeyPatch) -> None:
    """Let every run draw the same ids: what is shown first, and who is asked, hangs on them."""
    numbers = Random("ids")
    patch.setattr("bot.domain.ids.token_hex", lambda octets: numbers.randbytes(octets).hex())


class Movement:
    """The movement as it lives: day after day people begin things, and answer what they read."""

    def __init__(self, world: World, seed: str = "2027") -> None:
        self.world, self.people, self.day = world, lives(seed), 0

    async def begin(self) -> None:
        """Write the purpose, plan the rhythms, begin three initiatives, and let people say what they may be asked."""
        world = self.world
        await world.movement(*EVERYONE[1:], channels=("general", "night"))
        form = await world.do("iris", "purpose.change")
        behaviours = "Vraag eerst wat iemand zelf al doet\nDek samen de tafel\nSchrap een formulier"
        said = {"vision": "Iedereen doet wat hij zelf kan", "core_messages": "Vraag eerst", "behaviours": behaviours}
        await self.submit("iris", form, **said)
        rhythms = (
            ("purpose", "general", "MO", "1", "09:00"),
            ("harvest", "general", "FR", "1", "15:00"),
            ("meeting", "general", "TH", "4", "10:00"),
            ("stories", "night", "TU", "2", "10:00"),
            ("check_in", "night", "WE", "2", "10:00"),
            ("quilt", "night", "TU", "4", "14:00"),
            ("look_back", "night", "TH", "4", "15:00"),
        )
        for kind, place, weekday, every, at in rhythms:
            form = await world.do("iris", "rhythm.new")
            await self.submit("iris", form, kind=kind, place=place, weekdays=(weekday,), every=every, at=at)
        for name, about in (
            ("fatima", "Wandelen na het eten"),
            ("noor", "Samen de tafel dekken"),
            ("bram", "Minder papier"),
        ):
            await self.submit(name, await world.do(name, "initiative.make"), name=about)
        for name in EVERYONE[:8]:
            await self.submit(name, await world.do(name, "me.settings", channel=None), suggestible="yes", channel=None)

    async def live(self) -> None:
        """Live through the eight weeks; what begins, begins in the first six."""
        for self.day in range(WEEKS * 7):
            for hour in (9, 13):
                await self.world.until(MONDAY + self.day * DAY + timedelta(hours=hour - 8, minutes=30))
                if (MONDAY + self.day * DAY).weekday() > 4:
                    continue
                for life in self.people.values():
                    await self.read(life)
                    if hour == 13 and self.day < LAST_BEGIN:
                        await self.begin_something(life)

    async def begin_something(self, life: Life) -> None:
        """Get stuck, tell a story, note a chance, try something, or (mostly) nothing."""
        world, who, drawn = self.world, life.name, life.random.randrange(60)
        channel = life.random.choice(("general", "night", None))
        if drawn in (0, 1, 2):
            audience = life.random.choice(("me", "channel"))
            await self.act(life, await self.form(life, "stuck.new", channel="general", audience=audience), "general", 2)
        elif drawn in (3, 4):
            await self.act(life, await world.type(who, f"/verhaal {self.tell(life)}.", channel=channel), channel, 0)
        elif drawn == 5:
            await self.act(life, await world.type(who, "/ritme kans de gemeente zoekt ideeën", channel=None), None, 2)
        elif drawn == 6:
            await self.act(life, await self.form(life, "experiment", channel="general"), "general", 0)
        elif drawn == 7:
            shown = await world.do(who, "initiative", channel=None)
            look = [one for one in buttons_of(shown) if one.intent == "initiative.look"]
            one = await world.do(who, look[-1].intent, args=look[-1].args, channel=None)
            join = [one for one in buttons_of(one) if one.intent == "initiative.join"]
            if join:
                await world.do(who, "initiative.join", args=join[0].args, channel=None)
        elif drawn == 8:
            await self.answer_in_thread(life)

    async def form(self, life: Life, intent: str, *, channel: str | None, **values: Value) -> Reply:
        form = await self.world.do(life.name, intent, channel=channel)
        if not isinstance(form, Form):
            return form
        return await self.submit(life.name, form, channel=channel, **{**self.fill(life, form), **values})

    async def answer_in_thread(self, life: Life) -> None:
        """Answer the last post of Ritme in #general."""
        posts = self.world.posts()
        if posts:
            await self.world.do(life.name, "thread.replied", thread=posts[-1].receipt.message,
                                message=f"reply-{life.name}-{self.day}", text=self.tell(life) + ".")  # fmt: skip

    async def read(self, life: Life) -> None:
        """Read what came since, to them alone and in the channel, and answer some of it."""
        if self.day < life.reads_from:
            return
        for one in self.world.private(life.name):
            day = life.came.setdefault(one.receipt.message, self.day)
            if one.receipt.message in life.seen or self.day < day + life.late:
                continue
            life.seen.add(one.receipt.message)
            if life.random.randrange(10) >= life.ignores:
                await self.act(life, one, one.post.channel, 3)
        posts = [one for one in self.world.posts()[-2:] if one.receipt.message not in life.seen]
        for one in posts:
            life.seen.add(one.receipt.message)
            if not life.random.randrange(4):
                await self.act(life, one, "general", 1)

    async def act(self, life: Life, shown: Reply | Sent, channel: str | None, depth: int) -> None:
        """Press one of the buttons of what they see, fill in what it asks, and go on with the answer."""
        if isinstance(shown, Form):
            shown = await self.submit(life.name, shown, channel=channel, **self.fill(life, shown))
        if isinstance(shown, Answer):
            assert shown.reference is None, text_of(shown)
        willing = {name: weight for name, weight in ANSWERS.items() if self.day < LAST_BEGIN or name not in BEGIN_ANEW}
        offered = [one for one in buttons_of(shown) if one.intent in willing]
        if not offered or depth < 0:
            return
        weights = [willing[one.intent] for one in offered]
        # What they sought themselves, or just got from their own press, may be the end of it.
        (chosen,) = life.random.choices([*offered, None], [*weights, 0 if isinstance(shown, Sent) else 4])
        if chosen is not None:
            await self.act(life, await self.press(life, shown, chosen, channel), channel, depth - 1)

    async def press(self, life: Life, shown: Reply | Sent, button: Button, channel: str | None) -> Reply:
        if isinstance(shown, Sent):
            return await self.world.press(life.name, shown, button.name, channel=channel)
        return await self.world.do(life.name, button.intent, args=button.args, channel=channel)

    async def submit(self, who: str, form: Reply, *, channel: str | None = "general", **values: Value) -> Reply:
        reply = await self.world.submit(who, form, channel=channel, **values)
        assert not isinstance(reply, FieldErrors), f"{form}\n{values}\n{text_of(reply)}"
        return reply

    def tell(self, life: Life) -> str:
        """Make up something that happened."""
        return f"{life.random.choice(WHEN)} {life.random.choice(DEEDS)} {life.random.choice(ENDS)}, dag {self.day}"

    def fill(self, life: Life, form: Reply) -> dict[str, Value]:
        """Fill in what a form does not hold yet: words, a choice, a day."""
        assert isinstance(form, Form), form
        filled: dict[str, Value] = {}
        for one in form.fields:
            if one.value or (not one.required and one.name not in ("initiative", "about")):
                continue
            if one.options:
                filled[one.name] = life.random.choice(one.options).value
            elif one.kind in ("text", "long_text"):
                stuck = form.intent == "stuck.report"
                filled[one.name] = life.random.choice(STUCK) if stuck else self.tell(life)
            elif one.kind == "date":
                filled[one.name] = (self.world.clock.now() + life.random.randint(2, 6) * DAY).date().isoformat()
        return filled | ({"on_my_own": "yes"} if form.intent == "step.save" else {})

    async def look_at_page(self, life: Life) -> Reply:
        return await self.world.do(life.name, "home", channel=None)

    async def finish(self) -> None:
        """In the last days everyone looks at their own page once, and is done with what stands there."""
        for life in self.people.values():
            for _ in range(20):
                page = await self.look_at_page(life)
                ends = [one for one in buttons_of(page) if one.intent in ENDINGS]
                if not ends:
                    break
                chosen = life.random.choice(ends)
                await self.world.do(life.name, chosen.intent, args=chosen.args, channel=None)

    async def load(self) -> "Ledger":
        """Read what is stored of these eight weeks."""
        async with AsyncSession(self.world.database) as session:
            sent = await Rows(session).find(SELECT_DELIVERIES)
            spells, steps, stories = [
                list((await session.scalars(select(one))).all()) for one in (StuckEpisode, NextStep, Story)
            ]
            session.expunge_all()
        return Ledger(sent, spells, steps, stories)


@dataclass
class Ledger:
    """All that is stored of what was sent, where people were stuck, what they planned, and what they told."""

    sent: list[Delivery]
    spells: list[StuckEpisode]
    steps: list[NextStep]
    stories: list[Story]

    def over_budget(self) -> list[str]:
        """List the nudges that came while the week was full already; one whose moment a person chose may."""
        found = []
        nudges = [(one.sent_at, one) for one in self.sent if one.is_nudge and one.sent_at is not None]
        for at, one in nudges:
            most, week = (MAX_NUDGES_PER_WEEK, WEEK) if one.person_id else (MAX_POSTS_PER_WEEK, PLACE_WEEK)
            before = [
                other
                for moment, other in nudges
                if budget_owner(other) == budget_owner(one)
                # What was promised for the very moment comes last.
                and (at - week < moment < at or (moment == at and not other.is_promised))
            ]
            if len(before) > most and not one.is_promised:
                found.append(f"{one.key} to {budget_owner(one)}")
        return found

    def forgotten_asks(self) -> list[str]:
        """List what somebody asked for, or what comes from a person, and was dropped only because it took too long."""
        return [
            f"{one.kind} to {budget_owner(one)}: {one.reason}"
            for one in self.sent
            if one.priority in (Priority.ASKED_FOR, Priority.FROM_A_PERSON)
            # Whoever is not reached in time to think along is replaced by another.
            and one.kind != "company_asked"
            and one.state in (DeliveryState.FAILED, DeliveryState.DROPPED)
            and (one.state is DeliveryState.FAILED or one.reason in ("budget", "too_late", "guest", "went_quiet"))
        ]

    def left_alone(self, now: datetime) -> list[str]:
        """List what is open, while nothing comes about it any more and nobody was told that it rests."""
        found = []
        resting = {one.id: rests_since(one, self.about("follow_up", one.id), now) for one in self.steps}
        for spell in self.spells:
            returns = self.about("stuck_return", spell.id)
            asked = any(one.state in (DeliveryState.SENT, DeliveryState.WAITING) for one in returns)
            asked = asked or any(one.reason == "not_wanted" for one in returns)
            if (
                spell.is_open
                and not asked
                and not any(one.episode_id == spell.id for one in self.steps if one.is_planned)
            ):
                found.append(f"{spell.person_id} is stuck: {spell.text}")
        for step in self.steps:
            comes = any(one.state is DeliveryState.WAITING for one in self.about("follow_up", step.id))
            if step.is_planned and not comes and resting[step.id] is None:
                found.append(f"{step.person_id} planned: {step.action}")
        return found

    def about(self, kind: str, subject: str) -> list[Delivery]:
        return [one for one in self.sent if one.kind == kind and one.subject == subject]

    def not_given_back(self) -> list[str]:
        """List the stories for others that no harvest held."""
        return [one.text for one in self.stories if one.may_travel and one.harvested_at is None]


@pytest.fixture
async def movement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Movement]:
    """Open it on SQLite alone: on PostgreSQL (`kind="postgresql"`) eight weeks take minutes."""
    draw_same_ids(monkeypatch)
    async with open_world(tmp_path) as world:
        yield Movement(world)


async def test_in_eight_weeks_nobody_falls_out_of_the_loop(
    movement: Movement, caplog: pytest.LogCaptureFixture
) -> None:
    await movement.begin()
    await movement.live()
    lived = await movement.load()
    assert [one for one in caplog.records if one.levelname == "ERROR"] == []
    assert lived.over_budget() == []
    assert lived.forgotten_asks() == []
    assert lived.left_alone(movement.world.clock.now()) == []

    await movement.finish()
    # One or two stories wait at most two rounds for others to come with.
    await movement.world.pass_(days=28)
    ended = await movement.load()
    assert ended.not_given_back() == []
    assert {one.state for one in ended.spells} == {EpisodeState.BREAKTHROUGH, EpisodeState.LET_GO}
    assert [one.action for one in ended.steps if one.is_planned] == []
    # It was a life: otherwise the rest says nothing.
    assert len(ended.spells) >= 10
    assert len(ended.stories) >= 15
