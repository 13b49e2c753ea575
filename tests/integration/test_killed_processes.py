"""A short torture test that kills processes (see tests/torture); `make torture` runs a long one."""

from pathlib import Path

from tests.torture.ordeal import ordeal


async def test_killed_processes_lose_nothing_repeat_nothing_and_keep_the_order(tmp_path: Path) -> None:
    async with ordeal(2027, tmp_path) as trial:
        report = await trial.run(kills=6, restarts=1)
    assert report.problems == [], str(report)
    assert report.accepted
    assert set(report.sent) == {"slack:T1", "slack:T2"}
    assert report.stops
    assert report.too_late
