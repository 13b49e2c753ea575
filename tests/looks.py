"""Draw docs/images/drawn-*.png anew: every picture that Ritme gives, and pages of a magazine, as last looked at.

A test holds what is drawn today against these; look at what changed before you keep it. `make pictures` draws them.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import typst

from adapters.typesetting import PAPER, STYLE, TEMPLATES, _draw_legibly
from bot.catalogue import CATALOGUE
from bot.catalogue.base import PictureEntry
from bot.catalogue.doors import DoorCard
from bot.catalogue.meetings import CardDrawn
from bot.domain.magazine import PaperSize
from bot.domain.person import Language
from bot.magazines import DRAWING, draw_magazine
from bot.qr import qr_rows
from bot.wording import Reader, render_picture
from tests.support.prints import NOW, make_print, stories_of

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
SHARPNESS = 72
"""Pixels per inch: half as sharp as in a chat, for small files."""
PAGES = 2
"""Pages of a magazine that are looked at."""
SEEN_TWICE = {"print_asked": 0}
"""Pictures without words of ours: the same in every language."""


def list_looks() -> Iterator[tuple[str, Language]]:
    """List the names of what is drawn, with the languages in which it differs."""
    names = sorted(one.snake for one in CATALOGUE.values() if issubclass(one, PictureEntry))
    for name in names:
        yield from ((name, language) for language in Language if name not in SEEN_TWICE or language is Language.NL)
    yield from ((f"magazine_{paper}", language) for paper in PaperSize for language in Language)


def draw_look(name: str, language: Language) -> dict[str, bytes]:
    """Return the pictures of a name in a language, by the name of their file."""
    reader = Reader(language=language, timezone="Europe/Amsterdam", now=NOW, personal=True)
    if name.startswith(f"{DRAWING}_"):
        printed, reader = make_print(stories_of(5), language=language)
        drawing, data = DRAWING, draw_magazine(printed, reader, PaperSize(name.removeprefix(f"{DRAWING}_")))
    else:
        (entry,) = [one for one in CATALOGUE.values() if issubclass(one, PictureEntry) and one.snake == name]
        picture = render_picture(_with_real_code(entry.example()), reader)
        drawing, data = picture.drawing, dict(picture.data)
    pages = _set_pages(drawing, data)[:PAGES]
    ends = [""] if len(pages) == 1 else [f"-{number}" for number in range(1, len(pages) + 1)]
    return {
        f"drawn-{name.removesuffix('_drawn').replace('_', '-')}-{language}{end}.png": page
        for end, page in zip(ends, pages, strict=True)
    }


def _with_real_code(entry: PictureEntry) -> PictureEntry:
    """Return an entry with a code that a phone reads, where it has one."""
    if isinstance(entry, DoorCard):
        return replace(entry, modules=qr_rows(entry.link))
    return replace(entry, code=qr_rows("https://ritme.example.org")) if isinstance(entry, CardDrawn) else entry


def _set_pages(drawing: str, data: dict[str, object]) -> list[bytes]:
    files: dict[str, bytes] = {one: (TEMPLATES / one).read_bytes() for one in (STYLE, PAPER)}
    files["main.typ"] = (TEMPLATES / f"{drawing}.typ").read_bytes()
    files["data.json"] = json.dumps(_draw_legibly(data), ensure_ascii=False).encode()
    made = typst.compile(files, format="png", ppi=SHARPNESS, ignore_system_fonts=True)
    return [made] if isinstance(made, bytes) else list(made)


def draw_looks(folder: Path = IMAGES) -> Iterator[Path]:
    """Draw everything anew; yield the files. What is drawn no more is removed."""
    drawn = {name: png for one in list_looks() for name, png in draw_look(*one).items()}
    for old in folder.glob("drawn-*.png"):
        if old.name not in drawn:
            old.unlink()
    for name, png in drawn.items():
        (folder / name).write_bytes(png)
        yield folder / name


def main() -> None:
    """Draw everything anew, and print how large each is."""
    for one in draw_looks():
        print(f"{one.stat().st_size // 1000:4} kB  {one.name}")  # noqa: T201  # a terminal's


if __name__ == "__main__":
    main()
