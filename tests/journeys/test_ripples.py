"""What a story sets in motion: ripples, ties and retellings."""

from asyncio import gather
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat import Form
from bot.domain.movement import MovementId, Place, PlaceId
from bot.domain.person import Language, Workspace, WorkspaceId
from tests.support.stories import WALK, declined, latest, reminder, reply, ripples, story_of, told
from tests.support.world import LANE, World, text_of, world


class TestRipples:
    async def test_the_teller_hears_of_the_first_and_every_fifth_and_never_who(self, here: World) -> None:
        await here.movement("fatima", *(f"p{n}" for n in range(12)))
        await here.type("fatima", f"/verhaal {WALK}")
        for number in range(11):
            await here.press(f"p{number}", here.posts()[0], "ripple")
            await here.pass_(days=3)
            await here.do("fatima", "story.mine")  # keeps in touch, so that Ritme does not go quiet
        heard = [one for one in here.private("fatima") if "🌊" in text_of(one)]
        assert len(heard) == 3
        assert not any(f"p{number}" in text_of(one) for number in range(12) for one in heard)

    async def test_ones_own_story_does_not_ripple(self, here: World) -> None:
        await here.movement("fatima")
        await here.type("fatima", f"/verhaal {WALK}")
        [post] = here.posts()
        assert declined(await here.press("fatima", post, "ripple"), "own_story")
        await here.do("fatima", "reaction.added", message=post.receipt.message, reaction="heart")
        assert await ripples(here, await latest(here, "fatima")) == 0

    async def test_a_nameless_teller_is_tied_to_nobody(self, here: World) -> None:
        await here.movement("fatima", "jan", channels=("general", "night"))
        form = await here.type("fatima", "/verhaal")
        await here.submit("fatima", form, text=WALK, named="without")
        [post] = here.posts()
        await here.press("jan", post, "ripple")
        await here.do("jan", "thread.replied", thread=post.receipt.message, message="m-9", text="Mooi")
        await here.submit(
            "fatima", await here.do("fatima", "share", story=(await latest(here, "fatima")).id), place="night"
        )
        assert "fatima" not in text_of(here.posts("night")[0])
        async with here.begin() as work:
            assert await work.connecting.ties(MovementId("movement")) == []

    async def test_answering_under_a_story_ties_to_its_teller_once(self, here: World) -> None:
        await here.movement("fatima", "jan")
        await here.type("fatima", f"/verhaal {WALK}")
        [post] = here.posts()
        for number in range(3):
            await here.do("jan", "thread.replied", thread=post.receipt.message, message=f"m-{number}", text="Mooi")
        async with here.begin() as work:
            [tie] = await work.connecting.ties(MovementId("movement"))
        assert tie.strength == 1
        assert await story_of(here, "m-1") is None


class TestSharing:
    async def test_the_teller_hears_once_that_it_travels(self, here: World) -> None:
        await here.movement("fatima", "jan", channels=("general", "night", "day"))
        await here.type("fatima", f"/verhaal {WALK}")
        for place in ("night", "day"):
            await here.submit("jan", await here.press("jan", here.posts()[0], "share"), place=place)
        assert len(here.private("fatima")) == 1
        assert declined(await here.press("jan", here.posts()[0], "share"), "no_other_place")

    async def test_carried_twice_at_once_it_stands_there_once(self, here: World) -> None:
        await here.movement("fatima", "jan", channels=("general", "night"))
        await here.type("fatima", f"/verhaal {WALK}")
        form = await here.press("jan", here.posts()[0], "share")
        assert isinstance(form, Form)
        filled = {**form.hidden, "place": "night", "line": ""}
        await gather(*(here.ritme.handle(here.intent("jan", "share.save", filled)) for _ in range(4)))
        await here.drain()
        assert len(here.posts("night")) == 1

    async def test_to_another_workspace_and_back_to_its_teller(self, here: World) -> None:
        await here.movement("fatima")
        far = "test:W2"
        async with here.begin() as work:
            work.people.add(Workspace(id=WorkspaceId(far)))
            place = Place(
                id=PlaceId("far"),
                workspace_id=WorkspaceId(far),
                channel="far",
                name="far",
                language=Language.EN,
                created_at=here.clock.now(),
            )
            place.movement_id = MovementId("movement")
            work.movements.add(place)
        answer = await here.type("fatima", f"/verhaal {WALK}")
        await here.submit("fatima", await here.press("fatima", answer, "share"), place="far")
        [copy] = here.posts("far")
        assert copy.post.workspace == far
        assert "Told in general." in text_of(copy)
        await here.press("fatima", copy, "ripple", workspace=far, language="en")  # another person of the same name
        assert await ripples(here, await latest(here, "fatima")) == 1
        [news] = here.private("fatima")
        assert news.post.workspace == LANE
        await here.press("fatima", answer, "withdraw")
        assert here.posts("far") == []


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
        async with world(Path(folder)) as here:
            await here.movement("fatima", "jan", channels=("general", "night"))
            await reminder(here)
            await reply(here, "fatima", WALK, "m-1")
            await here.press("fatima", here.private("fatima")[0], "keep")
            story = await told(here, "m-1")
            await here.do("iris", "share.save", story=story.id, place="night", line="")
            [copy] = here.posts("night")
            for name, mark in done:
                if mark is None:
                    await here.do("jan", name, story=story.id)
                    carried = carried | {"pressed"} if name == "ripple" else set()
                else:
                    message, channel = (copy.receipt.message, "night") if mark[0] == "copy" else ("m-1", "general")
                    await here.do("jan", name, channel=channel, message=message, reaction=mark[1])
                    carried = carried | {mark} if name == "reaction.added" else carried - {mark}
                assert await ripples(here, story) == bool(carried)
