"""Forgotten means forgotten: after *forget me* nothing of a person stands in any table, or in any message of ours.

Zwaluw lives through one of everything; all she wrote has the word kwikstaart. Then every column of every table, and
every message that still stands, is searched for both.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bot import app
from bot.chat import Intent
from bot.domain.delivery import Delivery, DeliveryState, to_place
from bot.domain.initiative import Initiative, InitiativeId
from bot.domain.movement import MovementId, PlaceId, Role
from bot.domain.next_step import StepState
from bot.domain.person import Language, Person, PersonId, WorkspaceId
from bot.ports import OutcomeUnknown, Platform, UnitOfWork
from tests.drivers.slack import SlackDriver
from tests.fakes.messenger import Sent
from tests.fakes.slack.server import TEAM
from tests.fakes.slack.state import Shown
from tests.support.databases import readable_tables
from tests.support.world import LANE, World

ZWALUW = "zwaluw"
WORDS = "kwikstaart"
MARKS = (ZWALUW, WORDS)


async def act(world: World, who: str, name: str, *, channel: str | None = "general", **args: Any) -> None:
    """Do something of which the answer goes through the outbox, as on Slack and Teams."""
    more = {key: args.pop(key) for key in ("message", "thread") if key in args}
    await world.do(who, name, args=args, channel=channel, answerable=False, **more)


def last(world: World, who: str, text_within: str = "") -> Sent:
    """Return the latest message in someone's own chat."""
    return [one for one in world.private(who) if one.post.channel is None and text_within in str(one.message)][-1]


async def press(world: World, who: str, name: str) -> None:
    """Press the latest button of this name in one's own chat."""
    found = [
        (one, button)
        for one in world.private(who)
        if one.post.channel is None and one.message
        for button in one.message.buttons
        if button.name == name
    ]
    sent, button = found[-1]
    pressed = world.intent(who, button.intent, button.args, channel=None, message=sent.receipt.message)
    at = {"answer_to": sent.receipt.message, "answer_channel": sent.receipt.channel}
    await world.ritme.handle(replace(pressed, answerable=False, **at))
    await world.drain()


async def live(world: World) -> None:
    """Live through one of everything a person can leave behind."""
    await world.movement("jan", "noor", "wim", channels=("general", "night"))
    await act(world, ZWALUW, "me")
    async with world.begin() as work:
        for name in ("jan", "noor", "wim", "iris", ZWALUW):
            person = await find(work, name)
            person.language = Language.NL
            member = (await work.movements.of_person(person.id))[0][1]
            member.agree()
        member.role = Role.COORDINATOR
        walk = Initiative(
            id=InitiativeId("walk"),
            movement_id=(await work.movements.of_person(person.id))[0][0].id,
            name="Wandelen",
            started_by=person.id,
            started_at=world.clock.now(),
        )
        work.initiatives.add(walk)
    await act(world, ZWALUW, "initiative.join", initiative="walk")
    await act(world, "jan", "initiative.join", initiative="walk")
    await tell_stories(world)
    await be_stuck(world)
    await connect(world)
    await act(world, ZWALUW, "me.export", channel=None)


async def tell_stories(world: World) -> None:
    everyone = {"readers": "everyone", "named": "with"}
    await act(world, ZWALUW, "story.save", text=f"De buurvrouw liep mee {WORDS}", **everyone)
    await act(world, "jan", "story.save", text="Jan fietste naar huis", **everyone)
    async with world.begin() as work:
        mine, his = [(await work.stories.of_teller((await find(work, who)).id, 1))[0].id for who in (ZWALUW, "jan")]
    await act(world, "jan", "ripple", story=mine)
    await act(world, ZWALUW, "ripple", story=his)
    await act(world, "jan", "share.save", story=mine, place="night", line="Kijk nou")
    await act(world, ZWALUW, "share.save", story=his, place="night", line=f"Mooi {WORDS}")
    await world.pass_(days=8)
    await act(world, "jan", "story.save_message", author=ZWALUW, text=f"Een bericht {WORDS}", message="x1")
    await act(world, "jan", "saving.ask", author=ZWALUW, text=f"Een bericht {WORDS}", message="x1")
    await act(world, ZWALUW, "saving.ask", author="jan", text="Iets van Jan", message="x2")
    await world.pass_(days=1)
    await press(world, ZWALUW, "keep")
    await world.pass_(days=8)
    await act(world, "jan", "lookback", channel=None)
    await act(world, ZWALUW, "purpose.save", vision="Samen", core_messages="Samen verder")
    async with world.begin() as work:
        place = await work.movements.place(PlaceId("general"))
        assert place is not None
        for kind in ("rhythm_look_back", "rhythm_harvest"):
            await work.deliveries.add(to_place(place, kind, key=kind, now=world.clock.now()))
    await world.drain()


async def be_stuck(world: World) -> None:
    now = world.clock.now()
    stuck = {"kind": "reach", "initiative": "walk"}
    await act(world, ZWALUW, "stuck.report", text=f"De nacht komt niet {WORDS}", audience="channel", **stuck)
    episode = await own_episode(world, ZWALUW)
    await act(world, ZWALUW, "company.ask", episode=episode, most="2")
    await act(
        world,
        ZWALUW,
        "step.save",
        episode=episode,
        cue=f"het rustig is {WORDS}",
        action=f"bel ik {WORDS}",
        on_my_own="yes",
        day=(now + timedelta(days=8 - now.weekday())).date().isoformat(),  # a Tuesday
        at="10:00",
        post="yes",
    )
    await act(world, ZWALUW, "chance.save", text=f"Een kans {WORDS}")
    picked = {"audience": "helpers", "helpers": (ZWALUW, "wim")}
    await act(world, "jan", "stuck.report", text="Ik weet het niet", **picked, **stuck)
    await world.pass_(days=8)
    for who, said in ((ZWALUW, WORDS), ("wim", "")):
        (company,) = await column(world, "SELECT id FROM companies WHERE person_id = :who", who)
        await act(world, who, "company.save", channel=None, company=company, question=f"Wat {said}", idea=f"Dit {said}")
    await world.pass_(days=3)


async def connect(world: World) -> None:
    await act(world, ZWALUW, "nominate.save", connector=("noor",), maven=("jan",))
    await act(world, "jan", "nominate.save", connector=(ZWALUW,))
    await act(world, "noor", "connect.look", initiative="walk", figure="connector", channel=None)
    await world.pass_(days=31)  # nobody is asked more than twice in a month
    for by, to in ((ZWALUW, "jan"), ("jan", ZWALUW)):
        person = await id_of(world, to)
        said = f"Doe je mee? {WORDS}" if by == ZWALUW else "Doe je mee?"
        await act(world, by, "invite.send", channel=None, person=person, initiative="walk", text=said)
    await world.pass_(days=15)
    for who in ("jan", ZWALUW):
        await press(world, who, "accept")
    await world.pass_(days=15)
    await press(world, "jan", "met")
    await world.pass_(days=8)
    await press(world, ZWALUW, "met")
    await world.pass_(days=1)


async def find(work: UnitOfWork, who: str) -> Person:
    person = await work.people.by_account(WorkspaceId(LANE), who)
    assert person is not None, who
    return person


async def id_of(world: World, who: str) -> PersonId:
    async with world.begin() as work:
        return (await find(work, who)).id


async def own_episode(world: World, who: str) -> str:
    (episode,) = await column(world, "SELECT id FROM stuck_episodes WHERE person_id = :who", who)
    return episode


async def column(world: World, query: str, who: str) -> list[str]:
    """Return the one column of a query about someone."""
    person = await id_of(world, who)
    async with world.database.connect() as connection:
        return list((await connection.execute(text(query), {"who": person})).scalars())


async def stored(world: World) -> dict[str, list[str]]:
    """List every column of every table in which something of Zwaluw stands."""
    async with world.database.connect() as connection:
        tables = await connection.run_sync(readable_tables)
        found: dict[str, list[str]] = {}
        for table in tables:
            for row in (await connection.execute(text(f'SELECT * FROM "{table}"'))).mappings():
                for column, value in row.items():
                    if any(mark in str(value).lower() for mark in MARKS):
                        found.setdefault(f"{table}.{column}", []).append(str(value)[:80])
    return found


def standing(world: World) -> Iterator[str]:
    """List our messages that stand somewhere and have something of Zwaluw. What one person was shown in a channel is
    gone once they look away."""
    for one in world.messenger.sent:
        shown_once = one.post.channel is not None and one.post.account is not None
        if not one.deleted and not shown_once and any(mark in str(one.message).lower() for mark in MARKS):
            yield f"{one.post.channel or one.post.account}: {one.message.text if one.message else ''}"


async def forget(world: World) -> None:
    """Forget her, from the page in her own chat, and let all that follows happen."""
    await act(world, ZWALUW, "me", channel=None)
    await press(world, ZWALUW, "forget")
    await world.pass_(hours=1)


async def test_there_is_one_of_everything_to_forget(world: World) -> None:
    """Without this, the tests below would find nothing because there was nothing."""
    await live(world)
    found, columns = "\n".join(standing(world)), set(await stored(world))
    for kind in ("general: ", "night: ", "jan: ", "zwaluw: "):
        assert kind in found, (kind, found)
    assert {
        "people.name",
        "people.account",
        "stories.text",
        "stuck_episodes.text",
        "next_steps.action",
        "chances.text",
        "companies.idea",
        "invitations.text",
        "deliveries.args",
        "deliveries.receipt_channel",
    } <= columns
    async with world.database.connect() as connection:
        for table in ("mentions", "nominations", "ties", "ripples", "story_requests", "retellings"):
            assert (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one(), table


async def test_nothing_of_someone_forgotten_stands_anywhere(world: World) -> None:
    await live(world)
    await forget(world)
    assert not list(standing(world)), list(standing(world))
    assert await stored(world) == {}
    kept = [one for one in world.private(ZWALUW) if one.post.channel is None]
    assert len(kept) == 1, "the one that says she is forgotten"


async def test_the_last_word_is_in_her_own_language(world: World) -> None:
    await world.movement()
    await act(world, ZWALUW, "me", channel=None)
    async with world.begin() as work:
        swallow = await find(work, ZWALUW)
        swallow.language, swallow.chose = Language.EN, ["language"]
    await forget(world)
    (said,) = [one for one in world.private(ZWALUW) if one.message is not None and "forgotten" in one.message.text]
    assert said.message is not None
    assert said.message.language == "en"


async def test_what_others_gave_stays(world: World) -> None:
    await live(world)
    await forget(world)
    texts = "\n".join(str(one.message) for one in world.messenger.sent if not one.deleted)
    assert "Jan fietste naar huis" in texts
    assert "Dit" in last(world, "jan", "Dit").message.text  # type: ignore[union-attr]
    async with world.begin() as work:
        assert len(await work.stories.of_teller(await id_of_jan(work), 9)) == 1


async def id_of_jan(work: UnitOfWork) -> PersonId:
    return (await find(work, "jan")).id


async def test_also_when_the_deliveries_were_deleted_long_ago(world: World) -> None:
    await live(world)
    world.ritme._retention = app.Retention(deliveries=timedelta(days=14))
    await world.pass_(days=40)
    async with world.database.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM old_messages"))).scalar_one()
    await forget(world)
    assert not list(standing(world)), list(standing(world))
    assert await stored(world) == {}


@pytest.mark.parametrize("arrives", [True, False])
async def test_also_what_was_under_way(world: World, *, arrives: bool) -> None:
    """Messages to her and about her whose sender died: nobody knows yet whether they arrived."""
    await live(world)
    async with world.begin() as work:
        zwaluw, jan = await find(work, ZWALUW), await find(work, "jan")
        zwaluw.unanswered = jan.unanswered = 0
    world.messenger.fail_next = [(OutcomeUnknown(), arrives)] * 2
    await act(world, "jan", "nominate.save", channel=None, inspirer=(ZWALUW,))
    await act(world, ZWALUW, "me", channel=None)
    assert [one.state for one in await unknown(world)] == [DeliveryState.UNKNOWN] * 2
    await act(world, ZWALUW, "me.forget", channel=None)
    await world.pass_(days=2)
    assert not list(standing(world)), list(standing(world))
    assert await stored(world) == {}


async def unknown(world: World) -> list[Delivery]:
    async with world.begin() as work:
        return list(await work.deliveries.unknown(WorkspaceId(LANE)))


async def test_pressed_twice_is_forgotten_once(world: World) -> None:
    await live(world)
    await act(world, ZWALUW, "me", channel=None)
    await press(world, ZWALUW, "forget")
    first = len(world.messenger.acts)
    await world.pass_(hours=1)
    await press_again(world)
    await world.pass_(hours=1)
    assert await stored(world) == {}
    assert len(world.messenger.acts) >= first


async def press_again(world: World) -> None:
    intent: Intent = world.intent(ZWALUW, "me.forget", {}, channel=None, answerable=False)
    await world.ritme.handle(intent)
    await world.drain()


async def leave(world: World, *, gone: str = "yes") -> None:
    """Have the platform report that her account is deactivated, or (`gone` empty) in use again."""
    changed = world.intent(ZWALUW, "person.changed", {"deactivated": gone}, channel=None)
    assert await world.ritme.handle(changed) is None


def keep_as_by_default(world: World) -> None:
    world.ritme._retention = app.Retention()


async def test_who_left_is_forgotten_after_ninety_days(world: World) -> None:
    await live(world)
    await leave(world)
    world.ritme._retention = app.Retention(deliveries=timedelta(days=4000))
    await world.pass_(days=89)
    assert "people.name" in await stored(world)
    await world.pass_(days=2)
    assert not list(standing(world)), list(standing(world))
    assert await stored(world) == {}


async def test_who_is_back_before_that_finds_everything(world: World) -> None:
    await live(world)
    keep_as_by_default(world)
    before = set(await stored(world))
    await leave(world)
    await world.pass_(days=80)
    await leave(world, gone="")
    await world.pass_(days=80)
    kept = {"people.name", "stories.text", "stuck_episodes.text", "next_steps.action", "invitations.text"}
    assert kept <= before
    assert kept <= set(await stored(world))


async def test_two_processes_forget_someone_once(world: World) -> None:
    await live(world)
    await leave(world)
    keep_as_by_default(world)
    world.clock.set(world.clock.now() + timedelta(days=91))
    other = app.Ritme(
        transact=world.storage.transact,
        platforms={"test": Platform(messenger=world.messenger)},
        clock=world.clock,
        engine=world.storage.engine,
    )
    await asyncio.gather(world.ritme.plan(), other.plan())
    await world.pass_(hours=1)
    assert await stored(world) == {}


async def test_what_is_over_ends_after_a_year_and_stories_stay(world: World) -> None:
    await live(world)
    world.ritme._retention = app.Retention(closed=timedelta(days=365))
    await act(world, ZWALUW, "stuck.moves_again", episode=await own_episode(world, ZWALUW))
    async with world.begin() as work:
        for step in await work.steps.planned_of(await id_of_zwaluw(work), MovementId("movement")):
            step.state, step.closed_at = StepState.DONE, world.clock.now()
    await world.pass_(days=360)
    assert {"stuck_episodes.text", "next_steps.action"} <= set(await stored(world))
    await world.pass_(days=6)
    left = set(await stored(world))
    assert not {name.partition(".")[0] for name in left} & {
        "stuck_episodes",
        "next_steps",
        "chances",
        "companies",
        "invitations",
    } - {"companies"}
    assert "stories.text" in left
    assert await column(world, "SELECT id FROM nominations WHERE nominee_id = :who", ZWALUW) == []
    # Jan is still stuck: what she gave him stays with that.
    assert "companies.idea" in left


async def id_of_zwaluw(work: UnitOfWork) -> PersonId:
    return (await find(work, ZWALUW)).id


async def test_what_was_worded_at_the_moment_of_forgetting_is_taken_back_later(world: World) -> None:
    """Another process had read her name before she was forgotten, and sent it after."""
    await live(world)
    async with world.begin() as work:
        person = await find(work, ZWALUW)
        named = [one for one in await work.deliveries.telling_of(person.id) if one.state is DeliveryState.SENT]
    await forget(world)
    async with world.begin() as work:
        gone = await work.people.in_workspace(person.id, WorkspaceId(LANE))
        assert gone is not None
        late = next(one for one in named if one.place_id is None and one.receipt)
    async with world.database.begin() as connection:
        await connection.execute(
            text("INSERT INTO mentions (delivery_id, person_id, workspace_id) VALUES (:one, :who, :where)"),
            {"one": late.id, "who": person.id, "where": LANE},
        )
    before = len(world.messenger.acts)
    await world.pass_(hours=2)
    assert [one.target for one in world.messenger.acts[before:]] == [late.receipt]
    async with world.database.connect() as connection:
        assert not (
            await connection.execute(text("SELECT * FROM mentions WHERE person_id = :who"), {"who": person.id})
        ).all()


async def test_on_slack_her_chat_is_emptied_and_the_installer_forgotten(on_slack: SlackDriver) -> None:
    await on_slack.movement("fatima", "jan")
    account = on_slack.user("fatima")
    async with on_slack.database.begin() as connection:
        columns = "team_id, team_name, app_id, bot_user_id, bot_token, scopes, installed_by, installed_at"
        await connection.execute(
            text(f"INSERT INTO slack_installations ({columns}) VALUES (:team, '', '', '', '', '', :who, :now)"),
            {"team": TEAM, "who": account, "now": on_slack.clock.now()},
        )
    for _ in range(30):
        await on_slack.say("fatima", "hulp")
    await on_slack.type("fatima", "/verhaal De buurvrouw liep mee.")
    assert len(in_chat(on_slack, "fatima")) == 30
    me = await on_slack.say("fatima", "ik")
    forgotten = await on_slack.press("fatima", me, "forget")
    assert isinstance(forgotten, Shown)
    assert "vergeten" in forgotten.words()
    await on_slack.pass_(minutes=2)
    assert [one.words() for one in in_chat(on_slack, "fatima")] == [forgotten.words()]
    assert on_slack.posts() == []
    async with on_slack.database.connect() as connection:
        for table in ("people", "deliveries", "slack_installations", "old_messages", "mentions"):
            rows = (await connection.execute(text(f"SELECT * FROM {table}"))).all()
            assert account not in str(rows), table


def in_chat(on_slack: SlackDriver, who: str) -> list[Shown]:
    """List our messages that stand in someone's own chat."""
    return [one for one in on_slack.private(who) if one.only_for is None]
