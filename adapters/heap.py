"""Keep Python's garbage collector from making people wait.

A full collection looks at every object there is: those of the modules, templates and tables alone take a tenth of a
second, in which nobody is answered.
"""

import gc

YOUNG, MIDDLE, OLD = 10_000, 20, 20
"""Objects after which the youngest are looked through, and how often before those of the next generation are. Python's
own 700, 10 and 10 look through everything some three times in a thousand requests."""


def collect_seldom() -> None:
    """Collect less often from the start on: what is imported stays, and to look through it takes a tenth of a start."""
    gc.set_threshold(YOUNG, MIDDLE, OLD)


def freeze_heap() -> None:
    """Leave out of every later collection what exists now. Once in a process, when it is ready: what is left out is
    never freed.

    Only the young are looked through before it: of what is older a start leaves nothing to free, and to look through
    that takes a tenth of it.
    """
    gc.collect(1)
    gc.freeze()
