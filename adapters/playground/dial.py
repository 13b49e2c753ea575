"""The clock dial: turning time forward, through every planned moment on the way."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from adapters.clock import DialClock
from adapters.playground.chat import Chat
from adapters.playground.hub import Hub
from adapters.playground.personas import TIMEZONE
from bot.ports import Clock

ZONE = ZoneInfo(TIMEZONE)
FURTHEST = timedelta(days=366)
MOST_MOMENTS = 5000
"""Planned moments walked through in one turn of the dial; more than a year of a busy movement."""
SETTING = "clock"


class Planned(Protocol):
    async def next_due(self) -> datetime | None:
        """The next moment at which anything is planned to happen."""


class CannotTurn(Exception):
    """The dial cannot be turned there; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Dial:
    """Turns `clock`; `run_until_idle` plans and sends everything due, and returns when that is done."""

    def __init__(
        self, *, clock: DialClock, planned: Planned, run_until_idle: Callable[[], Awaitable[None]], chat: Chat, hub: Hub
    ) -> None:
        self.clock = clock
        self._planned = planned
        self._settle = run_until_idle
        self._chat = chat
        self._hub = hub
        self._turning = asyncio.Lock()

    async def next(self) -> datetime | None:
        """The next planned moment after now."""
        due = await self._planned.next_due()
        return None if due is None else max(due, self.clock.now())

    async def turn(self, to: str) -> datetime:
        """Turns to "next", "hour", "day", "monday" or an ISO moment, and returns what time it became."""
        async with self._turning:
            target = await self._target(to)
            await self._walk(target)
            await remember(self._chat, self.clock)
        self._hub.tell("clock")
        self._hub.tell("activity")
        return self.clock.now()

    async def _target(self, to: str) -> datetime:
        now = self.clock.now()
        match to:
            case "next":
                due = await self.next()
                if due is None:
                    raise CannotTurn("nothing_planned")
                return due
            case "hour":
                return now + timedelta(hours=1)
            case "day":
                here = now.astimezone(ZONE)
                return (here.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=ZONE).astimezone(UTC)
            case "monday":
                return next_monday(now)
        try:
            moment = datetime.fromisoformat(to)
        except ValueError:
            raise CannotTurn("no_moment") from None
        if moment.tzinfo is None:
            raise CannotTurn("no_moment")
        if moment < now:
            raise CannotTurn("past")
        if moment > now + FURTHEST:
            raise CannotTurn("too_far")
        return moment.astimezone(UTC)

    async def _walk(self, target: datetime) -> None:
        """Everything planned on the way happens at its own moment."""
        for _ in range(MOST_MOMENTS):
            due = await self._planned.next_due()
            if due is None or due > target:
                break
            if due > self.clock.now():
                self.clock.set(due)
                self._hub.tell("clock")
            await self._settle()
            if await self._planned.next_due() == due:
                break  # it waits for something other than time
        if target > self.clock.now():
            self.clock.set(target)
        await self._settle()


def next_monday(now: datetime) -> datetime:
    """The first Monday 09:00, local time, after `now`."""
    here = now.astimezone(ZONE)
    day = here.date() + timedelta(days=-here.weekday() % 7)
    moment = datetime.combine(day, time(9), ZONE)
    if moment <= here:
        moment = datetime.combine(day + timedelta(days=7), time(9), ZONE)
    return moment.astimezone(UTC)


async def remember(chat: Chat, clock: Clock) -> None:
    """Keeps how far the clock was turned, so that a restart does not turn it back."""
    await chat.set(SETTING, {"seconds_ahead": (clock.now() - datetime.now(UTC)).total_seconds()})


def resume(clock: DialClock, setting: Mapping[str, float] | None) -> None:
    """Turns the clock to where it would be, had there been no restart."""
    if setting is not None:
        clock.set(datetime.now(UTC) + timedelta(seconds=setting["seconds_ahead"]))
