"""Words added to an open stuck episode: where they stand in its text, so that they can be taken out again."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Self


@dataclass(frozen=True)
class Addition:
    """A stretch of a text: `length` characters after the line break at `start`. `digest` tells whether they are still
    the words that were added."""

    start: int
    length: int
    digest: str

    @classmethod
    def after(cls, before: str, words: str) -> Self:
        """Return where `words` stand once they are added to `before` (see `join_words`)."""
        return cls(start=len(before), length=len(words), digest=_digest(words))

    @classmethod
    def parse(cls, written: str) -> Self | None:
        """Read what `write` wrote; None for anything else."""
        start, _, rest = written.partition(":")
        length, _, digest = rest.partition(":")
        if not (start.isdecimal() and length.isdecimal() and digest) or len(written) > 40:
            return None
        return cls(start=int(start), length=int(length), digest=digest)

    def write(self) -> str:
        """Write it as the argument of a button."""
        return f"{self.start}:{self.length}:{self.digest}"

    def take_from(self, text: str) -> tuple[str, str] | None:
        """Return the text without the added words, and those words; None when they do not stand there any more."""
        end = self.start + 1 + self.length
        added, rest = text[self.start + 1 : end], text[: self.start] + text[end:]
        still_there = text[self.start : self.start + 1] == "\n" and _digest(added) == self.digest
        return (rest, added) if still_there and rest.strip() else None


def join_words(before: str, words: str) -> str:
    """Join earlier and newer words, on lines of their own; words that stand there already are not repeated."""
    return before if f"\n{words}\n" in f"\n{before}\n" else f"{before}\n{words}"


def _digest(words: str) -> str:
    return sha256(words.encode()).hexdigest()[:12]
