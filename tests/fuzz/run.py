"""Send mutated payloads, one after the other, and judge what comes of each and of all."""

import ctypes
import gc
import json
import logging
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

import structlog

from tests.fuzz import mutations
from tests.fuzz.mutations import Mutation
from tests.fuzz.payloads import PAGE, UNKNOWN_INVOKE, Payload, encode
from tests.fuzz.stage import Stage, open_stage

SETTLE_EVERY = 250
"""Payloads after which all that is due is sent."""
RESET_EVERY = 2_000
"""Payloads after which others are looked at, and every movement is as it was: one that everybody left is no test."""
SAMPLES = 40
"""How often memory is measured, and a line of progress told."""
MAX_GROWTH = 1.05
MAX_SLOWDOWN = 1.2
SLOW = 5.0
"""Seconds that no payload may take."""
SECOND = timedelta(seconds=1)
PAGES_SHARE = 0.05
"""The share of what is sent that asks for a page."""
PAGE_STATUSES = (200, 302, 303, 304, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429)
"""Statuses for a browser or a program: a page, on to another, the same as before, and every reason to refuse."""


@dataclass(frozen=True)
class Fault:
    """A bug of ours: the payload of a run that shows it, the sign of it, and the least that still does."""

    seed: int
    number: int
    what: str
    content: str

    def __str__(self) -> str:
        again = f'make fuzz ARGS="--seed {self.seed} --only {self.number}"'
        return f"payload {self.number}: {self.what}\n  again: {again}\n  least: {self.content}"


class Log:
    """Collects what is logged while one payload is handled."""

    def __init__(self) -> None:
        self.events: list[Mapping[str, Any]] = []

    def __call__(self, _logger: object, level: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Keep one event; nothing is printed."""
        if level != "info":
            problem = event.get("exc_info")
            found = dict(event, level=level)
            if problem:
                error = sys.exc_info()[1]
                found["error"] = _describe(error) if error is not None else "?"
            self.events.append(found)
        raise structlog.DropEvent

    def take(self) -> list[Mapping[str, Any]]:
        """Return what was logged since the last call."""
        taken, self.events = self.events, []
        return taken


def _describe(error: BaseException) -> str:
    """Return the kind of an exception, and the innermost line of ours that it came from."""
    at, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if "/adapters/" in file or "/bot/" in file:
            at = f"{Path(file).parent.name}/{Path(file).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {at}: {str(error)[:120]}"


class _Handler(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__(logging.ERROR)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        told = {"event": record.getMessage()[:200], "level": "error"}
        self._log.events.append({**told, "error": _describe(error)} if error is not None else told)


@contextmanager
def collected_log() -> Iterator[Log]:
    """Collect all logging instead of printing it."""
    log, before, root = Log(), structlog.get_config(), logging.getLogger()
    handler = _Handler(log)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, log],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        cache_logger_on_first_use=False,
    )
    root.addHandler(handler)
    try:
        yield log
    finally:
        root.removeHandler(handler)
        structlog.configure(**before)


def memory() -> float:
    """Return the memory that this process holds, in MB, once what it does not need is given back to the system."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


@dataclass
class Report:
    """The outcome of a run, so far or as a whole."""

    seed: int
    database: str
    asked: int
    done: int = 0
    seconds: float = 0
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    faults: dict[str, Fault] = field(default_factory=dict)
    times_failed: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[int, float]] = field(default_factory=list)
    took: "array[float]" = field(default_factory=lambda: array("f"))

    @property
    def growth(self) -> float:
        """How much memory grew over the last half: 1.0 is not at all."""
        half = [mb for number, mb in self.memory if number >= self.done / 2]
        return half[-1] / half[0] if len(half) > 1 else 1.0

    @property
    def slowdown(self) -> float:
        """Median answer of the last tenth against that of the second: 1.0 is the same."""
        tenth = self.done // 10
        if tenth < 100:
            return 1.0
        return median(self.took[self.done - tenth : self.done]) / median(self.took[tenth : 2 * tenth])

    def problems(self, *, judged_as_a_whole: bool) -> list[str]:
        """List what is wrong: every kind of fault once, and, of a long run, memory and time."""
        found = [f"{self.times_failed[what]} times, first: {fault}" for what, fault in self.faults.items()]
        if judged_as_a_whole and self.growth > MAX_GROWTH:
            found.append(f"memory grew by {self.growth - 1:.1%} over the last half")
        if judged_as_a_whole and self.slowdown > MAX_SLOWDOWN:
            found.append(f"answers took {self.slowdown:.2f} times as long at the end")
        return found

    def __str__(self) -> str:
        kinds = sorted({kind for kind, _ in self.statuses})
        codes = sorted({status for _, status in self.statuses})
        rate = self.done / max(self.seconds, 0.001)
        lines = [
            f"{self.done:,} payloads on {self.database}, seed {self.seed}, {self.seconds:,.0f} s, {rate:,.0f} a second",
            f"{'':18}" + "".join(f"{code:>9}" for code in codes),
            *(f"{kind:18}" + "".join(f"{self.statuses[kind, code]:>9,}" for code in codes) for kind in kinds),
            f"{'all':18}" + "".join(f"{sum(self.statuses[kind, code] for kind in kinds):>9,}" for code in codes),
            f"refused for {len(self.refused)} distinct reasons: "
            + ", ".join(f"{reason} ({times:,})" for reason, times in self.refused.most_common(8)),
            f"logged besides: {', '.join(f'{event} ({times:,})' for event, times in self.reasons.most_common(8))}",
        ]
        if self.memory:
            half = [mb for number, mb in self.memory if number >= self.done / 2] or [self.memory[-1][1]]
            lines.append(
                f"memory {self.memory[0][1]:.0f} MB at first, {half[0]:.0f} MB halfway, {self.memory[-1][1]:.0f} MB at "
                f"the end ({self.growth - 1:+.1%} over the last half)"
            )
        if self.done >= 1000:
            tenth = self.done // 10
            first, last = median(self.took[tenth : 2 * tenth]), median(self.took[self.done - tenth : self.done])
            lines.append(
                f"median answer {first * 1000:.2f} ms in the second tenth, {last * 1000:.2f} ms in the last "
                f"({self.slowdown:.2f} times)"
            )
        return "\n".join(lines)


class Fuzzer:
    """Sends the payloads of one seed to a stage. A number of a seed is the same payload, whatever came before."""

    def __init__(self, stage: Stage, log: Log, seed: int, asked: int, database: str, pages: float) -> None:
        self._stage = stage
        self._pages_share = pages
        self._log = log
        self._foreign = stage.foreign
        self._kinds = sorted({one.kind for one in stage.payloads})
        self._by_kind = {kind: [one for one in stage.payloads if one.kind == kind] for kind in self._kinds}
        self.report = Report(seed, database, asked, took=array("f", bytes(4 * asked)))

    async def run(
        self, *, first: int = 0, rehearses: bool = True, progress: Callable[[Report], None] = lambda report: None
    ) -> Report:
        """Send the payloads, from the number `first`; may be cancelled at any time. `rehearses`: see first that each
        payload is accepted as it is."""
        report = self.report
        every = max(report.asked // SAMPLES, 1)
        if rehearses:
            await self._rehearse()
        gc.freeze()  # what is there by now stays: looking through it again and again is no part of handling a payload
        started = perf_counter()
        for number in range(first, first + report.asked):
            await self._try(number)
            report.done += 1
            report.seconds = perf_counter() - started
            if report.done % SETTLE_EVERY == 0:
                await self._settle(number)
            if report.done % RESET_EVERY == 0:
                await self._check_others(number)
                await self._stage.reset()
            if report.done % every == 0:
                report.memory.append((report.done, memory()))
                progress(report)
        await self._settle(first + report.done)
        await self._check_others(first + report.done)
        return report

    async def _rehearse(self) -> None:
        """Send every payload once as it is: each has to be accepted."""
        for payload in [*self._stage.payloads, *self._stage.pages]:
            status, _, events = await self._send(payload, payload.content, ())
            accepted = PAGE_STATUSES if payload.kind == PAGE else (200, 202)
            if isinstance(payload.content, dict) and payload.content.get("name") == UNKNOWN_INVOKE:
                accepted = (501,)
            if status not in accepted or any(one["level"] == "error" for one in events):
                raise AssertionError(f"a correct payload is refused: {status} {events} {payload}")
        await self._stage.settle()
        self._log.take()
        await self._stage.reset()

    async def _try(self, number: int) -> None:
        payload, chosen = self.choose(number)
        begun = perf_counter()
        status, said, events = await self._send(payload, payload.content, chosen)
        took = perf_counter() - begun
        self.report.took[self.report.done] = took
        self.report.statuses[payload.kind, status] += 1
        for event in events:
            if event["event"] == "request_malformed":
                self.report.refused[event["reason"]] += 1
            elif event["level"] == "warning":
                self.report.reasons[event["event"]] += 1
        what = judge(status, said, events, is_page=payload.kind == PAGE) or (
            f"it took {took:.1f} s" if took > SLOW else ""
        )
        if what:
            await self._note(number, what, payload, chosen)

    def choose(self, number: int) -> tuple[Payload, list[Mutation]]:
        """Return the payload of a number, and what is done to it."""
        # Chosen apart, so that the other payloads of a seed stay as they were before there were pages.
        apart = Random(f"{self.report.seed}:{number}:page")
        if apart.random() < self._pages_share:
            page = apart.choice(self._stage.pages)
            return page, mutations.choose(apart, page.content, self._foreign)
        random = Random(f"{self.report.seed}:{number}")
        payload = random.choice(self._by_kind[random.choice(self._kinds)])
        content = {**payload.content, **_fresh(payload, f"{self.report.seed}.{number}")}
        return Payload(payload.kind, payload.path, content, payload.travels), mutations.choose(
            random, content, self._foreign
        )

    async def _send(
        self, payload: Payload, content: Any, chosen: Sequence[Mutation]
    ) -> tuple[int, bytes, list[Mapping[str, Any]]]:
        stage, mutated = self._stage, mutations.apply(content, chosen)
        stage.clock.set(stage.clock.now() + SECOND)
        try:
            if payload.kind == PAGE:
                status, said = await stage.ask_page(mutated)
            else:
                body, content_type = encode(payload, mutated)
                body = mutations.spoil(body, chosen)
                status, said = await stage.ask(payload.path, body, stage.sign(payload, body, content_type))
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the fault that is looked for
            status, said = 599, _describe(error).encode()
        return status, said, self._log.take()

    async def _note(self, number: int, what: str, payload: Payload, chosen: Sequence[Mutation]) -> None:
        """Note a fault, the first time with the fewest mutations that still lead to it."""
        self.report.times_failed[what] += 1
        if what in self.report.faults:
            return
        least = list(chosen)
        for one in list(least):
            fewer = [other for other in least if other is not one]
            again = {**payload.content, **_fresh(payload, f"again.{self.report.seed}.{number}.{len(fewer)}")}
            status, said, events = await self._send(payload, again, fewer)
            if judge(status, said, events, is_page=payload.kind == PAGE) == what:
                least = fewer
        told = json.dumps(least, default=str)[:600], json.dumps(payload.content, default=str)[:1_400]
        self.report.faults[what] = Fault(self.report.seed, number, what, f"{payload.kind} {told[0]} on {told[1]}")

    async def _settle(self, number: int) -> None:
        try:
            await self._stage.settle()
        except Exception as error:  # noqa: BLE001
            await self._note_after(number, f"sending: {_describe(error)}")
        for event in self._log.take():
            if event["level"] in ("error", "critical"):
                await self._note_after(number, f"sending: {event['event']} {event.get('error', '')}")

    async def _check_others(self, number: int) -> None:
        for trespass in await self._stage.find_trespasses():
            await self._note_after(number, f"others changed: {trespass[:500]}")

    async def _note_after(self, number: int, what: str) -> None:
        self.report.times_failed[what] += 1
        note = f"(one of the payloads {max(number - RESET_EVERY, 0)} to {number})"
        self.report.faults.setdefault(what, Fault(self.report.seed, number, what, note))


def judge(status: int, said: bytes, events: Sequence[Mapping[str, Any]], *, is_page: bool = False) -> str:
    """Return what is wrong with an answer, or (`is_page`) with one to a browser; empty when nothing is.

    Nothing that is sent may lead to an error of ours: not to a status above 499, logged or not, and not to a stack
    trace or an apology behind a 200.
    """
    for event in events:
        if event["level"] in ("error", "critical") or ("error" in event and event["level"] == "exception"):
            return f"{event['event']} {event.get('error', '')}".strip()
    if status >= 500 and status != 501:  # what an invoke that nobody knows is answered, as Teams wants it
        try:
            told = json.loads(said)
            reference = str(told.get("reference") or told.get("error") or "")
        except (ValueError, AttributeError):
            reference = ""
        is_logged = reference and any(event.get("reference") == reference for event in events)
        return f"status {status}" if is_logged else f"status {status} that is not in the log {said[:200]!r}"
    if status not in (PAGE_STATUSES if is_page else (200, 202, 400, 401, 403, 404, 413, 415, 501)):
        return f"status {status}"
    return ""


def _fresh(payload: Payload, number: str) -> dict[str, Any]:
    """Return the parts of a payload that differ each time it is sent; otherwise it would count as a redelivery."""
    content = payload.content
    if payload.kind == PAGE:
        return {}
    if payload.platform == "teams":
        return {"id": number}
    if "event_id" in content:
        return {"event_id": f"Ev{number}"}
    if "view" in content and "hash" in content["view"]:
        return {"view": {**content["view"], "hash": number}}
    return {"trigger_id": number}


async def fuzz(
    database: str,
    folder: Path,
    *,
    seed: int,
    asked: int,
    first: int = 0,
    rehearses: bool = True,
    pages: float = PAGES_SHARE,
    progress: Callable[[Report], None] = lambda report: None,
    on_start: Callable[[Report], None] = lambda report: None,
) -> Report:
    """Run a whole fuzzing of a fresh service over a fresh database; return the report. `pages`: the share of what is
    sent that a browser or a program outside asks."""
    with collected_log() as log:
        async with open_stage(database, folder) as stage:
            fuzzer = Fuzzer(stage, log, seed, asked, database, pages)
            on_start(fuzzer.report)
            return await fuzzer.run(first=first, rehearses=rehearses, progress=progress)
