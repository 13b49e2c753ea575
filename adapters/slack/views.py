"""Form → modal view, and back: what was filled in, and words for what could not be."""

import json
import re
from collections.abc import Mapping
from datetime import date, time
from typing import Any

from adapters.slack import limits
from adapters.slack.limits import cut
from adapters.slack.render import Json, packed, plain
from bot.chat import Field, FieldErrors, Form, Message, Option, Value

RADIOS = 6
"""A required choice of at most this many is shown whole, rather than behind a menu."""
_USER = re.compile(r"[UW][A-Z0-9]+")


def modal(form: Form, origin: Mapping[str, str]) -> Json:
    """The view of a form. `origin` (where it was opened) and what the form hides travel in its private metadata.

    Raises `ValueError` when those do not fit: cutting an id would save something to the wrong place.
    """
    metadata = packed({"hidden": dict(form.hidden), "origin": dict(origin)})
    if len(metadata) > limits.METADATA:
        raise ValueError(f"form {form.intent} hides {len(metadata)} characters")
    note = [{"type": "context", "elements": [plain(form.note, limits.PARAGRAPH)]}] if form.note else []
    shown = [_input(field) for field in form.fields if _can_be_asked(field)]
    return {
        "type": "modal",
        "callback_id": form.intent,
        "title": plain(form.title, limits.TITLE),
        "submit": plain(form.submit, limits.TITLE),
        **({"close": plain(form.cancel, limits.TITLE)} if form.cancel else {}),
        "private_metadata": metadata,
        "blocks": [*note, *shown][: limits.VIEW_BLOCKS],
    }


def notice(message: Message) -> Json:
    """A view that says something on top of a form: closing it leads back, and nothing typed is lost."""
    said = {"type": "section", "text": plain(message.text, limits.PARAGRAPH)}
    return {"type": "modal", "title": plain("Ritme", limits.TITLE), "blocks": [said]}


def filled_in(view: Mapping[str, Any]) -> tuple[dict[str, Value], dict[str, str]]:
    """The arguments of a submitted view (its fields, and what it hid), and where it was opened.

    Raises `ValueError` when it is not one of ours.
    """
    metadata = json.loads(str(view.get("private_metadata") or "{}"))
    hidden, origin = metadata.get("hidden"), metadata.get("origin")
    if not _is_texts(hidden) or not _is_texts(origin):
        raise ValueError("a view without its origin")
    args: dict[str, Value] = {}
    for name, inputs in view["state"]["values"].items():
        for answer in inputs.values():
            args[name] = _answered(answer)
    return {**args, **hidden}, origin


def beside(errors: FieldErrors, view: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong, by block. What cannot stand beside its own field, because it is not shown, stands at the first."""
    shown = [block["block_id"] for block in view["blocks"] if block["type"] == "input"]
    placed: dict[str, str] = {}
    for name, sentence in errors.errors.items():
        where = name if name in shown else shown[0]
        placed[where] = f"{placed[where]} {sentence}" if where in placed else sentence
    return placed


def _is_texts(found: object) -> bool:
    return isinstance(found, dict) and all(isinstance(value, str) for value in found.values())


def _answered(answer: Mapping[str, Any]) -> Value:
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
    """Slack refuses a menu without options."""
    return bool(field.options) or field.kind not in ("choice", "choices", "place")


def _input(field: Field) -> Json:
    return {
        "type": "input",
        "block_id": field.name,
        "label": plain(field.label, limits.LABEL),
        "optional": not field.required,
        **({"hint": plain(field.hint, limits.LABEL)} if field.hint else {}),
        "element": {"action_id": field.name, **_element(field)},
    }


def _element(field: Field) -> Json:
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


def _text(field: Field, value: str) -> Json:
    # A text longer than its field was saved under a wider limit; it is shown whole, and the core says what to shorten.
    most = min(max(field.max_length, len(value)), limits.INPUT)
    if field.kind == "text":
        value = " ".join(value.split("\n"))
    return {
        "type": "plain_text_input",
        "multiline": field.kind == "long_text",
        "max_length": most,
        **({"initial_value": cut(value, most)} if value else {}),
        **_placeholder(field),
    }


def _choice(field: Field, values: tuple[str, ...]) -> Json:
    options = _options(field, values)
    chosen = next((one for one in options if one["value"] in values), None)
    radio = field.required and len(options) <= RADIOS
    return {
        "type": "radio_buttons" if radio else "static_select",
        "options": options,
        **({"initial_option": chosen} if chosen else {}),
        **({} if radio else _placeholder(field)),
    }


def _choices(field: Field, values: tuple[str, ...]) -> Json:
    options = _options(field, values)
    chosen = [one for one in options if one["value"] in values]
    boxes = len(options) <= limits.CHECKBOXES
    return {
        "type": "checkboxes" if boxes else "multi_static_select",
        "options": options,
        **({"initial_options": chosen[: field.max_items]} if chosen else {}),
        **({} if boxes else {"max_selected_items": field.max_items, **_placeholder(field)}),
    }


def _options(field: Field, values: tuple[str, ...]) -> list[Json]:
    """As many as Slack shows; when there are more, those already chosen come first, so that none is lost."""
    offered: list[Option] = list(field.options)
    if len(offered) > limits.OPTIONS:
        offered.sort(key=lambda option: option.value not in values)
    return [{"text": plain(one.label, limits.OPTION), "value": one.value} for one in offered[: limits.OPTIONS]]


def _placeholder(field: Field) -> Json:
    return {"placeholder": plain(field.example, limits.PLACEHOLDER)} if field.example else {}


def _reads(parse: Any, value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True
