"""Render a `Form` as a modal view, and read a submitted view back."""

import json
import re
from collections.abc import Mapping
from datetime import date, time
from typing import Any

from adapters.slack import limits
from adapters.slack.limits import truncate_text
from adapters.slack.render import BlockKit, dump_html_safe, plain_text_object
from bot.chat import Field, FieldErrors, Form, Message, Option, Value
from bot.domain.person import Language
from bot.domain.plain_text import clean_text

MAX_RADIO_BUTTONS = 6
"""Up to this many options, a required choice is shown as radio buttons instead of a menu."""
_USER = re.compile(r"[UW][A-Z0-9]+")


def render_modal(form: Form, origin: Mapping[str, str]) -> BlockKit:
    """Return the view of a form. `origin` (where it was opened), its hidden values and its language travel in its
    private metadata.

    Raises `ValueError` when those do not fit: cutting an id would save something to the wrong place.
    """
    metadata = dump_html_safe({"hidden": dict(form.hidden), "origin": dict(origin), "language": form.language})
    if len(metadata) > limits.MAX_PRIVATE_METADATA:
        raise ValueError(f"form {form.intent} hides {len(metadata)} characters")
    note = [{"type": "context", "elements": [plain_text_object(form.note, limits.MAX_PARAGRAPH)]}] if form.note else []
    shown = [_input(field) for field in form.fields if _can_be_asked(field)]
    return {
        "type": "modal",
        "callback_id": form.intent,
        "title": plain_text_object(form.title, limits.MAX_MODAL_TITLE),
        "submit": plain_text_object(form.submit, limits.MAX_MODAL_TITLE),
        **({"close": plain_text_object(form.cancel, limits.MAX_MODAL_TITLE)} if form.cancel else {}),
        "private_metadata": metadata,
        "blocks": [*note, *shown][: limits.MAX_VIEW_BLOCKS],
    }


def render_notice_view(message: Message) -> BlockKit:
    """Return a view that shows a message on top of a form: closing it leads back, and nothing typed is lost."""
    section = {"type": "section", "text": plain_text_object(message.text, limits.MAX_PARAGRAPH)}
    return {"type": "modal", "title": plain_text_object("Ritme", limits.MAX_MODAL_TITLE), "blocks": [section]}


def read_submitted_view(view: Mapping[str, Any]) -> tuple[dict[str, Value], dict[str, str]]:
    """Return the arguments of a submitted view (its fields and hidden values), and where it was opened.

    Hidden values win over a field of the same name. Raises `ValueError` when the view is not one of ours.
    """
    metadata = json.loads(str(view.get("private_metadata") or "{}"))
    hidden, origin = metadata.get("hidden"), metadata.get("origin")
    # What Ritme put there is clean; an id that is not would reach the database as it is.
    if not _is_texts(hidden) or not _is_texts(origin) or any(clean_text(one) != one for one in origin.values()):
        raise ValueError("a view without its origin")
    args: dict[str, Value] = {}
    for name, inputs in view["state"]["values"].items():
        for answer in inputs.values():
            args[name] = _read_input(answer)
    return {**args, **hidden}, origin


def read_language(view: Mapping[str, Any]) -> Language:
    """Return the language of a submitted view."""
    try:
        return Language(json.loads(str(view.get("private_metadata") or "{}")).get("language"))
    except (ValueError, AttributeError):
        return Language.NL


def errors_by_block(errors: FieldErrors, view: Mapping[str, Any]) -> dict[str, str]:
    """Return error sentences by block id; errors of fields that the view does not show go to its first field, if it has
    one."""
    shown = [block["block_id"] for block in view["blocks"] if block["type"] == "input"]
    sentences: dict[str, str] = {}
    for name, sentence in errors.errors.items():
        block = name if name in shown or not shown else shown[0]
        sentences[block] = f"{sentences[block]} {sentence}" if block in sentences else sentence
    return sentences


def _is_texts(found: object) -> bool:
    return isinstance(found, dict) and all(isinstance(value, str) for value in found.values())


def _read_input(answer: Mapping[str, Any]) -> Value:
    """Return the value of one input of a submitted view; empty for a type that Ritme does not use."""
    match answer["type"]:
        case "plain_text_input":
            return answer.get("value") or ""
        case "static_select" | "radio_buttons":
            return str((answer.get("selected_option") or {}).get("value", ""))
        case "multi_static_select" | "checkboxes":
            return tuple(str(one["value"]) for one in answer.get("selected_options") or ())
        case "users_select":
            return answer.get("selected_user") or ""
        case "multi_users_select":
            return tuple(answer.get("selected_users") or ())
        case "datepicker":
            return answer.get("selected_date") or ""
        case "timepicker":
            return answer.get("selected_time") or ""
    return ""


def _can_be_asked(field: Field) -> bool:
    """Return whether a field can be shown: Slack refuses a menu without options."""
    return bool(field.options) or field.kind not in ("choice", "choices", "place")


def _input(field: Field) -> BlockKit:
    return {
        "type": "input",
        "block_id": field.name,
        "label": plain_text_object(field.label, limits.MAX_INPUT_LABEL),
        "optional": not field.required,
        **({"hint": plain_text_object(field.hint, limits.MAX_INPUT_LABEL)} if field.hint else {}),
        "element": {"action_id": field.name, **_element(field)},
    }


def _element(field: Field) -> BlockKit:
    value = field.value if isinstance(field.value, str) else ""
    values = (value,) if value else field.value if isinstance(field.value, tuple) else ()
    match field.kind:
        case "text" | "long_text":
            return _text(field, value)
        case "choice" | "place":
            return _choice(field, values)
        case "choices":
            return _choices(field, values)
        case "date":
            day = {"initial_date": value} if _reads(date.fromisoformat, value) else {}
            return {"type": "datepicker", **day}
        case "time":
            start = value or (field.at.strftime("%H:%M") if field.at else "")
            return {"type": "timepicker", **({"initial_time": start[:5]} if _reads(time.fromisoformat, start) else {})}
        case "person":
            someone = {"initial_user": value} if _USER.fullmatch(value) else {}
            return {"type": "users_select", **someone, **_placeholder(field)}
        case "people":
            users = [one for one in values if _USER.fullmatch(one)]
            return {
                "type": "multi_users_select",
                **({"initial_users": users[: field.max_items]} if users else {}),
                "max_selected_items": field.max_items,
                **_placeholder(field),
            }


def _text(field: Field, value: str) -> BlockKit:
    # A text longer than its field was saved under a wider limit; it is shown whole, and the core says what to shorten.
    most = min(max(field.max_length, len(value)), limits.MAX_INPUT_TEXT)
    if field.kind == "text":
        value = " ".join(value.split("\n"))
    return {
        "type": "plain_text_input",
        "multiline": field.kind == "long_text",
        "max_length": most,
        **({"initial_value": truncate_text(value, most)} if value else {}),
        **_placeholder(field),
    }


def _choice(field: Field, values: tuple[str, ...]) -> BlockKit:
    options = _options(field, values)
    chosen = next((one for one in options if one["value"] in values), None)
    radio = field.required and len(options) <= MAX_RADIO_BUTTONS
    return {
        "type": "radio_buttons" if radio else "static_select",
        "options": options,
        **({"initial_option": chosen} if chosen else {}),
        **({} if radio else _placeholder(field)),
    }


def _choices(field: Field, values: tuple[str, ...]) -> BlockKit:
    options = _options(field, values)
    chosen = [one for one in options if one["value"] in values]
    boxes = len(options) <= limits.MAX_CHECKBOXES
    return {
        "type": "checkboxes" if boxes else "multi_static_select",
        "options": options,
        **({"initial_options": chosen[: field.max_items]} if chosen else {}),
        **({} if boxes else {"max_selected_items": field.max_items, **_placeholder(field)}),
    }


def _options(field: Field, values: tuple[str, ...]) -> list[BlockKit]:
    """Return as many options as Slack shows; when there are more, the chosen ones come first, so that none is lost."""
    offered: list[Option] = list(field.options)
    if len(offered) > limits.MAX_OPTIONS:
        offered.sort(key=lambda option: option.value not in values)
    return [
        {"text": plain_text_object(one.label, limits.MAX_OPTION_LABEL), "value": one.value}
        for one in offered[: limits.MAX_OPTIONS]
    ]


def _placeholder(field: Field) -> BlockKit:
    return {"placeholder": plain_text_object(field.example, limits.MAX_PLACEHOLDER)} if field.example else {}


def _reads(parse: Any, value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True
