"""Choose where tests keep their files: in memory where there is room, since nothing of them has to last."""

import os
import shutil
from functools import cache
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 4 * 2**30
"""Free bytes it takes: two PostgreSQL servers and what failed tests leave."""


@cache
def scratch_folder() -> Path | None:
    """Return a folder in memory, or None where there is none, or too little room (as in most containers)."""
    has_room = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM
    return MEMORY if has_room else None
