"""The process that computes whom to suggest answers as a thread does, comes back when it is killed, ends in time."""

import asyncio
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from adapters.database.repositories.networks import SqlNetworkReader
from adapters.network_process import NetworkProcess
from bot.domain.connectors import KeyFigure
from bot.domain.movement import MovementId
from bot.domain.network_question import NetworkQuestion
from bot.domain.person import PersonId, WorkspaceId
from bot.networks import NetworkCache
from bot.ports import NeedsNetwork, StorageUnavailable
from tests.support.world import LANE, World, agree

PEOPLE = ("fatima", "jan", "sanne", "wim")
ROOT = Path(__file__).resolve().parents[2]
LONELY = """
import asyncio
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError
from adapters.database.repositories.networks import SqlNetworkReader
from adapters.network_process import NetworkProcess
from bot.ports import NeedsNetwork

async def main():
    process = NetworkProcess()
    try:
        await process.advise(NeedsNetwork(None, SqlNetworkReader(make_url("sqlite:///nowhere/none.db")), None))
    except Exception:
        print(process._child.pid, flush=True)
    await asyncio.Event().wait()

if __name__ == "__main__":
    asyncio.run(main())
"""


async def needs(world: World) -> NeedsNetwork:
    async with world.begin() as work:
        reader = work.networks
    question = NetworkQuestion(
        movement=MovementId("movement"),
        asker=PersonId("fatima"),
        workspace=WorkspaceId(LANE),
        now=world.clock.now(),
        wanted=KeyFigure.MAVEN,
        active=frozenset({PersonId("fatima")}),
        most=2,
    )
    return NeedsNetwork(question, reader, None)


def child_of(process: NetworkProcess) -> psutil.Process:
    assert process._child is not None
    return psutil.Process(process._child.pid)


async def test_it_answers_as_a_thread_does_and_comes_back_when_it_is_killed(world: World) -> None:
    await world.movement(*PEOPLE)
    await agree(world.begin, *PEOPLE)
    async with world.begin() as work:
        await work.connecting.strengthen(MovementId("movement"), PersonId("jan"), PersonId("sanne"), world.clock.now())
    process = NetworkProcess()
    try:
        expected = await NetworkCache().advise(await needs(world))
        assert len(expected.chosen) == 2
        assert await process.advise(await needs(world)) == expected
        child = child_of(process)
        child.kill()
        assert await process.advise(await needs(world)) == expected
        assert child_of(process) != child
    finally:
        await process.close()
    assert process._child is not None
    assert process._child.returncode is not None


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
async def test_it_ends_when_nobody_asks(world: World) -> None:
    await world.movement(*PEOPLE)
    process = NetworkProcess(idle_seconds=0.2)
    asked = [asyncio.create_task(process.advise(await needs(world))) for _ in range(2)]
    await asyncio.gather(*asked)
    child = process._child
    assert child is not None
    assert await asyncio.wait_for(child.wait(), 30) == 0
    await process.advise(await needs(world))
    await process.close()


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
async def test_who_goes_before_the_answer_leaves_the_next_theirs(world: World) -> None:
    await world.movement(*PEOPLE)
    await agree(world.begin, *PEOPLE)
    process = NetworkProcess()
    gone = asyncio.create_task(process.advise(await needs(world)))
    await asyncio.sleep(0)
    gone.cancel()
    asked = await needs(world)
    nobody = replace(asked.question, most=0)
    assert (await process.advise(NeedsNetwork(nobody, asked.reader, None))).chosen == ()
    await process.close()


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
async def test_what_goes_wrong_is_raised_where_it_was_asked_and_the_next_is_answered(world: World) -> None:
    await world.movement(*PEOPLE)
    process = NetworkProcess()
    asked = await needs(world)
    nowhere = SqlNetworkReader(make_url("sqlite:///nowhere/none.db"))
    with pytest.raises(OperationalError, match="unable to open") as told:
        await process.advise(NeedsNetwork(asked.question, nowhere, None))
    assert "network_child" in "".join(told.value.__notes__)
    assert (await process.advise(asked)).rounds == 1
    await process.close()
    with pytest.raises(StorageUnavailable, match="ends"):
        await process.advise(asked)


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    script = tmp_path / "lonely.py"
    script.write_text(LONELY)
    with subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # where what cleans up after it tells so
        text=True,
        env={"PYTHONPATH": str(ROOT)},
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
        child.wait(30)
    assert not child.is_running()
