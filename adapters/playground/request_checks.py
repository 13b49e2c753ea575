"""Check where requests come from: the page we serve and scripts on this machine may ask, pages of other sites may not.

Anyone who reaches the playground can act as any persona, so DNS rebinding and cross-site requests are refused.
"""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
WILDCARD_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104  # named to be recognised, not listened on
PLAYGROUND_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


def error_response(status: int, code: str, detail: str) -> web.Response:
    """Return an error as the API words it: a code for the page and a detail for people."""
    return web.json_response({"error": code, "detail": detail}, status=status)


def make_request_checks(hosts: Iterable[str]) -> Middleware:
    """Create middleware that refuses requests whose Host is not this machine or one of `hosts`, or from another origin.

    `hosts` may hold an address that listens everywhere, such as 0.0.0.0: any plain IP address is accepted then.
    """
    known = {*LOOPBACK_NAMES, *hosts}
    accepts_addresses = not known.isdisjoint(WILDCARD_ADDRESSES)

    @web.middleware
    async def check_request(request: web.Request, handler: Handler) -> web.StreamResponse:
        # DNS rebinding: a page elsewhere whose name points at this machine still sends that name as Host.
        name = _host_name(request.host)
        if name not in known and not (accepts_addresses and _is_address(name)):
            return error_response(421, "wrong_host", "This playground is not served under that name.")
        origin = request.headers.get(hdrs.ORIGIN)
        # A page that tells nobody where it is, as those in /pages, has "null" for its origin, also towards us.
        is_own = origin == "null" and request.headers.get("Sec-Fetch-Site") == "same-origin"
        if origin is not None and not is_own and origin not in (f"http://{request.host}", f"https://{request.host}"):
            return error_response(403, "wrong_origin", "Only the playground's own page may ask this.")
        # A GET from another site may carry no Origin; browsers tell it here.
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin") and not _is_visit(request):
            return error_response(403, "wrong_origin", "Only the playground's own page may ask this.")
        return await handler(request)

    return check_request


def _is_visit(request: web.Request) -> bool:
    """Return whether a person follows a link to the page, as opposed to another page making a request."""
    return request.method == hdrs.METH_GET and request.headers.get("Sec-Fetch-Mode") == "navigate"


def _host_name(host: str) -> str:
    """Return a Host header without its port, in lower case; empty when it is malformed."""
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
