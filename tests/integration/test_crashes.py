"""A worker of the tests that crashes is reported with how it ended, and where it was."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import CLONE

HOOKS = "from tests.support.crashes import pytest_handlecrashitem, pytest_sessionstart, pytest_unconfigure\n"
CRASHES = """
import os, signal

def test_that_crashes():
    {how}
"""


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("os.abort()", ("by SIGABRT", "in test_that_crashes")),
        ("os.kill(os.getpid(), signal.SIGKILL)", ("by SIGKILL", "something outside")),
        ("os._exit(3)", ("with status 3", "something outside")),
    ],
)
def test_how_a_worker_ended_is_told(tmp_path: Path, how: str, told: tuple[str, str]) -> None:
    (tmp_path / "conftest.py").write_text(HOOKS)
    (tmp_path / "test_it.py").write_text(CRASHES.format(how=how))
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "1", "-p", "no:cacheprovider", "--maxfail", "1", tmp_path],
        cwd=tmp_path,
        env={"PYTHONPATH": str(CLONE), "PATH": "", "TMPDIR": str(tmp_path)},
        text=True,
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    for words in told:
        assert words in ended.stdout
    assert not list(tmp_path.glob("ritme-crash-*"))
