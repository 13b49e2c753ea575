"""Every sentence that promises a time, a place, a reader or a removal has a test that it came true.

The table is `tests/promises.toml`. A block of a template with a promise that is not in it fails here; so does a test or
a block in it that is gone. A whole block counts, not a sentence: who changes one reads its line in the table.
"""

import ast
import re
import tomllib
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from bot.compiled import PROMPTS
from bot.domain.person import Language

TESTS = Path(__file__).resolve().parent.parent
TABLE = tomllib.loads((TESTS / "promises.toml").read_text(encoding="utf-8"))
PROMISES, SAYS_NOTHING = TABLE["promise"], TABLE["says_nothing"]
KINDS = {"time", "place", "reader", "removal"}
PRIVATE = "*::news"
"""The line that nobody else reads this, which many templates have: one promise."""

PROMISING = {
    Language.NL: (
        r"alleen (?!als|bij|op|daar|waar|wat)|iedereen|niemand|hele beweging|lees|leest|lezen|ziet|zien",
        r"hoor je|hoort (?:het|dat|van|niet|niets|pas)|horen (?:het|dat|van|pas)|door(?:geven|vertel\w*)",
        r"geef .{0,20} door|tot (?!\d|hoe)|vanaf|zodra|voortaan|vanzelf|daarna|later|uiterlijk|hooguit",
        r"nooit|niets meer|niet meer|niet eerder|geld(?:t|en)|komt|komen|kom (?:ik|er|in|hier|terug)",
        r"terug|stuur|vraag ik|ik vraag|altijd|eerstvolgend\w*|volgende|nog (?:één|een) keer|dagen",
        r"een (?:jaar|uur|week|maand)|stil|stoppen|stopt|gestopt|wacht\w*|probeer het opnieuw|post ik",
        r"ik post|plaats\w*|overal|nergens|eigen chat|deze chat|deze draad|hierheen|daarheen|zet ik",
        r"ik zet|verdwijn\w*|weg|haal\w*|teruggenomen|bewaar\w*|vergeet|vergeten|wissen|gewist|verloren",
        r"blijf\w*|blijven",
    ),
    Language.EN: (
        r"only|everyone|anyone|nobody|no one|whole movement|reads?|sees|will see|you hear",
        r"hears? (?:it|that|from|of|about|only|nothing)|pass(?:ed)? (?:it|on|this|your)|until|till",
        r"as soon as|from (?:now|then)|by itself|by themselves|after that|afterwards|later|at the latest",
        r"at most|never|nothing more|no longer|not before|valid|comes?|coming|come back",
        r"I(?:'ll| will)? (?:send|ask)|always|next|one more time|days",
        r"(?:for|after|within) an? (?:year|hour|week|month)|quiet|stop(?:s|ped)?|waits?|keep trying",
        r"try it again|I(?:'ll| will)? post|everywhere|nowhere|own chat|this chat|this thread|disappears?",
        r"gone|remov\w+|delet\w+|tak(?:e|es|en) .{0,20}back|keeps?|kept|forget|forgotten|erased?|lost",
        r"stays?|go(?:es)? away",
    ),
}
"""Words of promises. Generous: what only looks like one stands in the table as saying nothing."""
ABOUT_READERS = re.compile(
    r"\b(?:alleen|iedereen|niemand|hele beweging|only|everyone|anyone|nobody|whole movement)\b", re.IGNORECASE
)
MOMENT = re.compile(r"\|\s*(?:moment|day|clock)\(")
BLOCK = re.compile(r"{%-?\s*block (\w+)\s*-?%}(.*?){%-?\s*endblock", re.DOTALL)
NEWS = re.compile(r'{{ "[^"]+" \| news\(reader\) }}')
LABEL = 3
"""Words of a label or button: it says what one does. Only who reads something is promised in so few."""


def list_blocks(path: Path) -> dict[str, str]:
    """Return the blocks of a template by name; of one without blocks, which others include, the "whole"."""
    text = re.sub(r"{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return dict(BLOCK.findall(text)) or {"whole": text}


def promises_something(block: str, language: Language) -> bool:
    """Return whether a block has a word of a promise, or a moment. What only asks something has none."""
    text = NEWS.sub("", block)
    words = " ".join(re.sub(r"{%.*?%}|{{.*?}}", " ", text, flags=re.DOTALL).split())
    if MOMENT.search(text):
        return True
    if words.endswith("?") and not re.search(r"[.!:?] ", words):
        return False
    if len(words.split()) <= LABEL:
        return ABOUT_READERS.search(words) is not None
    return any(re.search(rf"\b(?:{one})(?!\w)", words, re.IGNORECASE) for one in PROMISING[language])


@cache
def find_promises() -> frozenset[str]:
    """Return the blocks of all templates in which either language promises something, such as
    "steps/step_planned.md.j2::body"."""
    found = set()
    for language in Language:
        root = PROMPTS / language.value
        for path in root.rglob("*.md.j2"):
            name = path.relative_to(root).as_posix()
            for block, text in list_blocks(path).items():
                if block.endswith("_example"):
                    continue  # what somebody else might write
                if NEWS.search(text):
                    found.add(PRIVATE)
                if promises_something(text, language):
                    found.add(f"{name}::{block}")
    return frozenset(found)


@cache
def all_blocks() -> frozenset[str]:
    root = PROMPTS / Language.NL.value
    return frozenset(
        f"{path.relative_to(root).as_posix()}::{block}" for path in root.rglob("*.md.j2") for block in list_blocks(path)
    ) | {PRIVATE}


@cache
def list_tests(file: str) -> frozenset[str]:
    """Return the tests of a file as pytest names them: "test_it" and "TestThis::test_it"."""
    found = set()
    for node in ast.parse((TESTS / file).read_text(encoding="utf-8")).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {prefix + one.name for one in inside if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
    return frozenset(found)


def is_listed(block: str) -> bool:
    return any(fnmatchcase(block, one) for entry in (*PROMISES, *SAYS_NOTHING) for one in entry["blocks"])


def test_every_promise_is_in_the_table() -> None:
    missing = sorted(block for block in find_promises() if not is_listed(block))
    assert not missing, "say in tests/promises.toml which test checks that it comes true"


@pytest.mark.parametrize("entry", PROMISES, ids=lambda entry: entry["says"][:60])
def test_a_promise_has_tests_that_exist(entry: dict[str, list[str]]) -> None:
    assert entry["kinds"]
    assert set(entry["kinds"]) <= KINDS
    assert entry["tests"]
    for one in entry["tests"]:
        file, _, name = one.partition("::")
        assert (TESTS / file).is_file(), one
        assert name in list_tests(file), one


@pytest.mark.parametrize("entry", [*PROMISES, *SAYS_NOTHING], ids=lambda entry: entry["blocks"][0])
def test_what_the_table_names_is_there(entry: dict[str, list[str]]) -> None:
    for pattern in entry["blocks"]:
        assert any(fnmatchcase(block, pattern) for block in all_blocks()), pattern


@pytest.mark.parametrize("entry", SAYS_NOTHING, ids=lambda entry: entry["blocks"][0])
def test_what_says_nothing_says_why(entry: dict[str, str]) -> None:
    assert len(entry["because"].split()) > 3
