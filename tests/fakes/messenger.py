"""A platform of our own for core tests: remembers what was sent, and can be told to misbehave."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from bot.chat import Message, Post, Receipt
from bot.ports import LookupUnsupported, OutcomeUnknown, RetryAfter, Unreachable


@dataclass
class Sent:
    post: Post
    receipt: Receipt
    message: Message | None
    deleted: bool = False
    reactions: set[str] = field(default_factory=set)


@dataclass
class RecordingMessenger:
    """`fail_next` holds failures to raise, in order; "after" a NoAnswer pair (failure, True) the post did arrive. What
    contains `poison` never arrives, and never gets an answer. `slow` is called before anything is sent."""

    sent: list[Sent] = field(default_factory=list)
    fail_next: list[tuple[RetryAfter | Unreachable | OutcomeUnknown, bool]] = field(default_factory=list)
    poison: str = ""
    tells: bool = True
    """Whether this platform tells what arrived."""
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
        """Updates, deletions and reactions."""
        return self._acts

    async def find(self, post: Post, since: datetime) -> Receipt | None:
        if not self.tells:
            raise LookupUnsupported
        return next((one.receipt for one in self.sent if one.post.delivery == post.delivery), None)

    def in_channel(self, channel: str) -> list[Sent]:
        return [
            one for one in self.sent if one.post.channel == channel and one.post.account is None and not one.deleted
        ]

    def to(self, account: str) -> list[Sent]:
        return [one for one in self.sent if one.post.account == account and not one.deleted]
