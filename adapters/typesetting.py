"""Set the templates of `prompts/print/` with Typst: pictures for a chat (PNG) or a page (SVG), and paper (PDF).

What people wrote travels as JSON in a file of its own that a template reads: it is never part of the markup, so nothing
in it can become any. Typst computes without holding the interpreter, in a thread; one drawing at a time, because it
uses every core it finds.
"""

import json
import re
from asyncio import Semaphore, to_thread
from collections import OrderedDict
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from struct import unpack
from typing import Any

from bot.compiled import PROMPTS
from bot.ports import PrintForm, TypesettingFailed

TEMPLATES = PROMPTS / "print"
STYLE, PAPER = "style.typ", "paper.typ"
"""The parts that templates share: colours, sizes, and what stands around a picture; and a story on paper."""
PIXELS_PER_INCH = 144
"""Twice as sharp as a point of the layout: 480 points are 960 pixels."""
MOST_PIXELS = 1024
"""Of a side of a PNG: Teams shows no larger ones. What is larger is made less sharp."""
MAX_KEPT_BYTES = 8_000_000
"""Of drawings that are kept to be given again."""
_OPTIONS: Mapping[str, Mapping[str, Any]] = {"png": {"ppi": PIXELS_PER_INCH}, "pdf": {"pdf_standards": "ua-1"}}
_LETTERS = re.compile(r"[^\W\d_]")
_DOTS = re.compile("… ?(?:… ?)+(?=[^ ]|$)")
_UNDRAWN = re.compile(
    "[^ -~\u00a0-\u024f\u0259\u0300-\u0304\u0306-\u030c\u0327\u0328\u0386-\u03ce\u0400-\u045f\u0490\u0491\u05d0-\u05ea"
    "\u0621-\u063a\u0640-\u0652\u0660-\u0669\u066e-\u06d3\u1e00-\u1eff\u2010-\u2026\u2030\u2032\u2033\u2039\u203a\u2044"
    "\u20ac\u2116\u2122\u2190-\u2193\u2212\u2248\u2260\u2264\u2265\u25a0\u25a1\u25cb\u25cf\u2713\ufb01\ufb02]+"
)
"""Characters that the fonts that come with Typst do not have: emoji, and scripts of which there is no font."""


class TypstTypesetter:
    """Implements `Typesetter`. The same drawing with the same data is set once, and kept while there is room."""

    def __init__(self) -> None:
        self._alone = Semaphore(1)
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    async def typeset(self, drawing: str, data: Mapping[str, object], form: PrintForm) -> bytes:
        """Return a drawing with its data in a form. Raises `TypesettingFailed`."""
        written = json.dumps(_draw_legibly(data), ensure_ascii=False, sort_keys=True)
        key = sha256(f"{drawing}\n{form}\n{written}".encode()).hexdigest()
        async with self._alone:
            if key not in self._kept:
                self._keep(key, await to_thread(_set, drawing, written, form))
            self._kept.move_to_end(key)
            return self._kept[key]

    def _keep(self, key: str, content: bytes) -> None:
        self._kept[key] = content
        while len(self._kept) > 1 and sum(map(len, self._kept.values())) > MAX_KEPT_BYTES:
            self._kept.popitem(last=False)


def describe_svg(svg: bytes, title: str, text: str) -> str:
    """Return an SVG that says to a screen reader what it shows; it can stand in a page as it is."""
    head, _, rest = svg.decode().partition(">")
    told = f"<title>{escape(title)}</title><desc>{escape(text)}</desc>"
    return f'{head} role="img" aria-label="{escape(title)}">{told}{rest}'


@cache
def _read(name: str) -> bytes:
    return (TEMPLATES / name).read_bytes()


def _set(drawing: str, written: str, form: PrintForm) -> bytes:
    import typst  # here: a process that draws nothing needs no compiler

    name = f"{drawing}.typ"
    if not (TEMPLATES / name).is_file() or Path(name).name != name:
        raise TypesettingFailed(f"there is no template {name}")
    files = {"main.typ": _read(name), STYLE: _read(STYLE), PAPER: _read(PAPER), "data.json": written.encode()}
    options = dict(_OPTIONS.get(form, {}))
    try:
        made = typst.compile(files, format=form, ignore_system_fonts=True, **options)
        if form == "png" and isinstance(made, bytes) and (longest := max(_png_size(made))) > MOST_PIXELS:
            options["ppi"] = PIXELS_PER_INCH * MOST_PIXELS / (longest + 1)
            made = typst.compile(files, format=form, ignore_system_fonts=True, **options)
    except Exception as problem:  # `TypstError`, and what a compiler may raise besides
        raise TypesettingFailed(f"{drawing} as {form}: {type(problem).__name__}") from problem
    if not isinstance(made, bytes):
        raise TypesettingFailed(f"{drawing} as {form} has more than one page")
    return made


def _png_size(png: bytes) -> tuple[int, int]:
    """Return the width and the height that a PNG begins with, in pixels."""
    width, height = unpack(">II", png[16:24])
    return width, height


def _draw_legibly(value: object) -> object:
    """Return the data with texts of which every character can be drawn: an emoji is left out, and dots stand for words
    in a script that has no font here. The text beside a picture has them all."""
    if isinstance(value, str):
        return _DOTS.sub("…", " ".join(_UNDRAWN.sub(_replace_undrawn, value).split()))
    if isinstance(value, Mapping):
        return {name: _draw_legibly(one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [_draw_legibly(one) for one in value]
    return value


def _replace_undrawn(found: re.Match[str]) -> str:
    return "…" if _LETTERS.search(found[0]) else " " if found[0].isspace() else ""
