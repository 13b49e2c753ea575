"""Stuck and then silent: Ritme comes back once, gently, and then it rests where it can be picked up."""

from datetime import timedelta

import pytest

from bot.chat import Answer, Reply
from bot.domain.delivery import Priority
from tests.journeys.test_promised_moments import add_nudge
from tests.journeys.test_stuck import buttons, episode, submit_step, submit_stuck
from tests.support.world import MONDAY, World, text_of


@pytest.fixture
async def stuck(world: World) -> World:
    await world.movement("fatima")
    return world


async def not_now(world: World) -> Reply:
    return await world.press("fatima", await submit_stuck(world), "not_now")


async def test_without_any_press_it_comes_back_once_after_a_week(stuck: World) -> None:
    await submit_stuck(stuck)
    await stuck.until(MONDAY + timedelta(days=7, minutes=-1))
    assert stuck.private("fatima") == []
    await stuck.pass_(days=1)
    (back,) = stuck.private("fatima")
    assert "De nacht komt niet" in text_of(back)
    assert "daarna rust het" in text_of(back)
    await stuck.pass_(days=90)
    assert len(stuck.private("fatima")) == 1


@pytest.mark.parametrize(("choice", "days"), [("week", 7), ("month", 30)])
async def test_not_now_lets_choose_when(stuck: World, choice: str, days: int) -> None:
    asked = await not_now(stuck)
    assert buttons(asked) == ["week", "month", "never"]
    chosen = await stuck.press("fatima", asked, choice)
    assert buttons(chosen) == []
    await stuck.until(MONDAY + timedelta(days=days, hours=-1))
    assert stuck.private("fatima") == []
    await stuck.pass_(days=100)
    assert len(stuck.private("fatima")) == 1


async def test_not_now_and_no_choice_is_a_week(stuck: World) -> None:
    assert "maandag 8 maart" in text_of(await not_now(stuck))
    await stuck.pass_(days=8)
    assert len(stuck.private("fatima")) == 1


async def test_never_is_never_and_it_rests(stuck: World) -> None:
    rests = await stuck.press("fatima", await not_now(stuck), "never")
    assert "het rust" in text_of(rests)
    assert "vast" in text_of(rests)
    await stuck.pass_(days=100)
    assert stuck.private("fatima") == []


@pytest.mark.parametrize("ending", ["stuck.moves_again", "stuck.let_go"])
async def test_it_does_not_come_back_to_what_ended(stuck: World, ending: str) -> None:
    await submit_stuck(stuck)
    await stuck.do("fatima", ending, episode=(await episode(stuck)).id)
    await stuck.pass_(days=60)
    assert stuck.private("fatima") == []


async def test_it_does_not_come_back_when_a_step_was_chosen(stuck: World) -> None:
    await submit_step(stuck, await submit_stuck(stuck))
    await stuck.pass_(days=2)
    followed = len(stuck.private("fatima"))
    await stuck.pass_(days=60)
    assert not [one for one in stuck.private("fatima")[followed:] if "vastzat" in text_of(one)]


async def test_more_about_the_same_moves_it_and_never_makes_two(stuck: World) -> None:
    await submit_stuck(stuck)
    await stuck.pass_(days=5)
    await submit_stuck(stuck, text="En de avond ook niet")
    await stuck.pass_(days=3)
    assert stuck.private("fatima") == []
    await stuck.pass_(days=60)
    assert len(stuck.private("fatima")) == 1
    await submit_stuck(stuck, text="Nog steeds")
    await stuck.press("fatima", await stuck.do("fatima", "stuck.go_on", episode=(await episode(stuck)).id), "not_now")
    await stuck.pass_(days=60)
    assert len(stuck.private("fatima")) == 1


async def test_it_stands_on_the_page_and_is_picked_up_with_one_press(stuck: World) -> None:
    await submit_stuck(stuck)
    assert "nog één keer" in text_of(await stuck.do("fatima", "home", channel=None))
    await stuck.pass_(days=40)
    page = await stuck.do("fatima", "home", channel=None)
    assert "De nacht komt niet" in text_of(page)
    assert "Het rust." in text_of(page)
    assert isinstance(page, Answer)
    go_on = next(one for one in page.message.buttons if one.intent == "stuck.go_on")
    welcome = await stuck.do("fatima", go_on.intent, args=go_on.args)
    assert text_of(welcome).count("?") == 3
    await submit_step(stuck, welcome)
    assert "De nacht komt niet" not in text_of(await stuck.do("fatima", "home", channel=None))


async def test_the_message_itself_leads_on(stuck: World) -> None:
    await submit_stuck(stuck)
    await stuck.pass_(days=8)
    back = stuck.private("fatima")[0]
    assert text_of(await stuck.press("fatima", back, "go_on")).count("?") == 3


async def test_who_stopped_hears_nothing_and_is_promised_nothing(stuck: World) -> None:
    welcome = await submit_stuck(stuck)
    await stuck.do("fatima", "stop.me")
    assert "nog één keer" not in text_of(await stuck.press("fatima", welcome, "not_now"))
    await stuck.pass_(days=60)
    assert not [one for one in stuck.private("fatima") if "vastzat" in text_of(one)]


ENDS = {"done": "outcome", "something_else": "outcome", "still_stuck": "", "let_go": ""}
"""How a step ends, and what is told of it."""


@pytest.mark.parametrize("ended", ENDS)
async def test_once_its_step_has_ended_it_comes_back_after_a_week(stuck: World, ended: str) -> None:
    await submit_step(stuck, await submit_stuck(stuck))
    await stuck.pass_(days=1)
    reply = await stuck.press("fatima", stuck.private("fatima")[0], ended, channel=None)
    if ENDS[ended]:
        await stuck.submit("fatima", reply, channel=None, outcome="Het lukte")
    await stuck.until(MONDAY + timedelta(days=8, minutes=-1))
    assert len(stuck.private("fatima")) == 1
    await stuck.pass_(days=60)
    (_, back) = stuck.private("fatima")
    assert "daarna rust het" in text_of(back)


async def test_while_another_step_follows_it_up_it_does_not_come_back(stuck: World) -> None:
    welcome = await submit_stuck(stuck)
    await submit_step(stuck, welcome)
    await submit_step(stuck, welcome, day="2027-03-15")
    await stuck.pass_(days=1)
    await stuck.press("fatima", stuck.private("fatima")[0], "let_go", channel=None)
    await stuck.until(MONDAY + timedelta(days=13))
    assert len(stuck.private("fatima")) == 1


async def test_a_step_that_rests_keeps_nothing_away(stuck: World) -> None:
    welcome = await submit_stuck(stuck)
    await submit_step(stuck, welcome)
    await stuck.press("fatima", await stuck.press("fatima", welcome, "not_now"), "month")
    await stuck.pass_(days=7)
    page = text_of(await stuck.do("fatima", "home", channel=None))
    assert "Rust sinds" in page
    assert "De nacht komt niet" in page
    before = len(stuck.private("fatima"))
    await stuck.pass_(days=60)
    assert "daarna rust het" in text_of(stuck.private("fatima")[before])


async def test_in_full_weeks_it_comes_as_soon_as_there_is_room(stuck: World) -> None:
    await submit_stuck(stuck)
    for days in range(2, 24, 3):
        await add_nudge(stuck, MONDAY + timedelta(days=days), Priority.ASKED_FOR)
    for _ in range(12):
        await stuck.pass_(days=3)
        await stuck.do("fatima", "home", channel=None)  # who answers nothing at all is left in peace
    assert [one for one in stuck.private("fatima") if "daarna rust het" in text_of(one)]
