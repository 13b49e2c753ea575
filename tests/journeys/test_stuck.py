"""Being stuck, from the first word on."""

from bot.chat import Form
from tests.world import World, text_of


async def test_without_a_movement_stuck_says_how_to_begin_one(here: World) -> None:
    reply = await here.type("fatima", "/vast")
    assert "/ritme start" in text_of(reply)


async def test_the_same_request_twice_acts_once(here: World) -> None:
    first = await here.type("fatima", "/vast", key="same")
    assert not isinstance(first, Form)
