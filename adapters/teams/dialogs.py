"""Render a form as a dialog (a task module), and read it when it is sent.

Between the two nothing is kept here: the form travels with its dialog, and comes back when it is sent.
"""

import json
import zlib
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Any

from pydantic import TypeAdapter, ValidationError

from adapters.teams.cards import ADAPTIVE_CARD_TYPE, CardJson, render_paragraphs, shorten_at_word
from bot import wording
from bot.catalogue.forms import missing_reason
from bot.chat import Field, FieldErrors, FieldKind, Form, Message, Paragraph, Span, Value
from bot.domain.person import Language
from bot.wording import Reader

FORM_KEY, SIGNATURE_KEY = "ritme", "ritme_mark"
"""Keys under which a dialog carries its form, and our signature of it."""
Sign = Callable[[str], str]
"""Returns the signature of a text, for the person who sees it."""
MAX_UNPACKED_BYTES = 200_000
"""Of a form that comes back: far more than any of ours."""
MAX_EXPANDED_CHOICES = 6
"""A required choice of at most this many is shown whole, rather than behind a menu."""
MAX_DIALOG_TITLE, MAX_FIELD_LABEL, MAX_DIALOG_NOTE = 60, 200, 1_000
PEOPLE_QUERY = {"type": "Data.Query", "dataset": "graph.microsoft.com/users?scope=currentContext"}
"""Offers the people of this conversation to choose from."""
_FORMS = TypeAdapter(Form)


@dataclass(frozen=True, kw_only=True)
class DialogSubmission:
    """A dialog that was sent: for which intent, with what, and where it was opened."""

    intent: str
    args: Mapping[str, Value]
    origin: Mapping[str, str]
    form: Form


def render_dialog(
    form: Form, origin: Mapping[str, str], sign: Sign, errors: Mapping[str, str] | None = None
) -> CardJson:
    """Return the dialog of a form, signed for who sees it. `errors` stand above their fields, or, where those are not
    shown, above all."""
    wrong = dict(errors or {})
    fields = [field for field in form.fields if _is_answerable(field)]
    general_errors = [wrong[name] for name in wrong if name not in {field.name for field in fields}]
    body = [
        *(_error_line(sentence) for sentence in general_errors),
        *(_small_print(form.note, MAX_DIALOG_NOTE) if form.note else []),
        *(element for field in fields for element in _field_elements(field, wrong.get(field.name, ""), form.language)),
    ]
    packed = _pack(form, origin)
    submit = {
        "type": "Action.Submit",
        "title": shorten_at_word(form.submit, MAX_DIALOG_TITLE),
        "data": {FORM_KEY: packed, SIGNATURE_KEY: sign(packed)},
    }
    return _task_info(form.title, {**_card(body), "actions": [submit]}, tall=len(fields) > 2)


def render_notice(message: Message) -> CardJson:
    """Return a dialog that shows a message without its buttons: those are sent to one's own chat."""
    return _task_info("Ritme", _card(render_paragraphs(message.paragraphs)), tall=False)


def parse_dialog(data: Mapping[str, Any], sign: Sign) -> DialogSubmission:
    """Read the data of a dialog that was sent. Raises `ValueError` when it is no dialog of ours, or one that somebody
    else was shown."""
    packed = str(data.get(FORM_KEY) or "")
    # The signature comes first: nothing is unpacked that we did not pack.
    if not compare_digest(str(data.get(SIGNATURE_KEY) or "").encode(), sign(packed).encode()):
        raise ValueError("not what we signed")
    form, origin = _unpack(packed)
    args: dict[str, Value] = {}
    for field in form.fields:
        typed = data.get(field.name)
        args[field.name] = _read_value(field, typed if isinstance(typed, str) else "")
    return DialogSubmission(intent=form.intent, args={**args, **form.hidden}, origin=origin, form=form)


def render_with_errors(sent: DialogSubmission, errors: FieldErrors, sign: Sign) -> CardJson:
    """Return the dialog again, with what was typed, and words beside what is wrong."""
    fields = tuple(replace(field, value=sent.args.get(field.name, "")) for field in sent.form.fields)
    return render_dialog(replace(sent.form, fields=fields), sent.origin, sign, errors.errors)


def _task_info(title: str, card: CardJson, *, tall: bool) -> CardJson:
    height = "large" if tall else "medium"
    return {
        "title": shorten_at_word(title, MAX_DIALOG_TITLE),
        "height": height,
        "width": "medium",
        "card": {"contentType": ADAPTIVE_CARD_TYPE, "content": card},
    }


def _card(body: list[CardJson]) -> CardJson:
    return {"type": "AdaptiveCard", "version": "1.5", "body": body}


def _error_line(sentence: str) -> CardJson:
    run = {"type": "TextRun", "text": sentence, "color": "Attention", "weight": "Bolder"}
    return {"type": "RichTextBlock", "inlines": [run]}


def _small_print(text: str, most: int) -> list[CardJson]:
    return render_paragraphs((Paragraph(spans=(Span(text=shorten_at_word(text, most)),), kind="small"),))


def _field_elements(field: Field, error: str, language: str) -> list[CardJson]:
    required = {"isRequired": True, "errorMessage": _missing_message(field.kind, language)} if field.required else {}
    label = {"id": field.name, "label": shorten_at_word(field.label, MAX_FIELD_LABEL)}
    return [
        *([_error_line(error)] if error else []),
        {**label, **required, **_input(field)},
        *(_small_print(field.hint, MAX_FIELD_LABEL) if field.hint else []),
    ]


def _input(field: Field) -> CardJson:
    value = field.value if isinstance(field.value, str) else ""
    values = (value,) if value else field.value if isinstance(field.value, tuple) else ()
    example = {"placeholder": shorten_at_word(field.example, MAX_FIELD_LABEL)} if field.example else {}
    match field.kind:
        case "text" | "long_text":
            # A text longer than its field is shown whole, and the core says what to shorten.
            most = {"maxLength": max(field.max_length, len(value)), "isMultiline": field.kind == "long_text"}
            return {"type": "Input.Text", **most, **({"value": value} if value else {}), **example}
        case "date":
            limits = {"min": field.earliest, "max": field.latest}
            shown = {name: day.isoformat() for name, day in limits.items() if day is not None}
            return {"type": "Input.Date", **shown, **({"value": value} if value else {})}
        case "time":
            start = value or (field.at.strftime("%H:%M") if field.at else "")
            return {"type": "Input.Time", **({"value": start[:5]} if start else {})}
        case "person" | "people":
            chosen = {"value": ",".join(values)} if values else {}
            many = {"isMultiSelect": field.kind == "people"}
            return {"type": "Input.ChoiceSet", "choices": [], "choices.data": PEOPLE_QUERY, **many, **chosen, **example}
        case "choice" | "choices" | "place":
            return _choice_input(field, values, example)


def _choice_input(field: Field, values: tuple[str, ...], example: CardJson) -> CardJson:
    is_multiple = field.kind == "choices"
    is_expanded = is_multiple or (field.required and len(field.options) <= MAX_EXPANDED_CHOICES)
    offered = {option.value for option in field.options}
    chosen = [value for value in values if value in offered]
    return {
        "type": "Input.ChoiceSet",
        "style": "expanded" if is_expanded else "compact",
        "isMultiSelect": is_multiple,
        "wrap": True,
        "choices": [{"title": option.label, "value": option.value} for option in field.options],
        **({"value": ",".join(chosen)} if chosen else {}),
        **({} if is_expanded else example),
    }


def _read_value(field: Field, typed: str) -> Value:
    if field.kind in ("choices", "people"):
        return tuple(value for value in typed.split(",") if value)
    return typed[:5] if field.kind == "time" else typed


def _is_answerable(field: Field) -> bool:
    """Return whether a field can be filled in: a menu without options cannot."""
    return bool(field.options) or field.kind not in ("choice", "choices", "place")


def _missing_message(kind: FieldKind, language: str) -> str:
    reader = Reader(language=Language(language), timezone="UTC", now=datetime.now(UTC))
    return wording.render_sentence("errors/fields.md.j2", missing_reason(kind), reader)


def _pack(form: Form, origin: Mapping[str, str]) -> str:
    """Return the form and origin, compressed, without what stands in its fields: that comes back by itself."""
    bare = replace(form, fields=tuple(replace(field, value="") for field in form.fields))
    whole = {"form": _FORMS.dump_python(bare, mode="json"), "origin": dict(origin)}
    return b64encode(zlib.compress(json.dumps(whole, ensure_ascii=False).encode())).decode()


def _unpack(packed: str) -> tuple[Form, dict[str, str]]:
    try:
        # Bounded: a small text can decompress to any size.
        unpacked = zlib.decompressobj().decompress(b64decode(packed, validate=True), MAX_UNPACKED_BYTES)
        whole = json.loads(unpacked)
        origin = whole["origin"]
        if not isinstance(origin, dict) or not all(isinstance(value, str) for value in origin.values()):
            raise ValueError("a dialog without its origin")
        return _FORMS.validate_python(whole["form"]), origin
    except (Error, zlib.error, KeyError, TypeError, ValidationError) as problem:
        raise ValueError("no dialog of ours") from problem
