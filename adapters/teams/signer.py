"""What travels through a person's Teams and comes back to us was ours, and is theirs: signed for them alone."""

import hmac
from collections.abc import Mapping
from hashlib import sha256


class Signer:
    """`secret`: what only we know."""

    def __init__(self, secret: str) -> None:
        self._key = sha256(f"ritme:{secret}".encode()).digest()

    def sign(self, account: str, *parts: str) -> str:
        text = "\n".join((account, *parts))
        return hmac.new(self._key, text.encode(), sha256).hexdigest()[:32]

    def holds(self, mark: str, account: str, *parts: str) -> bool:
        return hmac.compare_digest(mark.encode(), self.sign(account, *parts).encode())

    def origin(self, account: str, channel: str, thread: str | None) -> dict[str, str]:
        """Which place a message in someone's own chat is about, for its buttons to carry."""
        return {"channel": channel, "thread": thread or "", "mark": self.sign(account, channel, thread or "")}

    def place(self, account: str, origin: object) -> tuple[str, str | None] | None:
        """The channel and thread of such an origin; None when it is not ours, or somebody else's."""
        if not isinstance(origin, Mapping):
            return None
        channel, thread, mark = (str(origin.get(name) or "") for name in ("channel", "thread", "mark"))
        return (channel, thread or None) if channel and self.holds(mark, account, channel, thread) else None
