"""Tell what a message says about who reads it, to compare with whom it was sent to."""

import re
from collections.abc import Iterable

ALONE = re.compile(r"\b(?:Alleen jij (?:leest|ziet) d|Only you (?:can )?(?:read|see) th)", re.IGNORECASE)
"""Only the reader reads this message."""
TOGETHER = re.compile(r"\b(?:iedereen hier leest|everyone here (?:can )?reads?)", re.IGNORECASE)
"""Everyone in the place reads this message."""
FOR_COORDINATORS = re.compile(
    r"\b(?:alleen (?:de )?coördinatoren|only (?:the )?coordinators) (?:lezen|read)|Dit lezen alleen"
)


def find_untrue(said_to_all: Iterable[str]) -> list[str]:
    """Return the messages to everyone that say that only one person reads them: whatever a test is about, there are
    none."""
    return [text for text in said_to_all if ALONE.search(text)]
