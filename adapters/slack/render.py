"""Message → text and blocks.

What people wrote is shown in `rich_text` and `plain_text` only. Slack never looks for markup in those, so there is
nothing to escape and nothing to forget: `<!channel>`, `*bold*` and `https://…` appear as they were typed, and can
notify nobody. Only the notification text is mrkdwn to Slack; there `&`, `<` and `>` are escaped, in that order.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from adapters.slack import limits
from adapters.slack.limits import cut
from bot.chat import Button, Message, Paragraph, Span

Json = dict[str, Any]


def blocks(message: Message) -> list[Json]:
    """The message as Block Kit: a block a paragraph (a list is one), then its buttons."""
    made = [*_paragraphs(_fitting(message.paragraphs))]
    buttons = [_actions(row, number) for number, row in enumerate(_rows(message.buttons))]
    room = limits.MESSAGE_BLOCKS - len(buttons)
    if len(made) > room:
        made = [*made[: room - 1], _small("…")]
    return made + buttons


def fallback(message: Message) -> str:
    """The whole message as one text, for notifications and screen readers; escaped, at most 3,900 characters."""
    text = message.text.strip()
    most = limits.TEXT
    while len(escaped := escape(cut(text, most))) > limits.TEXT:
        most -= max(1, (len(escaped) - limits.TEXT) // 5)
    return escaped


def escape(text: str) -> str:
    """`text` so that Slack reads no mention, link or command in it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain(text: str, most: int) -> Json:
    """A `plain_text` object; never empty, which Slack would refuse."""
    return {"type": "plain_text", "text": cut(text.strip(), most) or "–", "emoji": False}


def packed(content: Mapping[str, object]) -> str:
    """`content` as JSON that survives wherever Slack HTML-escapes what it carries for us."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _fitting(paragraphs: tuple[Paragraph, ...]) -> Iterator[Paragraph]:
    """The paragraphs, each cut to what a block holds, until the message is full."""
    room = limits.MESSAGE
    for paragraph in paragraphs:
        if room < 2:
            return
        shown = _cut_spans(paragraph, min(room, limits.PARAGRAPH))
        room -= len(shown.text)
        if shown.text.strip():
            yield shown


def _cut_spans(paragraph: Paragraph, most: int) -> Paragraph:
    whole = paragraph.text
    if len(whole) <= most:
        return paragraph
    shown = cut(whole, most)
    left = len(shown) - 1
    spans: list[Span] = []
    for span in paragraph.spans:
        part = span.text[:left]
        left -= len(part)
        if part:
            spans.append(Span(text=part, bold=span.bold, italic=span.italic))
    return Paragraph(spans=(*spans, Span(text="…")), kind=paragraph.kind)


def _paragraphs(paragraphs: Iterator[Paragraph]) -> Iterator[Json]:
    for kind, group in groupby(paragraphs, key=lambda paragraph: paragraph.kind):
        if kind == "item":
            items = [{"type": "rich_text_section", "elements": _elements(one)} for one in group]
            yield _rich({"type": "rich_text_list", "style": "bullet", "elements": items})
        elif kind == "small":
            yield from (_small(one.text) for one in group)
        else:
            style = "rich_text_quote" if kind == "quote" else "rich_text_section"
            yield from (_rich({"type": style, "elements": _elements(one)}) for one in group)


def _rich(element: Json) -> Json:
    return {"type": "rich_text", "elements": [element]}


def _small(text: str) -> Json:
    return {"type": "context", "elements": [plain(text, limits.PARAGRAPH)]}


def _elements(paragraph: Paragraph) -> list[Json]:
    """The paragraph's runs of one style; white space joins the run before it, for Slack wants words in each."""
    made: list[Json] = []
    for span in paragraph.spans:
        style = {name: True for name, on in (("bold", span.bold), ("italic", span.italic)) if on}
        if made and (not span.text.strip() or made[-1].get("style", {}) == style):
            made[-1]["text"] += span.text
        elif span.text.strip():
            made.append({"type": "text", "text": span.text, **({"style": style} if style else {})})
    return made


def _rows(buttons: tuple[Button, ...]) -> list[tuple[Button, ...]]:
    return [buttons[start : start + limits.ACTIONS] for start in range(0, len(buttons), limits.ACTIONS)]


def _actions(buttons: tuple[Button, ...], number: int) -> Json:
    return {"type": "actions", "block_id": f"buttons-{number}", "elements": [_button(one) for one in buttons]}


def _button(button: Button) -> Json:
    made: Json = {
        "type": "button",
        "action_id": button.name,
        "text": plain(button.label, limits.BUTTON),
        "value": _value(button),
    }
    if button.style != "normal":
        made["style"] = button.style
    if button.confirm is not None:
        made["confirm"] = {
            "title": plain(button.label, limits.CONFIRM_TITLE),
            "text": plain(button.confirm.question, limits.CONFIRM_TEXT),
            "confirm": plain(button.confirm.yes, limits.CONFIRM_BUTTON),
            "deny": plain(button.confirm.no, limits.CONFIRM_BUTTON),
            **({"style": button.style} if button.style != "normal" else {}),
        }
    return made


def _value(button: Button) -> str:
    """What a press sends back. Ids fit; a text that does not (words to start a form with) is shortened."""
    args = dict(button.args)
    while len(value := packed({"intent": button.intent, "args": args})) > limits.VALUE:
        longest = max(args, key=lambda name: len(args[name]))
        args[longest] = cut(args[longest], len(args[longest]) * 3 // 4)
    return value
