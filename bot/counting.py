"""Count the figures of a movement that stand for a week: its reach, its map, its weeks, and the figures for programs.

In a large movement that takes seconds. So it is done beside everything else (`NeedsCounting`), once for all who look:
by the hourly sweep, as a rule before anybody does. What is kept was rounded before; the counts only pass through here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from secrets import randbelow
from typing import Any, Generic, TypeVar

from bot.domain.connectors import MIN_GROUP_SIZE
from bot.domain.coverage import RECOUNTED_AFTER, GroupCount, ReachPicture, draw_picture, load_picture
from bot.domain.figures import FIGURES_LOOK_BACK, FigureCounts, Figures, load_figures
from bot.domain.movement import Movement, MovementId
from bot.domain.person import WorkspaceId
from bot.domain.spread import SpreadCounts, SpreadMap, draw_spread, load_spread
from bot.domain.week_figures import (
    AnswerCount,
    CountedWeeks,
    ReasonCount,
    SettledWeeks,
    WeekCount,
    load_weeks,
    settle_weeks,
)
from bot.ports import NeedsCounting, UnitOfWork

Counts = TypeVar("Counts")
Kept = TypeVar("Kept")


@dataclass(frozen=True)
class StandingFigures(Generic[Counts, Kept]):
    """A kind of figures: what of them is kept with a movement, when that is due again, and how it is counted. What was
    kept is never due at the moment at which it was counted: so whoever looks counts it once."""

    load: Callable[[Movement], Kept | None]
    is_due: Callable[[UnitOfWork, Movement, Kept, datetime], Awaitable[bool]]
    count: Callable[[UnitOfWork, Movement, datetime], Awaitable[Counts | None]]
    keep: Callable[[Movement, Counts, datetime], None]


async def load_standing(
    work: UnitOfWork, movement: Movement, now: datetime, figures: StandingFigures[Any, Kept]
) -> Kept:
    """Return the figures that stand. Raises `NeedsCounting` when they are due."""
    kept = figures.load(movement)
    if kept is None or await figures.is_due(work, movement, kept, now):
        about: dict[str, Any] = {"id": movement.id, "now": now, "figures": figures}
        raise NeedsCounting(partial(_count, **about), partial(_keep, **about))
    return kept


async def count_due(work: UnitOfWork, id: MovementId, now: datetime) -> None:
    """Return when all figures of a movement stand that somebody ever looked at. Raises `NeedsCounting` for the first
    that are due."""
    movement = await work.movements.get(id)
    if movement is not None:
        for figures in _ALL:
            if figures.load(movement) is not None:
                await load_standing(work, movement, now, figures)


async def _count(
    work: UnitOfWork, *, id: MovementId, now: datetime, figures: StandingFigures[Counts, Any]
) -> Counts | None:
    movement = await work.movements.get(id)
    return await figures.count(work, movement, now) if movement is not None else None


async def _keep(
    work: UnitOfWork, *, id: MovementId, now: datetime, figures: StandingFigures[Counts, Any], counted: Counts | None
) -> None:
    await work.people.lock_movement(WorkspaceId(""), "", None, id)
    movement = await work.movements.get(id)
    if movement is None or counted is None:
        return
    kept = figures.load(movement)
    # What another kept meanwhile stands: two counts of one week would be rounded apart.
    if kept is None or await figures.is_due(work, movement, kept, now):
        figures.keep(movement, counted, now)


async def _are_groups_due(work: UnitOfWork, movement: Movement, kept: ReachPicture | SpreadMap, now: datetime) -> bool:
    if now - kept.at >= RECOUNTED_AFTER:
        return True
    # Without any group they show nothing, and do not stand once there is one. Unless they were counted at this moment:
    # who looks would count for ever.
    return not kept.groups and kept.at < now and bool(await work.people.large_groups(movement.id, MIN_GROUP_SIZE))


def _load_reach(movement: Movement) -> ReachPicture | None:
    return load_picture(movement.reach)


async def _count_reach(work: UnitOfWork, movement: Movement, now: datetime) -> list[GroupCount]:
    return list(await work.connecting.count_reach(movement.id))


def _keep_reach(movement: Movement, counted: list[GroupCount], now: datetime) -> None:
    movement.reach = draw_picture(counted, now, load_picture(movement.reach), randbelow).dump()


STANDING_REACH = StandingFigures(_load_reach, _are_groups_due, _count_reach, _keep_reach)
"""How far a movement reaches in each of its groups."""


def _load_spread(movement: Movement) -> SpreadMap | None:
    return load_spread(movement.spread)


async def _count_spread(work: UnitOfWork, movement: Movement, now: datetime) -> SpreadCounts:
    return await work.stories.count_spread(movement.id, now)


def _keep_spread(movement: Movement, counted: SpreadCounts, now: datetime) -> None:
    movement.spread = draw_spread(counted, now, randbelow).dump()


STANDING_SPREAD = StandingFigures(_load_spread, _are_groups_due, _count_spread, _keep_spread)
"""How stories spread between its groups."""

_Weeks = tuple[list[WeekCount], list[ReasonCount], list[AnswerCount]]


def _load_weeks(movement: Movement) -> SettledWeeks | None:
    return load_weeks(movement.weeks)


async def _are_weeks_due(work: UnitOfWork, movement: Movement, kept: SettledWeeks, now: datetime) -> bool:
    return kept.until != CountedWeeks.before(now, movement.timezone).until


async def _count_weeks(work: UnitOfWork, movement: Movement, now: datetime) -> _Weeks:
    begins = CountedWeeks.before(now, movement.timezone).begins
    return (
        list(await work.deliveries.count_weeks(movement.id, begins)),
        list(await work.deliveries.count_reasons(movement.id, begins[0], begins[-1])),
        list(await work.deliveries.count_answers(movement.id, begins[0], begins[-1])),
    )


def _keep_weeks(movement: Movement, counted: _Weeks, now: datetime) -> None:
    movement.weeks = settle_weeks(CountedWeeks.before(now, movement.timezone), *counted).dump()


STANDING_WEEKS = StandingFigures(_load_weeks, _are_weeks_due, _count_weeks, _keep_weeks)
"""The posts, messages and answers of its last whole weeks: these stand until Monday."""


def _load_figures(movement: Movement) -> Figures | None:
    return load_figures(movement.figures)


async def _are_figures_due(work: UnitOfWork, movement: Movement, kept: Figures, now: datetime) -> bool:
    return not kept.is_fresh(now)


async def _count_figures(work: UnitOfWork, movement: Movement, now: datetime) -> FigureCounts | None:
    return await work.movements.count_figures(movement.id, now - FIGURES_LOOK_BACK)


def _keep_figures(movement: Movement, counted: FigureCounts, now: datetime) -> None:
    movement.figures = Figures.of_counts(counted, now, randbelow).dump()


STANDING_FIGURES = StandingFigures(_load_figures, _are_figures_due, _count_figures, _keep_figures)
"""The figures of the movement as a whole, for programs."""

_ALL: tuple[StandingFigures[Any, Any], ...] = (STANDING_REACH, STANDING_SPREAD, STANDING_WEEKS, STANDING_FIGURES)
