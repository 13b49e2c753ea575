"""Everyone gets everything about themselves in one file: composed once, given in their own chat, gone after an hour."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.catalogue.people import ExportComing
from bot.chat import Answer
from bot.domain.delivery import to_person
from bot.domain.ids import new_id
from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import PersonId, WorkspaceId
from bot.domain.story import Story, StoryId
from bot.ports import OutcomeUnknown, RetryAfter, Unreachable
from tests.fakes.messenger import Sent
from tests.support.databases import BOTH
from tests.support.exports import readable_text, tables_in
from tests.support.loops import watched_steps
from tests.support.world import LANE, World, open_world, text_of

FATIMA = PersonId("fatima")


@pytest.fixture(params=BOTH)
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with open_world(tmp_path, kind=request.param) as fresh:
        await fresh.movement("fatima", "jan")
        yield fresh


async def press_download(world: World, who: str = "fatima", language: str = "nl") -> Answer:
    shown = await world.type(who, "/ritme me", language=language)
    answer = await world.press(who, shown, "export", language=language)
    assert isinstance(answer, Answer)
    return answer


def files(world: World, who: str = "fatima") -> list[Sent]:
    return [one for one in world.private(who) if one.post.file is not None]


def content_of(sent: Sent) -> bytes:
    assert sent.post.file is not None
    return sent.post.file.content


async def tell_at_once(world: World, many: int) -> None:
    async with world.begin() as work:
        for _ in range(many):
            work.stories.add(
                Story(
                    id=StoryId(new_id()),
                    movement_id=MovementId("movement"),
                    place_id=PlaceId("general"),
                    teller_id=FATIMA,
                    text="We liepen tot de brievenbus.",
                    told_at=world.clock.now(),
                )
            )


async def test_everything_comes_in_one_file_in_their_own_chat(world: World) -> None:
    await world.type("fatima", "/verhaal We liepen tot de brievenbus. " + "Heel ver. " * 120)
    await world.type("fatima", "/vast Niemand komt <b>naar</b> het overleg")
    said = text_of(await press_download(world))
    assert "één bestand" in said
    assert len(files(world)) == 1
    (given,) = files(world)
    assert given.post.channel is None
    tables = tables_in(content_of(given))
    assert tables["people"][0]["name"] == "fatima"
    assert tables["stories"][0]["text"].startswith("We liepen")
    assert tables["stuck_episodes"][0]["text"] == "Niemand komt <b>naar</b> het overleg"
    page = content_of(given).decode()
    assert "Niemand komt &lt;b&gt;naar" in page
    assert "<script" not in page
    seen = readable_text(content_of(given))
    assert "Verhalen die je vertelde" in seen
    assert "1 maart 2027, 09:00" in seen, "moments are told in the reader's zone"


async def test_the_page_is_in_the_persons_language(world: World) -> None:
    form = await world.press("fatima", await world.type("fatima", "/ritme me"), "settings")
    await world.submit("fatima", form, language="en", timezone="Europe/London")
    await world.type("fatima", "/story We walked to the post box.")
    await press_download(world)
    seen = readable_text(content_of(files(world)[0]))
    assert "Stories you told" in seen
    assert "1 March 2027, 08:00" in seen
    assert '<html lang="en">' in content_of(files(world)[0]).decode()


async def test_pressed_again_within_the_hour_the_same_file_comes_again(world: World) -> None:
    await press_download(world)
    await world.pass_(minutes=20)
    await world.type("fatima", "/verhaal Dit kwam erna.")
    again = text_of(await press_download(world))
    assert "maakte ik vandaag om 09:00" in again
    assert "vanaf 10:00" in again
    first, second = files(world)
    assert content_of(first) == content_of(second)
    await world.pass_(minutes=41)
    await press_download(world)
    assert "stories" in tables_in(content_of(files(world)[2]))


async def test_pressed_twice_at_once_one_file_comes(world: World) -> None:
    await press_download(world)
    await world.pass_(seconds=10)
    assert "staat al in je eigen chat" in text_of(await press_download(world))
    assert len(files(world)) == 1


async def test_one_whose_file_could_not_be_given_can_ask_again_at_once(world: World) -> None:
    world.messenger.fail_next = [(Unreachable("not_accepted"), False)]
    await press_download(world)
    assert files(world) == []
    await press_download(world)
    assert len(files(world)) == 1


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_lost_answer_gives_it_once_all_the_same(world: World, arrives: bool) -> None:
    world.messenger.fail_next = [(OutcomeUnknown(), arrives)]
    await press_download(world)
    await world.pass_(minutes=5)
    assert len(files(world)) == 1


async def test_a_platform_that_asks_to_wait_for_hours_gets_it_later(world: World) -> None:
    world.messenger.fail_next = [(RetryAfter(world.clock.now() + timedelta(hours=3)), False)]
    await press_download(world)
    await world.pass_(hours=4)
    assert len(files(world)) == 1
    assert tables_in(content_of(files(world)[0]))["people"]


async def test_the_file_can_be_opened_for_an_hour_and_is_deleted_then(world: World) -> None:
    await press_download(world)
    (given,) = files(world)
    assert given.post.file is not None
    file = given.post.file.id
    opened = await world.ritme.open_file(file)
    assert opened is not None
    assert opened.content == content_of(given)
    await world.pass_(minutes=59)
    assert await world.ritme.open_file(file) is not None
    await world.pass_(minutes=1)
    assert await world.ritme.open_file(file) is None
    await world.pass_(minutes=10)
    await world.ritme.plan()
    async with world.database.connect() as connection:
        assert (await connection.exec_driver_sql("SELECT * FROM personal_files")).all() == []


async def test_forgotten_deletes_the_file(world: World) -> None:
    await press_download(world)
    file = files(world)[0].post.file
    assert file is not None
    await world.press("fatima", await world.type("fatima", "/ritme me"), "forget")
    assert await world.ritme.open_file(file.id) is None
    async with world.database.connect() as connection:
        assert (await connection.exec_driver_sql("SELECT * FROM personal_files")).all() == []


async def test_whoever_asks_something_meanwhile_waits_for_a_few_rows_at_most(world: World) -> None:
    """The busiest step of the loop is as busy for many rows as for few, and no thread keeps the interpreter."""
    busiest, in_threads = [], []
    with watched_steps() as watch:
        for told in (0, 30, 120):  # the first time, templates and statements are compiled
            await tell_at_once(world, told)
            async with world.begin() as work:
                while await work.stories.index_stories(50):  # a tick's work, and no part of the export
                    pass
            await world.pass_(hours=2)
            await world.ritme.handle(world.intent("fatima", "me.export", {}, channel=None))
            watch.reset()
            await world.drain()
            busiest.append(watch.largest)
            in_threads.append(watch.in_threads)
    assert len(tables_in(content_of(files(world)[-1]))["stories"]) == 150
    assert busiest[2] < 1.2 * busiest[1]
    # Less than a call for every second row more: SQLite's log is brought into the file now and then.
    assert in_threads[2] - in_threads[1] < (120 - 30) / 2


async def test_a_file_of_nobody_is_none(world: World) -> None:
    assert await world.ritme.open_file("f" * 32) is None


async def test_many_messages_that_the_version_before_planned_become_one_file(world: World) -> None:
    now = world.clock.now()
    async with world.begin() as work:
        fatima = await work.people.in_workspace(FATIMA, WorkspaceId(LANE))
        assert fatima is not None
        for number in (1, 2, 3):
            args: dict[str, object] = {"number": number, "parts": 3}
            await work.deliveries.add(
                to_person(fatima, "export", key=f"export:{number}", now=now, movement=None, args=args)
            )
    await world.drain()
    assert len(world.private("fatima")) == len(files(world)) == 1
    assert tables_in(content_of(files(world)[0]))["people"]


def test_an_announcement_that_the_version_before_stored_can_be_said() -> None:
    assert ExportComing(parts=3).made_at is None
