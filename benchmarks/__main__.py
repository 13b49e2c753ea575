"""Measure what Ritme takes and costs (`make bench`), each thing beside a yardstick from the same run, as one table.

Usage: python -m benchmarks [inbound] [teams] [storm] [growth] [everything] [export] [connectors] [search]
       python -m benchmarks everything --all FILE
"""

import argparse
import asyncio
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path

from benchmarks.report import Line, print_progress, show

ALL = ("inbound", "teams", "storm", "growth", "everything", "export", "connectors", "search")


def main() -> int:
    """Run the benchmarks asked for and show their lines; return the exit code."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(ALL)}; all of them without any")
    asked.add_argument("--all", type=Path, metavar="FILE", help="where `everything` writes all that it measured")
    given = asked.parse_args()
    names = given.names
    if unknown := [name for name in names if name not in ALL]:
        asked.error(f"there is no {unknown[0]}; there are {', '.join(ALL)}")
    lines: list[Line] = []
    broken = []
    for name in names or ALL:
        print_progress(f"{name} …")
        began = time.perf_counter()
        try:
            run = import_module(f"benchmarks.{name}").run
            lines += asyncio.run(run(file=given.all) if name == "everything" else run())
        except Exception:  # noqa: BLE001  # what the others measured took minutes, and is told all the same
            traceback.print_exc()
            broken.append(name)
        print_progress(f"{name} took {time.perf_counter() - began:.0f} s")
    show(lines)
    if broken:
        print_progress(f"Not measured, see above: {', '.join(broken)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
