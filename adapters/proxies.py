"""Find the proxy through which an address is called, as the environment names it (HTTPS_PROXY, NO_PROXY, …).

aiohttp's own `trust_env` asks two threads before each call: for the proxy, and for a password in `~/.netrc`, with which
it then refuses to send our own `Authorization`. As with it, a proxy that speaks TLS is left out: aiohttp speaks to one
without only.
"""

from functools import cache, lru_cache
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import structlog

log = structlog.get_logger(__name__)


def find_proxy(url: str) -> str | None:
    """Return the address of the proxy for a URL; None when it is called directly."""
    parts = urlsplit(url)
    return _find_for(parts.scheme, parts.hostname or "")


def check_proxy() -> dict[str, str]:
    """Return, by its variable, what is wrong with the proxy through which platforms are called; empty when nothing is.
    One that speaks TLS is not wrong, but left out."""
    proxy = getproxies().get("https")
    return {"HTTPS_PROXY": "is no address of an HTTP proxy"} if proxy and _read_scheme(proxy) is None else {}


@lru_cache(maxsize=1_000)
def _find_for(scheme: str, host: str) -> str | None:
    proxy = _read_proxy(scheme)
    return None if proxy is None or proxy_bypass(host) else proxy


@cache
def _read_proxy(scheme: str) -> str | None:
    """Return the proxy for the URLs of a scheme. Warns, once, when there is one that cannot be used."""
    proxy = getproxies().get(scheme)
    if not proxy or _read_scheme(proxy) == "http":
        return proxy or None
    # Not its address: that may hold a password.
    log.warning("proxy_ignored", variable=f"{scheme.upper()}_PROXY", reason="its address does not begin with http://")
    return None


def _read_scheme(proxy: str) -> str | None:
    """Return how a proxy is spoken to; None when its address is none of http or https."""
    try:
        parts = urlsplit(proxy)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets without an end, or a port that is none
        return None
    return parts.scheme if is_address else None
