"""Clean text that comes from outside, so that every database takes it and nothing in it acts."""

import re

MAX_NAME = 120
"""Characters of the name of a person, place or group, as a platform tells it."""
# Line breaks of other systems, such as those that Word pastes.
_LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
_SURROGATE = re.compile("[\ud800-\udfff]")
_NON_CHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(plane | last) for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)
)
_UNWANTED = re.compile(f"[{_CONTROLS}{_NON_CHARACTERS}]")
_SUSPECT = re.compile(f"[\r\x0b\x0c\x85\u2028\u2029{_CONTROLS}\ud800-\udfff{_NON_CHARACTERS}]")


def clean_text(text: str) -> str:
    """Return text without what no person types and some database refuses: control characters but for tab and newline,
    halves of characters (lone surrogates) and code points that are none. Line breaks of any kind become a newline.

    Everything else, in any script, stays as it is; clean text is returned unchanged.
    """
    if _SUSPECT.search(text) is None:
        return text
    if _SURROGATE.search(text) is not None:
        # Two halves that belong together become their character; what is left over is dropped.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return _UNWANTED.sub("", _LINE_BREAKS.sub("\n", text))


def clean_name(name: str) -> str:
    """Return a name as it is kept: cleaned, on one line, of at most `MAX_NAME` characters."""
    kept = clean_text(name)
    if "\n" in kept or "\t" in kept:
        kept = " ".join(kept.split())
    return kept if len(kept) <= MAX_NAME else f"{kept[: MAX_NAME - 1].rstrip()}…"
