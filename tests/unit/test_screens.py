"""Every picture that the documents show is there, in both languages, and every kind of page has one."""

import re
from pathlib import Path

import pytest

from bot.domain.person import Language
from bot.pages import BOARDS
from tests.screens import IMAGES, MOST_BYTES, OURS, SCREENS, list_screens, name_file

DOCS = IMAGES.parent
UNSHOWN = {"rhythm"}
"""Pages without a picture: this one is a part of the coordinators' page, by itself."""
DOCUMENTS = sorted((*DOCS.glob("*.md"), *(DOCS.parent).glob("*.md"), *DOCS.glob("trust/*.md")))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_a_document_shows_pictures_that_are_there_and_says_what_is_on_them(document: Path) -> None:
    shown = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", document.read_text(encoding="utf-8"))
    for words, file in shown:
        assert (document.parent / file).is_file(), file
        assert len(words.split()) > 3, f"{file} has no words for who cannot see it"


def test_every_kind_of_page_has_a_picture_and_each_is_shown_in_its_language() -> None:
    kinds = {one.path.removeprefix(f"{OURS}/").partition("/")[0].partition("?")[0] for one in SCREENS.values()}
    assert set(BOARDS) - kinds == UNSHOWN
    assert any("/pages/door/" in one.path for one in SCREENS.values())
    for ending, language in (("", Language.EN), (".nl", Language.NL)):
        text = (DOCS / f"pages{ending}.md").read_text(encoding="utf-8")
        shown = {Path(file).name for file in re.findall(r"\]\((images/page-[^)]+)\)", text)}
        assert shown == {name_file(name, language) for name in SCREENS}


def test_pictures_of_pages_are_those_that_are_drawn_and_small_together() -> None:
    stored = {one.name: one.stat().st_size for one in IMAGES.glob("page-*.webp")}
    assert set(stored) == {name_file(*one) for one in list_screens()}
    assert all((IMAGES / one).read_bytes()[8:12] == b"WEBP" for one in stored)
    assert sum(stored.values()) < MOST_BYTES
