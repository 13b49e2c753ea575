"""Load what only the coordinators' page shows: what was sent week by week, what it set in motion, and the settings."""

from bot.catalogue.pages import PageAnswers, PageAnswersLine, PageReason, PageSettings, PageWeeks
from bot.counting import STANDING_WEEKS, load_standing
from bot.domain.week_figures import SettledWeeks
from bot.ports import Turn, UnitOfWork

REASONS_SHOWN = 6


async def show_weeks(work: UnitOfWork, turn: Turn) -> PageWeeks:
    """Show a coordinator what went out in the last whole weeks, and why the rest did not."""
    told = await _load_weeks(work, turn)
    return PageWeeks(
        weeks=told.weeks,
        not_posted=tuple(PageReason(reason=reason, many=many) for reason, many in told.not_posted[:REASONS_SHOWN]),
        not_sent=tuple(PageReason(reason=reason, many=many) for reason, many in told.not_sent[:REASONS_SHOWN]),
    )


async def show_answers(work: UnitOfWork, turn: Turn) -> PageAnswers:
    """Show a coordinator about how many answers each kind of rhythm got in the last whole weeks."""
    told = await _load_weeks(work, turn)
    return PageAnswers(
        lines=tuple(PageAnswersLine(kind=kind, posts=posts, answers=answers) for kind, posts, answers in told.answers)
    )


async def _load_weeks(work: UnitOfWork, turn: Turn) -> SettledWeeks:
    return await load_standing(work, turn.require_coordinator(), turn.now, STANDING_WEEKS)


async def show_settings(work: UnitOfWork, turn: Turn) -> PageSettings:
    """Show a coordinator all that can be set for a movement."""
    movement = turn.require_coordinator()
    return PageSettings(name=movement.name, places=len(await work.movements.places(movement.id)))
