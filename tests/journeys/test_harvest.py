"""What was told is given back, and what was told for here stays here."""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat import Answer, Reply
from bot.domain.delivery import Delivery, DeliveryId, DeliveryState, Priority
from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import PersonId, WorkspaceId
from bot.domain.story import Readers, Retelling, Story, StoryId
from tests.support.stories import reminder, reply
from tests.support.world import LANE, World, button_of, text_of, world

MOVEMENT = MovementId("movement")


async def tell(here: World, who: str, text: str, *, channel: str | None = "general", **choices: str) -> Reply:
    """Through the form, a minute after whatever came before."""
    here.clock.set(here.clock.now() + timedelta(minutes=1))
    return await here.submit(
        who, await here.type(who, "/verhaal", channel=channel), channel=channel, text=text, **choices
    )


async def harvest(here: World, channel: str = "general") -> Delivery:
    """The moment of a harvest in a place has come."""
    now = here.clock.now()
    key = f"rhythm:h:{now.isoformat()}:{channel}"
    async with here.begin() as work:
        await work.deliveries.add(
            Delivery(
                id=DeliveryId(key),
                workspace_id=WorkspaceId(LANE),
                movement_id=MOVEMENT,
                place_id=PlaceId(channel),
                kind="rhythm_harvest",
                subject="h",
                args={"on": "2027-03-01"},
                priority=Priority.RHYTHM,
                key=key,
                due_at=now,
                created_at=now,
            )
        )
    await here.drain()
    async with here.begin() as work:
        found = await work.deliveries.by_key(key)
    assert found is not None
    return found


def harvests(here: World, channel: str = "general") -> list[str]:
    return [text_of(post) for post in here.posts(channel) if any(b.name == "tell" for b in post.message.buttons)]


class TestHarvest:
    async def test_three_stories_are_given_back_with_what_they_set_in_motion(self, here: World) -> None:
        await here.movement("fatima", "jan", "noor")
        for who in ("fatima", "jan", "noor"):
            await tell(here, who, f"Verhaal van {who}.")
        for who in ("jan", "noor"):
            await here.press(who, here.posts()[0], "ripple")
        await harvest(here)
        [given_back] = harvests(here)
        assert all(f"Verhaal van {who}." in given_back for who in ("fatima", "jan", "noor"))
        assert "twee mensen" in given_back

    async def test_with_fewer_nothing_is_sent_and_the_reason_is_kept(self, here: World) -> None:
        await here.movement("fatima", "jan")
        await tell(here, "fatima", "Een.")
        await tell(here, "jan", "Twee.")
        await tell(here, "jan", "Alleen hier.", readers="thread")
        dropped = await harvest(here)
        assert (dropped.state, dropped.reason) == (DeliveryState.DROPPED, "nothing_to_give")
        assert harvests(here) == []

    async def test_a_story_is_given_back_once(self, here: World) -> None:
        await here.movement("fatima", "jan")
        for number in range(4):
            await tell(here, "fatima", f"Verhaal {number}.")
        await harvest(here)
        await here.pass_(days=1)
        assert (await harvest(here)).reason == "nothing_to_give"
        for number in range(4, 7):
            await tell(here, "jan", f"Verhaal {number}.")
        await harvest(here)
        assert "Verhaal 5." in harvests(here)[1]
        assert "Verhaal 1." not in harvests(here)[1]

    async def test_it_also_goes_where_its_stories_were_told(self, here: World) -> None:
        await here.movement("fatima", channels=("general", "night", "day"))
        for channel in ("general", "night", "night"):
            await tell(here, "fatima", f"Verteld in {channel}.", channel=channel)
        await harvest(here)
        assert len(harvests(here)) == len(harvests(here, "night")) == 1
        assert harvests(here, "day") == []

    async def test_edits_and_withdrawals_show_in_it(self, here: World) -> None:
        await here.movement("fatima")
        told = [await tell(here, "fatima", f"Verhaal {number}.") for number in range(3)]
        await harvest(here)
        await here.submit("fatima", await here.press("fatima", told[0], "change"), text="Anders gezegd.")
        assert "Anders gezegd." in harvests(here)[0]
        await here.press("fatima", told[1], "withdraw")
        assert "Verhaal 1." not in harvests(here)[0]
        await here.submit("fatima", await here.press("fatima", told[2], "change"), readers="thread")
        assert "Verhaal 2." not in harvests(here)[0]
        await here.press("fatima", told[0], "withdraw")
        assert "teruggenomen" in harvests(here)[0]

    async def test_a_step_taken_because_of_a_story_shows_in_it(self, here: World) -> None:
        await here.movement("fatima", "jan")
        for number in range(3):
            await tell(here, "fatima", f"Verhaal {number}.")
        noted = await here.press("jan", here.posts()[0], "ripple")
        form = await here.press("jan", noted, "step")
        planned = await here.submit("jan", form, cue="het dinsdag is", action="loop ik mee", on_my_own="yes")
        step = button_of(planned, "let_go").args["step"]
        await here.do("jan", "step.done", step=step)
        await harvest(here)
        assert "stapje" in harvests(here)[0]
        assert (await here.do("jan", "step", story="nonsense")) == (await here.do("jan", "step", episode="nonsense"))

    async def test_a_long_story_is_shortened_at_a_word(self, here: World) -> None:
        await here.movement("fatima")
        for _ in range(3):
            await tell(here, "fatima", "lang verhaal " * 100)
        await harvest(here)
        assert "verhaal…" in harvests(here)[0] or "lang…" in harvests(here)[0]

    async def test_one_ripples_from_the_harvest_too(self, here: World) -> None:
        await here.movement("fatima", "jan")
        for number in range(3):
            await tell(here, "fatima", f"Verhaal {number}.")
        await harvest(here)
        post = here.posts()[-1]
        await here.press("jan", post, "too_2")
        await here.press("jan", here.posts()[1], "ripple")
        async with here.begin() as work:
            stories = {story.text: story for story in await work.stories.of_teller(PersonId("fatima"), 5)}
            assert await work.stories.ripples(stories["Verhaal 1."].id, MOVEMENT) == 1

    async def test_a_look_ahead_gives_nothing_back_yet(self, here: World) -> None:
        await here.movement("fatima", "jan")
        assert isinstance(await here.type("jan", "/ritme oogst"), Answer)
        for number in range(3):
            await tell(here, "fatima", f"Verhaal {number}.")
        shown = await here.type("jan", "/ritme harvest")
        assert "Verhaal 2." in text_of(shown)
        await harvest(here)
        assert len(harvests(here)) == 1


class TestShowing:
    async def story(self, here: World, name: str, **more: object) -> None:
        values = {
            "id": StoryId(name),
            "movement_id": MOVEMENT,
            "place_id": PlaceId("night"),
            "teller_id": PersonId("fatima"),
            "text": name,
            "readers": Readers.MOVEMENT,
            "part": "behaviour:0",
            "told_at": here.clock.now(),
        }
        async with here.begin() as work:
            work.stories.add(Story(**{**values, **more}))  # type: ignore[arg-type]

    async def shown(self, here: World) -> str | None:
        async with here.begin() as work:
            since = here.clock.now() - timedelta(days=30)
            found = await work.stories.showing(MOVEMENT, "behaviour:0", since, PlaceId("general"))
            return found.text if found else None

    async def test_only_a_recent_one_of_that_part_that_may_travel(self, here: World) -> None:
        await here.movement("fatima", channels=("general", "night"))
        now = here.clock.now()
        await self.story(here, "other part", part="vision")
        await self.story(here, "stays", readers=Readers.THREAD)
        await self.story(here, "withdrawn", withdrawn_at=now)
        await self.story(here, "old", told_at=now - timedelta(days=31))
        assert await self.shown(here) is None
        await self.story(here, "from here", place_id=PlaceId("general"))
        assert await self.shown(here) == "from here"
        await self.story(here, "from elsewhere", told_at=now - timedelta(days=2))
        assert await self.shown(here) == "from elsewhere"

    async def test_what_a_reminder_here_told_is_not_told_again(self, here: World) -> None:
        await here.movement("fatima", channels=("general", "night"))
        await self.story(here, "told")
        reminder = Delivery(
            id=DeliveryId("d"),
            workspace_id=WorkspaceId(LANE),
            movement_id=MOVEMENT,
            place_id=PlaceId("general"),
            kind="rhythm_purpose",
            key="d",
            due_at=here.clock.now() + timedelta(days=9),
            created_at=here.clock.now(),
        )
        async with here.begin() as work:
            await work.deliveries.add(reminder)
            work.stories.add(Retelling(story_id=StoryId("told"), delivery_id=reminder.id, movement_id=MOVEMENT))
        assert await self.shown(here) is None


CHANNELS = ("general", "night", "day")
told_stories = st.lists(
    st.tuples(
        st.sampled_from(["fatima", "jan", "noor"]),
        st.sampled_from([*CHANNELS, None]),
        st.sampled_from(["thread", "movement", "everyone"]),
        st.sampled_from(["with", "without"]),
    ),
    min_size=1,
    max_size=7,
)


@given(told=told_stories)
@settings(max_examples=15, deadline=None)
async def test_what_is_for_here_stays_here_and_the_nameless_stay_nameless(
    told: list[tuple[str, str | None, str, str]],
) -> None:
    with TemporaryDirectory() as folder:
        async with world(Path(folder)) as here:
            await here.movement("fatima", "jan", "noor", channels=CHANNELS)
            for number, (who, channel, readers, named) in enumerate(told):
                text = f"verteld{number}."
                await tell(here, who, text, channel=channel, readers=readers, named=named)
                async with here.begin() as work:
                    [story] = await work.stories.of_teller(PersonId(who), 1)
                for place in CHANNELS:
                    await here.do("iris", "share.save", story=story.id, place=place, line="")
            for channel in CHANNELS:
                await harvest(here, channel)
            await here.pass_(days=14)
            for number, (who, channel, readers, named) in enumerate(told):
                holding = [one for one in here.messenger.sent if f"verteld{number}." in text_of(one)]
                if readers == "thread":
                    assert {one.post.channel for one in holding} <= {channel}
                if named == "without":
                    alone = [one for one in holding if not any(b.name == "tell" for b in one.message.buttons)]
                    assert not any(who in text_of(one) for one in alone)


answers = st.lists(
    st.tuples(st.sampled_from(["fatima", "jan", "noor"]), st.sampled_from(["reply", "keep", "here", "forget"])),
    min_size=1,
    max_size=9,
)


@given(done=answers)
@settings(max_examples=15, deadline=None)
async def test_what_is_told_in_a_thread_leaves_it_only_when_its_teller_says_so(done: list[tuple[str, str]]) -> None:
    chosen: dict[str, str] = {}
    may_leave: dict[str, bool] = {}
    last: dict[str, str] = {}
    with TemporaryDirectory() as folder:
        async with world(Path(folder)) as here:
            await here.movement("fatima", "jan", "noor", channels=CHANNELS)
            await reminder(here)
            for number, (who, what) in enumerate(done):
                text = f"verteld{number}."
                if what == "reply":
                    await reply(here, who, text, f"m-{number}")
                    if chosen.get(who) != "forget":
                        last[who] = text
                        may_leave[text] = chosen.get(who) == "keep"
                elif who in last:
                    async with here.begin() as work:
                        story = await work.stories.by_message(PlaceId("general"), f"m-{last[who][7:-1]}")
                    assert story is not None
                    await here.do(who, f"story.{what}", story=story.id)
                    waited = [told for told in may_leave if done[int(told[7:-1])][0] == who]
                    for told in [last[who]] if who in chosen else waited:
                        withdrawn = not story.is_told and told == last[who]
                        may_leave[told] = what == "keep" and not withdrawn
                    chosen[who] = what
            async with here.begin() as work:
                since = here.clock.now() - timedelta(days=1)
                shown = await work.stories.showing(MOVEMENT, "behaviour:0", since, PlaceId("night"))
            assert (shown is None and not any(may_leave.values())) or (shown is not None and may_leave[shown.text])
            for number in range(len(done)):
                async with here.begin() as work:
                    story = await work.stories.by_message(PlaceId("general"), f"m-{number}")
                if story is not None:
                    await here.do("iris", "share.save", story=story.id, place="night", line="")
            await harvest(here)
            said = " ".join(text_of(one) for one in here.messenger.sent)
            assert {told for told in may_leave if told in said} == {told for told, may in may_leave.items() if may}
