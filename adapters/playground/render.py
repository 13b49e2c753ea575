"""Message and Form → JSON for the page. Text stays plain text: the page writes it as text, never as HTML."""

from collections.abc import Mapping
from typing import Any

from adapters.playground.chat import OpenForm, Said
from bot.chat import Button, Field, Form, Message


def message(said: Message) -> dict[str, Any]:
    """What Ritme said: paragraphs of spans, and buttons without their arguments (those stay with the server)."""
    return {
        "language": said.language,
        "text": said.text,
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
            for paragraph in said.paragraphs
        ],
        "buttons": [_button(button) for button in said.buttons],
    }


def _button(button: Button) -> dict[str, Any]:
    confirm = button.confirm
    return {
        "name": button.name,
        "label": button.label,
        "style": button.style,
        "confirm": None if confirm is None else {"question": confirm.question, "yes": confirm.yes, "no": confirm.no},
    }


def form(asked: Form) -> dict[str, Any]:
    """A dialog, without its hidden values."""
    return {
        "language": asked.language,
        "title": asked.title,
        "note": asked.note,
        "submit": asked.submit,
        "cancel": asked.cancel,
        "fields": [_field(one) for one in asked.fields],
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


def open_form(opened: OpenForm) -> dict[str, Any]:
    return {"id": opened.id, "channel": opened.channel, "thread": opened.thread, **form(opened.form)}


def said(one: Said) -> dict[str, Any]:
    """A message as whoever may see it gets it."""
    return {
        "id": one.id,
        "number": one.number,
        "revision": one.revision,
        "channel": one.channel,
        "thread": one.thread,
        "author": one.author,
        "at": one.at.isoformat(),
        "private": bool(one.only),
        "text": one.text,
        "said": None if one.said is None else message(one.said),
        "edited": one.edited,
        "deleted": one.deleted,
        "reactions": _reactions(one.reactions),
    }


def _reactions(reactions: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    return {name: list(who) for name, who in reactions.items()}
