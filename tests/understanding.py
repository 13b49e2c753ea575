"""Score how plain sentences are read: `python -m tests.understanding FILE …`, for corpora of JSON Lines.

A line has `id`, `lang`, `text`, the `intent` that is meant, what can be defended as `also`, `rest` (the content; left
out where nobody said) and `risky`, where a wrong reading does harm.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from bot.domain.person import Language
from bot.understanding import Reading, read

HARMFUL = {"stop", "forget", "crisis"}
"""Meanings of which a sure and wrong reading does harm, too."""


@dataclass
class Score:
    """How a corpus was read. Shares are of all sentences; `rests` of those whose content is known and meaning right."""

    sentences: int = 0
    right: int = 0
    sure: int = 0
    rests: int = 0
    rests_right: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.wrong: list[str] = []
        self.harmful: list[str] = []
        self.missed: list[str] = []

    def add(self, row: Mapping[str, Any], reading: Reading) -> None:
        """Count one sentence."""
        is_right = reading.meaning == row["intent"] or reading.meaning in row["also"]
        line = f"{row['id']} {row['text']!r}: {row['intent']}, read as {reading.meaning} ({reading.score})"
        self.sentences += 1
        self.right += is_right
        self.sure += reading.sure
        if row.get("rest") and reading.meaning == row["intent"]:
            self.rests += 1
            self.rests_right += reading.rest == row["rest"]
        if not is_right:
            self.missed.append(line)
        if reading.sure and not is_right:
            self.wrong.append(line)
            if row["risky"] or reading.meaning in HARMFUL:
                self.harmful.append(line)

    def __str__(self) -> str:
        many = self.sentences
        return (
            f"{many} sentences: right {self.right / many:.0%}, sure and wrong {len(self.wrong) / many:.1%}, "
            f"harmful {len(self.harmful)}, sure {self.sure / many:.0%}, content {self.rests_right}/{self.rests}, "
            f"{1000 * self.seconds / many:.2f} ms each"
        )


def score(rows: Iterable[Mapping[str, Any]]) -> Score:
    """Read every sentence of a corpus in its own language."""
    result = Score()
    for language in Language:
        read("warm", language)  # the phrase books are read from their files once
    for row in rows:
        began = perf_counter()
        reading = read(row["text"], Language(row["lang"]))
        result.seconds += perf_counter() - began
        result.add(row, reading)
    return result


def corpus(path: Path) -> list[dict[str, Any]]:
    """Load a corpus."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


if __name__ == "__main__":
    for name in sys.argv[1:]:
        result = score(corpus(Path(name)))
        print("\n".join(result.missed))  # noqa: T201  # a script for a terminal
        print(f"{name}: {result}")  # noqa: T201  # the same
