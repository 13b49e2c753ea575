"""A page shows pictures, that only who may read them gets, and says the same in words beside them."""

import re
from collections.abc import AsyncIterator, Mapping
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bot.domain.initiative import InitiativeId
from bot.domain.movement import Role
from bot.domain.person import PersonId
from bot.ports import PrintForm, TypesettingFailed
from tests.support.playground import MOVEMENT, ServedPlayground, serve_playground
from tests.support.visitors import WebVisitor, a_browser, add_patch, start_rhythm, visit

OURS = "/pages/m/movement"
QUILT, YEAR, HISTORY = "quilt_drawn", "rhythm_year", "history_drawn"
PAPER_IN_THE_DARK = "#1f2a26"
SHOWN = {"movement": [QUILT, HISTORY, YEAR], "initiative/walk": [HISTORY], "coordinator": [YEAR], "me": []}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[ServedPlayground]:
    async with serve_playground(tmp_path / "demo.db") as running:
        await start_rhythm(running)
        await running.say("fatima", "samen-vooruit", "/verhaal We liepen <b>samen</b> & #eval(1+1) $x$")
        await add_patch(running, "Thee & <koek>")
        yield running


def pictures_of(page: WebVisitor) -> list[str]:
    """The addresses of the pictures of a page; each is there by day and in the dark."""
    by_day, in_the_dark = (re.findall(rf'<img src="([^"?]+){dark}"', page.html) for dark in ("", r"\?dark"))
    assert by_day == in_the_dark
    return by_day


async def test_each_page_shows_its_pictures_and_says_them_in_words(served: ServedPlayground) -> None:
    async with visit(served, "iris") as iris:
        for name, drawings in SHOWN.items():
            await iris.get(f"{OURS}/{name}")
            page, addresses = iris.text, pictures_of(iris)
            assert [one.rpartition("/")[2] for one in addresses] == [f"{one}.svg" for one in drawings], name
            assert page.count("In woorden staat het hieronder") == 0  # that is for who does not see the picture
            alt = [unescape(one) for one in re.findall(r'<img [^>]*alt="([^"]+)"', iris.html)]
            assert len(alt) == 2 * len(drawings)
            for address in addresses:
                for look in ("", "?narrow", "?dark", "?narrow&dark"):
                    await iris.get(f"{address}{look}")
                    assert (PAPER_IN_THE_DARK in iris.html) is ("dark" in look)
                    assert (iris.status, iris.headers["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
                    assert iris.headers["Cache-Control"] == "no-store"
                    assert "default-src 'none'" in iris.headers["Content-Security-Policy"]
                    picture = ElementTree.fromstring(iris.html)
                    told = picture.findtext("{http://www.w3.org/2000/svg}desc") or ""
                    assert len(told) > 40
                    assert "<script" not in iris.html
                    first = next(line for line in told.splitlines() if len(line) > 20)
                    assert " ".join(first.split()) in page.replace(" :", ":").replace(" .", ".").replace(" ,", ",")


async def test_a_picture_is_for_who_may_open_its_page(served: ServedPlayground) -> None:
    coordinators = f"{OURS}/coordinator/-/{YEAR}.svg"
    everyone = f"{OURS}/movement/-/{YEAR}.svg"
    async with visit(served, "jan") as jan, visit(served, "iris") as iris, a_browser(served) as stranger:
        assert (await jan.get(coordinators)).status == 404
        assert (await iris.get(coordinators)).status == 200
        for address in (coordinators, everyone):
            assert (await stranger.get(address)).status == 401
        for nothing in (
            f"{OURS}/me/-/{HISTORY}.svg",
            f"{OURS}/movement/-/style.svg",
            f"{OURS}/movement/-/..%2Fstyle.svg",
            f"{OURS}/initiative/nothing/{HISTORY}.svg",
            f"{OURS}/initiative/%00/{HISTORY}.svg",
            f"/pages/m/other/movement/-/{YEAR}.svg",
            f"{OURS}/me/-/{QUILT}.svg",
        ):
            assert (await jan.get(nothing)).status == 404, nothing
        # Gone with the role, as the page is.
        async with served.begin() as work:
            member = await work.movements.membership(MOVEMENT, PersonId("iris"))
            assert member is not None
            member.role = Role.MEMBER
        assert (await iris.get(coordinators)).status == 401


async def test_where_there_is_nothing_to_draw_there_is_no_picture(served: ServedPlayground) -> None:
    async with visit(served, "jan") as jan:
        await jan.get(f"{OURS}/initiative/tea")  # the beginning alone is no history
        assert (jan.status, pictures_of(jan)) == (200, [])
    async with served.begin() as work:
        tea = await work.initiatives.get(InitiativeId("tea"), MOVEMENT)
        assert tea is not None
        tea.closed_at = served.clock.now()
    async with visit(served, "jan") as jan:
        await jan.get(f"{OURS}/movement")
        # One patch is no quilt.
        assert [one.rpartition("/")[2] for one in pictures_of(jan)] == [f"{HISTORY}.svg", f"{YEAR}.svg"]


async def test_a_picture_that_cannot_be_drawn_leaves_its_words(
    served: ServedPlayground, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        async def typeset(self, drawing: str, data: Mapping[str, object], form: PrintForm) -> bytes:
            raise TypesettingFailed(f"{drawing} as {form}: no")

    async with visit(served, "jan") as jan:
        pages = served.ritme.pages
        monkeypatch.setattr(pages, "typesetter", Broken())
        (address, *_) = pictures_of(await jan.get(f"{OURS}/movement"))
        assert "Thee & <koek>" in jan.text
        assert (await jan.get(address)).status == 503
        monkeypatch.setattr(pages, "typesetter", None)
        assert pictures_of(await jan.get(f"{OURS}/movement")) == []
        assert "gaat door" in jan.text  # as in the words of the quilt
        assert (await jan.get(address)).status == 404
