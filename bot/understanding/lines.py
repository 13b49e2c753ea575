"""Read the lines of a phrase book, and expand the choices in them."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path


def read_lines(file: Path) -> Iterator[str]:
    """Return the lines of a file that are no remark."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def expand_line(line: str) -> Iterator[str]:
    """Expand the orders, the choices and the optional words of a line."""
    if " & " in line:
        for order in itertools.permutations(line.split(" & ")):
            yield from expand_line(" ".join(order))
        return
    parts: list[list[str]] = []
    for optional, word in re.findall(r"\(([^)]*)\)|(\S+)", line):
        parts.append([*optional.split("/"), ""] if optional else word.split("/") if len(word) > 1 else [word])
    for chosen in itertools.product(*parts):
        yield " ".join(word for word in chosen if word)
