"""Render a message as an Adaptive Card, version 1.5.

People's words are put in text runs only: Teams looks for Markdown in text blocks, never in those, so there is nothing
to escape, and `**bold**`, `[a](b)` and `<at>…</at>` appear as they were typed.
"""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from bot.chat import Button, Message, Paragraph, Span

CardJson = dict[str, Any]
"""A card, or an element of one."""
ADAPTIVE_CARD_TYPE = "application/vnd.microsoft.card.adaptive"
MAX_CARD_BYTES = 25_000
"""Of a card, of the 28 kB that a message may have."""
MAX_CARD_TEXT = 8_000
"""Of all paragraphs; fewer, when the bytes of a card ask for it."""
MAX_SUMMARY = 500
MAX_ACTION_TITLE = 60
MAX_QUESTION = 300
MAX_ARGUMENT = 4_000
"""Characters of one argument of a button."""
MIN_ARGUMENT = 200
"""A longer argument may be shortened to this: ids are not longer, words to start a form with are."""
ACTIONS_PER_ROW = 5
"""Actions that Teams shows beside each other."""
BUTTON_STYLES = {"primary": "positive", "danger": "destructive"}
"""Style of a button → style of an action."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def render_card(
    message: Message,
    *,
    opens: frozenset[str],
    origin: Mapping[str, str] | None = None,
    link: tuple[str, str] | None = None,
    limit: int = MAX_CARD_BYTES,
) -> CardJson:
    """Return the message as a card of at most `limit` bytes; its buttons always survive. A press whose intent is in
    `opens`, or of a button that is for a form, asks for a dialog. `origin`: which place it is about, for the buttons of
    a message in someone's own chat; `link`: a label and an address, for a button below all others."""
    room, argument = MAX_CARD_TEXT, MAX_ARGUMENT
    # A character takes one byte or several, and styles and buttons take some: a quarter less, until it fits.
    while card_bytes(card := _card(message, opens, origin, link, room, argument)) > limit:
        room, argument = room * 3 // 4, max(argument * 3 // 4, MIN_ARGUMENT)
        if room < 2 and argument == MIN_ARGUMENT:
            break  # more buttons than anything of ours has
    return card


def dump_json(body: object) -> str:
    """Return JSON as it is sent: people's own letters, which take less room than their escapes."""
    return _ENCODER.encode(body)


def card_bytes(card: CardJson) -> int:
    """Return how many bytes a card takes when it is sent."""
    return len(dump_json(card).encode())


def notification_summary(message: Message) -> str:
    """Return the message for a notification, escaped: there, Teams reads markup."""
    return escape(shorten_at_word(" ".join(message.text.split()), MAX_SUMMARY), quote=False)


def render_paragraphs(paragraphs: tuple[Paragraph, ...], room: int = MAX_CARD_TEXT) -> list[CardJson]:
    """Return paragraphs as elements of a card, cut at a word when there are more than `room` characters."""
    return [element for one in _fit(paragraphs, room) for element in _elements(one)]


def shorten_at_word(text: str, most: int) -> str:
    """Return `text`, or as much of it as fits in `most` characters, cut at a word and ending in an ellipsis."""
    if len(text) <= most:
        return text
    head = text[: max(most - 1, 0)]
    at_word = head.rpartition(" ")[0]
    # A word longer than half of what fits is cut itself: better than showing almost nothing.
    return (at_word if len(at_word) > most // 2 else head).rstrip(" \n,.;:-") + "…"


def _card(
    message: Message,
    opens: frozenset[str],
    origin: Mapping[str, str] | None,
    link: tuple[str, str] | None,
    room: int,
    argument: int,
) -> CardJson:
    buttons = message.buttons
    rows = [buttons[start : start + ACTIONS_PER_ROW] for start in range(0, len(buttons), ACTIONS_PER_ROW)]
    return {
        "type": "AdaptiveCard",
        "version": "1.5",
        "fallbackText": shorten_at_word(message.text.strip(), MAX_SUMMARY) or "–",
        "body": [
            *render_paragraphs(message.paragraphs, room),
            *({"type": "ActionSet", "actions": [_button(one, opens, origin, argument) for one in row]} for row in rows),
            *([_link(*link)] if link is not None else ()),
        ],
        "msteams": {"width": "Full"},
    }


def _fit(paragraphs: tuple[Paragraph, ...], room: int) -> Iterator[Paragraph]:
    for paragraph in paragraphs:
        if room < 2:
            return
        whole = paragraph.text
        if len(whole) > room:
            # Styles end where the text is cut; what is said matters more.
            paragraph = Paragraph(spans=(Span(text=shorten_at_word(whole, room)),), kind=paragraph.kind)
        room -= len(whole)
        if paragraph.text.strip():
            yield paragraph


def _elements(paragraph: Paragraph) -> list[CardJson]:
    """Return a block per line: white space at the end of a line is not kept in a text run."""
    lines = [_block(line, paragraph.kind) for line in _lines(paragraph) if any(span.text.strip() for span in line)]
    for line in lines[1:]:
        line["spacing"] = "None"
    if paragraph.kind == "quote":
        return [{"type": "Container", "style": "emphasis", "items": lines}]
    return lines


def _lines(paragraph: Paragraph) -> list[list[Span]]:
    lines: list[list[Span]] = [[]]
    for span in paragraph.spans:
        for number, part in enumerate(_split_lines(span)):
            if number:
                lines.append([])
            if part.text:
                lines[-1].append(part)
    return lines


def _split_lines(span: Span) -> list[Span]:
    if "\n" not in span.text:
        return [span]
    return [Span(text=part, bold=span.bold, italic=span.italic) for part in span.text.split("\n")]


def _block(line: list[Span], kind: str) -> CardJson:
    small: CardJson = {"size": "Small", "isSubtle": True} if kind == "small" else {}
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
    spacing = {"spacing": "Small"} if kind in ("item", "small") else {}
    return {"type": "RichTextBlock", "inlines": [*bullet, *runs], **spacing}


def _button(button: Button, opens: frozenset[str], origin: Mapping[str, str] | None, argument: int) -> CardJson:
    if button.url:
        title = shorten_at_word(button.label, MAX_ACTION_TITLE) or "–"
        return {"type": "Action.OpenUrl", "title": title, "url": button.url}
    style = {"style": BUTTON_STYLES[button.style]} if button.style in BUTTON_STYLES else {}
    title = shorten_at_word(button.label, MAX_ACTION_TITLE) or "–"
    action = _action(button, title, opens, origin, argument)
    if button.confirm is None:
        return {**action, **style}
    question = [
        {
            "type": "RichTextBlock",
            "inlines": [{"type": "TextRun", "text": shorten_at_word(button.confirm.question, MAX_QUESTION)}],
        }
    ]
    yes = {**action, "title": shorten_at_word(button.confirm.yes, MAX_ACTION_TITLE), **style}
    question_card = {"type": "AdaptiveCard", "version": "1.5", "body": question, "actions": [yes]}
    return {"type": "Action.ShowCard", "title": title, "card": question_card, **style}


def _link(label: str, url: str) -> CardJson:
    title = shorten_at_word(label, MAX_ACTION_TITLE) or "–"
    return {"type": "ActionSet", "actions": [{"type": "Action.OpenUrl", "title": title, "url": url}]}


def _action(
    button: Button, title: str, opens: frozenset[str], origin: Mapping[str, str] | None, argument: int
) -> CardJson:
    args = {name: shorten_at_word(value, argument) for name, value in button.args.items()}
    data: CardJson = {"intent": button.intent, "args": args, **({"origin": dict(origin)} if origin else {})}
    if button.form or button.intent in opens:
        return {"type": "Action.Submit", "title": title, "data": {"msteams": {"type": "task/fetch"}, **data}}
    return {"type": "Action.Execute", "title": title, "verb": button.intent, "data": data}
