"""A program outside reads what a movement shows, with a key that a coordinator made: no more, and no longer."""

import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from aiohttp import hdrs
from aiopenapi3 import OpenAPI
from openapi_spec_validator import validate
from sqlalchemy import text

from adapters.api.operations import OPERATIONS
from adapters.database.repositories.people import SqlPeople
from adapters.page_policy import NOTHING
from bot.domain.api_token import REQUESTS_A_MINUTE, Scope
from bot.domain.initiative import Initiative, InitiativeId, Participant
from bot.domain.movement import Member, Movement, MovementId, PlaceId, Purpose, PurposeId
from bot.domain.person import Language, Person, PersonId, WorkspaceId
from bot.domain.recurrence import Pattern
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind
from bot.domain.story import Readers, Ripple, Story, StoryId
from bot.ports import StorageUnavailable, UnitOfWork
from tests.support.api import KEY, Program, key_in, make_key, open_api
from tests.support.world import LANE, MONDAY, MOVEMENT, World, open_world, text_of


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as fresh:
        await fresh.movement("fatima", "jan")
        yield fresh


@pytest.fixture
async def program(world: World) -> AsyncIterator[Program]:
    async with open_api(world.ritme.api) as fresh:
        yield fresh


async def add_one_of_each(world: World) -> None:
    """Add a purpose, a rhythm, an initiative that is carried, and a story for everyone."""
    async with world.begin() as work:
        work.movements.add(
            Purpose(
                id=PurposeId("p"),
                movement_id=MOVEMENT,
                version=1,
                vision="Iedereen doet mee",
                behaviours=["Vraag eerst"],
                written_by=PersonId("iris"),
                written_at=MONDAY,
            )
        )
        work.rhythms.add(
            Rhythm(
                id=RhythmId("r"),
                movement_id=MOVEMENT,
                place_id=PlaceId("general"),
                kind=RhythmKind.STORIES,
                rule=Pattern(days=(0,)).rule,
                starts_on=date(2027, 3, 8),
                at=time(9),
                timezone="Europe/Amsterdam",
                next_at=datetime(2027, 3, 8, 8, tzinfo=UTC),
                created_by=PersonId("iris"),
                created_at=MONDAY,
            )
        )
        add_initiative(work, "walk", MONDAY)
        add_story(work, "s")


def add_initiative(work: UnitOfWork, id: str, at: datetime, movement: str = MOVEMENT) -> None:
    its: dict[str, Any] = {"movement_id": MovementId(movement)}
    work.initiatives.add(
        Initiative(id=InitiativeId(id), name=f"Samen {id}", started_by=PersonId("fatima"), started_at=at, **its)
    )
    work.initiatives.add(
        Participant(initiative_id=InitiativeId(id), person_id=PersonId("fatima"), initiator=True, joined_at=at, **its)
    )


def add_story(
    work: UnitOfWork,
    id: str,
    *,
    readers: Readers = Readers.EVERYONE,
    named: bool = True,
    at: datetime = MONDAY,
    **more: Any,
) -> None:
    given = {"movement_id": MOVEMENT, "place_id": PlaceId("general"), "teller_id": PersonId("fatima"), **more}
    work.stories.add(
        Story(id=StoryId(id), text=f"We liepen samen, {id}.", named=named, readers=readers, told_at=at, **given)
    )


async def test_a_coordinator_makes_a_key_and_a_program_reads_the_purpose(world: World, program: Program) -> None:
    await add_one_of_each(world)
    program.key = await make_key(world, Scope.PURPOSE)
    body = await program.read("/purpose")
    assert (body["vision"], body["behaviours"], body["version"]) == ("Iedereen doet mee", ["Vraag eerst"], 1)
    movement = await program.read("/movement")
    assert (movement["name"], movement["scopes"]) == ("Samen op pad", ["purpose"])
    assert movement["expires_at"] == "2028-02-29T08:00:00Z"


async def test_a_key_is_shown_once_listed_with_its_last_day_and_revoked_in_one_press(
    world: World, program: Program
) -> None:
    program.key = await make_key(world)
    listed = await world.type("iris", "/ritme api")
    assert not KEY.search(text_of(listed))
    assert "Website" in text_of(listed)
    assert "nog niet gebruikt" in text_of(listed)
    await program.read("/movement")
    await world.pass_(days=1)
    assert "voor het laatst gebruikt gisteren" in text_of(await world.type("iris", "/ritme api"))
    revoked = await world.press("iris", await world.type("iris", "/ritme api"), "revoke_1")
    assert "Ingetrokken" in text_of(revoked)
    assert (await program.refused("/movement", 401))["type"] == "urn:ritme:problem:no-token"


async def test_only_the_digest_of_a_key_is_kept(world: World, program: Program) -> None:
    key = await make_key(world)
    async with world.database.connect() as connection:
        for table in ("api_tokens", "deliveries", "inbox"):
            rows = (await connection.execute(text(f"SELECT * FROM {table}"))).all()
            assert key not in str(rows)


async def test_members_see_what_reads_along_and_change_nothing(world: World) -> None:
    assert "leest geen programma mee" in text_of(await world.type("fatima", "/ritme api"))
    await make_key(world, Scope.STORIES)
    shown = await world.type("fatima", "/ritme api")
    assert "Website" in text_of(shown)
    assert "verhalen voor iedereen" in text_of(shown)
    assert "iris" not in text_of(shown).casefold()
    assert not shown.message.buttons  # type: ignore[union-attr]
    token = await one_token(world)
    for name, args in (("api.new", {}), ("api.make", {"name": "x"}), ("api.revoke", {"token": token})):
        said = await world.do("fatima", name, args=args)
        assert "Dat kan alleen iris" in text_of(said)
    assert await one_token(world) == token


async def one_token(world: World) -> str:
    async with world.begin() as work:
        (token,) = await work.outside.tokens(MOVEMENT)
        return token.id


async def test_a_key_belongs_to_the_movement_not_to_who_made_it(world: World, program: Program) -> None:
    async with world.begin() as work:
        kept = await work.movements.membership(MOVEMENT, PersonId("jan"))
        assert kept is not None
        kept.role = type(kept.role)("coordinator")
    program.key = await make_key(world)
    assert "gemaakt door iris" in text_of(await world.type("jan", "/ritme api"))
    await world.do("iris", "me.forget", channel=None)
    assert (await program.ask("/movement")).status == 200
    listed = await world.type("jan", "/ritme api")
    assert "iris" not in text_of(listed)
    await world.press("jan", listed, "revoke_1")
    await program.refused("/movement", 401)


async def test_a_key_expires_and_the_last_place_that_leaves_ends_them_all(world: World, program: Program) -> None:
    short, long = await make_key(world, lasts="month"), await make_key(world, name="Lang")
    await world.pass_(days=30)
    program.key = short
    await program.refused("/movement", 401)
    assert "Verlopen" in text_of(await world.type("iris", "/ritme api"))
    assert "Website" not in text_of(await world.type("fatima", "/ritme api"))
    program.key = long
    await program.read("/movement")
    await world.do("iris", "start.leave")
    await program.refused("/movement", 401)


async def test_a_key_is_made_where_its_name_was_asked_about(world: World, program: Program) -> None:
    form = await world.press("iris", await world.type("iris", "/ritme api"), "make")
    asked = await world.submit("iris", form, name="Mevrouw Bos", opens=(Scope.PURPOSE,), lasts="year")
    assert "“Mevrouw Bos”" in text_of(asked)
    made = await world.press("iris", asked, "fine")
    program.key = key_in(made)
    assert "ritme.example.org" in text_of(made)
    assert (await program.read("/movement"))["scopes"] == ["purpose"]


async def test_no_more_keys_than_fit(world: World) -> None:
    for number in range(6):
        await make_key(world, name=f"Nummer {number}")
    shown = await world.type("iris", "/ritme api")
    assert [one.name for one in shown.message.buttons] == [f"revoke_{n}" for n in range(1, 7)]  # type: ignore[union-attr]
    assert "zes sleutels" in text_of(await world.do("iris", "api.new"))
    made = await world.do("iris", "api.make", args={"name": "x", "opens": ("purpose",), "lasts": "year"})
    assert "zes sleutels" in text_of(made)


async def test_a_key_opens_only_what_was_chosen(world: World, program: Program) -> None:
    await add_one_of_each(world)
    paths = {one: one.path.replace("{id}", "walk" if "initiatives" in one.path else "s") for one in OPERATIONS}
    for scope in Scope:
        program.key = await make_key(world, scope)
        for operation, path in paths.items():
            opens = operation.scope in (None, scope)
            assert (await program.ask(path)).status == (200 if opens else 403), (scope, path)
        await world.press("iris", await world.type("iris", "/ritme api"), "revoke_1")


async def test_a_key_reads_nothing_of_another_movement(world: World, program: Program) -> None:
    await add_one_of_each(world)
    theirs = MovementId("theirs")
    async with world.begin() as work:
        work.movements.add(Movement(id=theirs, name="Van hen", language=Language.NL, started_at=MONDAY))
        await work.flush()
        add_initiative(work, "their-walk", MONDAY, theirs)
        add_story(work, "their-story", movement_id=theirs, place_id=None)
    program.key = await make_key(world)
    for path in ("/stories/their-story", "/initiatives/their-walk", "/stories?initiative=their-walk"):
        await program.refused(path, 404)
    everything = [await (await program.ask(one.path)).text() for one in OPERATIONS if "{" not in one.path]
    assert "their" not in "".join(everything).replace("tellers", "")
    assert "Van hen" not in "".join(everything)


READERS_AND_STATES = product(Readers, (False, True))


async def test_only_stories_for_everyone_are_read_and_gone_at_once_when_taken_back(
    world: World, program: Program
) -> None:
    async with world.begin() as work:
        for readers in Readers:
            add_story(work, readers.value, readers=readers)
            add_story(work, f"{readers.value}-back", readers=readers, withdrawn_at=MONDAY)
    program.key = await make_key(world, Scope.STORIES)
    assert [one["id"] for one in (await program.read("/stories"))["items"]] == ["everyone"]
    for readers, withdrawn in READERS_AND_STATES:
        shown = readers is Readers.EVERYONE and not withdrawn
        path = f"/stories/{readers.value}{'-back' if withdrawn else ''}"
        assert (await program.ask(path)).status == (200 if shown else 404), path
    await world.do("fatima", "story.withdraw", story="everyone")
    assert (await program.read("/stories"))["items"] == []
    await program.refused("/stories/everyone", 404)


@pytest.mark.parametrize("agreed", [False, True], ids=["not beyond", "named beyond"])
@pytest.mark.parametrize("named", [False, True], ids=["told nameless", "told with name"])
@pytest.mark.parametrize("is_forgotten", [False, True], ids=["there", "forgotten"])
async def test_a_name_is_read_only_where_it_was_agreed(
    world: World, program: Program, named: bool, agreed: bool, is_forgotten: bool
) -> None:
    async with world.begin() as work:
        fatima = await work.people.get(PersonId("fatima"), MOVEMENT)
        assert fatima is not None
        fatima.named_beyond = agreed
        add_initiative(work, "walk", MONDAY)
        add_story(work, "s", named=named, initiative_id=InitiativeId("walk"))
    if is_forgotten:
        await world.do("fatima", "me.forget", channel=None)
    program.key = await make_key(world)
    for one in OPERATIONS:
        path = one.path.replace("{id}", "walk" if "initiatives" in one.path else "s")
        answer = await program.ask(path)
        body = (await answer.text()).casefold()
        story = "/stories" in path and answer.status == 200
        assert ("fatima" in body) == (story and named and agreed and not is_forgotten), path
        assert "iris" not in body
        assert "general" not in body


async def test_figures_are_rounded_stand_for_a_week_and_tell_no_small_group(world: World, program: Program) -> None:
    async with world.begin() as work:
        for group, many in (("Nacht", 7), ("Staf", 4)):
            for number in range(many):
                await add_member(work, f"{group}{number}", group)
        add_story(work, "s")
        add_story(work, "secret", readers=Readers.THREAD)
        work.stories.add(
            Ripple(story_id=StoryId("s"), movement_id=MOVEMENT, person_id=PersonId("jan"), place_id=None, at=MONDAY)
        )
    program.key = await make_key(world, Scope.FIGURES)
    before = await program.read("/figures")
    assert before["members"] in (10, 15)  # fourteen
    assert {before[one] % 5 for one in ("members", "taking_part", "stories", "ripples")} == {0}
    assert [one["group"] for one in before["groups"]] == ["Nacht"]
    async with world.begin() as work:
        for number in range(9):
            await add_member(work, f"new{number}", "Nacht")
    assert await program.read("/figures") == before
    await world.pass_(days=7)
    after = await program.read("/figures")
    assert after["members"] in (20, 25)
    assert after["counted_at"] > before["counted_at"]


async def test_figures_that_stand_are_read_without_holding_up_the_movement(
    world: World, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked: list[str] = []

    async def lock(_self: object, _workspace: str, _account: str, _channel: None, movement: str) -> None:
        locked.append(movement)

    monkeypatch.setattr(SqlPeople, "lock_movement", lock)
    program.key = await make_key(world, Scope.FIGURES)
    locked.clear()
    before = await program.read("/figures")
    assert locked == [MOVEMENT] * 2  # while what was counted is kept: the figures, and how far it reaches
    assert await program.read("/figures") == before
    assert await program.read("/movement")
    assert locked == [MOVEMENT] * 2
    world.clock.set(world.clock.now() + timedelta(days=8))
    assert (await program.read("/figures"))["counted_at"] > before["counted_at"]
    assert locked == [MOVEMENT] * 4


async def test_what_was_written_for_the_movement_alone_is_not_read(world: World, program: Program) -> None:
    await world.do("fatima", "initiative.save", args={"name": "Samen eten", "description": "Met Jan aan tafel"})
    program.key = await make_key(world)
    (one,) = (await program.read("/initiatives"))["items"]
    assert set(one) == {"id", "name", "state", "seeks_somebody", "started_at", "ended_at"}
    assert one["name"] == "Samen eten"


async def add_member(work: UnitOfWork, name: str, group: str) -> None:
    person = Person(id=PersonId(name), workspace_id=WorkspaceId(LANE), account=name, name=name, created_at=MONDAY)
    person.group = group
    work.people.add(person)
    work.movements.add(Member(movement_id=MOVEMENT, person_id=person.id, joined_at=MONDAY))


async def test_rhythms_tell_their_next_moments_with_holidays_reckoned_with(world: World, program: Program) -> None:
    await add_one_of_each(world)
    program.key = await make_key(world, Scope.RHYTHMS)
    (shown,) = (await program.read("/rhythms"))["items"]
    assert shown["kind"] == "stories"
    assert shown["next_moments"] == [  # Easter Monday is skipped; the clocks went forward
        "2027-03-08T08:00:00Z",
        "2027-03-15T08:00:00Z",
        "2027-03-22T08:00:00Z",
        "2027-04-05T07:00:00Z",
        "2027-04-12T07:00:00Z",
    ]


async def test_lists_are_read_page_by_page_each_item_once(world: World, program: Program) -> None:
    async with world.begin() as work:
        for number in range(7):
            at = MONDAY - timedelta(days=number // 2)  # some at the same moment
            add_initiative(work, f"i{number}", at)
            add_story(work, f"s{number}", at=at)
    program.key = await make_key(world)
    for path in ("/initiatives", "/stories"):
        seen, cursor = [], ""
        while True:
            page = await program.read(f"{path}?limit=2{cursor}")
            seen += [one["id"] for one in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert sorted(seen) == [f"{path[1]}{number}" for number in range(7)]
        whole = await program.read(path)
        assert [one["id"] for one in whole["items"]] == seen


async def test_what_did_not_change_is_not_sent_again(world: World, program: Program) -> None:
    await add_one_of_each(world)
    program.key = await make_key(world)
    for path in ("/stories", "/openapi.json"):
        first = await program.ask(path)
        same = await program.ask(path, **{"If-None-Match": f'"old", W/{first.headers["ETag"]}'})
        assert (same.status, await same.read()) == (304, b"")
    async with world.begin() as work:
        add_story(work, "another")
    first = await program.ask("/stories", **{"If-None-Match": first.headers["ETag"]})
    assert first.status == 200
    head = await program.ask("/stories", "HEAD")
    assert (head.status, await head.read()) == (200, b"")


async def test_a_key_asks_sixty_times_a_minute(world: World, program: Program) -> None:
    other = await make_key(world, name="Ander")
    program.key = await make_key(world)
    for number in range(REQUESTS_A_MINUTE):
        answer = await program.ask("/movement")
        assert answer.headers["RateLimit"] == f'"key";r={REQUESTS_A_MINUTE - 1 - number};t=60'
    world.clock.set(world.clock.now() + timedelta(seconds=20))
    refused = await program.ask("/movement")
    assert refused.status == 429
    assert refused.headers["Retry-After"] == "40"
    mine, program.key = program.key, other
    assert (await program.ask("/movement")).status == 200
    program.key = mine
    world.clock.set(world.clock.now() + timedelta(seconds=40))
    assert (await program.ask("/movement")).status == 200


async def test_nobody_reads_without_a_key_and_no_other_site_reads_along(world: World, program: Program) -> None:
    key = await make_key(world)
    for one in OPERATIONS:
        answer = await program.ask(one.path.replace("{id}", "s"))
        assert answer.status == 401
        assert answer.headers[hdrs.WWW_AUTHENTICATE].startswith("Bearer")
    for sent in (f"Basic {key}", key, f"Bearer {key}x", f"Bearer {key.upper()}", "Bearer", f"Bearer {key} {key}"):
        await program.refused("/movement", 401, Authorization=sent)
    await program.refused(f"/movement?token={key}", 400)
    answer = await program.ask("/movement", Authorization=f"bearer {key}", Origin="https://elders.example")
    assert answer.status == 200
    assert not [name for name in answer.headers if name.startswith("Access-Control")]
    assert answer.headers["Content-Security-Policy"] == NOTHING
    assert "private" in answer.headers["Cache-Control"]
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        await program.refused("/movement", 405, method)
    await program.refused("/people", 404)


def write_any(*values: object) -> str:
    """Write values as a cursor holds them, whatever they are."""
    return urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


NOT_UNDERSTOOD = (
    "limit=0",
    "limit=101",
    "limit=x",
    f"limit={'9' * 400}",
    "limit=1&limit=2",
    "cursor=x",
    f"cursor={'A' * 301}",
    "cursor=WyJub3ciLCAicyJd",  # ["now", "s"]
    "cursor=WyIyMDI3LTAzLTAxIiwgMV0",  # ["2027-03-01", 1]
    "cursor=bnVsbA",  # null
    "cursor=%00",
    "cursor=%FF",
    f"cursor={write_any('0001-01-01T00:00:00+14:00', 'x')}",
    f"cursor={write_any('9999-12-31T23:59:59-14:00', 'x')}",
    f"cursor={write_any('2027-03-01T00:00:00+00:00', chr(0xD800))}",
    f"cursor={write_any('2027-03-01T00:00:00+00:00', 'a b')}",
    f"cursor={write_any('2027-03-01T00:00:00+00:00', ['x'])}",
    "cursor=W1tbW1tbW1tb",
    "initiative=%00",
    f"initiative={'a' * 65}",
    "initiative=../x",
    "initiative=%F0%9F%8C%B1",
    "unknown=1",
    "%00=%00",
)
NO_ID = ("%00", "a" * 65, "..%2fx", "%F0%9F%8C%B1", "a b", "'--")


async def test_what_is_not_understood_is_told_so(world: World, program: Program) -> None:
    program.key = await make_key(world)
    for path in ("rhythms", "initiatives"):
        await program.refused(f"/{path}?cursor={write_any('0001-01-01T00:00:00+14:00', 'x')}", 400)
    for query in NOT_UNDERSTOOD:
        told = await program.refused(f"/stories?{query}", 400)
        assert "Parameters: " in told["detail"] or "next_cursor" in told["detail"], query
    for kind, one in product(("stories", "initiatives"), NO_ID):
        await program.refused(f"/{kind}/{one}", 404)


async def test_what_breaks_is_told_with_a_reference(
    world: World, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.key = await make_key(world)
    for broken, status in ((StorageUnavailable("away"), 503), (RuntimeError("bug"), 500)):

        async def fail(*_: object, broken: Exception = broken) -> None:
            raise broken

        monkeypatch.setattr(world.ritme.api, "movement", fail)
        told = await program.refused("/movement", status)
        assert told["reference"]
        assert "bug" not in json.dumps(told)


async def test_the_description_is_valid_and_every_operation_is_read_by_a_client_made_of_it(
    world: World, program: Program
) -> None:
    await add_one_of_each(world)
    description = await program.read("/openapi.json")  # without a key
    validate(description)
    assert description["openapi"].startswith("3.1")
    client = await OpenAPI.load_async(f"{program.url}/api/v1/openapi.json")
    program.key = await make_key(world)
    client.authenticate(key=program.key)
    for one in OPERATIONS:
        given = {"id": "walk" if "initiatives" in one.path else "s"} if "{id}" in one.path else {}
        body = await client._[one.id](parameters=given)
        path = one.path.replace("{id}", given.get("id", ""))
        raw = await program.read(path)
        assert json.loads(body.model_dump_json()).keys() == raw.keys(), one.id
        assert program.key not in json.dumps(raw)


async def test_without_an_address_the_chat_says_how_to_get_one(tmp_path: Path) -> None:
    async with open_world(tmp_path) as fresh:
        await fresh.movement()
        name, platform = next(iter(fresh.ritme._platforms.items()))
        fresh.ritme._platforms[name] = type(platform)(messenger=platform.messenger)  # type: ignore[index]
        for command in ("/ritme api",):
            said = await fresh.type("iris", command)
            assert "RITME_PUBLIC_URL" in text_of(said)
        for intent in ("api.new", "api.make"):
            assert "RITME_PUBLIC_URL" in text_of(await fresh.do("iris", intent))


async def test_a_key_pressed_for_twice_is_made_once(world: World) -> None:
    form = await world.press("iris", await world.type("iris", "/ritme api"), "make")
    values = {"name": "Website", "opens": ("purpose",), "lasts": "year"}
    key_in(await world.submit("iris", form, **values))  # type: ignore[arg-type]
    await world.submit("iris", form, **values)  # type: ignore[arg-type]
    await one_token(world)
