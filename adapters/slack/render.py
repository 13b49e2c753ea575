"""Render a `Message` as Block Kit blocks, and as the text of its notification.

What people wrote is shown in `rich_text` and `plain_text` only. Slack never looks for markup in those, so there is
nothing to escape and nothing to forget: `<!channel>`, `*bold*` and `https://…` appear as they were typed, and can
notify nobody. Only the notification text is mrkdwn to Slack; there `&`, `<` and `>` are escaped, in that order.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from pydantic_core import to_json

from adapters.slack import limits
from adapters.slack.limits import truncate_text
from bot.chat import Button, Message, Paragraph, Span

BlockKit = dict[str, Any]
"""A block, element or view of Block Kit, as JSON."""


def render_blocks(message: Message) -> list[BlockKit]:
    """Return a message as blocks: one per paragraph or list, then its buttons; at most `MAX_MESSAGE_BLOCKS`."""
    made = [*_paragraphs(_fitting(message.paragraphs))]
    pressed = tuple(one for one in message.buttons if not one.url)
    buttons = [_actions(row, number) for number, row in enumerate(_rows(pressed))]
    # A link in the text, not a button with an address: Slack would report a press of that to us as well.
    buttons += [link_block(one.label, one.url) for one in message.buttons if one.url]
    room = limits.MAX_MESSAGE_BLOCKS - len(buttons)
    if len(made) > room:
        made = [*made[: room - 1], _small("…")]
    return made + buttons


def notification_text(message: Message) -> str:
    """Return the whole message as one text, for notifications and screen readers: escaped, at most `MAX_TEXT`."""
    text = message.text.strip()
    most = limits.MAX_TEXT
    # Escaped, a character takes five at most: keep less and less of the text until it fits.
    while len(escaped := escape_mrkdwn(truncate_text(text, most))) > limits.MAX_TEXT:
        most -= max(1, (len(escaped) - limits.MAX_TEXT) // 5)
    return escaped


def escape_mrkdwn(text: str) -> str:
    """Return `text` escaped, so that Slack reads no mention, link or command in it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain_text_object(text: str, most: int) -> BlockKit:
    """Return a `plain_text` object of at most `most` characters; never an empty one, which Slack would refuse."""
    return {"type": "plain_text", "text": truncate_text(text.strip(), most) or "–", "emoji": False}


def link_block(label: str, url: str) -> BlockKit:
    """Return a line that is a link to one of our own pages."""
    link = {"type": "link", "url": url, "text": label}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [link]}]}


def dump_html_safe(content: Mapping[str, object]) -> str:
    """Return `content` as JSON without `&`, `<` and `>`, which Slack HTML-escapes in some of what it carries for us."""
    return to_json(content).decode().replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _fitting(paragraphs: tuple[Paragraph, ...]) -> Iterator[Paragraph]:
    """Yield the paragraphs, each cut to what a block holds, until the message is full."""
    room = limits.MAX_MESSAGE_TEXT
    for paragraph in paragraphs:
        if room < 2:
            return
        shown, text, most = paragraph, paragraph.text, min(room, limits.MAX_PARAGRAPH)
        if len(text) > most:
            text = truncate_text(text, most)
            shown = _keep_beginning(paragraph, len(text) - 1)
        room -= len(text)
        if text.strip():
            yield shown


def _keep_beginning(paragraph: Paragraph, left: int) -> Paragraph:
    """Return a paragraph with so many characters `left` of it, and an ellipsis."""
    spans: list[Span] = []
    for span in paragraph.spans:
        part = span.text[:left]
        left -= len(part)
        if part:
            spans.append(Span(text=part, bold=span.bold, italic=span.italic))
    return Paragraph(spans=(*spans, Span(text="…")), kind=paragraph.kind)


def _paragraphs(paragraphs: Iterator[Paragraph]) -> Iterator[BlockKit]:
    for kind, group in groupby(paragraphs, key=lambda paragraph: paragraph.kind):
        if kind == "item":
            items = [{"type": "rich_text_section", "elements": _elements(one)} for one in group]
            yield _rich({"type": "rich_text_list", "style": "bullet", "elements": items})
        elif kind == "small":
            yield from (_small(one.text) for one in group)
        else:
            style = "rich_text_quote" if kind == "quote" else "rich_text_section"
            yield from (_rich({"type": style, "elements": _elements(one)}) for one in group)


def _rich(element: BlockKit) -> BlockKit:
    return {"type": "rich_text", "elements": [element]}


def _small(text: str) -> BlockKit:
    return {"type": "context", "elements": [plain_text_object(text, limits.MAX_PARAGRAPH)]}


def _elements(paragraph: Paragraph) -> list[BlockKit]:
    """Return the paragraph's runs of one style. White space joins the run before it, as Slack wants words in each."""
    made: list[BlockKit] = []
    for span in paragraph.spans:
        style = {name: True for name, on in (("bold", span.bold), ("italic", span.italic)) if on}
        if made and (not span.text.strip() or made[-1].get("style", {}) == style):
            made[-1]["text"] += span.text
        elif span.text.strip():
            made.append({"type": "text", "text": span.text, **({"style": style} if style else {})})
    return made


def _rows(buttons: tuple[Button, ...]) -> list[tuple[Button, ...]]:
    return [buttons[start : start + limits.MAX_ROW_BUTTONS] for start in range(0, len(buttons), limits.MAX_ROW_BUTTONS)]


def _actions(buttons: tuple[Button, ...], number: int) -> BlockKit:
    return {"type": "actions", "block_id": f"buttons-{number}", "elements": [_button(one) for one in buttons]}


def _button(button: Button) -> BlockKit:
    made: BlockKit = {
        "type": "button",
        "action_id": button.name,
        "text": plain_text_object(button.label, limits.MAX_BUTTON_LABEL),
        "value": _value(button),
    }
    if button.style != "normal":
        made["style"] = button.style
    if button.confirm is not None:
        made["confirm"] = {
            "title": plain_text_object(button.label, limits.MAX_CONFIRM_TITLE),
            "text": plain_text_object(button.confirm.question, limits.MAX_CONFIRM_TEXT),
            "confirm": plain_text_object(button.confirm.yes, limits.MAX_CONFIRM_BUTTON),
            "deny": plain_text_object(button.confirm.no, limits.MAX_CONFIRM_BUTTON),
            **({"style": button.style} if button.style != "normal" else {}),
        }
    return made


def _value(button: Button) -> str:
    """Return what Slack sends back when the button is pressed: intent and arguments, as JSON."""
    args = dict(button.args)
    while len(value := dump_html_safe({"intent": button.intent, "args": args})) > limits.MAX_BUTTON_VALUE:
        # Too long is only ever a text that a form starts with, which may be shortened; ids are short.
        longest = max(args, key=lambda name: len(args[name]))
        args[longest] = truncate_text(args[longest], len(args[longest]) * 3 // 4)
    return value
