"""Find the proxy through which an address is called, as the environment names it (HTTPS_PROXY, NO_PROXY, …).

aiohttp's own `trust_env` asks two threads before each call: for the proxy, and for a password in `~/.netrc`, with which
it then refuses to send our own `Authorization`.
"""

from functools import lru_cache
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def find_proxy(url: str) -> str | None:
    """Return the address of the proxy for a URL; None when it is called directly."""
    parts = urlsplit(url)
    return _find_for(parts.scheme, parts.hostname or "")


@lru_cache(maxsize=1_000)
def _find_for(scheme: str, host: str) -> str | None:
    proxy = getproxies().get(scheme)
    # aiohttp speaks to a proxy without TLS only.
    return None if not proxy or proxy.startswith("https:") or proxy_bypass(host) else proxy
