"""What requests may hold, and how a body becomes one of these."""

import re
from typing import Annotated, TypeVar

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from adapters.playground.doings import Impossible
from adapters.playground.personas import BY_ID
from bot.domain.person import Language

LARGEST = 64_000
"""Bytes of one request; the longest form fits four times."""
_KEY = re.compile(r"[\w.:-]{8,80}")


def _known(persona: str) -> str:
    if persona not in BY_ID:
        raise ValueError(f"is one of {', '.join(BY_ID)}")
    return persona


PersonaId = Annotated[str, AfterValidator(_known)]


class Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class ByPersona(Body):
    persona: PersonaId


class Say(ByPersona):
    channel: str
    text: str
    thread: str = ""


class Edit(ByPersona):
    text: str


class Press(ByPersona):
    button: str


class Submit(ByPersona):
    values: dict[str, str | list[str]]


class Read(ByPersona):
    channel: str


class Speak(ByPersona):
    language: str


class Turn(Body):
    to: str


B = TypeVar("B", bound=Body)


async def body(request: web.Request, kind: type[B]) -> B:
    """The body as `kind`. Raises `Impossible` with what is wrong with it."""
    if request.content_type != "application/json":
        raise Impossible("not_json", "Send Content-Type: application/json.", 415)
    if (request.content_length or 0) > LARGEST:
        raise Impossible("too_large", f"A request holds at most {LARGEST} bytes.", 413)
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise Impossible("too_large", f"A request holds at most {LARGEST} bytes.", 413) from None
    if len(raw) > LARGEST:
        raise Impossible("too_large", f"A request holds at most {LARGEST} bytes.", 413)
    try:
        return kind.model_validate_json(raw)
    except ValidationError as problem:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in problem.errors())
        raise Impossible("bad_request", wrong) from None


def key(request: web.Request) -> str:
    """The client's own name for this request; empty when it gave none."""
    given = request.headers.get("Idempotency-Key", "")
    if given and not _KEY.fullmatch(given):
        raise Impossible("bad_key", "Idempotency-Key: 8 to 80 letters, digits or . : _ -")
    return given


def persona(request: web.Request) -> str:
    """The persona a reading request is for."""
    asked = request.query.get("persona", "")
    if asked not in BY_ID:
        raise Impossible("no_such_persona", f"persona is one of {', '.join(BY_ID)}")
    return asked


def language(request: web.Request) -> Language:
    """The language asked for; Dutch when none is."""
    asked = request.query.get("language", Language.NL.value)
    if asked not in list(Language):
        raise Impossible("no_such_language", "language is nl or en")
    return Language(asked)
