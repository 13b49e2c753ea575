"""Tellers hear of answers under their stories on Slack, in Teams and in the playground, however they told them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.drivers.border import PLATFORMS, Border, open_border
from tests.support.readers import find_untrue
from tests.support.world import MONDAY

WALK = "We liepen na het eten een rondje en het was gezellig"


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh
        assert find_untrue(await fresh.to_all()) == []


async def told(border: Border, who: str = "fatima") -> list[str]:
    await border.until(MONDAY + timedelta(hours=5))
    return [one.words() for one in await border.to(who) if "reageerde" in one.words() or "reacties" in one.words()]


async def test_answers_under_the_message_that_told_it(border: Border) -> None:
    message = await border.say("fatima", f"@Ritme verhaal {WALK}")
    assert any(WALK in one for one in await border.to_all())
    await border.say("jan", "Mooi gedaan.", thread=message)
    await border.say("wim", "Bij ons ook.", thread=message)
    [news] = await told(border)
    assert "twee nieuwe reacties" in news
    assert WALK[:20] in news


async def test_a_teller_who_answers_there_has_read_the_rest(border: Border) -> None:
    message = await border.say("fatima", f"@Ritme verhaal {WALK}")
    await border.say("jan", "Wie liep er mee?", thread=message)
    await border.say("fatima", "Samira en ik.", thread=message)
    assert await told(border) == []


async def test_answers_under_the_post_of_it(border: Border) -> None:
    await border.say("fatima", f"@Ritme verhaal {WALK}")
    await border.reply("jan", WALK, "Mooi gedaan.")
    [news] = await told(border)
    assert "Iemand reageerde" in news


async def test_answers_in_a_thread_of_somebody_else_where_it_was_told(border: Border) -> None:
    message = await border.say("wim", "Wie heeft er iets leuks meegemaakt?")
    await border.say("jan", "Nog niet, maar de dag is jong.", thread=message)
    await border.say("fatima", f"@Ritme verhaal {WALK}", thread=message)
    assert any(WALK in one for one in await border.to_all())
    await border.say("jan", "Mooi gedaan.", thread=message)
    [news] = await told(border)
    assert "Iemand reageerde" in news


async def test_no_other_thread_is_about_it(border: Border) -> None:
    await border.say("fatima", f"@Ritme verhaal {WALK}")
    elsewhere = await border.say("wim", "Wie rijdt er mee naar huis?")
    await border.say("jan", "Ik wel, Fatima ook?", thread=elsewhere)
    assert await told(border) == []
