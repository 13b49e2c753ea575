"""Parse and validate the bodies and parameters of the API's requests."""

import re
from typing import Annotated, Literal, TypeVar

from aiohttp import web
from pydantic import AfterValidator, ConfigDict

from adapters.door import AccountId, CleanText, Inbound, PlatformId, parse_json_body, read_body
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


PersonaId = Annotated[AccountId, AfterValidator(_check_persona)]
"""Id of an existing persona."""


class RequestBody(Inbound):
    """A JSON object without unknown fields, which are typing errors of whoever calls this API by hand."""

    model_config = ConfigDict(extra="forbid")


class PersonaRequest(RequestBody):
    """A request on behalf of a persona."""

    persona: PersonaId


class SayRequest(PersonaRequest):
    """Type a line in a channel, or in the thread of a message there."""

    channel: PlatformId
    text: CleanText
    thread: PlatformId | Literal[""] = ""


class EditRequest(PersonaRequest):
    """Replace the text of a message."""

    text: CleanText


class PressRequest(PersonaRequest):
    """Press a button of a message, by the button's name."""

    button: PlatformId


class SubmitRequest(PersonaRequest):
    """Submit a form: values by field name."""

    values: dict[PlatformId, CleanText | list[CleanText]]


class ReadRequest(PersonaRequest):
    """Mark a channel as read."""

    channel: PlatformId


class LanguageRequest(PersonaRequest):
    """Choose the language in which Ritme speaks to a persona."""

    language: PlatformId


class ClockRequest(RequestBody):
    """Advance the clock: "next", "hour", "day", "monday" or an ISO moment."""

    to: PlatformId


B = TypeVar("B", bound=RequestBody)


async def parse_body(request: web.Request, kind: type[B]) -> B:
    """Read the body as `kind`. Raises `RequestRejected` when it is of another type or too large, `BadInput`
    when it is invalid."""
    if request.content_type != "application/json":
        raise RequestRejected("not_json", "Send Content-Type: application/json.", 415)
    try:
        raw = await read_body(request, MAX_API_BODY_BYTES)
    except web.HTTPRequestEntityTooLarge:
        raise RequestRejected("too_large", f"A request holds at most {MAX_API_BODY_BYTES} bytes.", 413) from None
    return parse_json_body(kind, raw)


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
