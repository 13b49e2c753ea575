"""`ritme` as processes of its own, begun as the Procfile begins them."""

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
"""What is run, by what it is called: release, web, worker."""
GRACE = 30.0
"""Seconds in which a process that was told to stop has to be gone."""


@dataclass
class Process:
    """One that runs; what it logs goes to `log`."""

    running: asyncio.subprocess.Process
    log: Path

    async def says(self) -> str:
        """Its next line to whoever started it."""
        assert self.running.stdout is not None
        async with asyncio.timeout(GRACE):
            return (await self.running.stdout.readline()).decode().strip()

    async def told_to_stop(self) -> None:
        """SIGTERM, and it heard that."""
        self.running.send_signal(SIGTERM)
        async with asyncio.timeout(GRACE):
            while '"stopping"' not in self.log.read_text(encoding="utf-8"):  # noqa: ASYNC110  # another process's
                await asyncio.sleep(0.02)

    async def told_again(self) -> int:
        """A second SIGTERM; what it ends with."""
        self.running.send_signal(SIGTERM)
        return await self.ended()

    async def ended(self) -> int:
        """Its exit code; that of a signal that ended it, negative."""
        async with asyncio.timeout(GRACE):
            return await self.running.wait()


@asynccontextmanager
async def process(command: str, folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Process]:
    """A command of the Procfile, or one like it; it ends with the block, if not before."""
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
