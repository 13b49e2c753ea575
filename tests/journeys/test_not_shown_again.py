"""A code, key or private link that somebody types in a chat does not stand there once more, nor in the outbox."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.chat import Answer, FieldErrors, Form
from tests.drivers.border import PLATFORMS, Border, open_border
from tests.support.secrets import core_of, make_secrets
from tests.support.world import MONDAY, World, open_world

SECRETS = make_secrets(MONDAY)
LINES = (
    "/ritme aansluiten {}",
    "/ritme {}",
    "/ritme vast {}",
    "/ritme verhaal {}",
    "/ritme stap {}",
    "/ritme kans {}",
    "/ritme zoek {}",
    "/ritme ritme {}",
    "/ritme land {}",
    "/ritme initiatief {}",
    "/ritme start {}",
    "/ritme noem {}",
    "/ritme hulp {}",
    "ik wil een nieuw initiatief beginnen: {}",
    "wat moet ik met {}",
    "ik zit vast met de code {}",
    "mijn stap is gelukt {}",
    "ik ga met vakantie tot vrijdag {}",
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as fresh:
        await fresh.movement("fatima")
        yield fresh


@pytest.mark.parametrize("answerable", [True, False])
@pytest.mark.parametrize("channel", ["general", "new", None])
async def test_nothing_that_is_typed_comes_back_in_an_answer(
    world: World, channel: str | None, *, answerable: bool
) -> None:
    for number, line in enumerate(LINES):
        for name, secret in list(SECRETS.items())[number % 2 :: 2]:
            typed = line.format(secret)
            reply = await world.type("fatima", typed, channel=channel, answerable=answerable)
            shown = repr(reply) if isinstance(reply, Answer | Form | FieldErrors) else ""
            assert core_of(secret) not in shown, (line, name)
            await world.drain()
    posted = repr([one.message for one in world.messenger.sent])
    async with world.database.connect() as connection:
        kept = repr((await connection.execute(text("SELECT args FROM deliveries"))).all())
    for name, secret in SECRETS.items():
        assert core_of(secret) not in posted, name
        assert core_of(secret) not in kept, name


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh


async def test_a_code_typed_with_a_form_is_not_offered_back(border: Border) -> None:
    code = SECRETS["linking code"]
    shown = await border.type("fatima", f"/ritme vast {code}")
    assert code not in str(shown)
    shown = await border.type("fatima", f"/ritme vast Niemand komt {code}")
    assert code not in str(shown)
    assert "Niemand komt •••" in str(shown)
