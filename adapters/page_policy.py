"""Say in every answer what a browser may do with it: one place for the headers that protect pages."""

import re
from base64 import b64encode
from hashlib import sha256

from aiohttp import web

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The policy of an answer that says nothing else: it may load, run, send and be framed by nothing."""
PAGE_POLICY = web.AppKey("page_policy", str)
"""The policy of the pages of an application that is mounted in another."""
PROTECTION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


async def protect_response(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers that protect a page to a response, where it does not set them itself."""
    default = next((app[PAGE_POLICY] for app in reversed(request.match_info.apps) if PAGE_POLICY in app), NOTHING)
    policy = response.headers.setdefault("Content-Security-Policy", default)
    for name, value in PROTECTION.items():
        response.headers.setdefault(name, value)
    if "frame-ancestors 'none'" in policy:
        response.headers.setdefault("X-Frame-Options", "DENY")  # for browsers that do not know `frame-ancestors`


def style_sources(html: str) -> str:
    """Return what a policy names as its `style-src`, to allow the style sheets in this page and no other style."""
    hashes = (b64encode(sha256(style.encode()).digest()).decode() for style in _STYLE.findall(html))
    return " ".join(f"'sha256-{one}'" for one in hashes) or "'none'"
