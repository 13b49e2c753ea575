"""Draw docs/images/drawn-*.png anew: every picture that Ritme gives, and pages of a magazine, as last looked at. They
are of the movement that the pictures of pages show too (`tests.support.showcase`).

A test holds what is drawn today against these; look at what changed before you keep it. `make pictures` draws them.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import typst

from adapters.typesetting import PAPER, STYLE, TEMPLATES, _draw_legibly
from bot.catalogue import CATALOGUE
from bot.catalogue.base import PictureEntry
from bot.catalogue.doors import DoorCard
from bot.catalogue.magazines import PrintAsked
from bot.catalogue.meetings import CardDrawn
from bot.catalogue.pictures import RhythmYear
from bot.domain.magazine import PaperSize
from bot.domain.page_session import SESSION_SECRET_CHARS, PageSession
from bot.domain.person import Language, PersonId
from bot.magazines import DRAWING, draw_magazine, load_print
from bot.qr import qr_rows
from bot.wording import Reader, render_picture
from tests.support.images import keep_pictures
from tests.support.playground import MOVEMENT, START, ServedPlayground, serve_playground
from tests.support.showcase import COORDINATES, MAGAZINE, SHOWCASES, show_movement

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
SHARPNESS = 72
"""Pixels per inch: half as sharp as in a chat, for small files."""
PAGES = 2
"""Pages of a magazine that are looked at."""
SEEN_ON = {"movement": "", "initiative": "i0"}
"""Pages with pictures of the movement, and of what they are."""
TOLD_MORE = "rhythm_year"
"""The example of this one holds more than four months bring: what was moved, paused and not sent."""
Drawings = Mapping[str, tuple[str, Mapping[str, object]]]
"""The template of what is drawn, and its data, by its name."""
_kept: dict[Language, Drawings] = {}


def list_looks() -> Iterator[tuple[str, Language]]:
    """List the names of what is drawn, each in each language."""
    names = sorted(one.snake for one in CATALOGUE.values() if issubclass(one, PictureEntry))
    for name in (*names, *(f"magazine_{paper}" for paper in PaperSize)):
        yield from ((name, language) for language in Language)


async def draw_look(name: str, language: Language) -> dict[str, bytes]:
    """Return the pictures of a name in a language, by the name of their file."""
    if language not in _kept:
        _kept[language] = await _load(language)
    pages = _set_pages(*_kept[language][name])[:PAGES]
    ends = [""] if len(pages) == 1 else [f"-{number}" for number in range(1, len(pages) + 1)]
    return {
        f"drawn-{name.removesuffix('_drawn').replace('_', '-')}-{language}{end}.png": page
        for end, page in zip(ends, pages, strict=True)
    }


async def _load(language: Language) -> Drawings:
    """Load what is drawn in a language: of the movement that is shown, as far as it has it, else of an example."""
    reader = Reader(language=language, timezone="Europe/Amsterdam", now=START, personal=True)
    examples = (one.example() for one in CATALOGUE.values() if issubclass(one, PictureEntry))
    pictures = {one.snake: render_picture(_tell(one, language), reader) for one in examples}
    found = {name: (one.drawing, dict(one.data)) for name, one in pictures.items()}
    with TemporaryDirectory() as folder:
        async with serve_playground(Path(folder) / "demo.db", with_movement=False) as served:
            await show_movement(served, language)
            return {**found, **await _load_pages(served), **await _load_magazine(served, reader)}


async def _load_pages(served: ServedPlayground) -> Drawings:
    secret, pages = "s" * SESSION_SECRET_CHARS, served.ritme.pages
    async with served.begin() as work:
        person = await work.people.get(PersonId(COORDINATES), MOVEMENT)
        assert person is not None
        session = PageSession.offer(person, served.clock.now())
        work.sessions.add(session)
    assert await pages.open(session.id, secret, "")
    shown = [await pages.show(secret, name, MOVEMENT, about) for name, about in SEEN_ON.items()]
    pictures = [section.picture for one in shown if one is not None for section in one.page.sections]
    return {one.drawing: (one.drawing, one.data) for one in pictures if one is not None and one.drawing != TOLD_MORE}


async def _load_magazine(served: ServedPlayground, reader: Reader) -> Drawings:
    async with served.begin() as work:
        movement = await work.movements.get(MOVEMENT)
        assert movement is not None
        printed = await load_print(work, movement, MAGAZINE)
        assert printed is not None
        return {f"magazine_{paper}": (DRAWING, draw_magazine(printed, reader, paper)) for paper in PaperSize}


def _tell(entry: PictureEntry, language: Language) -> PictureEntry:
    """Return an example in the words of the movement that is shown."""
    told = SHOWCASES[language]
    (about, _), (title, words), (where, note) = told.initiatives[0], told.magazine, told.meeting
    if isinstance(entry, DoorCard):
        door = replace(entry, initiative=about, movement=told.name, question=told.question)
        return replace(door, modules=qr_rows(entry.link))
    if isinstance(entry, CardDrawn):
        card = replace(entry, movement=told.name, purpose=str(told.purpose["vision"]), where=where, words=note)
        return replace(card, code=qr_rows("https://ritme.example.org"))
    if isinstance(entry, RhythmYear):
        channels = [replace(one, rhythm=replace(one.rhythm, place=told.channel)) for one in entry.rhythms]
        return replace(entry, name=told.name, rhythms=tuple(channels))
    if isinstance(entry, PrintAsked):
        story = replace(entry, title=title, words=words, movement=told.name, about=about)
        return replace(story, text=told.stories[0][3], name="Fatima")
    return entry


def _set_pages(drawing: str, data: Mapping[str, object]) -> list[bytes]:
    files: dict[str, bytes] = {one: (TEMPLATES / one).read_bytes() for one in (STYLE, PAPER)}
    files["main.typ"] = (TEMPLATES / f"{drawing}.typ").read_bytes()
    files["data.json"] = json.dumps(_draw_legibly(data), ensure_ascii=False).encode()
    made = typst.compile(files, format="png", ppi=SHARPNESS, ignore_system_fonts=True)
    return [made] if isinstance(made, bytes) else list(made)


async def main() -> None:
    """Draw everything anew, and print how large each is."""
    drawn = {file: png for one in list_looks() for file, png in (await draw_look(*one)).items()}
    keep_pictures(drawn, "drawn-*.png", IMAGES)


if __name__ == "__main__":
    asyncio.run(main())
