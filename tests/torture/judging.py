"""Check the end of an ordeal: every accepted request had its one effect, every message stands where it should."""

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.tables import deliveries, stories
from bot.domain.delivery import Act, DeliveryState
from bot.domain.movement import PlaceId
from tests.fakes.slack.server import BOT
from tests.torture.stage import SlackWorkspaces, Spot

if TYPE_CHECKING:
    from tests.torture.ordeal import Report, Told


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
    meant = Counter((text, str(told.spot.place)) for text, told in report.accepted.items())
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


def _overtaken(told: dict[str, "Told"], stands: dict[str, int]) -> list[str]:
    """Return the stories that stand after one that was asked only when they had been accepted.

    Of two that were asked at the same time, either may come first: which is written first, nobody promised.
    """
    there = sorted((text for text in told if text in stands), key=stands.__getitem__)
    return [
        f"{later} stands after {earlier}, which was asked {told[earlier].asked - told[later].accepted:.3f} s after it"
        for number, earlier in enumerate(there)
        for later in there[number + 1 :]
        if told[later].accepted < told[earlier].asked
    ]


def _channel(report: "Report", spot: Spot, rows: list[Any]) -> None:
    """Check that what was sent, and every story accepted, stands in its channel once and in order."""
    shown = [one for one in spot.slack.channels[spot.channel].messages if one.by == BOT and one.only_for is None]
    stand = [one.metadata["event_payload"]["id"] for one in shown if one.metadata]
    sent = [row for row in sorted(rows, key=lambda row: (row.queued_at, row.row)) if row.state is DeliveryState.SENT]
    if Counter(stand) != Counter(row.id for row in sent):
        twice = sum(count > 1 for count in Counter(stand).values())
        report.problems.append(f"{spot}: {len(sent)} sent, {len(stand)} stand there, {twice} of them twice")
    told = {text: one for text, one in report.accepted.items() if one.spot == spot}
    places = {text: [number for number, one in enumerate(shown) if text in one.words()] for text in told}
    for text, stands in places.items():
        if len(stands) != 1:
            report.problems.append(f"{spot}: {text} was accepted, and stands there {len(stands)} times")
    overtaken = _overtaken(told, {text: stands[0] for text, stands in places.items() if stands})
    report.problems += [f"{spot}: {problem}" for problem in overtaken]
