"""A noted chance comes back once at its moment, stands on the page, and in the look-back."""

from datetime import timedelta

from bot.chat import Answer, Form
from tests.journeys.test_stuck import submit_step
from tests.support.world import MONDAY, World, text_of

CHANCE = "De wethouder komt langs"


async def note(world: World, **more: str) -> Answer:
    form = await world.do("fatima", "chance", channel=None)
    noted = await world.submit("fatima", form, channel=None, text=CHANCE, **more)
    assert isinstance(noted, Answer)
    return noted


async def test_it_comes_back_once_in_a_week(world: World) -> None:
    await world.movement("fatima")
    noted = await world.type("fatima", f"/ritme kans {CHANCE}", channel=None)
    assert "maandag 8 maart" in text_of(noted).casefold()
    await world.until(MONDAY + timedelta(days=6))
    assert world.private("fatima") == []
    await world.until(MONDAY + timedelta(days=60))
    (asked,) = world.private("fatima")
    assert CHANCE in text_of(asked)


async def test_on_a_day_of_ones_own_and_once_more_when_still_open(world: World) -> None:
    await world.movement("fatima")
    await note(world, day="2027-03-04")
    await world.until(MONDAY + timedelta(days=4))
    (asked,) = world.private("fatima")
    kept = await world.press("fatima", asked, "still_open", channel=None)
    assert "nog één keer" in text_of(kept)
    await world.until(MONDAY + timedelta(days=12))
    again = world.private("fatima")[-1]
    assert "niet meer op terug" in text_of(await world.press("fatima", again, "still_open", channel=None))
    await world.until(MONDAY + timedelta(days=90))
    assert len(world.private("fatima")) == 2
    assert CHANCE in text_of(await world.do("fatima", "home", channel=None))


async def test_seized_it_leads_to_a_step_or_a_story(world: World) -> None:
    await world.movement("fatima")
    await note(world)
    await world.until(MONDAY + timedelta(days=8))
    seized = await world.press("fatima", world.private("fatima")[0], "seized", channel=None)
    story = await world.press("fatima", seized, "tell_story", channel=None)
    assert isinstance(story, Form)
    assert CHANCE in str({one.name: one.value for one in story.fields}["text"])
    step = await world.press("fatima", seized, "choose_step", channel=None)
    assert isinstance(step, Form)
    assert CHANCE not in text_of(await world.do("fatima", "home", channel=None))
    assert CHANCE in text_of(await world.do("fatima", "lookback", channel=None))


async def test_gone_it_is_nowhere_any_more(world: World) -> None:
    await world.movement("fatima")
    await note(world, shared="yes")
    page = await world.do("fatima", "home", channel=None)
    assert CHANCE in text_of(page)
    shown = await world.do("fatima", "chance.look", args=await only_chance(world), channel=None)
    await world.press("fatima", shown, "is_gone", channel=None)
    assert CHANCE not in text_of(await world.do("fatima", "home", channel=None))
    assert CHANCE not in text_of(await world.do("fatima", "lookback", channel=None))
    await world.until(MONDAY + timedelta(days=30))
    assert world.private("fatima") == []


async def only_chance(world: World) -> dict[str, str]:
    async with world.begin() as work:
        (one,) = await work.steps.open_chances("fatima", "movement", 9)  # type: ignore[arg-type]
        return {"chance": one.id}


async def test_a_step_for_it_seizes_it(world: World) -> None:
    await world.movement("fatima")
    await submit_step(world, await note(world), channel=None)
    await world.until(MONDAY + timedelta(days=30))
    assert not [one for one in world.private("fatima") if CHANCE in text_of(one)]


async def test_others_read_it_in_the_look_back_only_when_it_is_shared(world: World) -> None:
    await world.movement("fatima", "jan")
    await world.do("jan", "initiative.save", args={"name": "Wandelen", "description": ""})
    await note(world)
    assert CHANCE not in text_of(await world.do("jan", "lookback", channel=None))
    await note(world, shared="yes")
    told = text_of(await world.do("jan", "lookback", channel=None))
    assert told.count(CHANCE) == 1
    assert "fatima" not in told.casefold()
