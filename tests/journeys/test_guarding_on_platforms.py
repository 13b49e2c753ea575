"""A message that names a client is asked about in private, on Slack, in Teams and in the playground, before Ritme keeps
it: one that is saved as a story, and a reply in a thread."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text as sql

from adapters.slack.permissions import SAVE_SHORTCUT
from bot.domain.movement import PlaceId
from bot.domain.person import PersonId
from bot.domain.story import Readers
from tests.drivers.border import HERE, PLATFORMS, Border, InTeams, OnSlack, open_border
from tests.support.readers import find_untrue
from tests.support.world import MONDAY

STORY = "Mevrouw Bos schonk vandaag zelf de koffie in."
PLAIN = "Een cliënt schonk vandaag zelf de koffie in."
FOR_OTHERS = ("stories", "story_requests", "deliveries")
"""Tables of what others read, or are about to."""


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh
        assert find_untrue(await fresh.to_all()) == []


@pytest.fixture(params=[one for one in PLATFORMS if one != "playground"])
async def saving(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    """Yield a border of a platform on which a message can be saved as a story."""
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh


async def write_and_save(border: Border, who: str, author: str) -> Any:
    """Write a message as `author`, and save it as `who`. Returns the form, if that opens one."""
    said = await border.say(author, STORY)
    if isinstance(border, OnSlack):
        return await border.driver.shortcut(who, SAVE_SHORTCUT, said)
    assert isinstance(border, InTeams)
    return await border.save_message(who, author, STORY)


async def texts(border: Border, who: str) -> list[str]:
    async with border.begin() as work:
        return [one.text for one in await work.stories.of_teller(PersonId(who), 9)]


async def read_tables(border: Border, *tables: str) -> str:
    """Return all rows of these tables, as text; empty when there are none."""
    async with border.begin() as work:
        session: Any = work.stories._session  # type: ignore[attr-defined]
        rows = [row for one in tables for row in (await session.execute(sql(f"SELECT * FROM {one}"))).all()]
    return repr(rows) if rows else ""


async def said_to_others(border: Border, *but: str) -> list[str]:
    """Return all that Ritme said to everybody, or to somebody else than these."""
    to_all = await border.to_all()
    others = [who for who in ("iris", "fatima", "jan", "sanne", "wim") if who not in but]
    return to_all + [one.words() for who in others for one in await border.to(who)]


async def test_somebody_elses_message_is_asked_about_once_its_author_agrees(saving: Border) -> None:
    form = await write_and_save(saving, "fatima", "jan")
    await saving.submit("fatima", form)
    card = (await saving.to("jan"))[-1]
    await saving.press("jan", card, "saving.keep" if isinstance(saving, InTeams) else "keep")
    assert await texts(saving, "jan") == []
    asked = (await saving.to("jan"))[-1]
    assert "“Mevrouw Bos”" in asked.words()
    assert not any("Bos" in one for one in await said_to_others(saving, "jan"))
    await saving.press("jan", asked, "without")
    assert await texts(saving, "jan") == [PLAIN]
    await saving.until(MONDAY + timedelta(days=1))
    assert not any("Bos" in one for one in await said_to_others(saving, "jan"))
    assert "Bos" not in await read_tables(saving, *FOR_OTHERS)


async def test_ones_own_message_is_asked_about_at_once(saving: Border) -> None:
    await write_and_save(saving, "fatima", "fatima")
    assert await texts(saving, "fatima") == []
    asked = (await saving.to("fatima"))[-1]
    assert "“Mevrouw Bos”" in asked.words()
    await saving.press("fatima", asked, "without")
    assert await texts(saving, "fatima") == [PLAIN]
    assert not any("Bos" in one for one in await said_to_others(saving, "fatima"))


async def add_story_round(border: Border) -> None:
    form = await border.form("iris", "/ritme ritme", "rhythm.new", button="new")
    weekly = {"every": "1", "weekdays": ("TU",), "at": "10:00", "place": HERE, "on_holiday": "skip"}
    await border.submit("iris", form, kind="stories", **weekly)
    await border.until(datetime(2027, 3, 2, 9, 1, tzinfo=UTC))


async def test_a_reply_is_kept_once_its_writer_chose_and_never_said_again(border: Border) -> None:
    await add_story_round(border)
    (post,) = await border.to_all()
    await border.reply("fatima", post.splitlines()[0], STORY)
    assert await texts(border, "fatima") == []
    assert "Bos" not in await read_tables(border, *FOR_OTHERS)
    asked = (await border.to("fatima"))[-1]
    assert "“Mevrouw Bos”" in asked.words()
    assert "In de draad staat het al" in asked.words()
    assert not any("Bos" in one for one in await said_to_others(border, "fatima"))
    await border.press("fatima", asked, "without")
    async with border.begin() as work:
        (story,) = await work.stories.of_teller(PersonId("fatima"), 9)
        place = await work.movements.place(PlaceId(str(story.place_id)))
    assert place is not None
    assert (story.text, story.readers) == (PLAIN, Readers.THREAD)
    await border.reply("jan", post.splitlines()[0], "Mooi Fatima, wie zat erbij?")
    await border.until(datetime(2027, 3, 12, 12, tzinfo=UTC))
    assert any(PLAIN[:30] in one.words() for one in await border.to("fatima"))
    assert not any("Bos" in one for one in await said_to_others(border, "fatima"))


async def test_a_reply_that_nobody_chose_about_is_never_kept(border: Border) -> None:
    await add_story_round(border)
    (post,) = await border.to_all()
    await border.reply("fatima", post.splitlines()[0], STORY)
    await border.until(datetime(2027, 3, 12, 12, tzinfo=UTC))
    assert await texts(border, "fatima") == []
    assert await read_tables(border, "held_words") == ""
    assert not any("Bos" in one for one in await said_to_others(border, "fatima"))


async def test_a_story_told_by_a_mention_is_posted_without_the_name_and_answered_in_its_thread(border: Border) -> None:
    message = await border.say("fatima", f"@Ritme verhaal {STORY}")
    assert not any("Bos" in one for one in await border.to_all())
    await border.press("fatima", (await border.to("fatima"))[-1], "without")
    assert any(PLAIN in one for one in await border.to_all())
    await border.say("jan", "Mooi gedaan.", thread=message)
    await border.until(MONDAY + timedelta(hours=5))
    assert any("Iemand reageerde" in one.words() for one in await border.to("fatima"))
