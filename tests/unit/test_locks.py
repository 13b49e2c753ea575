"""The lock files pin and hash every dependency of pyproject.toml, and contain no URL or path."""

import re
import tomllib
from pathlib import Path

import pytest

CLONE = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((CLONE / "pyproject.toml").read_text())["project"]
NAMED = {
    "requirements.lock": PROJECT["dependencies"] + PROJECT["optional-dependencies"]["build"],
    "requirements-dev.lock": PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"],
}


def pins(lock: str) -> dict[str, str]:
    """Map each package of a lock file to its version and hashes."""
    found = re.findall(r"^([a-z0-9.-]+)==(.*?)(?=^\S|\Z)", (CLONE / lock).read_text(), re.MULTILINE | re.DOTALL)
    return dict(found)


@pytest.mark.parametrize("lock", NAMED)
def test_everything_named_is_pinned_and_hashed(lock: str) -> None:
    pinned = pins(lock)
    wanted = {re.split(r"[\[<>=]", name)[0] for name in NAMED[lock]}

    assert wanted - set(pinned) == set(), "run: make lock"
    assert [name for name, rest in pinned.items() if "--hash=sha256:" not in rest] == []


@pytest.mark.parametrize("lock", NAMED)
def test_no_address_and_no_path_stands_in_it(lock: str) -> None:
    assert re.findall(r"https?:|file:|^-|/home/|/root/", (CLONE / lock).read_text(), re.MULTILINE) == []


def test_tests_run_against_what_is_served() -> None:
    served, tested = pins("requirements.lock"), pins("requirements-dev.lock")

    assert {name: rest.split()[0] for name, rest in served.items()}.items() <= {
        name: rest.split()[0] for name, rest in tested.items()
    }.items()
