"""The most significant story: people of a place choose one and say why; its teller decides where that stands."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.chat import FieldErrors, Form
from bot.domain.choosing import MOST_STORIES, pick_stories
from bot.domain.person import Person, PersonId, WorkspaceId
from bot.domain.story import Readers, Story, StoryId
from tests.drivers.border import HERE, PLATFORMS, Border, open_border
from tests.support.world import LANE, MOVEMENT, Sent, World, button_of, text_of

TELLERS = ("fatima", "jan", "sanne")
WHY = "Eén kleine vraag maakte de avond anders."
OTHER = "Omdat het zo gewoon is."


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh


@pytest.fixture
async def told(world: World) -> World:
    """Return a world in which three people each told a story, and a round began in #general."""
    await world.movement(*TELLERS, "kwame", "wim", channels=("general", "night"))
    for who in TELLERS:
        told = {"text": f"Dit lukte {who}.", "named": "with", "readers": "movement", "where": "nowhere"}
        await world.do(who, "story.save", args=told)
    await world.do("iris", "choice.save", args={"places": ("general",), "period": "month"})
    return world


def read_round(world: World) -> Sent:
    return world.posts()[-1]


def round_of(world: World) -> str:
    return button_of(world.posts()[0], "pick_1").args["round"]


def number_of(world: World, who: str) -> str:
    """Return the button of the story that somebody told."""
    told = text_of(world.posts()[0])
    return f"pick_{1 + sorted(TELLERS, key=lambda one: told.index(f'Dit lukte {one}.')).index(who)}"


async def choose(world: World, by: str, whose: str, why: str = WHY) -> None:
    button = number_of(world, whose)
    await world.submit(by, await world.press(by, world.posts()[0], button), why=why)
    await world.pass_(minutes=1)


async def story_of(world: World, who: str) -> StoryId:
    async with world.begin() as work:
        return (await work.stories.of_teller(PersonId(who), 1))[0].id


async def read(world: World, whose: str, by: str = "wim") -> str:
    return text_of(await world.do(by, "story.read", stories=await story_of(world, whose), channel=None))


async def test_it_goes_from_a_coordinator_to_a_place_to_a_teller(border: Border) -> None:
    for who in TELLERS:
        await border.type(who, f"/ritme verhaal Dit lukte {who} vandaag op de afdeling.")
    form = await border.form("iris", "/ritme betekenisvol", "choice")
    begun = await border.submit("iris", form, places=(HERE,), period="month")
    assert "laat ik het daarbij" in begun.words()
    await border.until(datetime(2027, 3, 1, 10, tzinfo=UTC))
    post = (await border.posts())[-1]
    assert "betekent voor jullie het meest" in post.words()
    asked = await border.press("wim", post, "pick_1")
    await border.submit("wim", asked, why=WHY)
    await border.until(datetime(2027, 3, 1, 10, 5, tzinfo=UTC))
    ((teller, news),) = [(who, one) for who in TELLERS for one in await border.to(who) if WHY in one.words()]
    assert WHY not in (await border.posts())[-1].words(), "its teller is asked first"
    assert "wim" not in news.words().casefold()
    said = await border.press(teller, news, "beside")
    assert "bij je verhaal" in said.words()
    await border.until(datetime(2027, 3, 1, 10, 10, tzinfo=UTC))
    assert WHY in (await border.posts())[-1].words()
    assert WHY in (await border.type("wim", f"/ritme zoek {teller}")).words()


async def test_a_place_chooses_and_the_why_stands_beside_the_story_once_its_teller_agreed(told: World) -> None:
    assert all(f"Dit lukte {who}." in text_of(read_round(told)) for who in TELLERS)
    await choose(told, "kwame", "fatima")
    post = text_of(read_round(told))
    assert "Jullie kozen verhaal" in post
    assert WHY not in post, "its teller is asked first"
    assert "kwame" not in post
    (news,) = told.private("fatima")
    assert WHY in text_of(news)
    assert "kwame" not in text_of(news)
    assert WHY not in await read(told, "fatima"), "not before she agreed"
    assert WHY not in text_of(await told.do("wim", "search", text="lukte", channel=None))
    await told.press("fatima", news, "beside", channel=None)
    await told.pass_(minutes=1)
    assert WHY in text_of(read_round(told))
    assert WHY in await read(told, "fatima")
    assert WHY in text_of(await told.do("wim", "search", text="lukte", channel=None))
    mine = await told.do("fatima", "story.mine", channel=None)
    assert WHY in text_of(mine)
    await told.press("fatima", mine, "no_whys", channel=None)
    await told.pass_(minutes=1)
    assert WHY not in await read(told, "fatima")
    assert WHY not in text_of(read_round(told))


async def test_only_for_me_leaves_nothing_beside_the_story(told: World) -> None:
    await choose(told, "kwame", "fatima")
    (news,) = told.private("fatima")
    await told.press("fatima", news, "mine_only", channel=None)
    await told.pass_(minutes=1)
    assert WHY not in await read(told, "fatima")
    assert WHY not in text_of(read_round(told))
    async with told.begin() as work:
        assert await work.stories.choice_in(round_of(told), MOVEMENT) is None


async def test_another_choice_takes_the_place_of_the_first_until_the_teller_agreed(told: World) -> None:
    await choose(told, "kwame", "fatima")
    await choose(told, "wim", "jan", OTHER)
    (first,), (news,) = told.private("fatima"), told.private("jan")
    said = await told.press("fatima", first, "beside", channel=None)
    assert "bij je verhaal" not in text_of(said)
    await told.press("jan", news, "beside", channel=None)
    assert WHY not in await read(told, "fatima")
    assert OTHER in await read(told, "jan")
    said = await told.press("kwame", told.posts()[0], number_of(told, "sanne"))
    assert "al gekozen" in text_of(said)


async def test_a_story_that_is_taken_back_drops_out_during_a_round_with_its_why(told: World) -> None:
    await choose(told, "kwame", "fatima")
    await told.press("fatima", told.private("fatima")[0], "beside", channel=None)
    story = await story_of(told, "fatima")
    await told.do("fatima", "story.withdraw", story=story, channel=None)
    async with told.begin() as work:
        assert await work.stories.whys([story], MOVEMENT) == []
        assert await work.stories.choice_in(round_of(told), MOVEMENT) is None
    await told.pass_(minutes=1)
    post = text_of(read_round(told))
    assert WHY not in post
    assert "Dit lukte fatima." not in post
    assert "Dit lukte jan." in post
    said = await told.do("kwame", "choice.pick", round=round_of(told), story=story)
    assert not isinstance(said, Form), "nobody chooses it any more"


async def test_it_ends_by_itself_and_says_nothing_when_nobody_chose(told: World) -> None:
    before = len(told.posts())
    await told.pass_(days=15)
    assert len(told.posts()) == before
    assert all(told.private(who) == [] for who in TELLERS)
    said = await told.press("kwame", told.posts()[0], "pick_1")
    assert "voorbij" in text_of(said)


async def test_a_coordinator_ends_it_and_only_one_in_the_place_chooses(told: World) -> None:
    elsewhere = await told.press("kwame", told.posts()[0], "pick_1", channel="night")
    assert not isinstance(elsewhere, Form)
    begun = await told.do("iris", "choice.save", args={"places": ("night",), "period": "year"})
    await told.press("iris", begun, "end")
    said = await told.press("kwame", told.posts("night")[0], "pick_1", channel="night")
    assert "voorbij" in text_of(said)


async def test_the_why_goes_with_who_wrote_it(told: World) -> None:
    await choose(told, "kwame", "fatima")
    await told.press("fatima", told.private("fatima")[0], "beside", channel=None)
    await told.pass_(minutes=1)
    assert WHY in text_of(read_round(told))
    await told.do("kwame", "me.forget", channel=None)
    await told.pass_(minutes=5)
    assert WHY not in await read(told, "fatima")
    post = text_of(read_round(told))
    assert WHY not in post
    assert "Dit lukte fatima." in post, "the stories stay to choose from"


async def test_a_channel_is_asked_once_a_day(told: World) -> None:
    again = await told.do("iris", "choice.save", args={"places": ("general",), "period": "month"})
    assert "Vandaag vroeg ik het daar al" in text_of(again)
    assert len(told.posts()) == 1


async def test_a_story_is_chosen_and_no_teller_and_only_when_its_teller_can_be_asked(told: World) -> None:
    now = told.clock.now()
    async with told.begin() as work:
        nobody = Person(id=PersonId("outside"), workspace_id=WorkspaceId(LANE), account=None, created_at=now)
        work.people.add(nobody)
        await work.flush()
        theirs = Story(
            id=StoryId("outside"),
            movement_id=MOVEMENT,
            place_id=None,
            teller_id=nobody.id,
            text="Dit lukte buiten.",
            named=True,
            called="een cliënt",
            readers=Readers.MOVEMENT,
            told_at=now,
        )
        work.stories.add(theirs)
    await told.do("iris", "choice.save", args={"places": ("night",), "period": "month"})
    post = text_of(told.posts("night")[0])
    assert "Dit lukte jan." in post
    assert "buiten" not in post
    assert not any(f"{who} vertelde" in post for who in TELLERS)


async def test_three_stories_for_all_are_needed(world: World) -> None:
    await world.movement("fatima", "jan")
    form = await world.do("iris", "choice")
    errors = await world.submit("iris", form)
    assert isinstance(errors, FieldErrors)
    assert set(errors.errors) == {"period"}


def test_a_place_gets_five_stories_of_as_many_tellers_as_can_be_and_chance_alone_decides() -> None:
    many = [(StoryId(f"s{number}"), PersonId("chatty" if number < 20 else f"p{number}")) for number in range(24)]
    picked = pick_stories(many, "general", "r1")
    assert len(picked) == len(set(picked)) == MOST_STORIES
    assert len({teller for story, teller in many if story in picked}) == MOST_STORIES
    assert picked == pick_stories(list(reversed(many)), "general", "r1")
    assert len(pick_stories(many[:3], "general", "r1")) == 3, "also when one told them all"
    assert len({tuple(pick_stories(many, f"place{number}", "r1")) for number in range(9)}) > 1
