"""Somebody searches on Slack, in Teams and in the playground, and nobody else sees it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.drivers.border import PLATFORMS, Border, open_border
from tests.support.readers import find_untrue

WALK = "We liepen na de nachtdienst een rondje *samen* en het was gezellig"


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh
        assert find_untrue(await fresh.to_all()) == []


async def test_what_is_found_is_for_who_searches_alone_and_narrowed_in_a_form(border: Border) -> None:
    await border.say("fatima", f"@Ritme verhaal {WALK}")
    seen, of_others = len(await border.to_all()), len(await border.to("wim"))
    found = await border.type("jan", "/ritme zoek nachtdiensten")
    assert "*samen*" in found.words()
    assert "fatima" in found.words().casefold()
    form = await border.form("jan", "/ritme zoek nachtdiensten", "search.narrow", button="narrow")
    narrowed = await border.submit("jan", form, dimension="steer")
    assert "geen verhaal" in narrowed.words()
    assert (len(await border.to_all()), len(await border.to("wim"))) == (seen, of_others)
