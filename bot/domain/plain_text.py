"""Clean text that comes from outside, and show it so that it cannot reorder the words around it.

How text of both directions is ordered: https://unicode.org/reports/tr9/ ("bidi").
"""

import re
from unicodedata import category

MAX_NAME = 120
"""Characters of the name of a person, place or group, as a platform tells it."""
# Line breaks of other systems, such as those that Word pastes.
_LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"  # letters and signs that leave their place empty
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
    # Nothing that is left out is printable: most texts need no more than this look, which takes a tenth of the search.
    if text.isprintable() or _SUSPECT.search(text) is None:
        return text
    if _SURROGATE.search(text) is not None:
        # Two halves that belong together become their character; what is left over is dropped.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return _UNWANTED.sub("", _LINE_BREAKS.sub("\n", text))


def clean_name(name: str) -> str:
    """Return a name as it is kept: cleaned, on one line, of at most `MAX_NAME` characters; empty when nobody would see
    anything of it."""
    kept = clean_text(name)
    if not any(letter.isalnum() and letter not in _BLANKS for letter in kept) and not _is_visible(kept):
        return ""
    if "\n" in kept or "\t" in kept:
        kept = " ".join(kept.split())
    return kept if len(kept) <= MAX_NAME else f"{kept[: MAX_NAME - 1].rstrip()}…"


def _is_visible(text: str) -> bool:
    return any(category(letter)[0] not in "CZM" and letter not in _BLANKS for letter in text)


_FSI, _PDI, _PDF = "\u2068", "\u2069", "\u202c"
_EMBEDDINGS, _OVERRIDES, _ISOLATES = "\u202a\u202b", "\u202d\u202e", "\u2066\u2067\u2068"
# Letters of scripts that run from right to left, their digits and marks, and what changes the direction.
_TURNS = re.compile(
    "[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


def isolate_text(text: str) -> str:
    """Return text of someone as it is shown among words of ours. What runs from right to left stands between marks that
    keep its direction to itself, and every mark in it is closed; marks that turn letters around are left out.

    Text without any of these, and text that is isolated already, is returned unchanged. Lines are done each by itself:
    directions end with them.
    """
    if _TURNS.search(text) is None:
        return text
    return "\n".join(_isolate_line(line) if _TURNS.search(line) else line for line in text.split("\n"))


def _isolate_line(line: str) -> str:
    balanced = _balance(line)
    if _TURNS.search(balanced) is None or _is_isolated(balanced):
        return balanced
    return f"{_FSI}{balanced}{_PDI}"


def _balance(line: str) -> str:
    """Return a line whose marks are all closed, in order, and close something; without overrides."""
    kept: list[str] = []
    closings: list[str] = []  # what is to be closed; an override, of which nothing is kept, by nothing
    for letter in line:
        if letter in _OVERRIDES:
            closings.append("")
        elif letter == _PDF:
            if closings and closings[-1] != _PDI:
                kept.append(closings.pop())
        elif letter == _PDI:
            if _PDI in closings:
                while closings[-1] != _PDI:
                    kept.append(closings.pop())
                kept.append(closings.pop())
        else:
            kept.append(letter)
            if letter in _EMBEDDINGS:
                closings.append(_PDF)
            elif letter in _ISOLATES:
                closings.append(_PDI)
    return "".join((*kept, *reversed(closings)))


def _is_isolated(balanced: str) -> bool:
    """Return whether one isolate holds all of a balanced line."""
    depth = 0
    for position, letter in enumerate(balanced):
        if letter in _ISOLATES:
            depth += 1
        elif letter == _PDI:
            depth -= 1
        if depth == 0:
            return position == len(balanced) - 1 and letter == _PDI
    return False
