"""Message → Adaptive Card 1.5.

What people wrote stands in text runs only: Teams looks for Markdown in text blocks, never in those, so there is nothing
to escape, and `**bold**`, `[a](b)` and `<at>…</at>` appear as they were typed.
"""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from bot.chat import Button, Message, Paragraph, Span

Json = dict[str, Any]

LIMIT = 25_000
"""Bytes of a card, of the 28 kB that a message may have."""
LONGEST = 8_000
"""Characters of all paragraphs; fewer, when the bytes of a card ask for it."""
SUMMARY = 500
TITLE = 60
QUESTION = 300
ARGUMENT = 200
"""What a button carries that is longer may be shortened: ids are not, words to start a form with are."""
ROW = 5
"""Actions that Teams shows beside each other."""
STYLES = {"primary": "positive", "danger": "destructive"}


def card(
    message: Message, *, opens: frozenset[str], origin: Mapping[str, str] | None = None, limit: int = LIMIT
) -> Json:
    """The message as a card of at most `limit` bytes; its buttons always survive. A press whose intent is in `opens`
    asks for a dialog. `origin`: which place it is about, for the buttons of a message in someone's own chat."""
    room, argument = LONGEST, 4_000
    while size(made := _card(message, opens, origin, room, argument)) > limit:
        room, argument = room * 3 // 4, max(argument * 3 // 4, ARGUMENT)
        if room < 2 and argument == ARGUMENT:
            break  # more buttons than anything of ours has
    return made


def written(body: object) -> str:
    """JSON as it is sent: with people's own letters, which take half the room of their numbers."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def size(card: Json) -> int:
    return len(written(card).encode())


def fallback(message: Message) -> str:
    """The message for a notification, in which Teams reads markup: escaped."""
    return escape(cut(" ".join(message.text.split()), SUMMARY), quote=False)


def words(paragraphs: tuple[Paragraph, ...], room: int = LONGEST) -> list[Json]:
    """Paragraphs as elements of a card, cut at a word when there are more than `room` characters."""
    return [element for one in _fitting(paragraphs, room) for element in _element(one)]


def cut(text: str, most: int) -> str:
    """`text`, or as much of it as fits in `most` characters, cut at a word and ending in an ellipsis."""
    if len(text) <= most:
        return text
    head = text[: max(most - 1, 0)]
    at_word = head.rpartition(" ")[0]
    return (at_word if len(at_word) > most // 2 else head).rstrip(" \n,.;:-") + "…"


def _card(message: Message, opens: frozenset[str], origin: Mapping[str, str] | None, room: int, argument: int) -> Json:
    buttons = message.buttons
    rows = [buttons[start : start + ROW] for start in range(0, len(buttons), ROW)]
    return {
        "type": "AdaptiveCard",
        "version": "1.5",
        "fallbackText": cut(message.text.strip(), SUMMARY) or "–",
        "body": [
            *words(message.paragraphs, room),
            *({"type": "ActionSet", "actions": [_button(one, opens, origin, argument) for one in row]} for row in rows),
        ],
        "msteams": {"width": "Full"},
    }


def _fitting(paragraphs: tuple[Paragraph, ...], room: int) -> Iterator[Paragraph]:
    for paragraph in paragraphs:
        if room < 2:
            return
        whole = paragraph.text
        if len(whole) > room:
            # Styles end where the text is cut; what is said matters more.
            paragraph = Paragraph(spans=(Span(text=cut(whole, room)),), kind=paragraph.kind)
        room -= len(whole)
        if paragraph.text.strip():
            yield paragraph


def _element(paragraph: Paragraph) -> list[Json]:
    """A block a line: white space at the end of a line is not kept in a text run."""
    lines = [_block(line, paragraph.kind) for line in _lines(paragraph) if any(span.text.strip() for span in line)]
    for line in lines[1:]:
        line["spacing"] = "None"
    if paragraph.kind == "quote":
        return [{"type": "Container", "style": "emphasis", "items": lines}]
    return lines


def _lines(paragraph: Paragraph) -> list[list[Span]]:
    lines: list[list[Span]] = [[]]
    for span in paragraph.spans:
        first, *rest = span.text.split("\n")
        for number, part in enumerate((first, *rest)):
            if number:
                lines.append([])
            if part:
                lines[-1].append(Span(text=part, bold=span.bold, italic=span.italic))
    return lines


def _block(line: list[Span], kind: str) -> Json:
    small: Json = {"size": "Small", "isSubtle": True} if kind == "small" else {}
    bullet = [{"type": "TextRun", "text": "•  "}] if kind == "item" else []
    runs = [
        {
            "type": "TextRun",
            "text": span.text,
            **({"weight": "Bolder"} if span.bold else {}),
            **({"italic": True} if span.italic else {}),
            **small,
        }
        for span in line
    ]
    tight = {"spacing": "Small"} if kind in ("item", "small") else {}
    return {"type": "RichTextBlock", "inlines": [*bullet, *runs], **tight}


def _button(button: Button, opens: frozenset[str], origin: Mapping[str, str] | None, argument: int) -> Json:
    style = {"style": STYLES[button.style]} if button.style in STYLES else {}
    title = cut(button.label, TITLE) or "–"
    act = _act(button, title, opens, origin, argument)
    if button.confirm is None:
        return {**act, **style}
    question = [
        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": cut(button.confirm.question, QUESTION)}]}
    ]
    yes = {**act, "title": cut(button.confirm.yes, TITLE), **style}
    asked = {"type": "AdaptiveCard", "version": "1.5", "body": question, "actions": [yes]}
    return {"type": "Action.ShowCard", "title": title, "card": asked, **style}


def _act(button: Button, title: str, opens: frozenset[str], origin: Mapping[str, str] | None, argument: int) -> Json:
    args = {name: cut(value, argument) for name, value in button.args.items()}
    data: Json = {"intent": button.intent, "args": args, **({"origin": dict(origin)} if origin else {})}
    if button.intent in opens:
        return {"type": "Action.Submit", "title": title, "data": {"msteams": {"type": "task/fetch"}, **data}}
    return {"type": "Action.Execute", "title": title, "verb": button.intent, "data": data}
