"""Fuzz every door (`make fuzz`): mutated, correctly signed payloads by the thousand. `--seed` repeats a run."""

import argparse
import asyncio
import contextlib
import signal
import sys
import tempfile
from pathlib import Path
from random import randrange

from tests.fuzz.run import PAGES_SHARE, Report, fuzz
from tests.support.databases import BOTH, stop_shared_server

LONG = 50_000
"""From so many payloads on, memory and time are judged too."""


async def main() -> int:
    """Run a fuzzing and print its report, also when it is interrupted; return the exit code."""
    asked = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    asked.add_argument("--n", type=int, default=20_000, help="payloads")
    asked.add_argument("--seed", type=int, default=None)
    asked.add_argument("--database", choices=BOTH, default="sqlite")
    asked.add_argument("--only", type=int, default=None, help="the number of one payload")
    asked.add_argument("--pages", type=float, default=PAGES_SHARE, help="share of what browsers and programs ask")
    given = asked.parse_args()
    seed = given.seed if given.seed is not None else randrange(10**6)
    count, first = (1, given.only) if given.only is not None else (given.n, 0)
    print(f"seed {seed}, {count:,} payloads on {given.database}", flush=True)  # noqa: T201  # a terminal's
    reports: list[Report] = []
    with tempfile.TemporaryDirectory(prefix="ritme-fuzz-") as folder:
        running = asyncio.ensure_future(
            fuzz(
                given.database,
                Path(folder),
                seed=seed,
                asked=count,
                first=first,
                rehearses=given.only is None,
                pages=given.pages,
                progress=_tell,
                on_start=reports.append,
            )
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, running.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await running
    if not reports:
        return 1
    (report,) = reports
    problems = report.problems(judged_as_a_whole=report.done >= LONG)
    print(report)  # noqa: T201
    for problem in problems:
        print(f"\n{problem}")  # noqa: T201
    print(f"\n{len(problems)} problems" if problems else "\nNo problems.")  # noqa: T201
    return 1 if problems else 0


def _tell(report: Report) -> None:
    """Print a line of progress."""
    rate = report.done / max(report.seconds, 0.001)
    print(  # noqa: T201
        f"{report.done:>11,} done, {rate:,.0f} a second, {report.memory[-1][1]:.0f} MB, "
        f"{sum(report.times_failed.values()):,} faults of {len(report.faults)} kinds",
        flush=True,
    )


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main()))
    finally:
        stop_shared_server()
