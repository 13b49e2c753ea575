"""Signed links that open someone's pages, once; and the links to doors, for people without an account.

A link names a session that was offered (a random id, of which nothing about anybody can be read) and when it expires,
and holds a signature over both: it cannot be guessed, changed or prolonged, and the database alone does not give it
away. That it opens once only is the core's to know.

The link of a door names the door and holds a signature, too: it hangs on walls, and lasts as long as the door is there.
"""

import hmac
from base64 import b32encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from secrets import token_hex
from urllib.parse import quote, urlencode, urlsplit

OPEN_PATH = "/pages/open"
DOOR_PATH = "/pages/door"
PRIVACY_ROOT = "/privacy"
DOOR_MARK_CHARS = 32
"""Hexadecimal digits of the signature in the link of a door: short enough for a code on paper."""
ONCE_LASTS = timedelta(days=1)
"""How long the page of a door can be sent after it was shown."""
CODE_BYTES = 10


class PageLinks:
    """Makes links and reads them. `secrets` are known to us alone and the same in every process: the first signs, all
    of them are accepted. `url` is the address at which browsers reach us, without a slash at its end; empty where a
    link is followed from a page of ours. `printed` is the address on paper, where that is another."""

    def __init__(self, secrets: Sequence[str], url: str, printed: str = "") -> None:
        # A key of its own: what else is signed with these secrets is no link.
        self._keys = [sha256(f"ritme page links:{secret}".encode()).digest() for secret in secrets]
        self._door_keys = [sha256(f"ritme doors:{secret}".encode()).digest() for secret in secrets]
        self._url, self._printed = url, printed or url

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

    def find_address(self, movement: str) -> str:
        """Return where the page of a movement is, for who has a session; empty where no address is known."""
        return f"{self._url}/pages/m/{quote(movement, safe='')}/movement" if self._url else ""

    def find_privacy(self, platform: str, language: str) -> str:
        """Return where stands what is kept here about the people of a platform."""
        below = f"/{platform}" if platform in ("slack", "teams") else ""
        return f"{self._url}{PRIVACY_ROOT}{below}?{urlencode({'language': language})}"

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

    # -- doors --------------------------------------------------------------------------------------------------------

    def make_door(self, door: str) -> str:
        """Return the link to a door, as it stands on paper."""
        return f"{self._printed}{DOOR_PATH}/{door}.{_mark(self._door_keys[0], 'door', door)}"

    def read_door(self, token: str) -> str:
        """Return the door that the last part of a link's path names; empty when it is none of ours."""
        door, _, mark = token.partition(".")
        if not token.isascii():
            return ""
        return door if self._key_of(mark, "door", door) is not None else ""

    def mark_page(self, door: str, now: datetime) -> str:
        """Return the mark of a page of a door that is shown now: sent twice, it is known by it, and nobody can make
        one up."""
        drawn = f"{token_hex(16)}-{int(now.timestamp())}"
        return f"{drawn}.{_mark(self._door_keys[0], 'page', door, drawn)}"

    def make_code(self, door: str, once: str, now: datetime) -> str:
        """Return the code that takes back what is told by the page with this mark, the same each time; empty for a mark
        that is none of ours, of another door, or too old."""
        drawn, _, mark = once.partition(".")
        shown_at = drawn.partition("-")[2]
        if not once.isascii() or not shown_at.isdecimal() or len(shown_at) > 12:
            return ""
        key = self._key_of(mark, "page", door, drawn)
        if key is None or now - datetime.fromtimestamp(int(shown_at), UTC) > ONCE_LASTS:
            return ""
        made = hmac.new(key, f"code\n{door}\n{drawn}".encode(), sha256).digest()[:CODE_BYTES]
        letters = b32encode(made).decode().replace("O", "0").replace("I", "1")
        return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))

    def _key_of(self, mark: str, *parts: str) -> bytes | None:
        """Return the key by which parts were marked; None when they were by none of ours."""
        signed = (one for one in self._door_keys if hmac.compare_digest(mark.encode(), _mark(one, *parts).encode()))
        return next(signed, None)


def _mark(key: bytes, *parts: str) -> str:
    return hmac.new(key, "\n".join(parts).encode(), sha256).hexdigest()[:DOOR_MARK_CHARS]


def _sign(key: bytes, session: str, expires: int) -> str:
    return hmac.new(key, f"{session}\n{expires}".encode(), sha256).hexdigest()
