"""Ritme says where a story stands, where it comes and who reads it, and it is so: never before it is, never after."""

from datetime import timedelta

import pytest

from bot.chat import Answer, Form
from bot.domain.movement import PlaceId
from bot.domain.person import StoryChoice
from bot.ports import OutcomeUnknown, RetryAfter, Unreachable
from tests.support.stories import (
    ROOT,
    WALK,
    add_reminder,
    count_ripples,
    get_person,
    get_story,
    latest_story,
    reply_in_thread,
    set_language,
)
from tests.support.world import World, text_of


async def lose_place(world: World, name: str) -> None:
    """Have Ritme removed from a place."""
    async with world.begin() as work:
        place = await work.movements.place(PlaceId(name))
        assert place is not None
        place.mark_unreachable("not_in_place")


async def regain_place(world: World, name: str) -> None:
    intent = world.intent("iris", "place.back", {}, channel=name)
    await world.ritme.handle(intent)
    await world.drain()


async def mine(world: World, who: str = "fatima") -> str:
    return text_of(await world.do(who, "story.mine", channel=None))


class TestTold:
    @pytest.mark.parametrize(
        ("language", "coming", "standing"),
        [
            ("nl", "Je verhaal komt zo in #general", ", in #general:"),
            ("en", "Your story will be in #general in a moment", ", in #general:"),
        ],
    )
    async def test_it_comes_and_then_it_stands_there(
        self, world: World, language: str, coming: str, standing: str
    ) -> None:
        await world.movement("fatima")
        await set_language(world, "fatima", language)
        said = text_of(await world.type("fatima", f"/verhaal {WALK}"))
        assert coming in said
        assert standing in await mine(world)
        assert WALK in text_of(world.posts()[0])

    async def test_on_its_way_it_is_not_said_to_stand_there(self, world: World) -> None:
        await world.movement("fatima")
        world.messenger.fail_next.append((RetryAfter(world.clock.now() + timedelta(minutes=5)), False))
        await world.type("fatima", f"/verhaal {WALK}")
        assert world.posts() == []
        assert "Het komt zo in #general" in await mine(world)
        await world.pass_(minutes=6)
        assert len(world.posts()) == 1
        assert ", in #general:" in await mine(world)

    async def test_nobody_knows_yet_is_on_its_way_too(self, world: World) -> None:
        await world.movement("fatima")
        world.messenger.fail_next.append((OutcomeUnknown(), True))
        await world.type("fatima", f"/verhaal {WALK}")
        assert "Het komt zo in #general" in await mine(world)

    async def test_out_of_reach_it_comes_as_soon_as_the_place_is_back_or_is_said_to_be_lost(self, world: World) -> None:
        await world.movement("fatima")
        world.messenger.fail_next.append((Unreachable("not_in_place", place_is_gone=True), False))
        await world.type("fatima", f"/verhaal {WALK}")
        assert "zodra ik daar weer bij kan" in await mine(world)
        await world.pass_(days=1)
        await regain_place(world, "general")
        assert len(world.posts()) == 1
        assert ", in #general:" in await mine(world)

        await world.pass_(days=1)
        world.messenger.fail_next.append((Unreachable("not_in_place", place_is_gone=True), False))
        await world.type("fatima", "/verhaal Nog een.")
        await world.pass_(days=4)
        assert len(world.posts()) == 1
        assert "In #general staat het niet." in await mine(world)

    async def test_a_change_is_said_to_be_made_where_it_stands(self, world: World) -> None:
        await world.movement("fatima")
        answer = await world.type("fatima", f"/verhaal {WALK}")
        changed = await world.submit("fatima", await world.press("fatima", answer, "change"), text="Anders.")
        assert "overal waar het staat" in text_of(changed)
        assert "Anders." in text_of(world.posts()[0])

    async def test_a_change_before_it_arrived_is_in_what_comes(self, world: World) -> None:
        await world.movement("fatima")
        world.messenger.fail_next.append((RetryAfter(world.clock.now() + timedelta(minutes=5)), False))
        answer = await world.type("fatima", f"/verhaal {WALK}")
        changed = await world.submit("fatima", await world.press("fatima", answer, "change"), text="Anders.")
        assert "Zo komt het in #general." in text_of(changed)
        await world.pass_(minutes=6)
        assert "Anders." in text_of(world.posts()[0])

    async def test_a_post_that_somebody_removed_is_not_said_to_stand_there(self, world: World) -> None:
        await world.movement("fatima", "jan", channels=("general", "night"))
        await world.type("fatima", f"/verhaal {WALK}")
        post = world.posts()[0].receipt.message
        gone = world.intent("", "message.gone", {}, message=post)
        assert await world.ritme.handle(gone) is None
        assert "In #general staat het niet." in await mine(world)
        assert (await latest_story(world, "fatima")).is_told
        trouble = await world.type("iris", "/ritme storing")
        assert "general" not in text_of(trouble)


class TestTakenBack:
    async def test_where_it_cannot_be_removed_is_said_by_name(self, world: World) -> None:
        await world.movement("fatima", "jan", channels=("general", "night"))
        answer = await world.type("fatima", f"/verhaal {WALK}")
        await world.submit("jan", await world.press("jan", world.posts()[0], "share"), place="night")
        await lose_place(world, "night")
        gone = text_of(await world.press("fatima", answer, "withdraw"))
        assert "#night" in gone
        assert "#general" not in gone
        assert world.posts() == []
        assert len(world.posts("night")) == 1

    async def test_of_a_reply_the_message_is_said_to_stay(self, world: World) -> None:
        await world.movement("fatima")
        await add_reminder(world)
        await reply_in_thread(world, "fatima", WALK, "m-1")
        story = await get_story(world, "m-1")
        gone = await world.do("fatima", "story.take_back", story=story.id)
        assert "Je eigen bericht blijft staan" in text_of(gone)
        assert await world.do("fatima", "story.take_back", story=story.id) == gone


class TestShared:
    async def test_its_teller_hears_once_it_stands_there(self, world: World) -> None:
        await world.movement("fatima", "jan", channels=("general", "night"))
        await world.type("fatima", f"/verhaal {WALK}")
        world.messenger.fail_next.append((RetryAfter(world.clock.now() + timedelta(minutes=5)), False))
        form = await world.press("jan", world.posts()[0], "share")
        said = text_of(await world.submit("jan", form, place="night"))
        assert "komt zo in #night" in said
        assert "Wie het vertelde, hoort dat van mij" in said
        assert world.private("fatima") == []
        await world.pass_(minutes=8)
        assert len(world.posts("night")) == 1
        assert "#night" in text_of(world.private("fatima")[0])

    async def test_of_one_that_never_arrived_its_teller_hears_nothing(self, world: World) -> None:
        await world.movement("fatima", "jan", channels=("general", "night"))
        await world.type("fatima", f"/verhaal {WALK}")
        form = await world.press("jan", world.posts()[0], "share")
        world.messenger.fail_next.append((Unreachable("not_in_place", place_is_gone=True), False))
        await world.submit("jan", form, place="night")
        await world.pass_(days=5)
        assert world.posts("night") == []
        assert not any("reist" in text_of(one) for one in world.private("fatima"))

    @pytest.mark.parametrize("why", ["it is one's own", "its teller stopped", "it was shared before"])
    async def test_nobody_is_said_to_hear_of_it_who_will_not(self, world: World, why: str) -> None:
        await world.movement("fatima", "jan", channels=("general", "night", "day"))
        await world.type("fatima", f"/verhaal {WALK}")
        sharer = "fatima" if why == "it is one's own" else "jan"
        if why == "its teller stopped":
            await world.do("fatima", "stop", channel=None)
        if why == "it was shared before":
            await world.submit("jan", await world.press("jan", world.posts()[0], "share"), place="day")
            await world.pass_(minutes=2)
        heard = len(world.private("fatima"))
        form = await world.press(sharer, world.posts()[0], "share")
        assert "hoort dat van mij" not in text_of(await world.submit(sharer, form, place="night"))
        await world.pass_(days=14)
        assert not any("reist" in text_of(one) for one in world.private("fatima")[heard:])


class TestReaders:
    @pytest.mark.parametrize(("named", "words"), [("with", "jouw naam"), ("without", "Je naam staat er niet bij")])
    async def test_the_form_to_share_says_whether_one_is_named(self, world: World, named: str, words: str) -> None:
        await world.movement("fatima", channels=("general", "night"))
        told = await world.submit("fatima", await world.type("fatima", "/verhaal"), text=WALK, named=named)
        form = await world.press("fatima", told, "share")
        assert isinstance(form, Form)
        assert words in form.note
        await world.submit("fatima", form, place="night", line="Kijk")
        assert ("fatima" in text_of(world.posts("night")[0])) == (named == "with")

    async def test_how_many_do_this_too_is_what_its_teller_sees_and_never_who(self, world: World) -> None:
        people = ("jan", "noor", "kwame")
        await world.movement("fatima", *people)
        await world.type("fatima", f"/verhaal {WALK}")
        for who in people:
            said = await world.press(who, world.posts()[0], "ripple")
            assert "ziet hoeveel mensen" in text_of(said)
        assert await count_ripples(world, await latest_story(world, "fatima")) == len(people)
        shown = await mine(world)
        assert "drie collega's" in shown
        assert not any(who in shown for who in people)

    @pytest.mark.parametrize(
        ("name", "choice", "words"),
        [
            ("story.keep", StoryChoice.MOVEMENT, "de hele beweging mag je antwoord lezen"),
            ("story.here", StoryChoice.HERE, "alleen wie de draad leest, ziet je antwoord"),
            ("story.forget", StoryChoice.FORGET, "Vergeten: je antwoord."),
        ],
    )
    async def test_a_choice_is_what_its_words_say(
        self, world: World, name: str, choice: StoryChoice, words: str
    ) -> None:
        await world.movement("fatima", "jan", channels=("general", "night"))
        await add_reminder(world)
        await reply_in_thread(world, "fatima", WALK, "m-1")
        story = await get_story(world, "m-1")
        said = await world.do("fatima", name, story=story.id, thread=ROOT)
        assert isinstance(said, Answer)
        assert words in text_of(said)
        assert (await get_person(world, "fatima")).story_choice is choice
        read = await world.do("jan", "story.read", stories=story.id, channel="night")
        assert (WALK in text_of(read)) == (choice is StoryChoice.MOVEMENT)
