"""Signed links that open someone's pages, once.

A link names a session that was offered (a random id, of which nothing about anybody can be read) and when it expires,
and holds a signature over both: it cannot be guessed, changed or prolonged, and the database alone does not give it
away. That it opens once only is the core's to know.
"""

import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlencode, urlsplit

OPEN_PATH = "/pages/open"


class PageLinks:
    """Makes links and reads them. `secrets` are known to us alone and the same in every process: the first signs, all
    of them are accepted. `url` is the address at which browsers reach us, without a slash at its end; empty where a
    link is followed from a page of ours."""

    def __init__(self, secrets: Sequence[str], url: str) -> None:
        # A key of its own: what else is signed with these secrets is no link.
        self._keys = [sha256(f"ritme page links:{secret}".encode()).digest() for secret in secrets]
        self._url = url

    @property
    def is_secure(self) -> bool:
        """True when browsers reach us by https."""
        return urlsplit(self._url).scheme == "https"

    @property
    def origin(self) -> str:
        """The origin of the pages, as browsers tell it; empty when not known."""
        parts = urlsplit(self._url)
        return f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else ""

    def make_link(self, session: str, until: datetime, movement: str, language: str) -> str:
        """Return the link that opens a session until a moment, on the page of a movement ("" for any of theirs)."""
        expires = int(until.timestamp())
        asked = urlencode({"language": language, **({"to": movement} if movement else {})})
        return f"{self._url}{OPEN_PATH}/{session}.{expires}.{_sign(self._keys[0], session, expires)}?{asked}"

    def read_link(self, token: str, now: datetime) -> str:
        """Return the session that the last part of a link's path names; empty when it is none of ours, or expired."""
        session, _, rest = token.partition(".")
        expires, _, mark = rest.partition(".")
        if not expires.isdecimal() or len(expires) > 12 or not token.isascii():
            return ""
        signed = any(
            hmac.compare_digest(mark.encode(), _sign(key, session, int(expires)).encode()) for key in self._keys
        )
        return session if signed and now < datetime.fromtimestamp(int(expires), UTC) else ""


def _sign(key: bytes, session: str, expires: int) -> str:
    return hmac.new(key, f"{session}\n{expires}".encode(), sha256).hexdigest()
