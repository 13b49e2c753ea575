"""Sign what travels through a person's Teams and comes back to us: only that person can use it, and only unchanged."""

import hmac
from collections.abc import Mapping
from hashlib import sha256

SIGNATURE_LENGTH = 32
"""Hexadecimal digits kept of an HMAC-SHA256, so 128 bits."""


class Signer:
    """Signs with HMAC-SHA256. `secret` is known to us alone; with another one, older signatures do not hold."""

    def __init__(self, secret: str) -> None:
        self._key = sha256(f"ritme:{secret}".encode()).digest()

    def sign(self, account: str, *parts: str) -> str:
        """Return the signature over `parts`, for use by `account` alone."""
        text = "\n".join((account, *parts))
        return hmac.new(self._key, text.encode(), sha256).hexdigest()[:SIGNATURE_LENGTH]

    def verify(self, signature: str, account: str, *parts: str) -> bool:
        """Return whether this is our signature over `parts` for `account`. Takes constant time."""
        return hmac.compare_digest(signature.encode(), self.sign(account, *parts).encode())

    def sign_origin(self, account: str, channel: str, thread: str | None) -> dict[str, str]:
        """Return which place a message in someone's own chat is about, signed, for its buttons to carry."""
        return {"channel": channel, "thread": thread or "", "mark": self.sign(account, channel, thread or "")}

    def verify_origin(self, account: str, origin: object) -> tuple[str, str | None] | None:
        """Return the channel and thread of such an origin; None when it is not ours, or somebody else's."""
        if not isinstance(origin, Mapping):
            return None
        channel, thread, mark = (str(origin.get(name) or "") for name in ("channel", "thread", "mark"))
        return (channel, thread or None) if channel and self.verify(mark, account, channel, thread) else None
