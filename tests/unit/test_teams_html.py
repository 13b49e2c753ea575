"""The HTML of Teams is read in a number of steps that grows with its size, whatever is nested or never ended in it."""

import sys
from collections.abc import Iterator
from itertools import product
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.teams import typed_words
from adapters.teams.payloads import ActedOnMessage
from adapters.teams.typed_words import _MessageParser, acted_on_words, read_html

LINK = '<a href="https://zorg.nl">'
QUOTE = '<blockquote itemtype="http://schema.skype.com/Reply">'
OPENINGS = (LINK, "<b>", "<at>", "<ul><li>", "<pre>", QUOTE, "<title>", "<table><tr><td>", "<img>", "</i>", "<![x>")
PIECES = (*OPENINGS, "</a>", "</at>", "</blockquote>", "</b>", "</title>", "</ul>", "</pre>", "woord ", "<br>")


def count_steps(html: str) -> int:
    """Return how many lines are run to read this."""
    steps = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal steps
        steps += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        read_html(html)
    finally:
        sys.settrace(before)
    return steps


def shapes(times: int) -> Iterator[str]:
    for first, inside, last in product(OPENINGS, ("", "x", LINK), ("", "</a>", "</i>", "</b>", "</title>")):
        yield f"{QUOTE if last else ''}{first * times}{inside}{last * times}"
        yield f"{(first + inside) * times}{last * times}"


def test_twice_as_much_takes_at_most_about_twice_the_steps() -> None:
    for less, more in zip(shapes(40), shapes(80), strict=True):
        assert count_steps(more) <= 2.5 * count_steps(less) + 200, more[:100]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=30))
def test_no_piece_is_looked_at_for_more_than_one_link(pieces: list[str]) -> None:
    looked = 0
    ends = _MessageParser._end_link

    def counted(parser: _MessageParser) -> None:
        nonlocal looked
        looked += len(parser.pieces) - parser._link[1] if parser._link is not None else 0
        ends(parser)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(typed_words._MessageParser, "_end_link", counted)
        read = read_html("".join(pieces) * 20)
    assert looked <= len(read.pieces)


def test_links_in_links_and_what_was_never_ended() -> None:
    def said(html: str) -> str:
        return acted_on_words(ActedOnMessage.model_validate({"body": {"contentType": "html", "content": html}}), "")[0]

    assert said(f"zie {LINK}hier</a> en daar") == "zie hier (https://zorg.nl) en daar"
    assert said(f'zie {LINK}hier <a href="https://wijk.nl">daar</a></a> ook') == (
        "zie hier (https://zorg.nl) daar (https://wijk.nl) ook"
    )
    assert said(f"{QUOTE}<b><p>weg</b></i></blockquote>gebleven") == "gebleven"
    assert said(f"{QUOTE}<b><b></b>weg</i></b>weg</blockquote>gebleven") == "gebleven"
