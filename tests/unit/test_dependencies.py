"""Dependencies: a known vulnerability is noticed, no answer is said aloud, and the licences are those we list."""

import json
import sys
import tomllib
from datetime import date
from typing import Any

import pytest

from tests import dependencies
from tests.dependencies import Audit, describe_audit, is_allowed, judge, run_audit

TODAY = date(2027, 3, 1)
HOLE = {"id": "PYSEC-2027-1", "aliases": ["CVE-2027-1", "GHSA-x"], "fix_versions": ["2.0"]}
SOUND: dict[str, Any] = {"name": "rich", "version": "1.0", "vulns": []}
VULNERABLE: dict[str, Any] = {"name": "aiohttp", "version": "1.0", "vulns": [HOLE]}
UNKNOWN: dict[str, Any] = {"name": "ours", "skip_reason": "Dependency not found on PyPI"}


def accept(**more: Any) -> dict[str, Any]:
    return {"package": "aiohttp", "id": "CVE-2027-1", "reason": "not used", "until": TODAY, **more}


@pytest.mark.parametrize(
    ("accepted", "is_good"),
    [
        ([], False),
        ([accept()], True),
        ([accept(id="PYSEC-2027-1")], True),
        ([accept(id="CVE-2027-2")], False),
        ([accept(package="rich")], False),
        ([accept(until=date(2027, 2, 28))], False),
    ],
)
def test_a_known_vulnerability_fails_unless_it_is_accepted_until_a_date(
    accepted: list[dict[str, Any]], is_good: bool
) -> None:
    outcome = judge([SOUND, VULNERABLE], TODAY, accepted)
    assert (outcome.vulnerable == ()) == is_good
    if not is_good:
        assert outcome.vulnerable == ("aiohttp 1.0: PYSEC-2027-1, mended in 2.0",)
        assert "accepted-vulnerabilities.toml" in describe_audit(outcome)


def test_what_is_unknown_is_named_and_all_of_it_is_no_answer() -> None:
    assert "nothing is known of ours" in describe_audit(judge([SOUND, UNKNOWN], TODAY, []))
    assert describe_audit(judge([UNKNOWN], TODAY, [])).startswith("skipped: ")


def say(stdout: str, stderr: str = "", code: int = 1) -> list[str]:
    """Return a command that behaves as pip-audit might."""
    script = f"import sys; print({stdout!r}); print({stderr!r}, file=sys.stderr); sys.exit({code})"
    return [sys.executable, "-c", script]


@pytest.mark.parametrize(
    ("command", "begins"),
    [
        (say(json.dumps({"dependencies": [SOUND]}), code=0), "No known vulnerabilities."),
        (say(json.dumps({"dependencies": [VULNERABLE]})), "Dependencies that need a look:"),
        (say("", "…\nrequests.exceptions.ConnectionError: api.example"), "skipped: the data of known vulnerabilities"),
        (say("", "ValueError: a bug"), "Dependencies that need a look:\n  pip-audit itself failed: ValueError"),
    ],
)
def test_without_a_network_it_is_skipped_aloud_and_never_silently(command: list[str], begins: str) -> None:
    assert describe_audit(run_audit(command, TODAY, [])).startswith(begins)


def test_an_answer_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies, "WHOLE_TIMEOUT", 0.05)
    outcome = run_audit([sys.executable, "-c", "import threading; threading.Event().wait()"], TODAY, [])
    assert outcome == Audit(unreachable="no answer within 0.05 s")


def test_every_accepted_one_has_a_reason_and_a_date() -> None:
    for one in tomllib.loads(dependencies.ACCEPTED.read_text(encoding="utf-8"))["accepted"]:
        assert set(one) == {"package", "id", "reason", "until"}
        assert len(one["reason"].split()) > 3
        assert isinstance(one["until"], date)


def test_the_list_of_licences_is_of_today() -> None:
    """If not: make licences."""
    assert dependencies.LICENCES.read_text(encoding="utf-8") == dependencies.make_table()


def test_every_licence_is_one_we_may_pass_on() -> None:
    licences = {name: dependencies.find_licence(name) for name in dependencies.locked_packages()}
    assert {name: one for name, one in licences.items() if not is_allowed(one)} == {}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("MIT AND GPL-3.0-only", False),
        ("GPL-2.0-only OR MIT", True),
        ("(MIT OR AGPL-3.0-only) AND GPL-3.0-only", False),
        ("(MIT OR Apache-2.0) AND ISC", True),
        ("unknown", False),
        ("", False),
    ],
)
def test_what_is_allowed(expression: str, expected: bool) -> None:
    assert is_allowed(expression) == expected
