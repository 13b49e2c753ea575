"""Somebody's own calendar follows the movement by a private link, until they or the movement are gone."""

import io
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import icalendar
import pytest
import recurring_ical_events
from aiohttp import ClientResponse, ClientSession, web
from sqlalchemy import Engine, event

from adapters import logs
from adapters.feed_links import mount_feeds
from adapters.web import make_app
from bot.chat import Answer
from bot.domain import timetable
from bot.domain.feed import hash_secret
from bot.domain.meeting import Guest, GuestAnswer, Meeting, MeetingId
from bot.domain.movement import Member, MovementId, Place, PlaceId
from bot.domain.next_step import NextStep, StepId
from bot.domain.person import Person, PersonId, Workspace, WorkspaceId
from bot.domain.recurrence import Pattern
from bot.domain.rhythm import MomentChange, Rhythm, RhythmId, RhythmKind
from bot.ics import write_agenda
from bot.ports import Platform, UnitOfWork
from bot.use_cases.rhythms import calendars
from tests.support.world import LANE, MONDAY, MOVEMENT, World, open_world, text_of

LINK = re.compile(r"https://ritme\.example\.org/slack(/calendar/([\w-]+)\.ics)")
GONE = {"Cache-Control", "Content-Type", "X-Robots-Tag", "Content-Security-Policy"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as fresh:
        await fresh.movement("fatima", "jan")
        async with fresh.begin() as work:
            add_rhythm(work, "stories", "general")
        yield fresh


def add_rhythm(work: UnitOfWork, id: str, place: str, kind: RhythmKind = RhythmKind.STORIES) -> None:
    work.rhythms.add(
        Rhythm(
            id=RhythmId(id),
            movement_id=MOVEMENT,
            place_id=PlaceId(place),
            kind=kind,
            rule=Pattern(days=(0,)).rule,
            starts_on=date(2027, 3, 8),
            at=time(9),
            timezone="Europe/Amsterdam",
            next_at=datetime(2027, 3, 8, 8, tzinfo=UTC),
            created_by=PersonId("iris"),
            created_at=MONDAY,
        )
    )


@asynccontextmanager
async def served(world: World) -> AsyncIterator["Reading"]:
    """Serve the calendars over HTTP."""
    runner = web.AppRunner(make_app(mounts=[mount_feeds(world.ritme)]), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as session:
            yield Reading(session)
    finally:
        await runner.cleanup()


class Reading:
    """A calendar program that reads links."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session

    async def get(self, link: str, method: str = "GET", **headers: str) -> ClientResponse:
        answer = await self.session.request(method, "/slack" + path_in(link), headers=headers)
        await answer.read()
        return answer

    async def read(self, link: str) -> icalendar.Calendar:
        answer = await self.get(link)
        assert answer.status == 200
        return icalendar.Calendar.from_ical(await answer.read())


def path_in(link: str) -> str:
    found = LINK.search(link)
    assert found, link
    return found.group(1)


async def ask(world: World, who: str = "fatima") -> str:
    """Type the command and take the link; return what is said, with it."""
    return text_of(await world.press(who, await world.type(who, "/ritme agenda"), "make"))


def titles(calendar: icalendar.Calendar) -> list[str]:
    return sorted(str(one["SUMMARY"]) for one in calendar.walk("VEVENT"))


def moments_in(calendar: icalendar.Calendar, until: date) -> list[datetime]:
    found = recurring_ical_events.of(calendar).between(date(2027, 3, 1), until)
    return sorted(one.start.astimezone(UTC) for one in found)


async def test_a_link_is_given_once_and_a_calendar_reads_the_rhythm(world: World) -> None:
    said = await ask(world)
    assert "Wie de link heeft, leest dit mee" in said
    async with served(world) as reading:
        calendar = await reading.read(said)
    assert str(calendar["X-WR-CALNAME"]) == "Samen op pad"
    assert titles(calendar) == ["Verhaalronde in #general"]
    assert moments_in(calendar, date(2027, 4, 7)) == [
        datetime(2027, 3, 8, 8, tzinfo=UTC),
        datetime(2027, 3, 15, 8, tzinfo=UTC),
        datetime(2027, 3, 22, 8, tzinfo=UTC),
        datetime(2027, 4, 5, 7, tzinfo=UTC),  # Easter Monday is skipped; the clocks went forward
    ]
    again = await world.type("fatima", "/ritme agenda")
    assert not LINK.search(text_of(again))
    assert "Er is een link" in text_of(again)


async def test_a_moment_moved_or_skipped_and_a_pause_show_with_a_later_revision(world: World) -> None:
    said = await ask(world)
    async with served(world) as reading:
        before = await reading.get(said)
        same = await reading.get(said, **{"If-None-Match": before.headers["ETag"]})
        assert (same.status, await same.read()) == (304, b"")
        await world.pass_(hours=1)
        async with world.begin() as work:
            for on, skipped in ((date(2027, 3, 8), True), (date(2027, 3, 15), False)):
                moved = None if skipped else datetime(2027, 3, 16, 10, tzinfo=UTC)
                work.rhythms.add(
                    MomentChange(
                        rhythm_id=RhythmId("stories"), movement_id=MOVEMENT, on=on, skipped=skipped, moved_to=moved
                    )
                )
        after = await reading.get(said, **{"If-None-Match": before.headers["ETag"]})
        assert after.status == 200
        assert after.headers["ETag"] != before.headers["ETag"]
        calendar = icalendar.Calendar.from_ical(await after.read())
        first = icalendar.Calendar.from_ical(await before.read())
        assert moments_in(calendar, date(2027, 3, 23)) == [
            datetime(2027, 3, 16, 10, tzinfo=UTC),
            datetime(2027, 3, 22, 8, tzinfo=UTC),
        ]
        assert {one["UID"] for one in calendar.walk("VEVENT")} == {one["UID"] for one in first.walk("VEVENT")}
        assert [one["SEQUENCE"] for one in first.walk("VEVENT")] == [1]
        assert {one["SEQUENCE"] for one in calendar.walk("VEVENT")} == {2}
        assert {one["LAST-MODIFIED"].dt for one in calendar.walk("VEVENT")} == {MONDAY + timedelta(hours=1)}


async def test_their_own_steps_and_meetings_stand_in_it_without_a_word_of_them(world: World) -> None:
    belongs = {"movement_id": MOVEMENT}
    async with world.begin() as work:
        for who in ("fatima", "jan"):
            work.steps.add(
                NextStep(
                    id=StepId(f"s{who[0]}"),
                    initiative_id=None,
                    episode_id=None,
                    person_id=PersonId(who),
                    cue=f"{who} mevrouw De Wit ziet",
                    action="ik bel de dochter",
                    follow_up_at=datetime(2027, 3, 3, 8, tzinfo=UTC),
                    chosen_at=MONDAY,
                    **belongs,
                )
            )
        for number, answer in enumerate((GuestAnswer.COMING, GuestAnswer.ASKED, GuestAnswer.DECLINED)):
            at = datetime(2027, 3, 9 + number, 11, 30, tzinfo=UTC)
            work.connecting.add(
                Meeting(
                    id=MeetingId(f"m{number}"),
                    place_id=PlaceId("general"),
                    question=1,
                    at=at,
                    timezone="Europe/Amsterdam",
                    proposed_at=MONDAY,
                    **belongs,
                )
            )
            for who in ("fatima", "jan"):
                said = answer if who == "fatima" else GuestAnswer.COMING
                guest = Guest(meeting_id=MeetingId(f"m{number}"), person_id=PersonId(who), answer=said, **belongs)
                work.connecting.add(guest)
    said = await ask(world)
    async with served(world) as reading:
        calendar = await reading.read(said)
        whole = (await (await reading.get(said)).text()).casefold()
    own = [one for one in calendar.walk("VEVENT") if one["CLASS"] == "PRIVATE"]
    assert {(str(one["SUMMARY"]), one["DTSTART"].dt.astimezone(UTC)) for one in own} == {
        ("Kleine stap", datetime(2027, 3, 3, 8, tzinfo=UTC)),
        ("Ontmoeting", datetime(2027, 3, 9, 11, 30, tzinfo=UTC)),
    }
    assert not any(word in whole for word in ("de wit", "dochter", "jan", "fatima"))


async def test_a_new_link_ends_the_old_one_and_off_ends_it_all(world: World) -> None:
    said = await ask(world)
    async with served(world) as reading:
        shown = await world.type("fatima", "/ritme agenda")
        renewed = await world.press("fatima", shown, "renew")
        assert (await reading.get(said)).status == 404
        assert (await reading.get(text_of(renewed))).status == 200
        off = await world.press("fatima", renewed, "off")
        assert "volgt **" not in text_of(off)
        gone = await reading.get(text_of(renewed))
        never = await reading.get(text_of(renewed).replace("/calendar/", "/calendar/x"))
        assert gone.status == never.status == 404
        assert await gone.read() == await never.read()
        assert {name: gone.headers[name] for name in GONE} == {name: never.headers[name] for name in GONE}
        assert "Vraag de bot om je agenda" in await gone.text()


async def test_nothing_is_made_before_they_choose_and_twice_is_once(world: World) -> None:
    offers = [await world.type("fatima", "/ritme agenda") for _ in range(2)]
    assert "je zet hem uit met" in text_of(offers[0])
    async with world.begin() as work:
        assert await work.feeds.of_person(PersonId("fatima"), MOVEMENT) is None
    linked = text_of(await world.press("fatima", offers[0], "make"))
    for offer in (offers[0], offers[1]):
        again = await world.press("fatima", offer, "make")
        assert not LINK.search(text_of(again) if again else "")
    async with served(world) as reading:
        assert (await reading.get(linked)).status == 200


async def test_only_the_digest_is_kept(world: World) -> None:
    await world.ritme.handle(world.intent("fatima", "calendar.make", {}, answerable=False))
    async with world.database.connect() as connection:
        waiting = str((await connection.exec_driver_sql("SELECT args FROM deliveries")).all())
    assert "CalendarLinked" in waiting
    assert "/calendar/" not in waiting, "the link is sealed while it waits to be sent"
    await world.drain()
    found = LINK.search(text_of(world.private("fatima")[-1]))
    assert found
    secret = found.group(2)
    async with world.database.connect() as connection:
        for table in ("calendar_feeds", "deliveries", "inbox"):
            assert secret not in str((await connection.exec_driver_sql(f"SELECT * FROM {table}")).all())
    async with world.begin() as work:
        feed = await work.feeds.of_person(PersonId("fatima"), MOVEMENT)
        assert feed is not None
        assert feed.digest == hash_secret(secret)


async def test_who_leaves_is_forgotten_or_loses_the_movement_is_read_by_nobody(world: World) -> None:
    links = {who: await ask(world, who) for who in ("fatima", "jan", "iris")}
    async with served(world) as reading:
        await world.do("fatima", "person.changed", deactivated="yes")
        assert (await reading.get(links["fatima"])).status == 404
        await world.do("fatima", "help")  # back again: the link stays revoked
        assert (await reading.get(links["fatima"])).status == 404
        await world.do("jan", "me.forget", channel=None)
        assert (await reading.get(links["jan"])).status == 404
        assert (await reading.get(links["iris"])).status == 200
        await world.do("iris", "start.leave")
        assert (await reading.get(links["iris"])).status == 404
    async with world.database.connect() as connection:
        assert (await connection.exec_driver_sql("SELECT * FROM calendar_feeds")).all() == []


async def test_where_ritme_was_removed_nobody_reads(world: World) -> None:
    said = await ask(world)
    async with world.begin() as work:
        workspace = await work.people.workspace(WorkspaceId(LANE))
        assert workspace is not None
        workspace.record_removal(MONDAY)
    async with served(world) as reading:
        assert (await reading.get(said)).status == 404


async def test_rhythms_of_another_workspace_and_what_cannot_come_stay_out(world: World) -> None:
    async with world.begin() as work:
        work.people.add(Workspace(id=WorkspaceId("test:W2")))
        for name, lane in (("far", "test:W2"), ("lost", LANE)):
            place = Place(id=PlaceId(name), workspace_id=WorkspaceId(lane), channel=name, name=name, created_at=MONDAY)
            place.movement_id = MOVEMENT
            work.movements.add(place)
            add_rhythm(work, f"r-{name}", name)
            if name == "lost":
                place.mark_unreachable("not_in_place")
        add_rhythm(work, "no-purpose", "general", RhythmKind.PURPOSE)
        noor = Person(
            id=PersonId("noor"),
            workspace_id=WorkspaceId("test:W2"),
            account="noor",
            name="noor",
            timezone="Asia/Kolkata",
            created_at=MONDAY,
        )
        work.people.add(noor)
        work.movements.add(Member(movement_id=MovementId(MOVEMENT), person_id=noor.id, joined_at=MONDAY))
    ours = await ask(world)
    theirs = await world.do("noor", "calendar.make", workspace="test:W2", channel="far")
    async with served(world) as reading:
        assert titles(await reading.read(ours)) == ["Verhaalronde in #general"]
        assert titles(await reading.read(text_of(theirs))) == ["Verhaalronde in #far"]


@contextmanager
def heard(*events: str) -> Iterator[Counter[str]]:
    """Count what happens in databases."""
    count = Counter[str]()
    listeners = [(name, lambda *_, name=name: count.update([name])) for name in events]
    for name, listener in listeners:
        event.listen(Engine, name, listener)
    try:
        yield count
    finally:
        for name, listener in listeners:
            event.remove(Engine, name, listener)


async def test_a_poll_asks_as_much_of_many_rhythms_as_of_one_and_lays_out_none_twice(world: World) -> None:
    said = await ask(world)

    async def count(reading: Reading) -> int:
        with heard("before_cursor_execute") as asked:
            assert (await reading.get(said)).status == 200
        return asked.total()

    async with served(world) as reading:
        one = await count(reading)
        async with world.begin() as work:
            for number in range(5):
                place = Place(
                    id=PlaceId(f"p{number}"), workspace_id=WorkspaceId(LANE), channel=f"p{number}", created_at=MONDAY
                )
                place.movement_id = MOVEMENT
                work.movements.add(place)
                add_rhythm(work, f"r{number}", f"p{number}")
                skipped = {"on": date(2027, 3, 8), "skipped": number == 0}
                work.rhythms.add(MomentChange(rhythm_id=RhythmId(f"r{number}"), movement_id=MOVEMENT, **skipped))
        assert await count(reading) == one > 0
        laid = timetable._lay_out.cache_info().misses
        await count(reading)
        assert timetable._lay_out.cache_info().misses == laid
        calendar = await reading.read(said)
    assert moments_in(calendar, date(2027, 3, 10)) == [datetime(2027, 3, 8, 8, tzinfo=UTC)] * 5


async def test_a_file_is_written_while_no_transaction_is_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    still_open: list[int] = []

    def write(*given: Any, **more: Any) -> bytes:
        still_open.append(opened["begin"] - opened["commit"] - opened["rollback"])
        return write_agenda(*given, **more)

    monkeypatch.setattr(calendars, "write_agenda", write)
    with heard("begin", "commit", "rollback") as opened:
        assert "je agenda" in text_of(await world.do("fatima", "calendar.file"))
    assert still_open == [0]
    assert opened["begin"] == opened["commit"] + opened["rollback"] > 1


async def test_it_is_for_calendars_alone(world: World) -> None:
    said = await ask(world)
    async with served(world) as reading:
        head = await reading.get(said, "HEAD")
        whole = await reading.get(said)
        assert head.status == 200
        assert await head.read() == b""
        assert whole.content_type == "text/calendar"
        assert whole.charset == "utf-8"
        assert whole.headers["Cache-Control"].startswith("private")
        assert "noindex" in whole.headers["X-Robots-Tag"]
        assert whole.headers["ETag"] == head.headers["ETag"]
        assert whole.headers["Last-Modified"] == "Mon, 01 Mar 2027 08:00:00 GMT"
        packed = await reading.get(said, **{"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert await packed.read() == await whole.read()
        assert (await reading.get(said, "POST")).status == 405


@pytest.mark.usefixtures("logging_as_it_was")
async def test_the_secret_stands_in_no_log(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    logged = io.StringIO()
    logs.configure_logging(logged, logging.DEBUG)
    said = await ask(world)
    found = LINK.search(said)
    assert found
    secret = found.group(2)

    async def break_down(*_: object) -> None:
        raise ValueError("no such calendar")

    async with served(world) as reading:
        assert (await reading.get(said)).status == 200
        assert (await reading.get(said.replace(secret, f"x{secret}"))).status == 404
        monkeypatch.setattr(world.ritme, "open_feed", break_down)
        assert (await reading.get(said)).status == 500
    assert "request_failed" in logged.getvalue()
    assert secret not in logged.getvalue()


async def test_without_an_address_it_says_who_can_change_that(world: World) -> None:
    world.ritme._platforms["test"] = Platform(messenger=world.messenger)  # type: ignore[index]
    said = text_of(await world.type("fatima", "/ritme agenda"))
    assert "RITME_PUBLIC_URL" in said


@pytest.mark.parametrize(
    "sentence",
    ["kan ik het ritme in mijn agenda zetten?", "zet dit in mijn agenda", "how do I add this to my calendar"],
)
async def test_plain_words_are_enough(world: World, sentence: str) -> None:
    said = await world.type("fatima", f"/ritme {sentence}")
    assert isinstance(said, Answer)
    assert LINK.search(text_of(await world.press("fatima", said, "make")))
