"""The stories of the demo, the examples, the pictures and the docs name no clients: they go by what Ritme asks."""

import tomllib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from bot.catalogue.base import CATALOGUE, list_texts
from bot.domain.person import Language
from bot.guard import Trace, guess_language, look_through
from tests.pictures import SCRIPTS

ROOT = Path(__file__).resolve().parents[2]
ABOUT_CLIENTS = set(Trace) - {Trace.FULL_NAME, Trace.EMAIL, Trace.PHONE, Trace.ADDRESS}
"""Kinds that no text of ours may hold; people of the movement have names, and docs have addresses."""


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from strings(one)


def find_named(texts: Iterator[str] | frozenset[str]) -> list[str]:
    named = ((text, look_through(text, guess_language(text, Language.NL))) for text in texts)
    return [f"{one.text} in {text!r}" for text, found in named for one in found if one.kind in ABOUT_CLIENTS]


def test_the_demo_movement_names_no_clients() -> None:
    history = tomllib.loads((ROOT / "adapters/playground/history.toml").read_text(encoding="utf-8"))
    assert find_named(strings(history)) == []


def test_the_pictures_name_no_clients() -> None:
    assert find_named(strings({language: asdict(script) for language, script in SCRIPTS.items()})) == []


@pytest.mark.parametrize("name", sorted(set(CATALOGUE) - {"WordsAsked", "WordsForm", "DoorWordsAsked"}))
def test_no_example_names_a_client(name: str) -> None:
    assert find_named(list_texts(CATALOGUE[name].example())) == []


@pytest.mark.parametrize("folder", ["docs", "prompts"])
def test_no_words_to_read_name_a_client(folder: str) -> None:
    files = [*(ROOT / folder).rglob("*.md"), *(ROOT / folder).rglob("*.j2"), ROOT / "README.md"]
    lines = {line.strip() for file in files if "adr" not in file.parts for line in file.read_text("utf-8").splitlines()}
    assert find_named(frozenset(lines)) == []
