"""Advance the playground's clock, stopping at every planned moment on the way."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from adapters.clock import SettableClock
from adapters.playground.broadcaster import Broadcaster
from adapters.playground.chat import Chat
from adapters.playground.personas import TIMEZONE
from bot.ports import Clock

ZONE = ZoneInfo(TIMEZONE)
MAX_ADVANCE = timedelta(days=366)
"""How far ahead one request may advance the clock."""
MAX_MOMENTS = 5000
"""Planned moments visited in one advance; more than a year of a busy movement has."""
CLOCK_SETTING = "clock"
"""Name of the setting, saved beside the chat, that holds how far the clock was advanced."""


class Schedule(Protocol):
    """A source of planned moments: the core."""

    async def next_due(self) -> datetime | None:
        """Return the next moment (UTC) at which anything is planned to happen; None when nothing is."""


class CannotAdvance(Exception):
    """The clock cannot be advanced as asked; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ClockControl:
    """Advance `clock`; `run_until_idle` plans and sends everything due, and returns when that is done."""

    def __init__(
        self,
        *,
        clock: SettableClock,
        schedule: Schedule,
        run_until_idle: Callable[[], Awaitable[None]],
        chat: Chat,
        broadcaster: Broadcaster,
    ) -> None:
        self.clock = clock
        self._schedule = schedule
        self._run_until_idle = run_until_idle
        self._chat = chat
        self._broadcaster = broadcaster
        self._lock = asyncio.Lock()

    async def next_moment(self) -> datetime | None:
        """Return the next planned moment, which is never before now; None when nothing is planned."""
        due = await self._schedule.next_due()
        return None if due is None else max(due, self.clock.now())

    async def advance(self, to: str) -> datetime:
        """Advance to "next", "hour", "day", "monday" or an ISO moment. Returns the new time. Raises `CannotAdvance`."""
        # One at a time: a second request would otherwise set the clock between another's moments.
        async with self._lock:
            target = await self._resolve_target(to)
            await self._advance_through(target)
            await save_clock(self._chat, self.clock)
        self._broadcaster.publish("clock")
        self._broadcaster.publish("activity")
        return self.clock.now()

    async def _resolve_target(self, to: str) -> datetime:
        now = self.clock.now()
        match to:
            case "next":
                due = await self.next_moment()
                if due is None:
                    raise CannotAdvance("nothing_planned")
                return due
            case "hour":
                return now + timedelta(hours=1)
            case "day":
                # Without its zone, a day is added to local time: over a change to summer time it is 23 hours.
                local = now.astimezone(ZONE)
                return (local.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=ZONE).astimezone(UTC)
            case "monday":
                return next_monday(now)
            case _:
                return _parse_moment(to, now)

    async def _advance_through(self, target: datetime) -> None:
        """Stop at each planned moment and let everything due happen, so that it is dated then and not at the end."""
        for _ in range(MAX_MOMENTS):
            due = await self._schedule.next_due()
            if due is None or due > target:
                break
            if due > self.clock.now():
                self.clock.set(due)
                self._broadcaster.publish("clock")
            await self._run_until_idle()
            if await self._schedule.next_due() == due:
                break  # it waits for something other than time
        if target > self.clock.now():
            self.clock.set(target)
        await self._run_until_idle()


def _parse_moment(iso: str, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        raise CannotAdvance("no_moment") from None
    if moment.tzinfo is None:
        raise CannotAdvance("no_moment")
    if moment < now:
        raise CannotAdvance("past")
    if moment > now + MAX_ADVANCE:
        raise CannotAdvance("too_far")
    return moment.astimezone(UTC)


def next_monday(now: datetime) -> datetime:
    """Return the first Monday 09:00, in the personas' time zone, after `now`."""
    local = now.astimezone(ZONE)
    day = local.date() + timedelta(days=-local.weekday() % 7)
    moment = datetime.combine(day, time(9), ZONE)
    if moment <= local:
        moment = datetime.combine(day + timedelta(days=7), time(9), ZONE)
    return moment.astimezone(UTC)


async def save_clock(chat: Chat, clock: Clock) -> None:
    """Save how far the clock was advanced, so that a restart does not set it back."""
    await chat.save_setting(CLOCK_SETTING, {"seconds_ahead": (clock.now() - datetime.now(UTC)).total_seconds()})


def restore_clock(clock: SettableClock, setting: Mapping[str, float] | None) -> None:
    """Set the clock to the time it would be without the restart. `setting` is what `save_clock` saved, or None."""
    if setting is not None:
        clock.set(datetime.now(UTC) + timedelta(seconds=setting["seconds_ahead"]))
