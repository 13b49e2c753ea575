"""Tell a form of our own pages from one that another site sends."""

from aiohttp import hdrs, web

from adapters.pages.links import PageLinks


def is_from_own_page(request: web.Request, links: PageLinks) -> bool:
    """Return whether no other site sent a form. Browsers say from which site a request comes; where they do not, its
    origin must be ours: our pages tell it to us, and to nobody else (`Referrer-Policy: same-origin`)."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get(hdrs.ORIGIN)
    ours = {one for one in (links.origin, f"{request.scheme}://{request.host}".lower()) if one}
    return site == "same-origin" if site is not None else origin is None or origin.lower() in ours
