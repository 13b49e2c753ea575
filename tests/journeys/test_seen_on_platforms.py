"""Stories are given back and seen, on Slack, in Teams and in the playground."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.delivery import to_place
from bot.domain.movement import MovementId, PlaceId, Purpose, PurposeId
from bot.domain.person import PersonId, StoryChoice
from bot.domain.story import Readers, Story, StoryId
from tests.drivers.border import HERE, PLATFORMS, THERE, Border, open_border
from tests.support.readers import find_untrue
from tests.support.world import MONDAY

MOVEMENT = MovementId("movement")


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh
        assert find_untrue(await fresh.to_all()) == []


async def add_story(border: Border, who: str, text: str, place: str) -> None:
    async with border.begin() as work:
        work.stories.add(
            Story(
                id=StoryId(text[:20]),
                movement_id=MOVEMENT,
                place_id=PlaceId(place),
                teller_id=PersonId(who),
                text=text,
                readers=Readers.MOVEMENT,
                told_at=datetime(2027, 3, 1, 9, tzinfo=UTC),
            )
        )


async def post_story(border: Border, who: str, text: str) -> None:
    """Let somebody's story stand in the first channel."""
    async with border.begin() as work:
        [here] = [one for one in await work.movements.places(MOVEMENT) if HERE in one.name]
    await add_story(border, who, text, here.id)
    async with border.begin() as work:
        await work.deliveries.add(to_place(here, "story_posted", key="posted", now=MONDAY, subject=text[:20]))
    await border.until(MONDAY + timedelta(minutes=5))


async def test_a_lonely_story_is_given_back_after_two_rounds_and_its_teller_hears_it(border: Border) -> None:
    form = await border.form("iris", "/ritme ritme", "rhythm.new", button="new")
    weekly = {"every": "1", "weekdays": ("TU",), "at": "10:00", "place": HERE, "on_holiday": "skip"}
    shown = await border.submit("iris", form, kind="harvest", **weekly)
    assert "na twee keer zonder ook met minder" in shown.words()
    async with border.begin() as work:
        [there] = [one.id for one in await work.movements.places(MOVEMENT) if THERE in one.name]
    await add_story(border, "fatima", "Vannacht belde ik de wijk.", there)
    heard = len(await border.to("fatima"))
    await border.until(datetime(2027, 3, 10, 12, tzinfo=UTC))
    assert not [post for post in await border.to_all() if "belde ik de wijk" in post]
    await border.until(datetime(2027, 3, 16, 9, tzinfo=UTC) + timedelta(hours=3))
    assert [post for post in await border.to_all() if "belde ik de wijk" in post]
    told = [one.words() for one in (await border.to("fatima"))[heard:]]
    assert any("belde ik de wijk" in one and "oogst" in one for one in told)


async def test_a_teller_hears_of_an_answer_with_the_way_to_it(border: Border, request: pytest.FixtureRequest) -> None:
    await post_story(border, "fatima", "Vannacht belde ik de wijk.")
    heard = len(await border.to("fatima"))
    await border.reply("jan", "belde ik de wijk", "Hoe reageerden ze?")
    await border.until(MONDAY + timedelta(hours=3))
    [news] = (await border.to("fatima"))[heard:]
    assert "Iemand reageerde op je verhaal" in news.words()
    assert "jan" not in news.words().casefold()
    links = {"OnSlack": "slack.com/archives/", "InTeams": "teams.microsoft.com/l/message/"}
    assert links.get(type(border).__name__, "") in repr(news)
    await border.until(MONDAY + timedelta(days=4))
    assert "nog niemand op inging" in (await border.to("fatima"))[-1].words()


async def test_an_answer_to_a_check_in_leads_on(border: Border) -> None:
    form = await border.form("iris", "/ritme ritme", "rhythm.new", button="new")
    weekly = {"every": "1", "weekdays": ("TU",), "at": "10:00", "place": HERE, "on_holiday": "skip"}
    await border.submit("iris", form, kind="check_in", **weekly)
    async with border.begin() as work:
        jan = await work.people.get(PersonId("jan"), MOVEMENT)
        assert jan is not None
        jan.story_choice = StoryChoice.HERE
    await border.until(MONDAY + timedelta(days=1, hours=2))
    await border.reply("jan", "bijpraten", "We proberen nu elke avond samen een rondje.")
    await border.until(MONDAY + timedelta(days=1, hours=3))
    said = (await border.to("jan"))[-1]
    assert "elke avond samen een rondje" in said.words()
    for button in ("step", "stuck"):
        assert "elke avond samen een rondje" in repr(await border.press("jan", said, button))
    await border.press("jan", said, "tell")
    async with border.begin() as work:
        [story] = await work.stories.of_teller(PersonId("jan"), 5)
    assert story.readers is Readers.MOVEMENT


async def test_a_behaviour_of_the_purpose_is_pressed_and_taken_back(border: Border) -> None:
    async with border.begin() as work:
        purpose = Purpose(
            id=PurposeId("p9"),
            movement_id=MOVEMENT,
            version=9,
            vision="Samen.",
            behaviours=["Handen op je rug"],
            written_by=None,
            written_at=MONDAY,
        )
        work.movements.add(purpose)
    shown = await border.type("jan", "/ritme bedoeling")
    said = await border.press("jan", shown, "too_1")
    assert "doe jij ook" in said.words()
    async with border.begin() as work:
        assert list((await work.movements.count_practices(MOVEMENT)).values()) == [(1, 1)]
    await border.until(MONDAY + timedelta(hours=1))
    assert "eraf" in (await border.press("jan", shown, "too_1")).words()
