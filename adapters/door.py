"""Check what comes in from outside, once: its bytes, its shape, its text and its ids.

A platform describes what it reads in models (`Inbound`), whose other fields are ignored. Whatever does not fit raises
`BadInput`, which the web application answers with status 400 and logs as one line, without anything of what was sent.
"""

import json
from functools import cache
from typing import Annotated, Any, NoReturn, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from bot.domain.plain_text import clean_text

LARGEST_BODY = 1_000_000
"""Bytes of a request's body, at most; the largest form people can send is far below it."""
DEEPEST = 64
"""Lists and objects within each other, at most; Slack's deepest views have about twenty."""
MOST_FORM_FIELDS = 100
MAX_REPORTED = 4
"""Problems of one body that its line in the log names."""
MAX_PLATFORM_ID = 200
MAX_ACCOUNT_ID = 128
MAX_TENANT_ID = 56
"""Of a platform's own id of a workspace: with the platform's name before it, it fits where ids of workspaces are
stored."""


class BadInput(Exception):
    """A body that is not what it has to be. `reason` names places and kinds of problem, never what stands there."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Inbound(BaseModel):
    """The part of a body, or of an object in it, that is read: values are not converted, other fields ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)


def _clean(value: object) -> object:
    return clean_text(value) if isinstance(value, str) else value


def _check_id(value: str) -> str:
    if " " in value or not value.isprintable():
        raise ValueError("is no id")
    return value


CleanText = Annotated[str, BeforeValidator(_clean)]
"""Words of a person, or a name: cleaned (see `clean_text`), of any length."""
# Ids are not cleaned but refused: with a character less, an id is that of something else.
PlatformId = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PLATFORM_ID), AfterValidator(_check_id)]
"""A platform's id of a channel, message, thread, form or event."""
AccountId = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ACCOUNT_ID), AfterValidator(_check_id)]
"""A platform's id of a person or bot."""
TenantId = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TENANT_ID), AfterValidator(_check_id)]
"""A platform's id of a workspace: Slack's of a team or enterprise, Microsoft's of a tenant."""
M = TypeVar("M", bound=BaseModel)


async def read_body(request: web.Request, most: int = LARGEST_BODY) -> bytes:
    """Return the bytes of a request. Raises `web.HTTPRequestEntityTooLarge`, or `BadInput` when they cannot be
    unpacked."""
    if (request.content_length or 0) > most:
        raise web.HTTPRequestEntityTooLarge(max_size=most, actual_size=request.content_length or 0)
    try:
        raw = await request.read()
    except web.RequestPayloadError:
        raise BadInput("body: encoding") from None
    if len(raw) > most:
        raise web.HTTPRequestEntityTooLarge(max_size=most, actual_size=len(raw))
    return raw


def decode_json(raw: bytes | str) -> Any:
    """Return what a JSON text holds, with every text in it cleaned. Of a field that is there twice, the last counts.
    Raises `BadInput`."""
    try:
        text = raw.decode("utf-8-sig") if isinstance(raw, bytes) else raw
        decoded = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise BadInput("body: json") from None
    return clean_json(decoded)


def decode_form(raw: bytes | str) -> dict[str, str]:
    """Return the fields of a form (`application/x-www-form-urlencoded`), cleaned; of one that is there twice the last.
    Raises `BadInput`."""
    return dict(decode_form_pairs(raw))


def decode_form_pairs(raw: bytes | str) -> list[tuple[str, str]]:
    """Return every field of a form, in order, cleaned. Raises `BadInput`."""
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FORM_FIELDS, errors="strict")
    except ValueError:
        raise BadInput("body: form") from None
    return [(clean_text(name), clean_text(value)) for name, value in fields]


def clean_json(value: Any, depth: int = 0) -> Any:
    """Return decoded JSON with every text in it cleaned. Raises `BadInput` where it is nested too deeply."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        _check_depth(depth)
        return {clean_text(str(name)): clean_json(one, depth + 1) for name, one in value.items()}
    if isinstance(value, list):
        _check_depth(depth)
        return [clean_json(one, depth + 1) for one in value]
    return value


def check_body(model: type[M], decoded: object) -> M:
    """Return a decoded body as a model. Raises `BadInput`."""
    try:
        return model.model_validate(decoded)
    except ValidationError as problem:
        raise BadInput(_describe(model, problem)) from None
    except RecursionError:
        raise BadInput("body: nested") from None


def parse_json_body(model: type[M], raw: bytes | str) -> M:
    """Return a JSON text as a model. Raises `BadInput`."""
    return check_body(model, decode_json(raw))


def _check_depth(depth: int) -> None:
    if depth >= DEEPEST:
        raise BadInput("body: nested")


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and infinities are no JSON")


def _describe(model: type[BaseModel], problem: ValidationError) -> str:
    """Return where a body is wrong and how: "event.user: missing; event.ts: string_type"."""
    found = problem.errors(include_url=False, include_context=False, include_input=False)
    known = _field_names(model)
    return "; ".join(f"{_path(one['loc'], known)}: {one['type']}" for one in found[:MAX_REPORTED])


def _path(location: tuple[int | str, ...], known: frozenset[str]) -> str:
    # Names that stand in no model of ours were sent: they may be anything.
    return ".".join(str(one) if isinstance(one, int) or one in known else "*" for one in location) or "body"


@cache
def _field_names(model: type[BaseModel]) -> frozenset[str]:
    """Return the names of all fields of a model and of the models in it, as they are sent."""
    names: set[str] = set()

    def collect(schema: object) -> None:
        if isinstance(schema, dict):
            names.update(schema.get("properties") or ())
            for one in schema.values():
                collect(one)
        elif isinstance(schema, list):
            for one in schema:
                collect(one)

    collect(model.model_json_schema())
    return frozenset(names)
