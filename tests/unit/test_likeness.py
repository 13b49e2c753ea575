"""Texts about the same are found among others, by words that say what they are about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.likeness import find_alike

TRIED = {
    "handover": "De overdracht aan de nachtdienst duurt te lang, we lopen alles dubbel door",
    "walking": "Wandelen na het eten met bewoners, elke dag een rondje door de tuin",
    "family": "De familie wil meer horen, we bellen nu elke vrijdag met de dochter",
    "forms": "Te veel formulieren bij een opname, we schrapten er drie",
    "coffee": "Coffee with the neighbours on Thursday morning, whoever wants joins",
    "rules": "We are not allowed to open the kitchen in the evening",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hoe korten we de overdracht in? De nachtdienst wacht", "handover"),
        ("Niemand gaat mee wandelen met de bewoners", "walking"),
        ("Ik krijg de familie niet mee, ze bellen steeds boos op", "family"),
        ("Al die formulieren kosten tijd", "forms"),
        ("Nobody comes to our coffee morning for neighbours", "coffee"),
        ("The kitchen stays closed, it is not allowed", "rules"),
    ],
)
def test_a_text_about_the_same_is_found_first(text: str, expected: str) -> None:
    assert find_alike(text, TRIED, most=3)[:1] == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "Ik weet niet hoe ik verder moet",
        "We zitten vast en het lukt nog niet met het team",
        "I do not know what to do next",
        "De planning van de vakantie loopt niet",
        "",
        "👍",
    ],
)
def test_words_that_anyone_uses_make_nothing_alike(text: str) -> None:
    assert find_alike(text, TRIED, most=3) == []


def test_at_most_so_many_are_returned_the_most_alike_first() -> None:
    texts = {1: "tuin", 2: "tuin en bewoners", 3: "tuin, bewoners en wandelen", 4: "keuken"}
    assert find_alike("wandelen met bewoners in de tuin", texts, most=2) == [3, 2]


def test_equally_alike_texts_keep_their_order() -> None:
    assert find_alike("tuin", {"b": "tuin", "a": "tuin"}, most=2) == ["b", "a"]


@given(st.text(max_size=80), st.dictionaries(st.integers(), st.text(max_size=80), max_size=6))
def test_any_text_can_be_compared(text: str, others: dict[int, str]) -> None:
    found = find_alike(text, others, most=2)
    assert len(found) <= 2
    assert set(found) <= set(others)
