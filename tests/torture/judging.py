"""Check the end of an ordeal: every accepted request had its one effect, every message stands where it should."""

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.tables import deliveries, stories
from bot.domain.delivery import Act, DeliveryState
from bot.domain.movement import PlaceId
from tests.fakes.slack.server import BOT
from tests.fakes.slack.state import Shown
from tests.torture.stage import SlackWorkspaces, Spot

if TYPE_CHECKING:
    from tests.torture.ordeal import Report


async def judge(report: "Report", database: AsyncEngine, slack: SlackWorkspaces) -> None:
    """Add what is wrong to the report's problems."""
    async with database.connect() as connection:
        rows = (await connection.execute(select(deliveries).order_by(deliveries.c.row))).all()
        kept = (await connection.execute(select(stories.c.text, stories.c.place_id))).all()
    _stories(report, kept)
    _states(report, rows, moments=len(slack.spots))
    lines: dict[PlaceId, list[Any]] = defaultdict(list)
    for row in rows:
        if row.place_id and row.person_id is None and row.act is Act.POST:
            lines[row.place_id].append(row)
            report.sent[row.workspace_id] += row.state is DeliveryState.SENT
    for spot in slack.spots:
        _channel(report, spot, lines[spot.place])
    report.problems += [f"Slack: {problem}" for problem in slack.problems]


def _stories(report: "Report", kept: Any) -> None:
    """Check that each accepted story is kept once, where it was told, and no other."""
    there = Counter((text, place) for text, place in kept)
    meant = Counter((text, str(spot.place)) for text, spot in report.accepted.items())
    for text, place in meant - there:
        report.problems.append(f"{text} was accepted in {place}, and is not kept")
    for text, place in there - meant:
        report.problems.append(f"{text} is kept in {place} {there[text, place]} times, accepted {meant[text, place]}")


def _states(report: "Report", rows: Any, *, moments: int) -> None:
    """Check that what was not sent has a reason, and that every moment that came due was planned once."""
    for row in rows:
        unsettled = row.state in (DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.FAILED)
        if unsettled or (row.state is DeliveryState.DROPPED and not row.reason):
            report.problems.append(f"{row.kind} is {row.state.value}, reason: {row.reason or 'none'}")
    due = [row for row in rows if row.kind == "rhythm_stories"]
    came = Counter(f"{row.state.value} {row.reason}".strip() for row in due)
    report.moments = ", ".join(f"{count} {what}" for what, count in came.items())
    if len(due) != moments or len({row.subject for row in due}) != moments:
        report.problems.append(f"{moments} moments came due, {len(due)} were planned")


def _by_teller(shown: list[Shown]) -> dict[str, list[int]]:
    """Return the numbers of each teller's stories, in the order they stand there.

    They must be sorted: nobody told one before their last one was accepted.
    """
    told: dict[str, list[int]] = defaultdict(list)
    for one in shown:
        if found := re.search(r"verhaal (\d+)-(\d+)\.", one.words()):
            told[found[1]].append(int(found[2]))
    return told


def _channel(report: "Report", spot: Spot, rows: list[Any]) -> None:
    """Check that what was sent, and every story accepted, stands in its channel once and in order."""
    shown = [one for one in spot.slack.channels[spot.channel].messages if one.by == BOT and one.only_for is None]
    stand = [one.metadata["event_payload"]["id"] for one in shown if one.metadata]
    sent = [row for row in sorted(rows, key=lambda row: (row.queued_at, row.row)) if row.state is DeliveryState.SENT]
    if Counter(stand) != Counter(row.id for row in sent):
        twice = sum(count > 1 for count in Counter(stand).values())
        report.problems.append(f"{spot}: {len(sent)} sent, {len(stand)} stand there, {twice} of them twice")
    for text in (text for text, where in report.accepted.items() if where == spot):
        times = sum(text in one.words() for one in shown)
        if times != 1:
            report.problems.append(f"{spot}: {text} was accepted, and stands there {times} times")
    for teller, told in _by_teller(shown).items():
        if told != sorted(told):
            report.problems.append(f"{spot}: what teller {teller} told one after another stands there as {told}")
    # A reminder goes after what people asked for: only among themselves do stories keep their order.
    asked = [row.id for row in sent if row.kind != "rhythm_stories"]
    if [one for one in stand if one in asked] != [one for one in asked if one in stand]:
        report.problems.append(f"{spot}: out of order")
        report.problems += [
            f"  {row.id[:8]} {row.kind} stands at {stand.index(row.id) if row.id in stand else '-'}, "
            f"tries {row.attempts}, made {row.created_at}, sent {row.sent_at}"
            for row in sent
        ]
