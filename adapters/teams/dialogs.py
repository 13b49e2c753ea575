"""Form → dialog, and back: what was filled in, and the same dialog with words beside what could not be.

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

from adapters.teams.cards import Json, cut, words
from bot import wording
from bot.chat import Field, FieldErrors, Form, Message, Paragraph, Span, Value
from bot.domain.person import Language
from bot.wording import Reader

CARD = "application/vnd.microsoft.card.adaptive"
CARRIED, MARK = "ritme", "ritme_mark"
"""Under which names a dialog carries its form, and our signature."""
Sign = Callable[[str], str]
LARGEST = 200_000
"""Bytes a form may have once unpacked: far more than any of ours."""
EXPANDED = 6
"""A required choice of at most this many is shown whole, rather than behind a menu."""
TITLE, LABEL, NOTE = 60, 200, 1_000
PEOPLE = {"type": "Data.Query", "dataset": "graph.microsoft.com/users?scope=currentContext"}
"""Whom one can choose: who is in this conversation."""
_FORMS = TypeAdapter(Form)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A dialog that was sent: for which intent, with what, and where it was opened."""

    intent: str
    args: Mapping[str, Value]
    origin: Mapping[str, str]
    form: Form


def dialog(form: Form, origin: Mapping[str, str], sign: Sign, errors: Mapping[str, str] | None = None) -> Json:
    """The dialog of a form, signed for who sees it. `errors` stand above their fields, or, where those are not shown,
    above all."""
    wrong = dict(errors or {})
    fields = [field for field in form.fields if _can_be_asked(field)]
    homeless = [wrong[name] for name in wrong if name not in {field.name for field in fields}]
    body = [
        *(_wrong(sentence) for sentence in homeless),
        *words(tuple([Paragraph(spans=(Span(text=cut(form.note, NOTE)),), kind="small")] if form.note else [])),
        *(element for field in fields for element in _asked(field, wrong.get(field.name, ""), form.language)),
    ]
    packed = _packed(form, origin)
    submit = {"type": "Action.Submit", "title": cut(form.submit, TITLE), "data": {CARRIED: packed, MARK: sign(packed)}}
    return _info(form.title, {**_card(body), "actions": [submit]}, tall=len(fields) > 2)


def notice(message: Message) -> Json:
    """A dialog that says something; what can be done about it is said in one's own chat."""
    return _info("Ritme", _card(words(message.paragraphs)), tall=False)


def filled_in(data: Mapping[str, Any], sign: Sign) -> Sent:
    """What was sent. Raises `ValueError` when it is no dialog of ours, or one that somebody else was shown."""
    packed = str(data.get(CARRIED) or "")
    if not compare_digest(str(data.get(MARK) or "").encode(), sign(packed).encode()):
        raise ValueError("not what we signed")
    form, origin = _unpacked(packed)
    args: dict[str, Value] = {}
    for field in form.fields:
        typed = data.get(field.name)
        args[field.name] = _answered(field, typed if isinstance(typed, str) else "")
    return Sent(intent=form.intent, args={**args, **form.hidden}, origin=origin, form=form)


def again(sent: Sent, errors: FieldErrors, sign: Sign) -> Json:
    """The same dialog, with what was typed, and words beside what is wrong."""
    kept = tuple(replace(field, value=sent.args.get(field.name, "")) for field in sent.form.fields)
    return dialog(replace(sent.form, fields=kept), sent.origin, sign, errors.errors)


def _info(title: str, card: Json, *, tall: bool) -> Json:
    height = "large" if tall else "medium"
    return {
        "title": cut(title, TITLE),
        "height": height,
        "width": "medium",
        "card": {"contentType": CARD, "content": card},
    }


def _card(body: list[Json]) -> Json:
    return {"type": "AdaptiveCard", "version": "1.5", "body": body}


def _wrong(sentence: str) -> Json:
    run = {"type": "TextRun", "text": sentence, "color": "Attention", "weight": "Bolder"}
    return {"type": "RichTextBlock", "inlines": [run]}


def _asked(field: Field, wrong: str, language: str) -> list[Json]:
    hint = [Paragraph(spans=(Span(text=cut(field.hint, LABEL)),), kind="small")] if field.hint else []
    required = {"isRequired": True, "errorMessage": _missing(language)} if field.required else {}
    label = {"id": field.name, "label": cut(field.label, LABEL)}
    return [*([_wrong(wrong)] if wrong else []), {**label, **required, **_input(field)}, *words(tuple(hint))]


def _input(field: Field) -> Json:
    value = field.value if isinstance(field.value, str) else ""
    values = (value,) if value else field.value if isinstance(field.value, tuple) else ()
    example = {"placeholder": cut(field.example, LABEL)} if field.example else {}
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
            return {"type": "Input.ChoiceSet", "choices": [], "choices.data": PEOPLE, **many, **chosen, **example}
        case "choice" | "choices" | "place":
            return _choice(field, values, example)


def _choice(field: Field, values: tuple[str, ...], example: Json) -> Json:
    many = field.kind == "choices"
    whole = many or (field.required and len(field.options) <= EXPANDED)
    offered = {one.value for one in field.options}
    chosen = [one for one in values if one in offered]
    return {
        "type": "Input.ChoiceSet",
        "style": "expanded" if whole else "compact",
        "isMultiSelect": many,
        "wrap": True,
        "choices": [{"title": one.label, "value": one.value} for one in field.options],
        **({"value": ",".join(chosen)} if chosen else {}),
        **({} if whole else example),
    }


def _answered(field: Field, typed: str) -> Value:
    if field.kind in ("choices", "people"):
        return tuple(one for one in typed.split(",") if one)
    return typed[:5] if field.kind == "time" else typed


def _can_be_asked(field: Field) -> bool:
    """A menu without options cannot be answered."""
    return bool(field.options) or field.kind not in ("choice", "choices", "place")


def _missing(language: str) -> str:
    reader = Reader(language=Language(language), timezone="UTC", now=datetime.now(UTC))
    return wording.sentence("errors/fields.md.j2", "missing", reader)


def _packed(form: Form, origin: Mapping[str, str]) -> str:
    """The form without what stands in its fields, which comes back by itself."""
    bare = replace(form, fields=tuple(replace(field, value="") for field in form.fields))
    whole = {"form": _FORMS.dump_python(bare, mode="json"), "origin": dict(origin)}
    return b64encode(zlib.compress(json.dumps(whole, ensure_ascii=False).encode())).decode()


def _unpacked(packed: str) -> tuple[Form, dict[str, str]]:
    try:
        unpacking = zlib.decompressobj()
        whole = json.loads(unpacking.decompress(b64decode(packed, validate=True), LARGEST))
        origin = whole["origin"]
        if not isinstance(origin, dict) or not all(isinstance(one, str) for one in origin.values()):
            raise ValueError("a dialog without its origin")
        return _FORMS.validate_python(whole["form"]), origin
    except (Error, zlib.error, KeyError, TypeError, ValidationError) as problem:
        raise ValueError("no dialog of ours") from problem
