"""Render messages and forms as JSON for the page. Text stays plain text: the page never inserts it as HTML."""

from collections.abc import Mapping
from typing import Any

from adapters.playground.chat_message import ChatMessage, OpenForm
from bot.chat import Button, Field, Form, Message


def render_content(content: Message) -> dict[str, Any]:
    """Return the content of a message by Ritme: paragraphs of spans, and buttons.

    Buttons go without their arguments: those stay on the server, where the page cannot change them.
    """
    return {
        "language": content.language,
        "text": content.text,
        "paragraphs": [
            {
                "kind": paragraph.kind,
                "spans": [
                    {
                        "text": span.text,
                        **({"bold": True} if span.bold else {}),
                        **({"italic": True} if span.italic else {}),
                    }
                    for span in paragraph.spans
                ],
            }
            for paragraph in content.paragraphs
        ],
        "buttons": [_button(button) for button in content.buttons],
    }


def _button(button: Button) -> dict[str, Any]:
    confirm = button.confirm
    return {
        "name": button.name,
        "label": button.label,
        "style": button.style,
        "url": button.url,
        "confirm": None if confirm is None else {"question": confirm.question, "yes": confirm.yes, "no": confirm.no},
    }


def render_form(form: Form) -> dict[str, Any]:
    """Return a form without its hidden values, which stay on the server."""
    return {
        "language": form.language,
        "title": form.title,
        "note": form.note,
        "submit": form.submit,
        "cancel": form.cancel,
        "fields": [_field(one) for one in form.fields],
    }


def _field(one: Field) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "label": one.label,
        "example": one.example,
        "hint": one.hint,
        "required": one.required,
        "value": list(one.value) if isinstance(one.value, tuple) else one.value,
        "options": [{"value": option.value, "label": option.label} for option in one.options],
        "max_length": one.max_length,
        "max_items": one.max_items,
        "earliest": one.earliest.isoformat() if one.earliest else None,
        "latest": one.latest.isoformat() if one.latest else None,
    }


def render_open_form(opened: OpenForm) -> dict[str, Any]:
    """Return an open form with its id and place."""
    return {
        "id": opened.id,
        "channel": opened.channel,
        "thread": opened.thread,
        "intent": opened.form.intent,
        **render_form(opened.form),
    }


def render_message(message: ChatMessage) -> dict[str, Any]:
    """Return a message for the pages of those who may see it; the caller checks that."""
    return {
        "id": message.id,
        "number": message.number,
        "revision": message.revision,
        "channel": message.channel,
        "thread": message.thread,
        "author": message.author,
        "at": message.at.isoformat(),
        "private": bool(message.only),
        "text": message.text,
        "said": None if message.said is None else render_content(message.said),
        "file": None if message.file is None else {"name": message.file.name, "label": message.file.label},
        "picture": None if message.picture is None else {"text": message.picture.text},
        "edited": message.edited,
        "deleted": message.deleted,
        "reactions": _reactions(message.reactions),
    }


def _reactions(reactions: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    return {name: list(who) for name, who in reactions.items()}
