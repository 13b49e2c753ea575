"""A print is a PDF that everybody can read: tagged, in its language, with its letters in it, however odd its words."""

import asyncio
from io import BytesIO
from time import perf_counter
from typing import Any

import pytest
from pypdf import PdfReader

from adapters.typesetting import TypstTypesetter
from bot.domain.magazine import PaperSize
from bot.domain.person import Language
from bot.magazines import DRAWING, Printed, draw_magazine
from bot.wording import Reader
from tests.support.pictures import WILD
from tests.support.prints import make_print, stories_of


async def set_print(printed: Printed, reader: Reader, paper: PaperSize) -> PdfReader:
    return PdfReader(BytesIO(await TypstTypesetter().typeset(DRAWING, draw_magazine(printed, reader, paper), "pdf")))


def fonts_of(pdf: PdfReader) -> list[Any]:
    found = []
    for page in pdf.pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            found += [one.get_object() for one in font.get_object().get("/DescendantFonts", [font])]
    return found


@pytest.mark.parametrize("language", list(Language), ids=str)
@pytest.mark.parametrize("paper", list(PaperSize), ids=str)
@pytest.mark.parametrize("count", [1, 5])
async def test_it_is_tagged_in_its_language_with_its_letters_in_it(
    count: int, paper: PaperSize, language: Language
) -> None:
    pdf = await set_print(*make_print(stories_of(count), history=count > 1, language=language), paper)
    catalog: Any = pdf.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"] == language.value
    assert catalog["/StructTreeRoot"]["/K"]
    assert catalog["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"pdfuaid:part" in catalog["/Metadata"].get_data()
    assert pdf.metadata is not None
    assert pdf.metadata.title == "Een jaar samen"
    fonts = fonts_of(pdf)
    assert fonts
    assert all({"/FontFile", "/FontFile2", "/FontFile3"} & set(one["/FontDescriptor"].get_object()) for one in fonts)
    words = " ".join(" ".join(page.extract_text() for page in pdf.pages).split())
    assert words.count("De buurvrouw liep mee, en toen wilde de hele gang.") == count
    assert words.count("Fatima de Wit") == count
    width = float(pdf.pages[0].mediabox.width)
    assert (width > 590) is (paper is PaperSize.A4)


@pytest.mark.parametrize("text", WILD, ids=range(len(WILD)))
@pytest.mark.parametrize("paper", list(PaperSize), ids=str)
async def test_words_stay_words_and_break_where_they_are_too_long(paper: PaperSize, text: str) -> None:
    pdf = await set_print(*make_print(stories_of(2, f"{text}\nEn verder."), text.strip() or "x"), paper)
    assert len(pdf.pages) < 9
    assert "En verder." in " ".join(page.extract_text() for page in pdf.pages)


async def test_forty_stories_are_ready_in_time_while_others_are_answered() -> None:
    printed, reader = make_print(stories_of(40, "We liepen een rondje, en het werd stil. " * 30))
    slept, stop = [], asyncio.Event()

    async def keep_answering() -> None:
        while not stop.is_set():
            began = perf_counter()
            await asyncio.sleep(0.001)
            slept.append(perf_counter() - began)

    answering = asyncio.create_task(keep_answering())
    began = perf_counter()
    pdf = await set_print(printed, reader, PaperSize.A4)
    took = perf_counter() - began
    stop.set()
    await answering
    assert len(pdf.pages) > 10
    assert took <= 3
    assert len(slept) > 3, "the loop was free meanwhile"
