"""Lead on from an invitation that nobody answers, or that leads to no meeting: its inviter may look further, once."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.chat import Answer, Form
from bot.domain.movement import MovementId
from tests.drivers.border import PLATFORMS, Border, open_border
from tests.journeys.test_connecting import initiative
from tests.support.readers import find_untrue
from tests.support.world import MONDAY, World, agree, button_of, text_of

QUIET = "bleef het stil"


@pytest.fixture
async def invited(world: World) -> World:
    """Return a world in which Fatima invited Sanne; Kwame agreed to be suggested too."""
    await world.movement("fatima", "sanne", "kwame")
    await agree(world.begin, "sanne", "kwame", figures=("connector",))
    about = await initiative(world, "fatima")
    await world.do("fatima", "invite.send", person="sanne", initiative=about, text="Kom je?")
    return world


def quiet_news(world: World, who: str = "fatima") -> list[str]:
    return [text_of(one) for one in world.private(who) if QUIET in text_of(one)]


async def test_after_a_week_without_an_answer_the_inviter_hears_and_looks_further(invited: World) -> None:
    await invited.pass_(days=6)
    assert quiet_news(invited) == []
    await invited.pass_(days=2)
    news = invited.private("fatima")[-1]
    assert "sanne" in text_of(news)
    assert "niet aan jou" in text_of(news)
    form = await invited.press("fatima", news, "connect", channel=None)
    assert isinstance(form, Form)
    found = await invited.submit("fatima", form, channel=None)
    assert "kwame" in text_of(found)
    assert "sanne" not in text_of(found)
    await invited.pass_(days=60)
    assert len(quiet_news(invited)) == 1


async def test_much_later_that_person_is_still_left_out(invited: World) -> None:
    await invited.pass_(days=8)
    news = invited.private("fatima")[-1]
    await invited.pass_(days=40)
    form = await invited.press("fatima", news, "connect", channel=None)
    assert "sanne" not in text_of(await invited.submit("fatima", form, channel=None))


@pytest.mark.parametrize("answer", ["accept", "decline"])
async def test_who_got_an_answer_does_not_hear_that_it_stayed_quiet(invited: World, answer: str) -> None:
    await invited.press("sanne", invited.private("sanne")[-1], answer, channel=None)
    await invited.pass_(days=60)
    assert quiet_news(invited) == []


async def test_taken_back_it_did_not_stay_quiet(invited: World) -> None:
    async with invited.begin() as work:
        (sent,) = await work.connecting.invitations_between(
            "fatima", "sanne", MovementId("movement"), MONDAY - timedelta(1)
        )  # type: ignore[arg-type]
    await invited.do("fatima", "invitation.take_back", invitation=sent.id, channel=None)
    await invited.pass_(days=30)
    assert quiet_news(invited) == []


async def test_asked_once_more_it_may_stay_quiet_then(invited: World) -> None:
    await invited.press("sanne", invited.private("sanne")[-1], "later", channel=None)
    await invited.pass_(days=15)
    assert quiet_news(invited) == []
    await invited.pass_(days=9)
    assert len(quiet_news(invited)) == 1


async def test_it_counts_from_when_the_invitation_arrived(world: World) -> None:
    await world.movement("fatima", "sanne")
    await agree(world.begin, "sanne", figures=("connector",))
    about = await initiative(world, "fatima")
    await world.pass_(days=4, hours=9)  # Friday evening: Sanne gets it on Monday
    await world.do("fatima", "invite.send", person="sanne", initiative=about, text="Kom je?")
    await world.pass_(days=8)
    assert quiet_news(world) == []
    await world.pass_(days=3)
    assert len(quiet_news(world)) == 1


async def test_not_met_looks_further_without_that_person(invited: World) -> None:
    await invited.press("sanne", invited.private("sanne")[-1], "accept", channel=None)
    await invited.pass_(days=8)
    noted = await invited.press("fatima", invited.private("fatima")[-1], "not_met", channel=None)
    form = await invited.press("fatima", noted, "connect", channel=None)
    found = text_of(await invited.submit("fatima", form, channel=None))
    assert "kwame" in found
    assert "sanne" not in found


async def test_looking_further_is_offered_once(invited: World) -> None:
    await invited.pass_(days=9)
    assert len(quiet_news(invited)) == 1
    await invited.press("sanne", invited.private("sanne")[-1], "accept", channel=None)
    await invited.pass_(days=9)
    asked = next(one for one in reversed(invited.private("fatima")) if "elkaar al gesproken" in text_of(one))
    noted = await invited.press("fatima", asked, "not_met", channel=None)
    assert isinstance(noted, Answer)
    assert [one.name for one in noted.message.buttons] == []


async def test_another_reads_nothing_of_it(invited: World) -> None:
    await invited.pass_(days=8)
    button = button_of(invited.private("fatima")[-1], "connect")
    form = await invited.do("kwame", button.intent, args=button.args)
    assert isinstance(form, Form)
    assert "invitation" not in form.hidden


async def test_who_stopped_hears_nothing_and_who_is_forgotten_is_not_named(invited: World) -> None:
    await invited.do("sanne", "me.forget", channel=None)
    await invited.pass_(days=20)
    assert quiet_news(invited) == []


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh
        assert find_untrue(await fresh.to_all()) == []


async def test_on_every_platform_the_inviter_hears_and_looks_further(border: Border) -> None:
    await agree(border.begin, "sanne", "wim", figures=("connector",))
    form = await border.form("fatima", "/ritme verbind", "connect", button="connect")
    shown = await border.submit("fatima", form, initiative="walk", figure="connector")
    invite = await border.press("fatima", shown, "invite_1")
    await border.submit("fatima", invite, text="Loop je mee?")
    await border.until(MONDAY + timedelta(days=9))
    news = next(one for one in reversed(await border.to("fatima")) if QUIET in one.words())
    again = await border.press("fatima", news, "connect")
    found = await border.submit("fatima", again, initiative="walk", figure="connector")
    names = {name for name in ("sanne", "wim") if name in found.words().casefold()}
    asked = {name for name in ("sanne", "wim") if name in news.words().casefold()}
    assert len(asked) == 1
    assert not names & asked
