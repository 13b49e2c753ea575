"""Check what Ritme depends on: known vulnerabilities and licences.

`python -m tests.dependencies audit` asks for known vulnerabilities of what the lock file pins, and fails on one that is
not accepted in `tests/accepted-vulnerabilities.toml`. Where the answer cannot be had, it says so and passes.
`python -m tests.dependencies licences` writes docs/licences.md anew.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
LICENCES = ROOT / "docs" / "licences.md"
ACCEPTED = Path(__file__).parent / "accepted-vulnerabilities.toml"
ANSWER_TIMEOUT, WHOLE_TIMEOUT = 5, 90
"""Seconds that one answer, and all of them, may take."""
NO_ANSWER = re.compile(r"ConnectionError|ConnectTimeout|ReadTimeout|ServiceError|NameResolution|ProxyError|SSLError")
ALLOWED = {
    *("MIT", "MIT-0", "ISC", "BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "PSF-2.0", "MPL-2.0"),
    *("0BSD", "CC0-1.0", "Zlib"),
    *("LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later"),
}
"""Licences that an installation of Ritme may hold: none asks anything of who only runs it."""
SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""How packages write their licence → its SPDX name; "BSD" where they do not say which."""
ELSEWHERE = {"colorama": "BSD-3-Clause"}
"""Licences of packages that are installed on other systems only."""


# -- vulnerabilities ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Audit:
    """The outcome: what is vulnerable, and what could not be looked up; all of it when `unreachable`."""

    vulnerable: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    unreachable: str = ""


def run_audit(command: Sequence[str], today: date, accepted: Sequence[Mapping[str, Any]]) -> Audit:
    """Run pip-audit (`command`), and judge what it says."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WHOLE_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        return Audit(unreachable=f"no answer within {WHOLE_TIMEOUT} s")
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        said = done.stderr.strip().splitlines()
        if NO_ANSWER.search(done.stderr):
            return Audit(unreachable=said[-1][:200])
        return Audit(vulnerable=(f"pip-audit itself failed: {said[-1][:300] if said else done.returncode}",))
    return judge(found, today, accepted)


def judge(found: Sequence[Mapping[str, Any]], today: date, accepted: Sequence[Mapping[str, Any]]) -> Audit:
    """Judge what pip-audit found, by package."""
    unknown = tuple(sorted(one["name"] for one in found if "skip_reason" in one))
    if len(unknown) == len(found):
        return Audit(unreachable="the index tells nothing of any package", unknown=unknown)
    good = {(one["package"], one["id"]) for one in accepted if one["until"] >= today}
    vulnerable = tuple(
        f"{one['name']} {one['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version'}"
        for one in found
        for hole in one.get("vulns", ())
        if not any((one["name"], name) in good for name in (hole["id"], *hole.get("aliases", ())))
    )
    return Audit(vulnerable=vulnerable, unknown=unknown)


def audit() -> int:
    """Print what is known of the locked packages; return 1 if one is vulnerable."""
    command = [
        *(sys.executable, "-m", "pip_audit", "--requirement", str(LOCK), "--disable-pip", "--require-hashes"),
        *("--timeout", str(ANSWER_TIMEOUT), "--progress-spinner", "off", "--format", "json"),
    ]
    accepted = tomllib.loads(ACCEPTED.read_text(encoding="utf-8"))["accepted"]
    outcome = run_audit(command, datetime.now(UTC).date(), accepted)
    sys.stdout.write(describe_audit(outcome) + "\n")
    return 1 if outcome.vulnerable else 0


def describe_audit(outcome: Audit) -> str:
    """Say an outcome in a few lines."""
    if outcome.vulnerable:
        how = f"Upgrade (make lock), or accept it with a reason and a date in {ACCEPTED.relative_to(ROOT)}."
        return "\n".join(("Dependencies that need a look:", *(f"  {one}" for one in outcome.vulnerable), how))
    if outcome.unreachable:
        return f"skipped: the data of known vulnerabilities cannot be reached ({outcome.unreachable})"
    if outcome.unknown:
        return f"No known vulnerabilities; nothing is known of {', '.join(outcome.unknown)}."
    return "No known vulnerabilities."


# -- licences ----------------------------------------------------------------------------------------------------------


def locked_packages() -> list[str]:
    """List the names of the packages that the lock file of the runtime pins."""
    return re.findall(r"^([a-z0-9][a-z0-9._-]*)==", LOCK.read_text(encoding="utf-8"), re.MULTILINE)


def find_licence(name: str) -> str:
    """Return the licence of a package as an SPDX expression, as far as it says."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ELSEWHERE[name]
    if expression := about.get("License-Expression"):
        return str(expression)
    short = SPDX.get(about.get("License") or "", about.get("License") or "")
    if short in ALLOWED:
        return short
    classifiers = [one.rpartition(" :: ")[2] for one in about.get_all("Classifier", []) if one.startswith("License ::")]
    # All of them: which of several may be chosen is not said here.
    return " AND ".join(sorted(SPDX.get(one, one) for one in classifiers)) or short[:60] or "unknown"


def is_allowed(expression: str) -> bool:
    """Return whether a licence is one of those allowed; of several to choose from, one is enough."""
    if "(" in expression:  # too rare to be worth a grammar: then all of them have to be
        return all(one in ALLOWED for one in re.split(r" AND | OR |[()]", expression) if one)
    choices = expression.split(" OR ")
    return any(all(term.strip() in ALLOWED for term in choice.split(" AND ")) for choice in choices)


def make_table() -> str:
    """Return docs/licences.md as it should be."""
    rows = "\n".join(f"| {name} | {find_licence(name)} |" for name in dict.fromkeys(locked_packages()))
    return f"""# Licences of what Ritme runs on

Ritme itself is under the [MIT licence](../LICENSE). These are the packages that `requirements.lock` installs beside it,
with the licence each of them states. `make licences` writes this page anew; a test checks that it is right, and that no
licence asks more than these do.

| package | licence |
|---|---|
{rows}
"""


def main() -> int:
    """Do what the command line asks."""
    match sys.argv[1:]:
        case ["audit"]:
            return audit()
        case ["licences"]:
            LICENCES.write_text(make_table(), encoding="utf-8")
            return 0
    sys.stderr.write(__doc__ or "")
    return 2


if __name__ == "__main__":
    sys.exit(main())
