"""A coordinator makes a key or adds an address for a program outside, and takes it back, on Slack, in Teams and in the
playground."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.api_token import digest_token
from bot.domain.movement import MovementId
from tests.drivers.border import PLATFORMS, Border, open_border
from tests.support.api import KEY
from tests.support.readers import find_untrue
from tests.support.vault import VAULT

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


async def test_an_address_is_added_with_a_secret_read_alone_and_removed(border: Border) -> None:
    before = len(await border.to_all())
    form = await border.form("iris", "/ritme webhook", "webhook.new", button="add")
    made = await border.submit("iris", form, address="https://site.example.org/ritme", events=("story_told",))
    (secret,) = [word for word in made.words().split() if word.startswith("whsec_")]
    async with border.begin() as work:
        (webhook,) = await work.outside.webhooks(MOVEMENT)
        sealed = webhook.sealed
    assert (webhook.host, webhook.events) == ("site.example.org", ["story_told"])
    assert VAULT.reveal(sealed) == secret
    listed = await border.type("iris", "/ritme webhook")
    assert "site.example.org" in listed.words()
    assert secret not in listed.words()
    assert "site.example.org" not in (await border.press("iris", listed, "remove_1")).words()
    async with border.begin() as work:
        assert await work.outside.webhooks(MOVEMENT) == []
    assert len(await border.to_all()) == before
