"""A post whose answer was lost is looked for, and sent again only when it surely did not arrive."""

from datetime import timedelta

import pytest

from bot.app import LOOK_FROM, LOOK_UNTIL
from bot.ports import NoAnswer
from tests.world import LANE, World


async def lose_an_answer(here: World, *, arrives: bool) -> None:
    await here.movement("fatima")
    here.messenger.fail_next.append((NoAnswer(), arrives))
    await here.type("fatima", "/vast niemand komt", answerable=False)
    assert len(here.private("fatima")) == arrives


@pytest.mark.parametrize("arrives", [True, False], ids=["arrived", "lost"])
async def test_it_reaches_the_person_once(here: World, arrives: bool) -> None:
    await lose_an_answer(here, arrives=arrives)

    assert await here.ritme.lanes_unsettled() == []  # it may still be under way
    await here.pass_(seconds=LOOK_FROM.total_seconds() + 1)
    assert await here.ritme.lanes_unsettled() == [LANE]
    await here.ritme.reconcile(LANE)
    await here.drain()

    assert len(here.private("fatima")) == 1
    assert await here.ritme.lanes_unsettled() == []


async def test_it_is_not_looked_for_for_ever(here: World) -> None:
    await lose_an_answer(here, arrives=False)

    await here.until(here.clock.now() + LOOK_UNTIL + timedelta(seconds=1))

    assert await here.ritme.lanes_unsettled() == []
    assert here.private("fatima") == []
