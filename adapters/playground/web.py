"""Serve the playground's page and API under /playground."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from adapters.door import BadInput
from adapters.page_policy import PAGE_POLICY
from adapters.playground.actions import RequestRejected
from adapters.playground.api import PlaygroundApi
from adapters.playground.request_checks import PLAYGROUND_POLICY, error_response, make_request_checks

log = structlog.get_logger("ritme.playground")
PAGE_DIRECTORY = Path(__file__).parent / "page"


def _serve_file(name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def page(_request: web.Request) -> web.StreamResponse:
        return web.FileResponse(PAGE_DIRECTORY / name)

    return page


@web.middleware
async def _explain_rejections(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn `RequestRejected` and `BadInput` into an error response, which people read who call this API by hand."""
    try:
        return await handler(request)
    except RequestRejected as rejected:
        return error_response(rejected.status, rejected.code, rejected.detail)
    except BadInput as bad:
        log.info("playground_request_malformed", reason=bad.reason)
        return error_response(400, "bad_request", bad.reason)


async def _revalidate(_request: web.Request, response: web.StreamResponse) -> None:
    """Let browsers ask again every time: another version of the page may be served by now."""
    response.headers.setdefault("Cache-Control", "no-cache")


def mount_playground(app: web.Application, api: PlaygroundApi, *, hosts: tuple[str, ...] = ()) -> None:
    """Add the playground under /playground, and redirect / there.

    `hosts` are names it is served under, beside those of this machine.
    """

    async def home(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/playground/")

    # Before everything but what answers exceptions, so that no path is open to other sites: not / nor one there is not.
    app.middlewares.insert(1, make_request_checks(hosts))
    subapp = web.Application(middlewares=[_explain_rejections])
    subapp[PAGE_POLICY] = PLAYGROUND_POLICY
    subapp.router.add_get("/", _serve_file("index.html"))
    subapp.router.add_get("/gallery", _serve_file("gallery.html"))
    subapp.add_routes(api.routes())
    subapp.router.add_static("/static", PAGE_DIRECTORY)
    subapp.on_response_prepare.append(_revalidate)
    app.router.add_get("/", home)
    app.router.add_get("/playground", home)
    app.add_subapp("/playground", subapp)

    # Open event streams never finish by themselves: without this, stopping would wait for its whole timeout.
    async def end_streams(_app: web.Application) -> None:
        api.broadcaster.close()

    app.on_shutdown.append(end_streams)
