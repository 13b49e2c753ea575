"""A messenger for core tests that records what was sent, and fails when it is told to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from bot.chat import Message, Post, Receipt
from bot.ports import LookupUnsupported, OutcomeUnknown, RetryAfter, Unreachable


@dataclass
class Sent:
    """A message that arrived, as it stands there now."""

    post: Post
    receipt: Receipt
    message: Message | None
    deleted: bool = False
    reactions: set[str] = field(default_factory=set)


@dataclass
class RecordingMessenger:
    """A messenger that records posts in `sent`.

    `fail_next` holds pairs of an error to raise and whether the post arrives all the same, one for each call. A post
    whose text contains `poison` never arrives, and raises OutcomeUnknown. `slow` is called before anything is sent.
    """

    sent: list[Sent] = field(default_factory=list)
    fail_next: list[tuple[RetryAfter | Unreachable | OutcomeUnknown, bool]] = field(default_factory=list)
    poison: str = ""
    can_look_up: bool = True
    """True if `find` can tell what arrived; False as in Teams."""
    slow: Callable[[], None] | None = None
    tries: int = 0
    _count: int = 0

    async def send(self, post: Post) -> Receipt:
        self.tries += 1
        if self.slow is not None:
            self.slow()
        if self.poison and post.message is not None and self.poison in post.message.text:
            raise OutcomeUnknown
        failure, arrives = self.fail_next.pop(0) if self.fail_next else (None, True)
        if failure is not None and not arrives:
            raise failure
        receipt = self._do(post)
        if failure is not None:
            raise failure
        return receipt

    def _do(self, post: Post) -> Receipt:
        if post.act == "post":
            self._count += 1
            channel = post.channel or f"dm-{post.account}"
            receipt = Receipt(channel=channel, message=f"m{self._count}")
            self.sent.append(Sent(post=post, receipt=receipt, message=post.message))
            return receipt
        for one in self.sent:
            if one.receipt.message == post.target:
                if post.act == "update":
                    one.message = post.message
                elif post.act == "delete":
                    one.deleted = True
        self._acts.append(post)
        return Receipt(channel=post.channel or "", message=post.target or "")

    _acts: list[Post] = field(default_factory=list)

    @property
    def acts(self) -> list[Post]:
        """Return the posts that update, delete or react to a message, oldest first."""
        return self._acts

    async def find(self, post: Post, since: datetime) -> Receipt | None:
        if not self.can_look_up:
            raise LookupUnsupported
        return next((one.receipt for one in self.sent if one.post.delivery == post.delivery), None)

    def in_channel(self, channel: str) -> list[Sent]:
        """List the messages for everyone in a channel that were not deleted, oldest first."""
        return [
            one for one in self.sent if one.post.channel == channel and one.post.account is None and not one.deleted
        ]

    def to(self, account: str) -> list[Sent]:
        """List the messages for one account alone that were not deleted, oldest first."""
        return [one for one in self.sent if one.post.account == account and not one.deleted]
