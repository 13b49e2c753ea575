"""Check that people are told what they can type: by platform, installation, and where they read it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.chat import CommandSyntax
from bot.domain.person import Language
from bot.wording import Reader, environment

SLACK = CommandSyntax(platform="slack", shortcuts=frozenset({"stuck", "story"}))
TEAMS = CommandSyntax(platform="teams", command="", shortcuts=frozenset())


@pytest.mark.parametrize(
    ("syntax", "where", "word", "typed"),
    [
        (SLACK, {}, "stop", "/ritme stop"),
        (SLACK, {}, "stuck", "/stuck"),
        (SLACK, {}, "vast", "/ritme vast"),
        (replace(SLACK, shortcuts=frozenset({"vast"})), {}, "vast", "/vast"),
        (replace(SLACK, command="/beweging"), {}, "stop", "/beweging stop"),
        (SLACK, {"personal": True}, "stop", "/ritme stop"),
        (SLACK, {"in_thread": True}, "stuck", "@Ritme stuck"),
        (TEAMS, {}, "vast", "@Ritme vast"),
        (TEAMS, {"in_thread": True}, "stop", "@Ritme stop"),
        (TEAMS, {"personal": True}, "stop", "stop"),
        (replace(TEAMS, app="Samen"), {}, "stop", "@Samen stop"),
    ],
)
def test_words_are_spelled_as_they_are_typed(
    syntax: CommandSyntax, where: dict[str, bool], word: str, typed: str
) -> None:
    reader = Reader(language=Language.NL, timezone="UTC", now=datetime(2027, 3, 1, tzinfo=UTC), syntax=syntax, **where)
    assert reader.spell(word) == typed
    assert environment(Language.NL).filters["typed"](word, reader) == typed


@pytest.mark.parametrize(
    ("name", "shown"), [("zorg", "#zorg"), ("#zorg", "#zorg"), ("Wijk noord", "#Wijk noord"), ("", "")]
)
def test_a_channel_is_written_with_its_sign(name: str, shown: str) -> None:
    assert environment(Language.NL).filters["channel"](name) == shown


def test_who_reads_it_is_said_where_that_is_news() -> None:
    says = environment(Language.NL).filters["news"]
    channel = Reader(language=Language.NL, timezone="UTC", now=datetime(2027, 3, 1, tzinfo=UTC), knows_privacy=True)
    assert says("Alleen jij leest dit.", channel)
    assert not says("Alleen jij leest dit.", replace(channel, personal=True))
    assert says("Alleen jij leest dit.", replace(channel, personal=True, knows_privacy=False))
