"""Offer another moment for a step: for the use cases of its follow-up, and of what is said about it."""

from datetime import date

from bot.catalogue.base import Entry
from bot.catalogue.steps import NotYetAgain, StepMoveForm
from bot.domain.next_step import NextStep, allowed_days, propose_moment
from bot.domain.quiet_hours import free_moments_of
from bot.ports import Turn


def offer_moment(turn: Turn, step: NextStep, said: date | None = None) -> Entry:
    """Return the form for a new moment, on the day that was said if a step can have it; the second time a smaller step
    or letting go is offered instead."""
    if step.not_yet:
        return NotYetAgain(step=step.id, action=step.action)
    earliest, latest = allowed_days(turn.now, turn.timezone)
    day, at = propose_moment(turn.now, free_moments_of(turn.person, turn.timezone, turn.require_movement()))
    if said is not None and earliest <= said <= latest:
        day = said
    return StepMoveForm(
        values={"day": day.isoformat(), "at": f"{at:%H:%M}"},
        hidden={"step": step.id, "round": str(step.not_yet)},
        earliest=earliest,
        latest=latest,
    )
