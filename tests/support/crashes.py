"""Say how a worker of pytest-xdist ended that crashed: by which signal, and what it was doing then.

Imported by `tests/conftest.py`. A worker that crashes says nothing to the controller, and what it writes to standard
error stands somewhere among what all others wrote.
"""

import faulthandler
from pathlib import Path
from signal import Signals
from tempfile import gettempdir
from typing import Any, TextIO

import pytest

_traces: list[TextIO] = []


def _trace_file(workerinput: dict[str, Any]) -> Path:
    return Path(gettempdir()) / f"ritme-crash-{workerinput['testrunuid']}-{workerinput['workerid']}.txt"


def pytest_sessionstart(session: pytest.Session) -> None:
    """Write where every thread is to a file, should this worker crash."""
    workerinput = getattr(session.config, "workerinput", None)
    if workerinput is not None:
        _traces.append(_trace_file(workerinput).open("w", encoding="utf-8"))
        faulthandler.enable(_traces[0])


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Delete that file: this worker did not crash. pytest's own plugin has taken the place of ours before."""
    while _traces:
        _traces.pop().close()
        _trace_file(config.workerinput).unlink(missing_ok=True)  # type: ignore[attr-defined]


@pytest.hookimpl(optionalhook=True)
def pytest_handlecrashitem(report: pytest.TestReport) -> None:
    """Add to the report of a crash how the worker ended, and its trace."""
    worker = report.node  # type: ignore[attr-defined]
    status = worker.gateway._io.popen.wait(10)
    ended = f"by {Signals(-status).name}" if status < 0 else f"with status {status}"
    trace = _trace_file(worker.workerinput)
    said = trace.read_text(encoding="utf-8") if trace.exists() else ""
    trace.unlink(missing_ok=True)
    report.sections.append((f"The worker ended {ended}", said or "It left no trace: something outside ended it."))
