"""Figures that stand are counted once by who looks, whatever is in them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bot import counting
from bot.counting import STANDING_FIGURES, STANDING_REACH, STANDING_SPREAD, STANDING_WEEKS, StandingFigures
from bot.domain.coverage import GroupCount
from bot.domain.figures import FigureCounts
from bot.domain.movement import Movement, MovementId
from bot.domain.person import Language
from bot.domain.spread import SpreadCounts
from bot.ports import NeedsCounting, UnitOfWork
from bot.transactions import MOST_DETOURS, TransactionRunner
from tests.scale.everyday import NoEngine
from tests.support.world import MONDAY


def always_large() -> Any:
    """Return work in which there is a large group, whatever was counted."""

    async def large_groups(movement: MovementId, least: int) -> list[str]:
        return ["Nacht"]

    return SimpleNamespace(people=SimpleNamespace(large_groups=large_groups))


def count_nothing(figures: StandingFigures[Any, Any], empty: Any) -> Movement:
    movement = Movement(id=MovementId("m"), name="Samen", language=Language.NL, started_at=MONDAY)
    figures.keep(movement, empty, MONDAY)
    return movement


@pytest.mark.parametrize(
    ("figures", "empty"),
    [
        (STANDING_REACH, []),
        (STANDING_SPREAD, SpreadCounts(sizes={})),
        (STANDING_WEEKS, ([], [], [])),
        (STANDING_FIGURES, FigureCounts(0, 0, 0, 0)),
    ],
)
async def test_what_was_just_kept_is_not_due_at_the_same_moment(figures: StandingFigures[Any, Any], empty: Any) -> None:
    movement = count_nothing(figures, empty)
    assert await counting.load_standing(always_large(), movement, MONDAY, figures) == figures.load(movement)
    with pytest.raises(NeedsCounting):
        await counting.load_standing(always_large(), movement, MONDAY + timedelta(days=7), figures)


@pytest.mark.parametrize(("figures", "empty"), [(STANDING_REACH, []), (STANDING_SPREAD, SpreadCounts(sizes={}))])
async def test_without_any_group_a_new_one_is_looked_for_and_what_shows_groups_stands_for_a_week(
    figures: StandingFigures[Any, Any], empty: Any
) -> None:
    later = MONDAY + timedelta(minutes=1)
    with pytest.raises(NeedsCounting):
        await counting.load_standing(always_large(), count_nothing(figures, empty), later, figures)
    some = [GroupCount("Nacht", 0, 0, 5)] if figures is STANDING_REACH else SpreadCounts(sizes={"Nacht": 5})
    movement = count_nothing(figures, some)
    assert await counting.load_standing(always_large(), movement, MONDAY + timedelta(days=6), figures) is not None
    with pytest.raises(NeedsCounting):
        await counting.load_standing(always_large(), movement, MONDAY + timedelta(days=7), figures)


async def test_what_is_needed_however_often_it_was_counted_is_a_bug_and_no_loop() -> None:
    counts: list[int] = []

    async def count(_: UnitOfWork) -> None:
        counts.append(1)

    async def keep(_: UnitOfWork, *, counted: None) -> None:
        pass

    async def never_enough(_: UnitOfWork) -> None:
        raise NeedsCounting(count, keep)

    run = TransactionRunner(SomeTransactions(), NoEngine())
    with pytest.raises(RuntimeError, match="needed again"):
        await run(never_enough)
    assert len(counts) == MOST_DETOURS


class SomeTransactions:
    """`Transactions` without a database."""

    async def __call__(self, act: Callable[[UnitOfWork], Awaitable[Any]], /) -> Any:
        return await act(SimpleNamespace(woken=set(), answer=None))  # type: ignore[arg-type]  # as far as it is used

    read = give_way = __call__
