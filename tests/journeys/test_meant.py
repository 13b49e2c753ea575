"""How did you mean it? One press under the thanks for a story, and a cloud from five tellers on that names nobody."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.chat import Answer, Reply
from tests.drivers.border import PLATFORMS, Border, open_border
from tests.journeys.test_pictures import size_of
from tests.support.stories import add_reminder, get_story, reply_in_thread
from tests.support.world import MOVEMENT, World, button_of, text_of

TELLERS = ("fatima", "jan", "sanne", "wim", "mila", "noor", "kwame", "roos", "tess", "bram")
MIXED = ("deepen", "deepen", "broaden", "broaden", "broaden")
MIXED_WITH_ONE = ("deepen", "steer", "broaden", "steer", "broaden", "steer")
FIRST = {"triangle_broaden", "triangle_deepen", "triangle_steer", "triangle_middle"}


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh


@pytest.fixture
async def telling(world: World) -> World:
    await world.movement(*TELLERS)
    return world


def names_of(reply: Reply) -> set[str]:
    assert isinstance(reply, Answer)
    assert reply.message is not None
    return {one.name for one in reply.message.buttons}


async def tell(world: World, who: str, **more: str) -> Reply:
    told = {"text": "We liepen een rondje.", "named": "without", "readers": "movement", "where": "nowhere"}
    return await world.do(who, "story.save", args=told, **more)


async def mean(world: World, who: str, point: str = "broaden") -> Reply:
    await world.pass_(minutes=1)
    return await world.press(who, await tell(world, who), f"triangle_{point}")


async def look(world: World, who: str = "iris") -> str:
    """Return what the cloud says to who asks for it: the picture's words, or what it takes."""
    await world.pass_(minutes=2)
    reply = await world.do(who, "cloud", channel=None)
    await world.pass_(minutes=1)
    said = text_of(reply)
    return text_of(world.private(who)[-1]) if "Ik teken" in said else said


async def test_tellers_press_once_and_five_make_a_cloud_without_names(border: Border) -> None:
    for number, who in enumerate(("fatima", "jan", "sanne", "wim", "iris")):
        assert "nog geen wolk" in (await border.type("iris", "/ritme wolk")).words()
        thanks = await border.type(who, f"/ritme verhaal Rondje {number} door de tuin.")
        assert "vijf of meer vertellers, nooit wie" in thanks.words()
        said = await border.press(who, thanks, "triangle_deepen" if number > 1 else "triangle_broaden")
        assert "genoteerd" in said.words().casefold()
        await border.until(datetime(2027, 3, 1, 10, number, tzinfo=UTC))
    before = len(await border.to_all())
    await border.type("fatima", "/ritme wolk")
    await border.until(datetime(2027, 3, 1, 12, tzinfo=UTC))
    png, text = await border.picture("fatima")
    assert max(size_of(png)) <= 1024
    assert len(png) < 1_000_000
    assert "bedoeld" in text
    words = (await border.to("fatima"))[-1].words().casefold()
    assert "verbreden: 2 verhalen" in words
    assert "verdiepen: 3 verhalen" in words
    assert not any(name in words for name in ("jan", "sanne", "wim", "iris"))
    assert len(await border.to_all()) == before


async def test_what_lies_between_and_taking_it_back_are_one_press_further(border: Border) -> None:
    said = await border.press("fatima", await border.type("fatima", "/ritme verhaal We liepen."), "triangle_broaden")
    said = await border.press("fatima", said, "triangle_broaden_deepen")
    assert "verbreden, verdiepen" in said.words().casefold()
    assert (
        "hoe je het bedoelde: verbreden, verdiepen"
        in (await border.type("fatima", "/ritme verhalen")).words().casefold()
    )
    said = await border.press("fatima", said, "clear")
    assert "teruggenomen" in said.words().casefold()
    assert "hoe je het bedoelde:" not in (await border.type("fatima", "/ritme verhalen")).words().casefold()


async def test_it_stands_in_the_thanks_once_and_only_where_it_can_be_in_a_cloud(telling: World) -> None:
    thanks = await tell(telling, "fatima")
    assert names_of(thanks) >= FIRST
    (story,) = await told_by(telling, "fatima")
    change = {"story": story, "text": "Anders.", "named": "with", "readers": "movement"}
    assert not names_of(await telling.do("fatima", "story.save", args=change)) & FIRST
    alone = {"text": "Alleen hier.", "named": "with", "readers": "thread"}
    assert not names_of(await telling.do("jan", "story.save", args=alone)) & FIRST
    said = await tell(telling, "sanne", dimension="steer")
    assert not names_of(said) & FIRST, "that was said in the form"
    await telling.pass_(days=30)
    assert telling.private("fatima") == [], "nobody is asked by a message"


async def told_by(world: World, who: str) -> list[str]:
    async with world.begin() as work:
        found = await work.stories.of_teller(who, 10)  # type: ignore[arg-type]
        return [one.id for one in found]


async def test_an_earlier_story_can_be_meant_from_ones_own_stories_and_otherwise_later(telling: World) -> None:
    await tell(telling, "fatima")
    asked = await telling.press(
        "fatima", await telling.do("fatima", "story.mine", channel=None), "meaning", channel=None
    )
    await telling.press("fatima", asked, "triangle_steer", channel=None)
    assert "Regie nemen" in text_of(await telling.do("fatima", "story.mine", channel=None))
    await telling.press("fatima", asked, "triangle_deepen", channel=None)
    assert "Verdiepen" in text_of(await telling.do("fatima", "story.mine", channel=None))


async def test_nobody_says_how_another_meant_it(telling: World) -> None:
    await tell(telling, "fatima")
    (story,) = await told_by(telling, "fatima")
    said = await telling.do("jan", "meaning", story=story, meant="triangle:steer")
    assert "Genoteerd" not in text_of(said)
    assert "Genoteerd" not in text_of(await telling.do("fatima", "meaning", story=story, meant="triangle:left"))


async def test_five_stories_of_four_tellers_make_no_cloud(telling: World) -> None:
    for who in (*TELLERS[:4], TELLERS[0]):
        await mean(telling, who)
    assert "nog geen wolk" in await look(telling)


async def test_one_more_answer_changes_nothing_until_five_others_answered(telling: World) -> None:
    for who, point in zip(TELLERS[:5], MIXED, strict=True):
        await mean(telling, who, point)
    first = await look(telling)
    for number, who in enumerate(TELLERS[5:9]):
        await mean(telling, who, "steer" if number else "broaden")
        if number % 2:
            assert await look(telling) == first, f"{number + 1} more"
    for _ in range(3):
        await mean(telling, TELLERS[8], "steer")
    assert await look(telling) == first, "one teller is one, however much they tell"
    await mean(telling, TELLERS[9], "deepen")
    second = await look(telling)
    assert "Regie nemen: 6 verhalen" in second
    assert "Verdiepen: 3 verhalen" in second


async def test_five_who_nearly_all_answer_the_same_make_no_cloud(telling: World) -> None:
    """Each who sees it would know of all others what they answered."""
    for who in TELLERS[:5]:
        await mean(telling, who)
    assert "minstens twee iets anders zeiden dan de rest" in await look(telling)
    await mean(telling, TELLERS[5], "steer")
    assert "nog geen wolk" in await look(telling), "who answered otherwise knows all others"
    await mean(telling, TELLERS[6], "deepen")
    first = await look(telling)
    assert "Verbreden: 5 verhalen" in first
    for who in TELLERS[:5]:
        await mean(telling, who, "steer")
    assert await look(telling) == first, "so is what was added since"


async def test_what_is_taken_back_shows_no_difference_and_goes_at_the_next_drawing(telling: World) -> None:
    for who in TELLERS[:6]:
        await mean(telling, who, MIXED_WITH_ONE[TELLERS.index(who)])
    first = await look(telling)
    (story,) = await told_by(telling, "fatima")
    await telling.do("fatima", "story.withdraw", story=story)
    async with telling.begin() as work:
        kept = await work.stories.get(story, MOVEMENT)  # type: ignore[arg-type]
        assert kept is not None
        assert (kept.meant, kept.meant_at) == ("", None)
    assert await look(telling) == first, "a difference would tell what she meant"
    for number, who in enumerate(TELLERS[5:10]):
        await mean(telling, who, "steer" if number % 2 else "broaden")
    assert "Verdiepen" not in await look(telling)


async def test_a_cloud_of_too_few_that_are_left_is_not_shown(telling: World) -> None:
    for who, point in zip(TELLERS[:5], MIXED, strict=True):
        await mean(telling, who, point)
    assert "Verbreden: 3 verhalen" in await look(telling)
    await telling.do("fatima", "me.forget", channel=None)
    assert "nog geen wolk" in await look(telling)


async def test_a_coordinator_chooses_the_question_or_none(telling: World) -> None:
    form = await telling.do("iris", "cloud.choose")
    said = await telling.submit("iris", form, scale="courage")
    assert "voorzichtig of gedurfd" in text_of(said)
    thanks = await tell(telling, "fatima")
    assert {"courage_left", "courage_middle", "courage_right"} <= names_of(thanks)
    said = await telling.press("fatima", thanks, "courage_middle")
    assert "Ertussenin" in text_of(said)
    assert "Eerder gedurfd" in text_of(await telling.press("fatima", said, "courage_rightish"))
    await telling.submit("iris", await telling.do("iris", "cloud.choose"), scale="none")
    assert not {one for one in names_of(await tell(telling, "jan")) if "_" in one}
    assert "niet de vraag" in await look(telling)
    assert "coördinator" in text_of(await telling.do("fatima", "cloud.choose"))


async def test_a_reply_that_may_travel_asks_it_too(telling: World) -> None:
    await add_reminder(telling, "rhythm_stories", thread="round")
    await reply_in_thread(telling, "fatima", "We liepen na het eten een rondje.", "r1", thread="round")
    kept = await telling.do("fatima", "story.keep", story=(await get_story(telling, "r1")).id)
    assert names_of(kept) >= FIRST
    assert button_of(kept, "triangle_steer").args["story"]
