"""Run one ordeal (`make torture`): kills by the hundred. `--seed` repeats one."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from random import randrange

from tests.torture.ordeal import ordeal


async def main() -> int:
    """Run an ordeal and print its report; return the exit code."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--kills", type=int, default=200)
    asked.add_argument("--restarts", type=int, default=2, help="of PostgreSQL, in between")
    asked.add_argument("--seed", type=int, default=None)
    asked.add_argument("--keep", action="store_true", help="keep the logs")
    given = asked.parse_args()
    seed = given.seed if given.seed is not None else randrange(10**6)
    folder = Path(tempfile.mkdtemp(prefix="ritme-torture-"))
    print(f"seed {seed}, logs in {folder}", flush=True)  # noqa: T201  # a terminal's
    async with ordeal(seed, folder) as trial:
        report = await trial.run(kills=given.kills, restarts=given.restarts)
    print(report)  # noqa: T201
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
