"""Make what came of a step a story with a place: chosen, read, harvested, and told again with the purpose."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from bot.chat import FieldErrors, Reply
from bot.domain.movement import MovementId, PlaceId, Purpose, PurposeId
from bot.domain.person import PersonId
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind
from bot.domain.story import Readers
from tests.drivers.border import HERE, PLATFORMS, THERE, Border, open_border
from tests.journeys.test_steps import open_of, submit_step
from tests.journeys.test_stuck import add_initiative, fields, options, submit_stuck
from tests.support.readers import find_untrue
from tests.support.stories import WALK, count_ripples, latest_story
from tests.support.world import MONDAY, World, text_of

MOVEMENT = MovementId("movement")
TUESDAY = MONDAY + timedelta(days=1)
ASK_FIRST = "Vraag eerst wat de bewoner zelf al doet"
FITTING = "Ik vroeg mevrouw wat zij als bewoner zelf al doet voor haar heup."
STEP = {"cue": "het rustig is", "action": "bel ik Ada", "on_my_own": "yes"}


async def add_purpose(world: World) -> None:
    async with world.begin() as work:
        work.movements.add(
            Purpose(
                id=PurposeId("purpose"),
                movement_id=MOVEMENT,
                version=1,
                vision="Iedereen leeft zo lang mogelijk thuis",
                behaviours=[ASK_FIRST],
                written_by=None,
                written_at=world.clock.now(),
            )
        )


async def do_step(world: World, audience: str = "channel", outcome: str = WALK, **stuck: str) -> Reply:
    """Get stuck in #general, choose a step, do it, tell what happened, and open the form of its story."""
    await submit_step(world, await submit_stuck(world, audience=audience, **stuck))
    await world.until(TUESDAY)
    form = await world.press("fatima", world.private("fatima")[-1], "done", channel=None)
    welcomed = await world.submit("fatima", form, channel=None, outcome=outcome)
    return await world.press("fatima", welcomed, "tell_story", channel=None)


async def put_initiative_in(world: World, name: str, place: str) -> None:
    await add_initiative(world, "fatima", name=name)
    async with world.begin() as work:
        (one,) = [found for found in await work.initiatives.of_movement(MOVEMENT) if found.name == name]
        one.place_id = PlaceId(place)


async def add_rhythm(world: World, kind: RhythmKind, channel: str, at: datetime) -> None:
    async with world.begin() as work:
        work.rhythms.add(
            Rhythm(
                id=RhythmId(f"{kind}-{channel}"),
                movement_id=MOVEMENT,
                place_id=PlaceId(channel),
                kind=kind,
                rule="FREQ=DAILY",
                starts_on=date(2027, 3, 1),
                at=time(10),
                timezone="Europe/Amsterdam",
                next_at=at,
                created_by=None,
                created_at=world.clock.now(),
            )
        )


class TestItsPlace:
    async def test_the_place_of_its_initiative_is_proposed(self, world: World) -> None:
        await world.movement("fatima", channels=("general", "night", "garden"))
        await put_initiative_in(world, "Tuin", "garden")
        form = await do_step(world, initiative="tuin")
        assert fields(form)["where"] == "garden"
        assert options(form, "where") == ["garden", "general", "night", "nowhere"]
        told = await world.submit("fatima", form, channel=None)
        assert "#garden" in text_of(told)
        assert WALK in text_of(world.posts("garden")[0])
        assert (await latest_story(world, "fatima")).place_id == "garden"

    async def test_else_where_they_told_that_they_were_stuck(self, world: World) -> None:
        await world.movement("fatima", channels=("attic", "general"))
        form = await do_step(world)
        assert fields(form)["where"] == "general"
        await world.submit("fatima", form, channel=None)
        assert WALK in text_of(world.posts()[-1])
        assert world.posts()[-1].post.thread is None

    async def test_else_the_movement_s_first_as_where_nobody_else_read_it_is_no_place(self, world: World) -> None:
        await world.movement("fatima", channels=("attic", "general"))
        assert fields(await do_step(world, audience="me"))["where"] == "attic"

    async def test_it_can_be_any_other_or_none(self, world: World) -> None:
        await world.movement("fatima", channels=("general", "night"))
        form = await do_step(world)
        wrong = await world.submit("fatima", form, channel=None, where="elsewhere")
        assert isinstance(wrong, FieldErrors)
        assert set(wrong.errors) == {"where"}
        await world.submit("fatima", form, channel=None, where="nowhere")
        assert (await latest_story(world, "fatima")).place_id is None
        assert WALK not in "".join(text_of(one) for one in world.messenger.sent if one.post.account is None)

    async def test_who_only_shows_it_there_shows_it_nowhere_else(self, world: World) -> None:
        await world.movement("fatima", channels=("general", "night"))
        await world.submit("fatima", await do_step(world), channel=None, where="night", readers="thread")
        [post] = world.posts("night")
        assert [button.name for button in post.message.buttons] == ["ripple"]

    async def test_a_place_out_of_reach_is_not_offered(self, world: World) -> None:
        await world.movement("fatima", channels=("general", "night"))
        async with world.begin() as work:
            place = await work.movements.place(PlaceId("general"))
            assert place is not None
            place.mark_unreachable("not_in_place")
        form = await world.type("fatima", "/verhaal", channel=None)
        assert options(form, "where") == ["nowhere", "night"]

    async def test_what_is_told_of_the_blue_in_their_own_chat_goes_nowhere_unless_they_say_so(
        self, world: World
    ) -> None:
        await world.movement("fatima", channels=("general", "night"))
        form = await world.type("fatima", "/verhaal", channel=None)
        assert fields(form)["where"] == "nowhere"
        await world.submit("fatima", form, channel=None, text=WALK, where="night")
        assert WALK in text_of(world.posts("night")[0])

    async def test_in_a_channel_it_goes_without_saying(self, world: World) -> None:
        await world.movement("fatima")
        assert "where" not in fields(await world.type("fatima", "/verhaal"))

    async def test_a_breakthrough_has_the_place_where_they_were_stuck(self, world: World) -> None:
        await world.movement("fatima", channels=("attic", "general"))
        await submit_stuck(world, audience="channel")
        (spell,) = await open_of(world)
        ended = await world.do("fatima", "stuck.moves_again", episode=spell, channel=None)
        form = await world.press("fatima", ended, "tell_story", channel=None)
        assert fields(form)["where"] == "general"

    async def test_it_ripples_and_is_given_back(self, world: World) -> None:
        await world.movement("fatima", "jan", "noor", channels=("general", "night"))
        await world.submit("fatima", await do_step(world), channel=None)
        await world.press("jan", world.posts()[-1], "ripple")
        assert await count_ripples(world, await latest_story(world, "fatima")) == 1
        for who in ("jan", "noor"):
            await world.type(who, f"/verhaal Van {who}")
        await add_rhythm(world, RhythmKind.HARVEST, "night", world.clock.now() + timedelta(hours=1))
        await world.pass_(hours=2)
        assert WALK in text_of(world.posts("night")[-1])


class TestWithThePurpose:
    """A story comes along with the part of the purpose that it shows."""

    async def remind(self, world: World) -> list[str]:
        """Return what the next two reminders in #night say: one of each part."""
        before = len(world.posts("night"))
        await add_rhythm(world, RhythmKind.PURPOSE, "night", world.clock.now() + timedelta(hours=1))
        await world.pass_(days=2)
        return [text_of(one) for one in world.posts("night")][before : before + 2]

    async def test_by_its_words_the_part_is_filled_in_and_it_comes_along_there(self, world: World) -> None:
        await world.movement("fatima", channels=("general", "night"))
        await add_purpose(world)
        form = await do_step(world, outcome=FITTING)
        assert fields(form)["part"] == "behaviour:0"
        assert options(form, "part") == ["vision", "behaviour:0", "none"]
        told = await world.submit("fatima", form, channel=None)
        assert ASK_FIRST in text_of(told)
        vision, behaviour = await self.remind(world)
        assert FITTING not in vision
        assert FITTING in behaviour

    async def test_what_its_teller_says_goes_before_its_words(self, world: World) -> None:
        await world.movement("fatima", channels=("general", "night"))
        await add_purpose(world)
        await world.submit("fatima", await do_step(world, outcome=FITTING), channel=None, part="vision")
        vision, behaviour = await self.remind(world)
        assert FITTING in vision
        assert FITTING not in behaviour

    async def test_who_says_that_it_shows_none_of_it_is_believed(self, world: World) -> None:
        await world.movement("fatima", channels=("general", "night"))
        await add_purpose(world)
        told = await world.submit("fatima", await do_step(world, outcome=FITTING), channel=None, part="none")
        assert ASK_FIRST not in text_of(told)
        assert not [one for one in await self.remind(world) if FITTING in one]
        form = await world.press("fatima", told, "change", channel=None)
        assert fields(form)["part"] == "none"
        wrong = await world.submit("fatima", form, channel=None, part="vision:9")
        assert isinstance(wrong, FieldErrors)
        await world.submit("fatima", form, channel=None, part="vision")
        assert (await latest_story(world, "fatima")).part == "vision"

    @pytest.mark.parametrize("channel", ["general", "night", None])
    async def test_any_story_whose_words_fit_comes_along_wherever_it_was_told(
        self, world: World, channel: str | None
    ) -> None:
        await world.movement("fatima", channels=("general", "night"))
        await add_purpose(world)
        await world.type("fatima", f"/verhaal {FITTING}", channel=channel)
        assert [FITTING in one for one in await self.remind(world)] == [False, True]

    @pytest.mark.parametrize("readers", list(Readers))
    async def test_only_what_the_movement_may_read_and_once_in_a_place(self, world: World, readers: Readers) -> None:
        await world.movement("fatima", channels=("general", "night"))
        await add_purpose(world)
        form = await world.type("fatima", "/verhaal", channel=None)
        told = await world.submit("fatima", form, channel=None, text=FITTING, readers=readers)
        assert isinstance(told, Reply)
        await add_rhythm(world, RhythmKind.PURPOSE, "night", world.clock.now() + timedelta(hours=1))
        await world.pass_(days=20)
        assert sum(FITTING in text_of(one) for one in world.posts("night")) == (readers is not Readers.THREAD)

    async def test_taken_back_it_goes_from_the_reminder(self, world: World) -> None:
        await world.movement("fatima", channels=("general", "night"))
        await add_purpose(world)
        told = await world.submit("fatima", await do_step(world, outcome=FITTING), channel=None)
        await self.remind(world)
        await world.press("fatima", told, "withdraw", channel=None)
        assert not [one for one in world.posts("night") if FITTING in text_of(one)]

    async def test_a_part_that_is_not_in_the_purpose_any_more_leaves_it_to_the_words(self, world: World) -> None:
        await world.movement("fatima", channels=("general", "night"))
        await add_purpose(world)
        await world.type("fatima", f"/verhaal {FITTING}")
        async with world.begin() as work:
            (story,) = await work.stories.of_teller(PersonId("fatima"), 1)
            story.part = "core_message:6"
        assert FITTING in (await self.remind(world))[1]


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh
        assert find_untrue(await fresh.to_all()) == []


async def test_on_every_platform_it_stands_where_they_choose(border: Border) -> None:
    await border.submit("fatima", await border.form("fatima", "/ritme stap", "step"), **STEP)
    await border.until(datetime(2027, 3, 2, 8, 1, tzinfo=UTC))
    form = await border.press("fatima", (await border.to("fatima"))[-1], "done")
    welcomed = await border.submit("fatima", form, outcome=WALK)
    story = await border.press("fatima", welcomed, "tell_story")
    told = await border.submit("fatima", story, where=THERE)
    assert THERE in told.words()
    assert WALK in (await border.to_all(THERE))[-1]
    assert not [one for one in await border.to_all(HERE) if WALK in one]


async def test_on_every_platform_what_nobody_answers_comes_once_more_and_is_picked_up(border: Border) -> None:
    await border.submit("fatima", await border.form("fatima", "/ritme stap", "step"), **STEP)
    await border.until(datetime(2027, 3, 2, 8, 1, tzinfo=UTC))
    before = len(await border.to("fatima"))
    await border.until(datetime(2027, 3, 5, 12, tzinfo=UTC))
    assert len(await border.to("fatima")) == before + 1
    assert "bel ik Ada" in (await border.to("fatima"))[-1].words()
    page = await border.type("fatima", "/ritme thuis")
    assert "Rust sinds" in page.words()
    await border.press("fatima", page, "pick_up_2")
    await border.until(datetime(2027, 3, 8, 8, 1, tzinfo=UTC))
    assert "bel ik Ada" in (await border.to("fatima"))[-1].words()


async def test_on_every_platform_a_form_that_was_closed_is_asked_once_more(border: Border) -> None:
    await border.submit("fatima", await border.form("fatima", "/ritme stap", "step"), **STEP)
    await border.until(datetime(2027, 3, 2, 8, 1, tzinfo=UTC))
    await border.press("fatima", (await border.to("fatima"))[-1], "done")
    await border.until(datetime(2027, 3, 3, 14, 1, tzinfo=UTC))
    asked = (await border.to("fatima"))[-1]
    welcomed = await border.submit("fatima", await border.press("fatima", asked, "tell"), outcome=WALK)
    assert WALK in welcomed.words()
