"""Score how the guard looks through stories: `python -m tests.guard FILE …`, for corpora of JSON Lines.

A line has `id`, `lang`, `text`, the `spans` ([text, kind]) that give somebody away, and its `difficulty`.
"""

import sys
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from bot.domain.person import Language
from bot.guard import Giveaway, look_through
from tests.understanding import corpus


@dataclass
class GuardScore:
    """How a corpus was looked through. A span is found when anything of it is; exact when all of it is, and no more."""

    found: Counter[str] = field(default_factory=Counter)
    spans: Counter[str] = field(default_factory=Counter)
    exact: int = 0
    clean: int = 0
    alarms: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    stories: int = 0
    seconds: float = 0.0

    def add(self, row: Mapping[str, Any], findings: Collection[Giveaway]) -> None:
        """Count one story."""
        self.stories += 1
        seen = ", ".join(f"{one.text!r} {one.kind}" for one in findings)
        if not row["spans"]:
            self.clean += 1
            if findings:
                self.alarms.append(f"ALARM {row['id']} {row['text']}: {seen}")
        for text, kind in row["spans"]:
            start = row["text"].casefold().index(text.casefold())
            end = start + len(text)
            touching = [one for one in findings if one.start < end and start < one.end]
            for name in (row["difficulty"], kind):
                self.spans[name] += 1
                self.found[name] += bool(touching)
            self.exact += any((one.start, one.end, one.kind) == (start, end, kind) for one in touching)
            if not touching:
                self.missed.append(f"MISSED {row['difficulty']} {row['id']} {row['text']}: {text!r} {kind}; saw {seen}")
            elif not any((one.start, one.end, one.kind) == (start, end, kind) for one in touching):
                self.beside.append(f"BESIDE {row['id']}: {text!r} {kind}; saw {seen}")

    def share(self, name: str) -> float:
        """Return the share found of a difficulty or kind."""
        return self.found[name] / self.spans[name] if self.spans[name] else 1.0

    def __str__(self) -> str:
        total = self.spans["easy"] + self.spans["hard"]
        return (
            f"{self.stories} stories: easy {self.found['easy']}/{self.spans['easy']} ({self.share('easy'):.0%}), "
            f"hard {self.found['hard']}/{self.spans['hard']} ({self.share('hard'):.0%}), exact {self.exact}/{total}, "
            f"alarms on {len(self.alarms)}/{self.clean} clean, {1000 * self.seconds / self.stories:.2f} ms each"
        )


def score_stories(rows: Iterable[Mapping[str, Any]]) -> GuardScore:
    """Look through every story of a corpus."""
    result = GuardScore()
    for language in Language:
        look_through("mevrouw Bos, Mrs Bos, 06-12345678", language)  # the lists are read once
    for row in rows:
        began = perf_counter()
        findings = look_through(row["text"], Language(row["lang"]))
        result.seconds += perf_counter() - began
        result.add(row, findings)
    return result


if __name__ == "__main__":
    for file_name in sys.argv[1:]:
        outcome = score_stories(corpus(Path(file_name)))
        print("\n".join((*outcome.missed, *outcome.alarms, *outcome.beside)))  # noqa: T201  # a script for a terminal
        print({kind: f"{outcome.found[kind]}/{many}" for kind, many in outcome.spans.items()})  # noqa: T201
        print(f"{file_name}: {outcome}")  # noqa: T201
