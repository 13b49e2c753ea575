"""Parse and validate the bodies and parameters of the API's requests."""

import re
from typing import Annotated, TypeVar

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from adapters.playground.actions import RequestRejected
from adapters.playground.personas import PERSONA_BY_ID
from bot.domain.person import Language

MAX_API_BODY_BYTES = 64_000
"""Bytes of one request body, at most; the longest form fits four times."""
_IDEMPOTENCY_KEY = re.compile(r"[\w.:-]{8,80}")


def _check_persona(persona: str) -> str:
    if persona not in PERSONA_BY_ID:
        raise ValueError(f"is one of {', '.join(PERSONA_BY_ID)}")
    return persona


PersonaId = Annotated[str, AfterValidator(_check_persona)]
"""Id of an existing persona."""


class RequestBody(BaseModel):
    """A JSON object without unknown fields, whose values are not converted."""

    model_config = ConfigDict(strict=True, extra="forbid")


class PersonaRequest(RequestBody):
    """A request on behalf of a persona."""

    persona: PersonaId


class SayRequest(PersonaRequest):
    """Type a line in a channel, or in the thread of a message there."""

    channel: str
    text: str
    thread: str = ""


class EditRequest(PersonaRequest):
    """Replace the text of a message."""

    text: str


class PressRequest(PersonaRequest):
    """Press a button of a message, by the button's name."""

    button: str


class SubmitRequest(PersonaRequest):
    """Submit a form: values by field name."""

    values: dict[str, str | list[str]]


class ReadRequest(PersonaRequest):
    """Mark a channel as read."""

    channel: str


class LanguageRequest(PersonaRequest):
    """Choose the language in which Ritme speaks to a persona."""

    language: str


class ClockRequest(RequestBody):
    """Advance the clock: "next", "hour", "day", "monday" or an ISO moment."""

    to: str


B = TypeVar("B", bound=RequestBody)


async def parse_body(request: web.Request, kind: type[B]) -> B:
    """Read the body as `kind`. Raises `RequestRejected` when it is no JSON, too large or invalid."""
    if request.content_type != "application/json":
        raise RequestRejected("not_json", "Send Content-Type: application/json.", 415)
    if (request.content_length or 0) > MAX_API_BODY_BYTES:
        raise RequestRejected("too_large", f"A request holds at most {MAX_API_BODY_BYTES} bytes.", 413)
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise RequestRejected("too_large", f"A request holds at most {MAX_API_BODY_BYTES} bytes.", 413) from None
    if len(raw) > MAX_API_BODY_BYTES:
        raise RequestRejected("too_large", f"A request holds at most {MAX_API_BODY_BYTES} bytes.", 413)
    try:
        return kind.model_validate_json(raw)
    except ValidationError as problem:
        problems = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in problem.errors())
        raise RequestRejected("bad_request", problems) from None


def idempotency_key(request: web.Request) -> str:
    """Return the request's Idempotency-Key; empty when it has none. Raises `RequestRejected` for a malformed one."""
    given = request.headers.get("Idempotency-Key", "")
    if given and not _IDEMPOTENCY_KEY.fullmatch(given):
        raise RequestRejected("bad_key", "Idempotency-Key: 8 to 80 letters, digits or . : _ -")
    return given


def persona_parameter(request: web.Request) -> str:
    """Return the persona named in the query. Raises `RequestRejected` when there is no such persona."""
    asked = request.query.get("persona", "")
    if asked not in PERSONA_BY_ID:
        raise RequestRejected("no_such_persona", f"persona is one of {', '.join(PERSONA_BY_ID)}")
    return asked


def language_parameter(request: web.Request) -> Language:
    """Return the language named in the query, else Dutch. Raises `RequestRejected` for another language."""
    asked = request.query.get("language", Language.NL.value)
    if asked not in list(Language):
        raise RequestRejected("no_such_language", "language is nl or en")
    return Language(asked)
