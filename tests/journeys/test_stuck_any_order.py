"""Random presses in any order and at any time: nothing breaks, nothing is doubled, nothing leaks."""

import re
from collections import Counter
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random

import pytest

from bot.chat import Answer, FieldErrors, Form, Reply, Value
from bot.domain.initiative import Audience, CompanyId, EpisodeId
from bot.domain.movement import MovementId
from tests.journeys.test_stuck import add_initiative
from tests.support.databases import BOTH
from tests.support.world import MONDAY, World, open_world

MOVEMENT = MovementId("movement")
PEOPLE = ("fatima", "jan", "samira", "bram")
SECRET = re.compile(r"(\w+)-zegt-(\d+)")
OURS = ("stuck", "company", "step", "chance")


class Wanderer:
    """A person who presses, types and fills in whatever they see."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random, self.said = world, Random(seed), count()
        self.shown: list[tuple[str, str | None, str, dict[str, Value]]] = []
        self.forms: list[tuple[str, str | None, Form]] = []

    async def wander(self) -> None:
        choice = self.random.random()
        if choice < 0.12:
            await self.world.pass_(hours=self.random.choice([1, 5, 24, 60]))
        elif choice < 0.25 or not (self.shown or self.forms):
            who, channel = self.someone()
            words = self.words(who)
            lines = ["/stuck", f"/vast {words}", "/ritme kans een kans", f"/stuck {words} {'x' * 1400}"]
            line = self.random.choice(lines)
            self.see(who, channel, await self.world.type(who, line, channel=channel))
        elif choice < 0.6 and self.forms:
            who, channel, form = self.forms.pop(self.random.randrange(len(self.forms)))
            values = {field.name: self.fill(who, field.kind, field) for field in form.fields}
            reply = await self.world.do(who, form.intent, channel=channel, **{**values, **form.hidden})
            self.see(who, channel, reply)
        elif self.shown:
            who, channel, intent, args = self.random.choice(self.shown)
            self.see(who, channel, await self.world.do(who, intent, channel=channel, **args))
        for who in PEOPLE:
            for sent in self.world.private(who):
                self.buttons(who, None, sent.message)

    def someone(self) -> tuple[str, str | None]:
        return self.random.choice(PEOPLE), self.random.choice(["general", None])

    def fill(self, who: str, kind: str, field: object) -> Value:
        options = [option.value for option in getattr(field, "options", ())]
        value: Value = getattr(field, "value", "")
        if options:
            return self.random.choice(options)
        if kind == "people":
            return tuple(self.random.sample([one for one in PEOPLE if one != who], self.random.choice([0, 0, 2])))
        if kind == "date":
            local = self.world.clock.now() + timedelta(days=self.random.randrange(0, 14))
            return f"{local:%Y-%m-%d}"
        return (getattr(field, "name", "") == "text" and self.words(who)) or value or "iets kleins"

    def words(self, who: str) -> str:
        return f"{who}-zegt-{next(self.said)}"

    def see(self, who: str, channel: str | None, reply: Reply) -> None:
        if isinstance(reply, Form):
            self.forms.append((who, channel, reply))
        elif isinstance(reply, Answer):
            assert reply.reference is None, "something broke"
            self.buttons(who, channel, reply.message)
        else:
            assert reply is None or isinstance(reply, FieldErrors)

    def buttons(self, who: str, channel: str | None, message: object) -> None:
        for button in getattr(message, "buttons", ()):
            one = (who, channel, button.intent, dict(button.args))
            if button.intent.partition(".")[0] in OURS and one not in self.shown:
                self.shown.append(one)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("seed", range(4))
async def test_any_order(tmp_path: Path, seed: int, kind: str) -> None:
    async with open_world(tmp_path, kind=kind) as world:
        await world.movement(*PEOPLE)
        await add_initiative(world, "fatima", "jan")
        wanderer = Wanderer(world, seed)
        for _ in range(70):
            await wanderer.wander()
        await world.pass_(days=30)
        async with world.begin() as work:
            sent = await work.deliveries.of_movement(MOVEMENT, MONDAY - timedelta(days=1), 9999)
            posted = {one.subject for one in sent if one.kind == "stuck_posted"}
            episodes = [await work.stuck.episode(EpisodeId(one), MOVEMENT) for one in posted]
            asked = [await work.stuck.company(CompanyId(one.subject), MOVEMENT) for one in sent if "asked" in one.kind]
        # In the channel stand only words whose teller wants them there.
        standing = "\n".join(one.message.text for one in world.posts() if one.message)
        meant = "\n".join(one.text for one in episodes if one is not None and one.audience is Audience.CHANNEL)
        assert set(SECRET.findall(standing)) <= set(SECRET.findall(meant))
        # Someone reads another's words privately only when they were asked along.
        reached = {one.person_id for one in asked if one is not None}
        for who in PEOPLE:
            read = {whose for one in world.private(who) if one.message for whose, _ in SECRET.findall(one.message.text)}
            assert read <= {who} or who in reached
        assert all(count == 1 for count in Counter(one.key for one in sent).values())
        follow_ups = [button for one in world.private("fatima") if one.message for button in one.message.buttons[:1]]
        rounds = Counter(str(button.args) for button in follow_ups if button.intent == "step.done")
        assert all(count == 1 for count in rounds.values()), "a moment is come back to once"
