"""Who may drive the playground: the page it serves and scripts on this machine, never a web page from elsewhere."""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

LOOPBACK = ("localhost", "127.0.0.1", "::1")
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # named to be recognised, not listened on
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-cache",
}


def refuse(status: int, code: str, detail: str) -> web.Response:
    return web.json_response({"error": code, "detail": detail}, status=status)


def guard(hosts: Iterable[str]) -> Middleware:
    """Lets in requests whose Host is this machine or one of `hosts`, and whose Origin is that same host.

    A page elsewhere that has its name point at this machine still sends its own name as Host. When `hosts` holds an
    address that means everywhere, any plain IP address is this machine.
    """
    known = {*LOOPBACK, *hosts}
    everywhere = not known.isdisjoint(EVERYWHERE)

    @web.middleware
    async def checked(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = _name(request.host)
        if name not in known and not (everywhere and _is_address(name)):
            return refuse(421, "wrong_host", "This playground is not served under that name.")
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and origin not in (f"http://{request.host}", f"https://{request.host}"):
            return refuse(403, "wrong_origin", "Only the playground's own page may ask this.")
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin") and not _is_visit(request):
            return refuse(403, "wrong_origin", "Only the playground's own page may ask this.")
        return await handler(request)

    return checked


def _is_visit(request: web.Request) -> bool:
    """Following a link to the page, as opposed to a request made by another page."""
    return request.method == hdrs.METH_GET and request.headers.get("Sec-Fetch-Mode") == "navigate"


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
