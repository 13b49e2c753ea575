"""Look back together on an initiative: each tells one moment and what came of it, and all get everything back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.chat import Answer, Form
from bot.domain.initiative import InitiativeId
from bot.domain.movement import MovementId, PlaceId
from tests.drivers.border import HERE, PLATFORMS, Border, open_border
from tests.journeys.test_connecting import initiative
from tests.support.readers import find_untrue
from tests.support.stories import is_declined
from tests.support.world import MONDAY, World, button_of, text_of

BEFORE, AFTER = {"days": 6}, {"days": 2}


@pytest.fixture
async def together(world: World) -> World:
    """Return a world in which Fatima, who carries an initiative of three, asked to look back together."""
    await world.movement("fatima", "jan", "sanne", "wim")
    about = InitiativeId(await initiative(world, "fatima", "jan", "sanne"))
    async with world.begin() as work:
        walk = await work.initiatives.get(about, MovementId("movement"))
        first = await work.initiatives.participant(about, "fatima")  # type: ignore[arg-type]
        assert walk is not None
        assert first is not None
        walk.place_id, first.initiator = PlaceId("general"), True
    shown = await world.do("fatima", "initiative.look", initiative=about)
    await world.press("fatima", shown, "together")
    return world


async def tell(world: World, who: str, moment: str, result: str = "", named: str = "with") -> Answer:
    asked = next(one for one in reversed(world.private(who)) if "answer" in str(one.message))
    form = await world.press(who, asked, "answer", channel=None)
    assert isinstance(form, Form)
    said = await world.submit(who, form, channel=None, moment=moment, result=result, named=named)
    assert isinstance(said, Answer), said
    return said


async def test_everyone_tells_a_moment_and_gets_all_of_them_back(together: World) -> None:
    assert world_of_others(together) == {"jan": 1, "sanne": 1, "wim": 0, "fatima": 0}
    await tell(together, "jan", "Het eerste rondje", "Meer rust")
    await tell(together, "sanne", "De regen", named="without")
    await together.pass_(**BEFORE)
    assert together.posts() == []
    await together.pass_(**AFTER)
    (post,) = together.posts()
    assert "Het eerste rondje → Meer rust (jan)" in text_of(post)
    assert "De regen" in text_of(post)
    assert "sanne" not in text_of(post)
    for who in ("fatima", "jan", "sanne"):
        assert "Het eerste rondje" in text_of(together.private(who)[-1])
    assert together.private("wim") == []


def world_of_others(world: World) -> dict[str, int]:
    return {who: len(world.private(who)) for who in ("jan", "sanne", "wim", "fatima")}


async def test_a_late_answer_is_added_where_it_stands(together: World) -> None:
    await tell(together, "jan", "Het eerste rondje")
    await together.pass_(days=8)
    (post,) = together.posts()
    assert "nog te weinig antwoorden" in text_of(post)
    said = await tell(together, "sanne", "De regen")
    assert "komt erbij" in text_of(said)
    (post,) = together.posts()
    assert "De regen (sanne)" in text_of(post)
    assert "Het eerste rondje (jan)" in text_of(together.private("jan")[-1])


async def test_with_too_few_answers_the_usual_look_back_comes(together: World) -> None:
    await together.pass_(days=8)
    (post,) = together.posts()
    assert "Dat geeft niet" in text_of(post)
    assert "begon" in text_of(post)
    assert button_of(post, "answer")


async def test_what_one_said_can_be_changed_and_another_reads_nothing_before(together: World) -> None:
    await tell(together, "jan", "Het eerste rondje")
    asked = together.private("jan")[0]
    form = await together.press("jan", asked, "answer", channel=None)
    assert isinstance(form, Form)
    assert form.fields[0].value == "Het eerste rondje"
    await together.submit("jan", form, channel=None, moment="Het tweede rondje", named="without")
    await tell(together, "sanne", "De regen")
    await together.pass_(days=8)
    (post,) = together.posts()
    assert "Het tweede rondje" in text_of(post)
    assert "jan" not in text_of(post)
    assert "eerste" not in text_of(post)


async def test_it_can_be_done_again_after_four_weeks(together: World) -> None:
    async with together.begin() as work:
        (walk,) = await work.initiatives.of_movement(MovementId("movement"))
    again = await together.do("fatima", "history.begin", initiative=walk.id)
    assert "al samen terug" in text_of(again)
    await together.pass_(days=10)
    refused = await together.do("fatima", "history.begin", initiative=walk.id)
    assert is_declined(refused, "looked_back_lately")
    await together.pass_(days=20)
    begun = await together.do("fatima", "history.begin", initiative=walk.id)
    assert "ieder die meedoet" in text_of(begun)


async def test_only_who_carries_it_begins_and_only_who_takes_part_answers(together: World) -> None:
    async with together.begin() as work:
        (walk,) = await work.initiatives.of_movement(MovementId("movement"))
    refused = await together.do("jan", "history.begin", initiative=walk.id)
    assert "alleen wie dit initiatief draagt" in text_of(refused)
    asked = together.private("jan")[0]
    assert is_declined(await together.press("wim", asked, "answer", channel=None), "participants_only")


async def test_alone_there_is_nobody_to_look_back_with(world: World) -> None:
    await world.movement("fatima")
    about = await initiative(world, "fatima")
    refused = await world.do("iris", "history.begin", initiative=about)
    assert not is_declined(refused, "nobody_to_look_back_with"), "she is another than who takes part"
    await world.do("fatima", "initiative.leave", initiative=about)
    await world.pass_(days=40)
    assert is_declined(await world.do("iris", "history.begin", initiative=about), "nobody_to_look_back_with")


async def test_who_left_gets_nothing_and_who_is_forgotten_takes_their_words_along(together: World) -> None:
    await tell(together, "jan", "Het eerste rondje")
    await tell(together, "sanne", "De regen", named="without")
    async with together.begin() as work:
        (walk,) = await work.initiatives.of_movement(MovementId("movement"))
    await together.do("fatima", "initiative.leave", initiative=walk.id)
    await together.pass_(days=8)
    assert together.private("fatima") == []
    assert "De regen" in text_of(together.posts()[0])
    await together.do("sanne", "me.forget", channel=None)
    await together.pass_(minutes=5)
    assert "De regen" not in text_of(together.posts()[0])
    assert "De regen" not in text_of(together.private("jan")[-1])
    async with together.database.connect() as connection:
        assert "De regen" not in str((await connection.exec_driver_sql("SELECT * FROM history_answers")).all())


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh
        assert find_untrue(await fresh.to_all()) == []


async def test_on_every_platform_it_comes_back_where_the_initiative_is(border: Border) -> None:
    async with border.begin() as work:
        walk = await work.initiatives.get(InitiativeId("walk"), MovementId("movement"))
        first = await work.initiatives.participant(InitiativeId("walk"), "fatima")  # type: ignore[arg-type]
        assert walk is not None
        assert first is not None
        walk.place_id, first.initiator = PlaceId(HERE), True
    shown = await border.type("fatima", "/ritme initiatief wandelen")
    begun = await border.press("fatima", shown, "together")
    form = await border.press("fatima", begun, "answer")
    await border.submit("fatima", form, moment="De eerste avond", result="Meer rust", named="with")
    asked = (await border.to("jan"))[-1]
    form = await border.press("jan", asked, "answer")
    await border.submit("jan", form, moment="De regen", named="without")
    assert not any("De regen" in one for one in await border.to_all())
    await border.until(MONDAY + timedelta(days=8))
    post = (await border.to_all())[-1]
    assert "De eerste avond → Meer rust" in post
    assert "De regen" in post
    assert "jan" not in post.casefold()
