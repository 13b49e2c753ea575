"""`make setup` names what is missing, and does nothing when nothing changed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CLONE = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(CLONE / name, tmp_path)
    return tmp_path


def make(clone: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    # Not the flags and the Python of the make that may be running these tests.
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTHON"))}
    return subprocess.run(
        [str(shutil.which("make")), *words],
        cwd=clone,
        env=outside | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


def fake_python(clone: Path, python: str) -> str:
    """Write a script that runs the shell line `python`, to pass as PYTHON; return its path."""
    script = clone / "python"
    script.write_text(f"#!/bin/sh\n{python}\n")
    script.chmod(0o755)
    return str(script)


def test_plain_make_lists_what_there_is(clone: Path) -> None:
    said = make(clone).stdout

    for target in ("setup", "demo", "test", "check", "bench", "lock"):
        assert f"make {target}" in said


def test_a_python_that_is_too_old_is_told(clone: Path) -> None:
    done = make(clone, "setup", f"PYTHON={fake_python(clone, 'exit 1')}")

    assert done.returncode != 0
    assert "is not Python 3.11 or newer" in done.stdout
    assert not (clone / ".venv").exists()


def test_a_python_that_cannot_make_environments_is_told_with_the_cure(clone: Path) -> None:
    done = make(clone, "setup", f"PYTHON={fake_python(clone, 'case $* in *ensurepip*) exit 1;; esac')}")

    assert done.returncode != 0
    assert "apt-get install python3-venv" in done.stdout
    assert not (clone / ".venv").exists()


def test_no_python_at_all_is_told(clone: Path) -> None:
    done = make(clone, "setup", "PYTHON=")

    assert done.returncode != 0
    assert "Ritme needs Python 3.11 or newer" in done.stdout


def test_a_browser_that_is_not_there_and_cannot_be_installed_is_one_line(clone: Path) -> None:
    (clone / "bin").mkdir()
    (clone / "bin" / "id").symlink_to(str(shutil.which("id")))
    done = make(clone, "chromium", PATH=str(clone / "bin"), CHROMIUM="")

    assert done.returncode != 0
    assert done.stdout.splitlines() == [
        "The browser tests need Chromium. Install it (Debian: apt-get install chromium), or set CHROMIUM to its path."
    ]
    assert make(clone, "chromium", PATH=str(clone / "bin"), CHROMIUM=fake_python(clone, "exit 0")).returncode == 0


def test_setting_up_again_does_nothing_until_a_lock_file_changes(clone: Path) -> None:
    (clone / ".venv" / "bin").mkdir(parents=True)
    for made in (".venv/bin/ready", ".venv/.runtime"):
        (clone / made).touch()

    again = make(clone, "setup")
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout

    os.utime(clone / "requirements.lock", (4e9, 4e9))
    assert "Installing what Ritme needs" in make(clone, "setup", "--dry-run").stdout
