"""Every button about being stuck and company: pressed twice, from any device, it has one effect and one answer."""

from collections.abc import Awaitable, Callable

import pytest

from bot.chat import Answer, Form, Reply
from bot.domain.movement import MovementId
from tests.fakes.messenger import Sent
from tests.journeys.test_company import give_idea
from tests.journeys.test_stuck import episodes, submit_stuck
from tests.support.world import MONDAY, World, agree, text_of

MOVEMENT = MovementId("movement")


async def welcome(world: World) -> Reply:
    return await submit_stuck(world)


async def already(world: World) -> Reply:
    await welcome(world)
    return await world.type("fatima", "/stuck")


async def added(world: World) -> Reply:
    await welcome(world)
    return await world.type("fatima", "/stuck en de dag ook niet")


async def apart(world: World) -> Reply:
    return await world.press("fatima", await added(world), "take_apart")


async def two_open(world: World) -> Reply:
    await apart(world)
    return await world.type("fatima", "/stuck")


async def ended(world: World) -> Reply:
    shown = await already(world)
    await world.press("fatima", shown, "let_go")
    return await world.press("fatima", shown, "moves_again")


async def offer(world: World) -> Reply:
    await agree(world.begin, "jan", "samira")
    return await world.press("fatima", await welcome(world), "company")


async def nobody(world: World) -> Reply:
    return await world.press("fatima", await welcome(world), "company")


async def asked(world: World) -> Sent:
    await world.press("fatima", await offer(world), "ask_them")
    return world.private("jan")[0]


async def together(world: World) -> Sent:
    await asked(world)
    for who in ("jan", "samira"):
        await give_idea(world, who)
    return world.private("fatima")[-1]


Arrange = Callable[[World], Awaitable[Reply | Sent]]
PRESSES: list[tuple[Arrange, str, str]] = [
    *((welcome, name, "fatima") for name in ("choose_step", "invite", "company", "change", "not_now")),
    *((already, name, "fatima") for name in ("go_on", "moves_again", "let_go", "something_new")),
    (two_open, "show_other", "fatima"),
    (added, "take_apart", "fatima"),
    *((apart, name, "fatima") for name in ("take_first", "take_second")),
    (ended, "stuck_again", "fatima"),
    *((offer, name, "fatima") for name in ("ask_them", "choose_step", "not_now")),
    *((nobody, name, "fatima") for name in ("pick", "choose_step")),
    *((asked, name, "jan") for name in ("give", "not_this_time")),
    *((together, name, "fatima") for name in ("choose_step", "moves_again", "not_now")),
]


async def state(world: World) -> object:
    """Return what a press could change: the episodes, who is asked in them, and what is sent."""
    found = await episodes(world)
    async with world.begin() as work:
        rows = await work.deliveries.of_movement(MOVEMENT, MONDAY, 999)
        peers = [(peer.id, peer.state) for one in found for peer, _ in await work.stuck.company_of(one.id, MOVEMENT)]
    return [(one.id, one.text, one.state) for one in found], peers, [(row.key, row.state) for row in rows]


@pytest.mark.parametrize(("arrange", "name", "who"), PRESSES, ids=lambda one: getattr(one, "__name__", one))
async def test_pressed_twice(world: World, arrange: Arrange, name: str, who: str) -> None:
    await world.movement("fatima", "jan", "samira")
    shown = await arrange(world)
    first = await world.press(who, shown, name, channel=None)
    before = await state(world)
    await world.pass_(minutes=2)
    again = await world.press(who, shown, name, channel=None)
    assert await state(world) == before
    if isinstance(first, Form):
        assert isinstance(again, Form | None)
    else:
        assert isinstance(first, Answer)
        # Who reads it is said once.
        assert again is None or text_of(first).startswith(text_of(again))
