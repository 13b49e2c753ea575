"""A coordinator makes a key for a program outside, and revokes it, on Slack, in Teams and in the playground."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.api_token import digest_token
from bot.domain.movement import MovementId
from tests.drivers.border import PLATFORMS, Border, open_border
from tests.support.api import KEY
from tests.support.readers import find_untrue

MOVEMENT = MovementId("movement")


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh
        assert find_untrue(await fresh.to_all()) == []


async def test_a_key_is_made_read_alone_and_revoked_in_one_press(border: Border) -> None:
    before = len(await border.to_all())
    form = await border.form("iris", "/ritme api", "api.new", button="make")
    made = await border.submit("iris", form, name="Onze website", opens=("purpose", "stories"), lasts="year")
    found = KEY.search(made.words())
    assert found, made.words()
    async with border.begin() as work:
        token = await work.outside.token_by_digest(digest_token(found.group()))
    assert token is not None
    assert token.scopes == ["purpose", "stories"]
    listed = await border.type("iris", "/ritme api")
    assert "Onze website" in listed.words()
    assert not KEY.search(listed.words())
    assert "Ingetrokken" in (await border.press("iris", listed, "revoke_1")).words()
    async with border.begin() as work:
        assert await work.outside.tokens(MOVEMENT) == []
    assert len(await border.to_all()) == before
