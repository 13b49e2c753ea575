"""Parse the Markdown subset of the templates into paragraphs and spans.

A value, such as text a person typed, travels through templates as an *atom*: `wrap_atom` puts it between private-use
characters, and the parser copies atoms into spans untouched. So a value can never become markup, whatever it holds.
The subset: paragraphs, `- ` items, `> ` quotes, `~ ` small print, `**bold**`, `_italic_`.
"""

import re
from typing import Literal

from bot.chat import Paragraph, Span
from bot.domain.plain_text import clean_text, isolate_text

_OPEN, _CLOSE, _NEWLINE = "\ue000", "\ue001", "\ue002"
_TOKEN = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}|(\\*\\*)|((?<![^\\W_])_|_(?![^\\W_]))")
_SPACES = re.compile(f"({_OPEN}[^{_CLOSE}]*{_CLOSE})| {{2,}}")
_MARKS = re.compile(f"[{_OPEN}{_CLOSE}{_NEWLINE}]")
_KINDS: dict[str, Literal["text", "item", "quote", "small"]] = {"- ": "item", "> ": "quote", "~ ": "small"}


def wrap_atom(value: object) -> str:
    """Wrap a value so that nothing in it is read as markup or reorders the words around it; unprintable characters are
    left out. Empty stays empty."""
    if value == "":
        return ""
    shown = isolate_text(_MARKS.sub("", clean_text(str(value))))
    return f"{_OPEN}{shown.replace(chr(10), _NEWLINE)}{_CLOSE}"


def to_plain_line(text: str) -> str:
    """Return rendered text as one line without atoms, for labels and titles; markup characters stay as they are."""
    kept = text.replace(_OPEN, "").replace(_CLOSE, "").replace(_NEWLINE, " ")
    return " ".join(kept.split())


def parse_paragraphs(text: str) -> tuple[Paragraph, ...]:
    """Parse rendered text into paragraphs; lines that follow each other are one, as in Markdown, and so are spaces."""
    found: list[tuple[Literal["text", "item", "quote", "small"], str]] = []
    starts_paragraph = True
    for line in text.split("\n"):
        if not line.strip():
            starts_paragraph = True
            continue
        kind = _KINDS.get(line.lstrip()[:2], "text")
        rest = _join_spaces(line.strip() if kind == "text" else line.lstrip()[2:].strip())
        if not starts_paragraph and found and kind == found[-1][0] and kind != "item":
            found[-1] = (kind, f"{found[-1][1]} {rest}")
        elif not starts_paragraph and found and kind == "text" and found[-1][0] == "item":
            # A line under an item without a mark of its own goes on with that item.
            found[-1] = ("item", f"{found[-1][1]} {rest}")
        else:
            found.append((kind, rest))
        starts_paragraph = False
    parsed = tuple(Paragraph(kind=kind, spans=_parse_spans(body)) for kind, body in found)
    # A line that held only an empty value is no paragraph.
    return tuple(one for one in parsed if one.text.strip())


def _join_spaces(text: str) -> str:
    """Return the text with one space where an empty value left several; those within values stay."""
    return _SPACES.sub(lambda found: found.group(1) or " ", text)


def _parse_spans(text: str) -> tuple[Span, ...]:
    spans: list[Span] = []
    bold = italic = False
    at = 0

    def add(part: str) -> None:
        if part:
            spans.append(Span(text=part, bold=bold, italic=italic))

    for token in _TOKEN.finditer(text):
        add(text[at : token.start()])
        at = token.end()
        if token.group(1) is not None:
            add(token.group(1).replace(_NEWLINE, "\n"))  # an atom: text as it is, whatever characters it holds
        elif token.group(2):
            bold = not bold
        else:
            italic = not italic
    add(text[at:])
    return tuple(spans)
