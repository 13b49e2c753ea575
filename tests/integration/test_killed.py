"""A short ordeal (see tests/torture); `make torture` goes through a long one."""

from pathlib import Path

from tests.torture.ordeal import ordeal


async def test_whoever_is_killed_nothing_is_lost_nothing_comes_twice_and_all_is_in_order(tmp_path: Path) -> None:
    async with ordeal(2027, tmp_path) as trial:
        report = await trial.run(kills=6, restarts=1)
    assert report.problems == [], str(report)
    assert report.accepted
    assert set(report.sent) == {"slack:T1", "slack:T2"}
    assert report.stops
    assert report.too_late
