"""By which words a story is found, and which part of it is shown."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import story_search
from bot.domain.movement import MovementId
from bot.domain.person import PersonId
from bot.domain.story import Story, StoryId
from bot.domain.story_search import (
    SNIPPET_CHARS,
    FoundBy,
    SearchCursor,
    holds,
    index_story,
    make_snippet,
    match_words,
    moment_of,
    position_at,
    read_query,
    story_position,
)

AT = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)


def told(text: str, at: datetime = AT) -> Story:
    return Story(
        id=StoryId("s"), movement_id=MovementId("m"), place_id=None, teller_id=PersonId("p"), text=text, told_at=at
    )


@pytest.fixture
def impatient() -> Iterator[None]:
    """Let threads take turns after almost every step."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("impatient")
def test_stories_told_at_the_same_time_are_found_by_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story_search, "_stems", story_search._stems.__wrapped__)  # nothing is remembered
    story = told(" ".join(map("".join, product(("praat", "zorg", "hope"), ("ing", "heid", "ful"), ("en", "je", "ly")))))
    alone = index_story(story)
    with ThreadPoolExecutor(4) as threads:
        assert all(found == alone for found in threads.map(index_story, [story] * 16))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("Over de NACHTDIENST", ("nachtdienst",)),
        ("de", ("de",)),
        ("café café Zoë's", ("cafe", "zoes")),
        ("een twee drie vier vijf zes zeven", ("twee", "drie", "vier", "vijf", "zes", "zeven")),
        ("… ! 😀 _", ()),
    ],
)
def test_a_search_is_its_telling_words(typed: str, words: tuple[str, ...]) -> None:
    assert read_query(typed, common={"de", "over", "een"}) == words


@given(st.text(max_size=400), st.text(max_size=40), st.sampled_from(FoundBy))
def test_a_snippet_is_of_the_text_and_short(text: str, typed: str, by: FoundBy) -> None:
    line, shown = " ".join(text.split()), make_snippet(text, read_query(typed), by)
    whole = "".join(part.text for part in shown)
    assert len(whole) <= SNIPPET_CHARS + 2
    assert whole.removeprefix("…").removesuffix("…") in line or whole in line
    assert all(part.text in line for part in shown if part.found)


@given(st.text(max_size=80))
def test_tokens_need_no_quoting_in_either_database(text: str) -> None:
    _, tokens = index_story(told(text))
    assert all(one.isascii() and one.replace("_", "").isalnum() for one in tokens)
    for by in FoundBy:
        match = match_words(read_query(text), by) if read_query(text) else None
        for group in match.every if match is not None else ():
            assert all(one.rstrip("*").replace("_", "").isalnum() for each in group for one in each)


def test_the_word_that_was_found_is_apart_also_within_a_longer_one() -> None:
    text = "Eerst niets. " * 30 + "Toen kwam de nachtdienst langs."
    parts = make_snippet(text, ("dienst",), FoundBy.PARTS)
    assert [part.text for part in parts if part.found] == ["nachtdienst"]
    assert parts[0].text == "…"


def test_what_is_withdrawn_is_found_by_nothing() -> None:
    story = told("koffie")
    story.withdraw(AT)
    assert index_story(story) == (None, frozenset())


def test_what_a_story_holds_is_told_from_its_tokens() -> None:
    _, tokens = index_story(told("De nachtdienst hoorde het"))
    for typed, by, expected in [
        ("nachtdienst", FoundBy.ALL, True),
        ("dienst", FoundBy.ALL, False),
        ("dienst", FoundBy.PARTS, True),
        ("nachtdienst", FoundBy.PARTS, False),  # found as a whole word before
        ("overdracht nachtdienst", FoundBy.SOME, True),
        ("nachtdiesnt", FoundBy.NEAR, True),
    ]:
        match = match_words(read_query(typed), by)
        assert (match is not None and holds(tokens, match)) is expected


def test_a_position_tells_its_second() -> None:
    position = story_position(told("koffie"))
    assert moment_of(position) == AT
    assert moment_of(position, later=True) == AT.replace(second=1)


def test_positions_follow_time() -> None:
    later = told("koffie", AT.replace(second=1))
    assert position_at(AT) <= story_position(told("koffie")) < position_at(later.told_at) <= story_position(later)
    assert story_position(told("x", datetime(2100, 1, 1, tzinfo=UTC))) < 2**63


@pytest.mark.parametrize("way", list(FoundBy))
def test_a_cursor_is_read_as_it_is_written(way: FoundBy) -> None:
    cursor = SearchCursor(by=way, before=story_position(told("koffie")))
    assert SearchCursor.parse(str(cursor)) == cursor
