"""Load what only the coordinators' page shows: what was sent week by week, what it set in motion, and the settings."""

from bot.catalogue.pages import PageAnswers, PageAnswersLine, PageReason, PageSettings, PageWeeks
from bot.domain.week_figures import CountedWeeks, tell_about, tell_weeks
from bot.ports import Turn, UnitOfWork

REASONS_SHOWN = 6


async def show_weeks(work: UnitOfWork, turn: Turn) -> PageWeeks:
    """Show a coordinator what went out in the last whole weeks, and why the rest did not."""
    movement = turn.require_coordinator()
    weeks = CountedWeeks.before(turn.now, movement.timezone)
    counts = await work.deliveries.count_weeks(movement.id, weeks.begins)
    reasons = await work.deliveries.count_reasons(movement.id, weeks.begins[0], weeks.begins[-1])
    told = [(one.reason, tell_about(one.many, one.people, one.seed)) for one in reasons if one.personal]
    return PageWeeks(
        weeks=tell_weeks(counts, weeks),
        not_posted=tuple(PageReason(reason=one.reason, many=one.many) for one in reasons if not one.personal)[
            :REASONS_SHOWN
        ],
        # What fewer than five people have to do with is not told, and not that there is something.
        not_sent=tuple(PageReason(reason=reason, many=many) for reason, many in told if many)[:REASONS_SHOWN],
    )


async def show_answers(work: UnitOfWork, turn: Turn) -> PageAnswers:
    """Show a coordinator about how many answers each kind of rhythm got in the last whole weeks."""
    movement = turn.require_coordinator()
    begins = CountedWeeks.before(turn.now, movement.timezone).begins
    return PageAnswers(
        lines=tuple(
            PageAnswersLine(kind=one.kind, posts=one.posts, answers=tell_about(one.answers, one.people, one.seed))
            for one in await work.deliveries.count_answers(movement.id, begins[0], begins[-1])
        )
    )


async def show_settings(work: UnitOfWork, turn: Turn) -> PageSettings:
    """Show a coordinator all that can be set for a movement."""
    movement = turn.require_coordinator()
    return PageSettings(name=movement.name, places=len(await work.movements.places(movement.id)))
