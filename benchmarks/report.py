"""Show measurements beside their yardsticks, as one table."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing measured (`what`, `measured`), and the same of something else in the same run (`beside`).

    `ratio` is of the two, the way round that `aim` is about ("≥ 0.4"); None where there is nothing to divide. With
    `what` alone it is a heading.
    """

    what: str
    measured: str = ""
    beside: str = ""
    ratio: float | None = None
    aim: str = ""


def table(lines: Sequence[Line]) -> str:
    """Format lines as a table, in columns as wide as they need to be."""
    rows = [("", "measured", "beside", "ratio", "aim")]
    rows += [
        (one.what, one.measured, one.beside, "" if one.ratio is None else f"{one.ratio:.2f}", one.aim) for one in lines
    ]
    wide = [max(len(row[column]) for row in rows if row[1]) for column in range(len(rows[0]))]
    title, *told = [
        f"{what:<{wide[0]}}  {measured:<{wide[1]}}  {beside:<{wide[2]}}  {ratio:>{wide[3]}}  {aim}".rstrip()
        for what, measured, beside, ratio, aim in rows
    ]
    return "\n".join([title, "─" * (sum(wide) + 2 * (len(wide) - 1)), *told])


def show(lines: Sequence[Line]) -> None:
    """Print lines as a table."""
    print(f"\n{table(lines)}\n", flush=True)


def print_progress(what: str) -> None:
    """Print progress to stderr, apart from the table."""
    print(what, file=sys.stderr, flush=True)
