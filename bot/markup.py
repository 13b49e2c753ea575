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
# Every choice begins with a character, and not with a group or a look behind it: so all others are skipped quickly.
_TOKEN = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}|\\*(\\*)|_(?:(?![^\\W_])|(?<![^\\W_]_))")
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
    parsed = [Paragraph(kind=kind, spans=_parse_spans(body)) for kind, body in found]
    # A line that held only an empty value is no paragraph.
    return tuple([one for one in parsed if one.text.strip()])


def _join_spaces(text: str) -> str:
    """Return the text with one space where an empty value left several; those within values stay."""
    return _SPACES.sub(lambda found: found.group(1) or " ", text) if "  " in text else text


def _parse_spans(text: str) -> tuple[Span, ...]:
    spans: list[Span] = []
    bold = italic = False
    at = 0
    for token in _TOKEN.finditer(text):
        if token.start() > at:
            spans.append(Span(text=text[at : token.start()], bold=bold, italic=italic))
        at = token.end()
        atom, stars = token.groups()
        if atom:  # text as it is, whatever characters it holds
            spans.append(Span(text=atom.replace(_NEWLINE, "\n"), bold=bold, italic=italic))
        elif stars:
            bold = not bold
        elif atom is None:
            italic = not italic
    if at < len(text):
        spans.append(Span(text=text[at:], bold=bold, italic=italic))
    return tuple(spans)
