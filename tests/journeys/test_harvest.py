"""Harvests: stories are given back to their place, and those told for one place stay there."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat import Answer, Reply
from bot.domain.delivery import Delivery, DeliveryId, DeliveryState, Priority
from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import PersonId, WorkspaceId
from bot.domain.story import Readers, Retelling, Story, StoryId
from tests.support.stories import add_reminder, reply_in_thread
from tests.support.world import LANE, World, button_of, open_world, text_of

MOVEMENT = MovementId("movement")


async def tell(world: World, who: str, text: str, *, channel: str | None = "general", **choices: str) -> Reply:
    """Tell a story through the form, a minute after whatever came before."""
    world.clock.set(world.clock.now() + timedelta(minutes=1))
    return await world.submit(
        who, await world.type(who, "/verhaal", channel=channel), channel=channel, text=text, **choices
    )


async def plan(world: World, **more: str) -> None:
    """Make a rhythm of harvests on Fridays, through the form."""
    form = await world.press("iris", await world.type("iris", "/ritme ritme"), "new")
    made = await world.submit("iris", form, kind="harvest", every="1", weekdays=("FR",), on_holiday="skip", **more)
    assert isinstance(made, Answer), made


async def harvest(world: World, channel: str = "general", subject: str = "h") -> Delivery:
    """Put a harvest for a place in the outbox, due now, and send it."""
    now = world.clock.now()
    key = f"rhythm:h:{now.isoformat()}:{channel}"
    async with world.begin() as work:
        await work.deliveries.add(
            Delivery(
                id=DeliveryId(key),
                workspace_id=WorkspaceId(LANE),
                movement_id=MOVEMENT,
                place_id=PlaceId(channel),
                kind="rhythm_harvest",
                subject=subject,
                args={"on": "2027-03-01"},
                priority=Priority.RHYTHM,
                key=key,
                due_at=now,
                created_at=now,
            )
        )
    await world.drain()
    async with world.begin() as work:
        found = await work.deliveries.by_key(key)
    assert found is not None
    return found


def harvests(world: World, channel: str = "general") -> list[str]:
    return [text_of(post) for post in world.posts(channel) if any(b.name == "tell" for b in post.message.buttons)]


class TestHarvest:
    async def test_three_stories_are_given_back_with_what_they_set_in_motion(self, world: World) -> None:
        await world.movement("fatima", "jan", "noor")
        for who in ("fatima", "jan", "noor"):
            await tell(world, who, f"Verhaal van {who}.")
        for who in ("jan", "noor"):
            await world.press(who, world.posts()[0], "ripple")
        await harvest(world)
        [given_back] = harvests(world)
        assert all(f"Verhaal van {who}." in given_back for who in ("fatima", "jan", "noor"))
        assert "twee collega's" in given_back

    async def test_with_fewer_nothing_is_sent_and_the_reason_is_kept(self, world: World) -> None:
        await world.movement("fatima", "jan")
        await tell(world, "fatima", "Een.")
        await tell(world, "jan", "Twee.")
        await tell(world, "jan", "Alleen hier.", readers="thread")
        dropped = await harvest(world)
        assert (dropped.state, dropped.reason) == (DeliveryState.DROPPED, "nothing_to_give")
        assert harvests(world) == []

    async def test_a_story_is_given_back_once(self, world: World) -> None:
        await world.movement("fatima", "jan")
        for number in range(4):
            await tell(world, "fatima", f"Verhaal {number}.")
        await harvest(world)
        await world.pass_(days=1)
        assert (await harvest(world)).reason == "nothing_to_give"
        for number in range(4, 7):
            await tell(world, "jan", f"Verhaal {number}.")
        await harvest(world)
        assert "Verhaal 5." in harvests(world)[1]
        assert "Verhaal 1." not in harvests(world)[1]

    async def test_it_goes_where_its_rhythm_says_and_nowhere_else(self, world: World) -> None:
        await world.movement("fatima", channels=("general", "night", "day"))
        for channel in ("general", "night", "night"):
            await tell(world, "fatima", f"Verteld in {channel}.", channel=channel)
        await harvest(world)
        await world.pass_(days=6)
        assert len(harvests(world)) == 1
        assert harvests(world, "night") == harvests(world, "day") == []

    async def test_what_is_said_before_comes_true_there_and_then(self, world: World) -> None:
        await world.movement("fatima", channels=("general", "night", "day"))
        for place, at in (("night", "15:00"), ("general", "16:00")):
            await plan(world, place=place, at=at)
        for channel in ("general", "night", "day"):
            await tell(world, "fatima", f"Verteld in {channel}.", channel=channel)
        shown = text_of(await world.type("iris", "/ritme oogst"))
        assert "vrijdag 5 maart om 15:00 in " in shown
        assert "vrijdag 5 maart om 16:00 in " in shown
        assert "nergens anders" in shown
        await world.until(datetime(2027, 3, 5, 14, 30, tzinfo=UTC))
        assert (len(harvests(world, "night")), len(harvests(world))) == (1, 0)
        await world.until(datetime(2027, 3, 5, 15, 30, tzinfo=UTC))
        # The first harvest left something for the second.
        assert (len(harvests(world, "night")), len(harvests(world))) == (1, 1)
        assert "Verteld in night." in harvests(world)[0]
        assert harvests(world, "day") == []

    async def test_without_a_rhythm_no_moment_is_promised(self, world: World) -> None:
        await world.movement("fatima")
        for number in range(3):
            await tell(world, "fatima", f"Verhaal {number}.")
        assert "nog geen ritme voor een oogst" in text_of(await world.type("iris", "/ritme oogst"))

    async def test_a_copy_for_another_place_that_an_earlier_version_planned_is_not_sent(self, world: World) -> None:
        await world.movement("fatima", channels=("general", "night"))
        await plan(world, place="night", at="15:00")
        async with world.begin() as work:
            [rhythm] = await work.rhythms.of_movement(MOVEMENT)
        for number in range(3):
            await tell(world, "fatima", f"Verhaal {number}.")
        dropped = await harvest(world, subject=rhythm.id)
        assert (dropped.state, dropped.reason) == (DeliveryState.DROPPED, "not_planned_here")

    async def test_edits_and_withdrawals_show_in_it(self, world: World) -> None:
        await world.movement("fatima")
        told = [await tell(world, "fatima", f"Verhaal {number}.") for number in range(3)]
        await harvest(world)
        await world.submit("fatima", await world.press("fatima", told[0], "change"), text="Anders gezegd.")
        assert "Anders gezegd." in harvests(world)[0]
        await world.press("fatima", told[1], "withdraw")
        assert "Verhaal 1." not in harvests(world)[0]
        await world.submit("fatima", await world.press("fatima", told[2], "change"), readers="thread")
        assert "Verhaal 2." not in harvests(world)[0]
        await world.press("fatima", told[0], "withdraw")
        assert "teruggenomen" in harvests(world)[0]

    async def test_a_step_taken_because_of_a_story_shows_in_it(self, world: World) -> None:
        await world.movement("fatima", "jan")
        for number in range(3):
            await tell(world, "fatima", f"Verhaal {number}.")
        noted = await world.press("jan", world.posts()[0], "ripple")
        form = await world.press("jan", noted, "step")
        planned = await world.submit("jan", form, cue="het dinsdag is", action="loop ik mee", on_my_own="yes")
        step = button_of(planned, "let_go").args["step"]
        await world.do("jan", "step.done", step=step)
        await harvest(world)
        assert "kleine stap" in harvests(world)[0]
        assert (await world.do("jan", "step", story="nonsense")) == (await world.do("jan", "step", episode="nonsense"))

    async def test_a_long_story_is_shortened_at_a_word(self, world: World) -> None:
        await world.movement("fatima")
        for _ in range(3):
            await tell(world, "fatima", "lang verhaal " * 100)
        await harvest(world)
        assert "verhaal…" in harvests(world)[0] or "lang…" in harvests(world)[0]

    async def test_one_ripples_from_the_harvest_too(self, world: World) -> None:
        await world.movement("fatima", "jan")
        for number in range(3):
            await tell(world, "fatima", f"Verhaal {number}.")
        await harvest(world)
        post = world.posts()[-1]
        await world.press("jan", post, "too_2")
        await world.press("jan", world.posts()[1], "ripple")
        async with world.begin() as work:
            stories = {story.text: story for story in await work.stories.of_teller(PersonId("fatima"), 5)}
            assert await work.stories.ripples(stories["Verhaal 1."].id, MOVEMENT) == 1

    async def test_a_look_ahead_gives_nothing_back_yet(self, world: World) -> None:
        await world.movement("fatima", "jan")
        assert isinstance(await world.type("jan", "/ritme oogst"), Answer)
        for number in range(3):
            await tell(world, "fatima", f"Verhaal {number}.")
        shown = await world.type("jan", "/ritme harvest")
        assert "Verhaal 2." in text_of(shown)
        await harvest(world)
        assert len(harvests(world)) == 1


class TestNeverStarved:
    async def test_after_two_rounds_without_it_goes_out_with_what_there_is(self, world: World) -> None:
        await world.movement("fatima")
        await tell(world, "fatima", "Het enige verhaal.")
        for _ in range(2):
            assert (await harvest(world)).reason == "nothing_to_give"
            await world.pass_(days=7)
        await harvest(world)
        assert "Het enige verhaal." in harvests(world)[0]
        await tell(world, "fatima", "Het volgende.")
        assert (await harvest(world)).reason == "nothing_to_give"

    async def test_a_round_that_somebody_called_off_is_no_empty_one(self, world: World) -> None:
        await world.movement("fatima")
        await tell(world, "fatima", "Het enige verhaal.")
        await harvest(world)
        dropped = await add_skipped_round(world)
        assert dropped.reason == "rhythm_rests"
        await world.pass_(days=7)
        assert (await harvest(world)).reason == "nothing_to_give"

    async def test_what_there_was_no_room_for_is_given_back_the_next_time(self, world: World) -> None:
        await world.movement("fatima")
        for number in range(8):
            await tell(world, "fatima", f"Verhaal {number}.")
        await harvest(world)
        await world.pass_(days=7)
        await harvest(world)
        assert all(any(f"Verhaal {number}." in said for said in harvests(world)) for number in range(8))

    async def test_the_look_ahead_says_that_it_waits_for_more_and_for_how_long(self, world: World) -> None:
        await world.movement("fatima", channels=("general", "night"))
        await plan(world, place="night", at="15:00")
        assert "er zijn nog geen nieuwe verhalen" in text_of(await world.type("iris", "/ritme oogst"))
        await tell(world, "fatima", "Het enige verhaal.")
        shown = text_of(await world.type("iris", "/ritme oogst"))
        assert "Het enige verhaal." in shown
        assert "Met drie verhalen komt de oogst vrijdag 5 maart om 15:00" in shown
        assert "hooguit twee keer" in shown
        await world.until(datetime(2027, 3, 18, 12, tzinfo=UTC))
        assert harvests(world, "night") == []
        shown = text_of(await world.type("iris", "/ritme oogst"))
        assert "De oogst komt morgen om 15:00" in shown
        await world.pass_(days=2)
        assert "Het enige verhaal." in harvests(world, "night")[0]

    async def test_a_teller_hears_once_that_theirs_was_given_back_elsewhere(self, world: World) -> None:
        await world.movement("fatima", "jan", channels=("general", "night", "day"))
        told = [await tell(world, "fatima", f"Verhaal {number}.", channel="night") for number in range(3)]
        await tell(world, "jan", "Verteld waar de oogst komt.")
        await world.press("fatima", told[1], "withdraw")
        await harvest(world)
        await world.pass_(days=1)
        [news] = world.private("fatima")
        assert "general" in text_of(news)
        assert "Verhaal 0." in text_of(news)
        assert "Verhaal 1." not in text_of(news)
        assert world.private("jan") == []
        await harvest(world, "day")
        await world.pass_(days=8)
        assert len(world.private("fatima")) == 1

    async def test_what_was_taken_back_since_is_no_news(self, world: World) -> None:
        await world.movement("fatima", channels=("general", "night"))
        told = [await tell(world, "fatima", f"Verhaal {number}.", channel="night") for number in range(3)]
        world.clock.set(datetime(2027, 3, 1, 20, tzinfo=UTC))
        await harvest(world)
        for one in told:
            await world.press("fatima", one, "withdraw")
        await world.pass_(days=8)
        assert world.private("fatima") == []


async def add_skipped_round(world: World) -> Delivery:
    """Add a round of harvests that a coordinator skipped."""
    now = world.clock.now()
    skipped = Delivery(
        id=DeliveryId("skipped"),
        workspace_id=WorkspaceId(LANE),
        movement_id=MOVEMENT,
        place_id=PlaceId("general"),
        kind="rhythm_harvest",
        subject="h",
        key="skipped",
        due_at=now,
        created_at=now,
    )
    skipped.drop("rhythm_rests")
    async with world.begin() as work:
        await work.deliveries.add(skipped)
    return skipped


class TestShowing:
    async def story(self, world: World, name: str, **more: object) -> None:
        values = {
            "id": StoryId(name),
            "movement_id": MOVEMENT,
            "place_id": PlaceId("night"),
            "teller_id": PersonId("fatima"),
            "text": name,
            "readers": Readers.MOVEMENT,
            "part": "behaviour:0",
            "told_at": world.clock.now(),
        }
        async with world.begin() as work:
            work.stories.add(Story(**{**values, **more}))  # type: ignore[arg-type]

    async def shown(self, world: World) -> str | None:
        async with world.begin() as work:
            since = world.clock.now() - timedelta(days=30)
            found = await work.stories.showing(MOVEMENT, "behaviour:0", since, PlaceId("general"))
            return found.text if found else None

    async def test_only_a_recent_one_of_that_part_that_may_travel(self, world: World) -> None:
        await world.movement("fatima", channels=("general", "night"))
        now = world.clock.now()
        await self.story(world, "other part", part="vision")
        await self.story(world, "stays", readers=Readers.THREAD)
        await self.story(world, "withdrawn", withdrawn_at=now)
        await self.story(world, "old", told_at=now - timedelta(days=31))
        assert await self.shown(world) is None
        await self.story(world, "from here", place_id=PlaceId("general"))
        assert await self.shown(world) == "from here"
        await self.story(world, "from elsewhere", told_at=now - timedelta(days=2))
        assert await self.shown(world) == "from elsewhere"

    async def test_what_a_reminder_here_told_is_not_told_again(self, world: World) -> None:
        await world.movement("fatima", channels=("general", "night"))
        await self.story(world, "told")
        reminder = Delivery(
            id=DeliveryId("d"),
            workspace_id=WorkspaceId(LANE),
            movement_id=MOVEMENT,
            place_id=PlaceId("general"),
            kind="rhythm_purpose",
            key="d",
            due_at=world.clock.now() + timedelta(days=9),
            created_at=world.clock.now(),
        )
        async with world.begin() as work:
            await work.deliveries.add(reminder)
            work.stories.add(Retelling(story_id=StoryId("told"), delivery_id=reminder.id, movement_id=MOVEMENT))
        assert await self.shown(world) is None


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
        async with open_world(Path(folder)) as world:
            await world.movement("fatima", "jan", "noor", channels=CHANNELS)
            for number, (who, channel, readers, named) in enumerate(told):
                text = f"verteld{number}."
                await tell(world, who, text, channel=channel, readers=readers, named=named)
                async with world.begin() as work:
                    [story] = await work.stories.of_teller(PersonId(who), 1)
                for place in CHANNELS:
                    await world.do("iris", "share.save", story=story.id, place=place, line="")
            for channel in CHANNELS:
                await harvest(world, channel)
            await world.pass_(days=14)
            for number, (who, channel, readers, named) in enumerate(told):
                holding = [one for one in world.messenger.sent if f"verteld{number}." in text_of(one)]
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
    gone: set[str] = set()
    with TemporaryDirectory() as folder:
        async with open_world(Path(folder)) as world:
            await world.movement("fatima", "jan", "noor", channels=CHANNELS)
            await add_reminder(world)
            for number, (who, what) in enumerate(done):
                text = f"verteld{number}."
                if what == "reply":
                    await reply_in_thread(world, who, text, f"m-{number}")
                    if chosen.get(who) != "forget":
                        last[who] = text
                        may_leave[text] = chosen.get(who) == "keep"
                elif who in last:
                    async with world.begin() as work:
                        story = await work.stories.by_message(PlaceId("general"), f"m-{last[who][7:-1]}")
                    assert story is not None
                    await world.do(who, f"story.{what}", story=story.id)
                    # What keeps more to oneself is meant of all in the thread; a later "keep" of this one alone.
                    theirs = [told for told in may_leave if done[int(told[7:-1])][0] == who]
                    for told in [last[who]] if who in chosen and what == "keep" else theirs:
                        may_leave[told] = what == "keep" and told not in gone
                    gone |= set(theirs) if what == "forget" else set()
                    chosen[who] = what
            async with world.begin() as work:
                since = world.clock.now() - timedelta(days=1)
                shown = await work.stories.showing(MOVEMENT, "behaviour:0", since, PlaceId("night"))
            assert (shown is None and not any(may_leave.values())) or (shown is not None and may_leave[shown.text])
            for number in range(len(done)):
                async with world.begin() as work:
                    story = await work.stories.by_message(PlaceId("general"), f"m-{number}")
                if story is not None:
                    await world.do("iris", "share.save", story=story.id, place="night", line="")
            await harvest(world)
            said = " ".join(text_of(one) for one in world.messenger.sent)
            assert {told for told in may_leave if told in said} == {told for told, may in may_leave.items() if may}
