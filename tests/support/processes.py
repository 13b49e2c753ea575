"""Run `ritme` in processes of its own, with the commands of the Procfile."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM
from tempfile import mkstemp

CLONE = Path(__file__).resolve().parents[2]
PROCFILE = dict(line.split(": ") for line in (CLONE / "Procfile").read_text(encoding="utf-8").splitlines())
"""Commands by process type: release, web, worker."""
GRACE = 30.0
"""Seconds within which a process has to print a line, or to exit after it was asked to stop."""


@dataclass
class Process:
    """A running process; its standard error goes to the file `log`."""

    running: asyncio.subprocess.Process
    log: Path

    async def read_line(self) -> str:
        """Return the next line of its standard output."""
        assert self.running.stdout is not None
        async with asyncio.timeout(GRACE):
            return (await self.running.stdout.readline()).decode().strip()

    async def request_stop(self) -> None:
        """Send SIGTERM, and wait until the log says that it is stopping."""
        self.running.send_signal(SIGTERM)
        async with asyncio.timeout(GRACE):
            while '"stopping"' not in self.log.read_text(encoding="utf-8"):  # noqa: ASYNC110  # another process's
                await asyncio.sleep(0.02)

    async def force_stop(self) -> int:
        """Send a second SIGTERM; return the exit code."""
        self.running.send_signal(SIGTERM)
        return await self.wait_for_exit()

    async def wait_for_exit(self) -> int:
        """Return its exit code; the negative signal number when a signal ended it."""
        async with asyncio.timeout(GRACE):
            return await self.running.wait()


@asynccontextmanager
async def run_process(command: str, folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Process]:
    """Run a command of the Procfile, or one like it; kill it at the end if it still runs."""
    handle, log = mkstemp(".log", dir=folder)
    with os.fdopen(handle, "wb") as errors:
        running = await asyncio.create_subprocess_exec(
            *command.split(),
            cwd=CLONE,
            env={**os.environ, "PYTHONPATH": str(CLONE), **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    try:
        yield Process(running, Path(log))
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()
