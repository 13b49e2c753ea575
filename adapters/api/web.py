"""Answer programs outside over HTTP: find the key, ask the core, write JSON. There is nothing to write to, no cookie,
and no page of another site may read an answer."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from pydantic import ValidationError

from adapters.api.description import describe_api
from adapters.api.models import ProblemBody
from adapters.api.operations import OPERATIONS, Operation, make_body
from adapters.failures import report_failure
from bot.api import ApiReader, ApiRefusal
from bot.domain.api_token import Allowance

API_PATH = "/api/v1"
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_PRIVATE = {"Cache-Control": "private, no-cache", "X-Robots-Tag": "noindex"}
_BEARER = re.compile(r"Bearer +([!-~]+) *", re.IGNORECASE)


@dataclass(frozen=True)
class ApiProblem:
    """A kind of problem: its status, what went wrong and what to do."""

    status: int
    title: str
    detail: str


PROBLEMS = {
    "no_token": ApiProblem(
        401,
        "No key that works",
        "Send a key as 'Authorization: Bearer ritme_…'. A coordinator of the movement makes one in chat, with "
        "'/ritme api' (in Teams '@Ritme api'). A key that expired or was revoked never works again.",
    ),
    "no_scope": ApiProblem(
        403,
        "The key does not open this",
        "Ask a coordinator for a key that opens it; /movement tells what yours opens.",
    ),
    "too_fast": ApiProblem(429, "Too many questions", "Wait as many seconds as Retry-After says, then go on."),
    "not_found": ApiProblem(
        404, "Not there", "It is not there, not any more, or not for outside. Remove the copy you may have of it."
    ),
    "no_such_path": ApiProblem(404, "Nothing is read here", f"{API_PATH}/openapi.json tells what can be read."),
    "read_only": ApiProblem(405, "Nothing can be changed here", "Ask with GET or HEAD."),
    "bad_query": ApiProblem(400, "The question is not understood", ""),
    "unavailable": ApiProblem(503, "Not available now", "Ask again in a minute."),
    "internal": ApiProblem(500, "Something broke here", "Tell whoever runs Ritme the reference."),
}
_BAD_CURSOR = "cursor: take it from next_cursor of the page before, or leave it out to begin at the first page"


class ApiSite:
    """The routes of the API."""

    def __init__(self, core: ApiReader, url: str) -> None:
        self._core = core
        self._description = json.dumps(describe_api(api_address(url)), ensure_ascii=False).encode()

    def mount(self, app: web.Application) -> None:
        """Add the routes to the application."""
        for operation in OPERATIONS:
            app.router.add_get(f"{API_PATH}{operation.path}", _guard(self._handler(operation)))  # HEAD too
        app.router.add_get(f"{API_PATH}/openapi.json", _guard(self._describe))
        app.router.add_route("*", "/api/{tail:.*}", _say_no_such_path)
        app.router.add_route("*", "/api", _say_no_such_path)

    def _handler(self, operation: Operation) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            return await self._answer(request, operation)

        return answer

    async def _describe(self, request: web.Request) -> web.StreamResponse:
        return _give(request, self._description, {"Cache-Control": "public, max-age=300"})

    async def _answer(self, request: web.Request, operation: Operation) -> web.StreamResponse:
        try:
            query = operation.query.model_validate(_read_query(request))
            path = dict(request.match_info)
            if not all(_ID.fullmatch(one) for one in path.values()):
                raise ApiRefusal("not_found")
            found = await operation.ask(self._core, _read_secret(request), path, query)
        except ValidationError as problem:
            return _refuse("bad_query", detail=_explain(problem, operation))
        except ValueError:
            return _refuse("bad_query", detail=_BAD_CURSOR)
        except ApiRefusal as refusal:
            return _refuse(refusal.reason, allowance=refusal.allowance)
        body = make_body(operation, found.facts).model_dump_json().encode()
        return _give(request, body, {**_PRIVATE, "Vary": "Authorization", **_pace(found.allowance)})


def api_address(url: str) -> str:
    """Return the address of the API, at the address where people reach us."""
    return f"{url}{API_PATH}"


def _guard(handler: Handler) -> Handler:
    """Answer what breaks as a problem, too."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except (web.HTTPException, ConnectionError):
            raise
        except Exception as broken:  # noqa: BLE001  # `report_failure` logs it
            failure = report_failure("api_request_failed", broken, path=_name(request))
            return _refuse("unavailable" if failure.unavailable else "internal", reference=failure.reference)

    return answer


async def _say_no_such_path(request: web.Request) -> web.StreamResponse:
    if request.method in (hdrs.METH_GET, hdrs.METH_HEAD):
        return _refuse("no_such_path")
    return _refuse("read_only")


def _name(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


def _read_secret(request: web.Request) -> str:
    """Return the key that was sent; empty for none. Never from the address: addresses end up in logs."""
    sent = _BEARER.fullmatch(request.headers.get(hdrs.AUTHORIZATION, ""))
    return sent.group(1) if sent is not None else ""


def _read_query(request: web.Request) -> Mapping[str, str | list[str]]:
    # One that is given twice is a list, which no parameter is.
    given = request.query
    return {name: given.getall(name) if len(given.getall(name)) > 1 else given[name] for name in given}


def _explain(problem: ValidationError, operation: Operation) -> str:
    """Say which parameters are wrong, and how they should be; nothing of what was sent."""
    known = ", ".join(operation.query.model_fields) or "none"
    found = []
    for one in problem.errors(include_url=False, include_context=False, include_input=False):
        name = str(one["loc"][0]) if one["loc"] else ""
        found.append(f"{name}: {one['msg']}" if name in operation.query.model_fields else "a parameter is not known")
    return f"{'; '.join(dict.fromkeys(found))}. Parameters: {known}."


def _pace(allowance: Allowance) -> dict[str, str]:
    return {
        "RateLimit-Policy": f'"key";q={allowance.most};w=60',
        "RateLimit": f'"key";r={allowance.left};t={allowance.seconds}',
    }


def _give(request: web.Request, body: bytes, headers: Mapping[str, str]) -> web.Response:
    """Give a body, or say that the one which a program has is still the same."""
    mark = sha256(body).hexdigest()[:32]
    told = {**headers, "ETag": f'"{mark}"'}
    known = {one.value for one in request.if_none_match or ()}
    if mark in known or "*" in known:
        return web.Response(status=304, headers=told)
    answer = web.Response(body=body, content_type="application/json", charset="utf-8", headers=told)
    answer.enable_compression()
    return answer


def _refuse(
    kind: str, *, detail: str = "", allowance: Allowance | None = None, reference: str | None = None
) -> web.Response:
    """Answer with a problem."""
    told = PROBLEMS[kind]
    headers = {"Cache-Control": "no-store", **(_pace(allowance) if allowance is not None else {})}
    if told.status == 401:
        headers[hdrs.WWW_AUTHENTICATE] = 'Bearer realm="Ritme"'
    elif told.status == 405:
        headers[hdrs.ALLOW] = "GET, HEAD"
    elif told.status == 429 and allowance is not None:
        headers[hdrs.RETRY_AFTER] = str(allowance.seconds)
    elif told.status == 503:
        headers[hdrs.RETRY_AFTER] = "60"
    body = ProblemBody(
        type=f"urn:ritme:problem:{kind.replace('_', '-')}",
        title=told.title,
        status=told.status,
        detail=detail or told.detail,
        reference=reference,
    )
    content = body.model_dump_json(exclude_none=True)
    return web.Response(status=told.status, text=content, content_type="application/problem+json", headers=headers)
