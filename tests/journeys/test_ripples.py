"""Ripples, ties and retellings that a story sets in motion."""

from asyncio import gather
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat import Form
from bot.domain.movement import MovementId, Place, PlaceId
from bot.domain.person import Language, Workspace, WorkspaceId
from tests.support.stories import (
    WALK,
    add_reminder,
    count_ripples,
    find_story,
    get_story,
    is_declined,
    latest_story,
    reply_in_thread,
)
from tests.support.world import LANE, World, open_world, text_of


class TestRipples:
    async def test_the_teller_hears_of_the_first_and_every_fifth_and_never_who(self, world: World) -> None:
        await world.movement("fatima", *(f"p{n}" for n in range(12)))
        await world.type("fatima", f"/verhaal {WALK}")
        for number in range(11):
            await world.press(f"p{number}", world.posts()[0], "ripple")
            await world.pass_(days=3)
            await world.do("fatima", "story.mine")  # keeps in touch, so that Ritme does not go quiet
        heard = [one for one in world.private("fatima") if "🌊" in text_of(one)]
        assert len(heard) == 3
        assert not any(f"p{number}" in text_of(one) for number in range(12) for one in heard)

    async def test_ones_own_story_does_not_ripple(self, world: World) -> None:
        await world.movement("fatima")
        await world.type("fatima", f"/verhaal {WALK}")
        [post] = world.posts()
        assert is_declined(await world.press("fatima", post, "ripple"), "own_story")
        await world.do("fatima", "reaction.added", message=post.receipt.message, reaction="heart")
        assert await count_ripples(world, await latest_story(world, "fatima")) == 0

    async def test_a_nameless_teller_is_tied_to_nobody(self, world: World) -> None:
        await world.movement("fatima", "jan", channels=("general", "night"))
        form = await world.type("fatima", "/verhaal")
        await world.submit("fatima", form, text=WALK, named="without")
        [post] = world.posts()
        await world.press("jan", post, "ripple")
        await world.do("jan", "thread.replied", thread=post.receipt.message, message="m-9", text="Mooi")
        await world.submit(
            "fatima", await world.do("fatima", "share", story=(await latest_story(world, "fatima")).id), place="night"
        )
        assert "fatima" not in text_of(world.posts("night")[0])
        async with world.begin() as work:
            assert await work.connecting.ties(MovementId("movement")) == []

    async def test_answering_under_a_story_ties_to_its_teller_once(self, world: World) -> None:
        await world.movement("fatima", "jan")
        await world.type("fatima", f"/verhaal {WALK}")
        [post] = world.posts()
        for number in range(3):
            await world.do("jan", "thread.replied", thread=post.receipt.message, message=f"m-{number}", text="Mooi")
        async with world.begin() as work:
            [tie] = await work.connecting.ties(MovementId("movement"))
        assert tie.strength == 1
        assert await find_story(world, "m-1") is None


class TestSharing:
    async def test_the_teller_hears_once_that_it_travels(self, world: World) -> None:
        await world.movement("fatima", "jan", channels=("general", "night", "day"))
        await world.type("fatima", f"/verhaal {WALK}")
        for place in ("night", "day"):
            await world.submit("jan", await world.press("jan", world.posts()[0], "share"), place=place)
        await world.pass_(minutes=2)
        assert len(world.private("fatima")) == 1
        assert is_declined(await world.press("jan", world.posts()[0], "share"), "no_other_place")

    async def test_carried_twice_at_once_it_stands_there_once(self, world: World) -> None:
        await world.movement("fatima", "jan", channels=("general", "night"))
        await world.type("fatima", f"/verhaal {WALK}")
        form = await world.press("jan", world.posts()[0], "share")
        assert isinstance(form, Form)
        filled = {**form.hidden, "place": "night", "line": ""}
        await gather(*(world.ritme.handle(world.intent("jan", "share.save", filled)) for _ in range(4)))
        await world.drain()
        assert len(world.posts("night")) == 1

    async def test_to_another_workspace_and_back_to_its_teller(self, world: World) -> None:
        await world.movement("fatima")
        far = "test:W2"
        async with world.begin() as work:
            work.people.add(Workspace(id=WorkspaceId(far)))
            place = Place(
                id=PlaceId("far"),
                workspace_id=WorkspaceId(far),
                channel="far",
                name="far",
                language=Language.EN,
                created_at=world.clock.now(),
            )
            place.movement_id = MovementId("movement")
            work.movements.add(place)
        answer = await world.type("fatima", f"/verhaal {WALK}")
        await world.submit("fatima", await world.press("fatima", answer, "share"), place="far")
        [copy] = world.posts("far")
        assert copy.post.workspace == far
        assert "Told in #general." in text_of(copy)
        await world.press("fatima", copy, "ripple", workspace=far, language="en")  # another person of the same name
        assert await count_ripples(world, await latest_story(world, "fatima")) == 1
        news = [one for one in world.private("fatima") if "Good to have you" not in text_of(one)]
        assert [one.post.workspace for one in news] == [LANE], "the other Fatima is new, and welcomed"
        await world.press("fatima", answer, "withdraw")
        assert world.posts("far") == []


marks = st.tuples(st.sampled_from(["m-1", "copy"]), st.sampled_from(["heart", "fire"]))
doings = st.one_of(
    st.tuples(st.just("reaction.added"), marks),
    st.tuples(st.just("reaction.removed"), marks),
    st.tuples(st.sampled_from(["ripple", "ripple.undo"]), st.none()),
)


@given(done=st.lists(doings, max_size=10))
@settings(max_examples=15, deadline=None)
async def test_a_ripple_lasts_as_long_as_anything_carries_it(
    done: list[tuple[str, tuple[str, str] | None]],
) -> None:
    carried: set[tuple[str, str] | str] = set()
    with TemporaryDirectory() as folder:
        async with open_world(Path(folder)) as world:
            await world.movement("fatima", "jan", channels=("general", "night"))
            await add_reminder(world)
            await reply_in_thread(world, "fatima", WALK, "m-1")
            await world.press("fatima", world.private("fatima")[0], "keep")
            story = await get_story(world, "m-1")
            await world.do("iris", "share.save", story=story.id, place="night", line="")
            [copy] = world.posts("night")
            for name, mark in done:
                if mark is None:
                    await world.do("jan", name, story=story.id)
                    carried = carried | {"pressed"} if name == "ripple" else set()
                else:
                    message, channel = (copy.receipt.message, "night") if mark[0] == "copy" else ("m-1", "general")
                    await world.do("jan", name, channel=channel, message=message, reaction=mark[1])
                    carried = carried | {mark} if name == "reaction.added" else carried - {mark}
                assert await count_ripples(world, story) == bool(carried)
