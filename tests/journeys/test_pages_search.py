"""Stories are searched on a page, by a form that is sent by its address, as `/ritme search` finds them in chat."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from adapters.database.repositories.story_search import StorySearcher
from bot.domain.person import PersonId
from bot.ports import TookTooLong
from tests.support.playground import MOVEMENT, ServedPlayground, serve_playground
from tests.support.visitors import WebVisitor, visit

OURS = "/pages/m/movement"
SEARCH = f"{OURS}/search"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[ServedPlayground]:
    async with serve_playground(tmp_path / "demo.db") as running:
        for number in range(6):
            await running.say("fatima", "samen-vooruit", f"/verhaal Nachtdienst {number}: we liepen <b>samen</b>.")
        await running.say("jan", "samen-vooruit", "/verhaal De soep was op vrijdag klaar.")
        yield running


def links_of(page: WebVisitor) -> dict[str, str]:
    found = re.findall(r'<a class="press[^"]*" href="([^"]+)">(.*?)</a>', page.html)
    return {unescape(label): unescape(address) for address, label in found}


async def test_words_find_stories_and_the_next_ones_by_a_link(served: ServedPlayground) -> None:
    async with visit(served, "jan") as jan:
        await jan.get(f"{OURS}/movement")
        form = re.search(r'<form method="get" action="([^"]+)" role="search">(.*?)</form>', jan.html, re.DOTALL)
        assert form is not None
        assert form[1] == SEARCH
        assert re.findall(r'name="(\w+)"', form[2]) == ["text", "initiative", "dimension", "period"]
        await jan.get(f"{SEARCH}?text=nachtdienst+&period=")
        assert jan.status == 200
        assert "Alleen jij ziet deze pagina" in jan.text
        assert jan.text.count("Nachtdienst") == 4
        assert "<b>samen</b>" in jan.text
        assert 'value="nachtdienst"' in jan.html  # the form keeps what was asked
        more = links_of(jan)["Toon meer"]
        await jan.get(more)
        assert jan.text.count("Nachtdienst") == 2
        assert "Toon meer" not in links_of(jan)
        await jan.get(SEARCH)  # asked nothing: the newest
        assert "De nieuwste verhalen" in jan.text


async def test_an_initiative_narrows_what_a_page_finds(served: ServedPlayground) -> None:
    async with served.begin() as work:
        (soup,) = await work.stories.of_teller(PersonId("jan"), 2)
        (walk, *_) = await work.initiatives.of_movement(MOVEMENT)
        story = await work.stories.get(soup.id, MOVEMENT)
        assert story is not None
        story.initiative_id = walk.id
    async with visit(served, "fatima") as fatima:
        for asked in ("text=&", "text=soep&", ""):
            await fatima.get(f"{SEARCH}?{asked}initiative={walk.id}")
            assert "soep was op vrijdag" in fatima.text, asked
            assert "Nachtdienst" not in fatima.text.partition("Wat ik vond")[2], asked
            assert f'value="{walk.id}" selected' in fatima.html
        await fatima.get(f"{SEARCH}?text=nachtdienst&initiative={walk.id}")
        assert "vond ik geen verhaal" in fatima.text


async def test_nothing_found_says_what_to_try(served: ServedPlayground) -> None:
    async with visit(served, "jan") as jan:
        await jan.get(f"{SEARCH}?text=olifant&period=week")
        assert "vond ik geen verhaal" in jan.text
        assert 'value="week" selected' in jan.html
        assert "<details open>" in jan.html  # what narrows it can be seen
        await jan.get(links_of(jan)["Zoek overal"])
        assert 'value="week" selected' not in jan.html


async def test_each_finds_what_they_may_read_and_what_was_taken_back_is_gone(served: ServedPlayground) -> None:
    async with visit(served, "jan") as jan, visit(served, "fatima") as fatima:
        async with served.begin() as work:
            (soup,) = await work.stories.of_teller(PersonId("jan"), 2)
        assert "soep" in (await fatima.get(f"{SEARCH}?text=soep")).text.partition("Wat ik vond")[2]
        async with served.begin() as work:
            story = await work.stories.get(soup.id, MOVEMENT)
            assert story is not None
            story.withdrawn_at = served.clock.now()
        for one in (jan, fatima):
            assert "vrijdag" not in (await one.get(f"{SEARCH}?text=soep")).text


async def test_odd_questions_find_nothing_and_break_nothing(served: ServedPlayground) -> None:
    async with visit(served, "jan") as jan:
        for odd in (
            "initiative=nothing",
            "initiative=%00",
            "dimension=sideways",
            "period=aeon",
            "after=all:x",
            "after=nearly:99999999999999999999",
            "text=%00%00",
            "text=%27%22%3B--+%2A+AND+NEAR%28",
            "text=" + "x" * 3000,
            "text=a&text=b&text=c",
            "session=other&movement=other&reader=iris",
        ):
            assert (await jan.get(f"{SEARCH}?{odd}")).status == 200, odd
        await jan.get(f"{SEARCH}?group=nachtdienst")  # too small a group: it would tell who is in it
        assert "Nachtdienst 1" not in jan.text
        for bad in ("text=%ff%fe", "&" * 500):
            assert (await jan.get(f"{SEARCH}?{bad}")).status == 400, bad


async def test_a_search_that_takes_too_long_says_what_helps(
    served: ServedPlayground, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def give_up(*_: Any) -> Any:
        raise TookTooLong("search")

    monkeypatch.setattr(StorySearcher, "find", give_up)
    async with visit(served, "jan") as jan:
        await jan.get(f"{SEARCH}?text=nachtdienst")
        assert jan.status == 200
        assert "Kies een kortere tijd" in jan.text
        assert 'value="nachtdienst"' in jan.html
