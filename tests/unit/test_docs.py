"""The documents for developers name files that exist, and links that lead somewhere."""

import re
import subprocess
from pathlib import Path

import pytest

CLONE = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path.relative_to(CLONE)
    for path in (
        CLONE / "README.md",
        CLONE / "CONTRIBUTING.md",
        *(CLONE / "docs").glob("*.md"),
        *(CLONE / "docs" / "adr").glob("*.md"),
    )
)
FOLDERS = ("bot", "adapters", "prompts", "migrations", "tests", "docs", "benchmarks")
PATH = re.compile(rf"(?:{'|'.join(FOLDERS)})/[\w./-]+")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def paths(text: str) -> set[str]:
    """Return the paths of this repository that a text names; patterns and placeholders are left out."""
    return {
        found.group().rstrip(".")
        for found in PATH.finditer(text)
        if text[found.end() : found.end() + 1] not in ("{", "*", "<", "…") and text[found.start() - 1] not in "/.-"
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_path_it_names_exists(document: Path) -> None:
    text = (CLONE / document).read_text(encoding="utf-8")
    assert [path for path in sorted(paths(text)) if not (CLONE / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_link_leads_to_a_file(document: Path) -> None:
    here = (CLONE / document).parent
    links = LINK.findall((CLONE / document).read_text(encoding="utf-8"))
    files = [link for link in links if not link.startswith(("http", "mailto:"))]
    assert [link for link in files if not (here / link).exists()] == []


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(document: Path) -> set[str]:
    prose = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", prose, re.MULTILINE)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_anchor_is_a_heading(document: Path) -> None:
    here = CLONE / document
    named = re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", here.read_text(encoding="utf-8"))
    local = [(file, anchor) for file, anchor in named if not file.startswith("http")]
    missing = [
        f"{file}#{anchor}" for file, anchor in local if anchor not in anchors(here.parent / file if file else here)
    ]
    assert missing == []


@pytest.mark.parametrize(("document", "heading"), [("operate.md", "security"), ("operate.nl.md", "beveiliging")])
def test_what_strangers_can_send_stands_under_security(document: str, heading: str) -> None:
    assert heading in anchors(CLONE / "docs" / document)


def test_one_command_scores_the_guard_on_every_corpus_of_stories() -> None:
    run = subprocess.run(["make", "-n", "guard", "ARGS="], cwd=CLONE, capture_output=True, text=True, check=True)
    corpora = sorted(path.relative_to(CLONE).as_posix() for path in (CLONE / "tests/corpora").glob("guard_*.jsonl"))
    assert "tests/corpora/guard_open.jsonl" in corpora
    assert all(one in run.stdout for one in corpora)


SOURCES = "\n".join(
    path.read_text(encoding="utf-8")
    for folder in ("bot", "adapters", "tests", "migrations")
    for path in (CLONE / folder).rglob("*.py")
    if "node_modules" not in path.parts
)
OTHERS = {"noun_verb_failed", "curl", "jq", "make", "uv", "git"}
"""A pattern, and programs."""


@pytest.mark.parametrize("document", [one for one in DOCUMENTS if "install" not in one.name], ids=str)
def test_every_name_it_quotes_is_in_the_code(document: Path) -> None:
    prose = re.sub(r"```.*?```", "", (CLONE / document).read_text(encoding="utf-8"), flags=re.DOTALL)
    names = {name.rpartition(".")[2] for name in re.findall(r"`([A-Za-z_][\w.]*\w)`", prose)} - OTHERS
    assert [name for name in sorted(names) if not re.search(rf"\b{re.escape(name)}\b", SOURCES)] == []


def test_the_glossary_is_of_a_size_one_reads() -> None:
    rows = re.findall(
        r"^\| (?!word)[a-z][^|]*\|", (CLONE / "docs" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert 25 <= len(rows) <= 40
