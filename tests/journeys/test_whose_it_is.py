"""Nobody reads or changes what is not theirs, whatever ids they send: from another workspace or platform, from the same
movement without the role, or about what is somebody else's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from adapters.database.tables import metadata
from bot import commands
from bot.chat import Form, Intent, Reply
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceId, Role
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId
from tests.journeys.test_pressing_twice import Outcomes
from tests.support.pressing import PRESSES, SUBMISSIONS, Act, fill
from tests.support.world import LANE, World, open_world

ACTS: Mapping[str, Act] = {**PRESSES, **SUBMISSIONS}
PRIVATE = (
    "Wandelen",
    "We lachten",
    "We zwaaiden",
    "We liepen.",
    "Er lukte iets",
    "Ook 's nachts niet",
    "Nog iets",
    "Hij kwam",
    "Loop je mee",
    "Samen op pad",
    "Verlaten",
    "kwame",
    "sanne",
    "noor",
    "iris",
)
"""Words and names of the movement in which everything is."""
BY_CODE = {"start.join.save"}
"""Acts of who has the code of a movement, which lets a channel elsewhere join it."""
LEAVES = {"start.leave", "start.link", "start.begin", "start.save", "stop", "stop.me", "me.forget"}
OF_ALL = {
    # What shows something of the movement, or is done with what is everybody's.
    "help", "home", "home.switch", "purpose", "initiative", "initiative.look", "rhythm", "rhythm.look", "lookback",
    "lookback.draw", "quilt.draw", "cloud", "map", "choice.pick", "choice.tell", "changes", "council", "effect",
    "magazine", "magazine.look", "magazine.print",  # one that everybody may read
    "board", "board.end",
    "story.mine", "story.read", "search", "search.narrow", "search.filled", "harvest", "me", "code", "api", "start",
    "initiative.make", "initiative.save", "initiative.join", "initiative.carry", "ripple", "ripple.undo", "share",
    "share.save",
    # Of one's own, or begun by oneself.
    "stuck", "stuck.new", "stuck.report", "chance", "chance.save", "nominate", "nominate.save", "story", "story.save",
    "calendar", "calendar.make", "calendar.revoke", "calendar.file", "hours.keep",
    "meeting.join", "meeting.leave", "behaviour", "ties", "ties.save", "ties.take_back",
    "connect", "connect.look", "invite", "invite.send", "saving.ask", "coordinators.ask", "suggest.yes", "suggest.no",
    "stop", "stop.me", "me.settings", "me.save", "me.snooze", "me.snooze.save", "me.wake", "me.come_back",
    "me.export", "me.forget", "start.begin", "start.save", "start.join", "start.join.save", "start.take_on",
    "company", "initiative.leave", "experiment", "experiment.save", "experiment.look",
}  # fmt: skip
"""Acts that any member may do, whoever does them here. Everything else is refused to those it is not for."""


@dataclass(frozen=True)
class Stranger:
    """Somebody to whom the movement is not known: their workspace, and the account and channel they act from."""

    workspace: str
    account: str
    channel: str


ELSEWHERE = "the coordinator of another workspace's movement"
STRANGERS = {
    ELSEWHERE: Stranger("test:W2", "zed", "there"),
    "somebody of another platform whose ids are the same": Stranger("other:W1", "fatima", "general"),
}


@dataclass
class Watched:
    """A world, how intents end in it, and all that was stored of its movement to begin with."""

    world: World
    outcomes: Outcomes
    rows: dict[str, set[tuple[object, ...]]] = field(default_factory=dict)


async def snapshot(world: World) -> dict[str, set[tuple[object, ...]]]:
    async with world.database.connect() as connection:
        return {
            table.name: {tuple(map(repr, row)) for row in await connection.execute(table.select())}
            for table in metadata.sorted_tables
            if table.name != "inbox"
        }


async def add_strangers(world: World) -> None:
    """Add a movement of each stranger, which they coordinate."""
    now = world.clock.now()
    async with world.begin() as work:
        for number, one in enumerate(STRANGERS.values()):
            lane, own = WorkspaceId(one.workspace), MovementId(f"theirs{number}")
            work.people.add(Workspace(id=lane))
            work.movements.add(Movement(id=own, name="Ergens anders", language=Language.NL, started_at=now))
            await work.flush()
            person = PersonId(f"stranger{number}")
            work.people.add(Person(id=person, workspace_id=lane, account=one.account, name="Zed", created_at=now))
            work.movements.add(
                Place(
                    id=PlaceId(f"there{number}"),
                    workspace_id=lane,
                    movement_id=own,
                    channel=one.channel,
                    name="daar",
                    created_at=now,
                )
            )
            await work.flush()
            work.movements.add(Member(movement_id=own, person_id=person, role=Role.COORDINATOR, joined_at=now))


async def watch(world: World, outcomes: Outcomes) -> Watched:
    await fill(world)
    watched = Watched(world, outcomes, await snapshot(world))
    await add_strangers(world)
    outcomes.intents.clear()
    return watched


def ask(world: World, name: str, act: Act, who: Stranger, channel: str | None, args: Mapping[str, Any]) -> Intent:
    where = {"message": "m9"} if name in ("story.save_message", "saving.ask") else {}
    return world.intent(
        who.account,
        name,
        {**act.args, **act.values, **args},
        channel=channel,
        workspace=who.workspace,
        **where,  # type: ignore[arg-type]
    )


def told(reply: Reply) -> str:
    """Return what a reply shows; of a form without what it hides, which came from
    them, and without its fixed words."""
    if isinstance(reply, Form):
        return repr((reply.title, reply.note, [(one.value, one.options, one.hint) for one in reply.fields]))
    return repr(reply)


async def check_untouched(watched: Watched, name: str, act: Act, reply: Reply) -> None:
    """Assert that nothing of the movement changed, was added to, or was told."""
    typed = repr((act.args, act.values))
    secrets = [one for one in PRIVATE if one not in typed]
    assert [one for one in secrets if one in told(reply)] == [], reply
    async with watched.world.database.connect() as connection:
        for table in metadata.sorted_tables:
            if table.name == "inbox":
                continue
            known = watched.rows[table.name]
            rows = (await connection.execute(table.select())).all()
            found = {tuple(map(repr, row)): row for row in rows}
            assert known <= found.keys(), (name, table.name, known - found.keys())
            for row in (found[one]._mapping for one in found.keys() - known):
                assert row.get("movement_id") != "movement", (name, table.name, row)
                assert row.get("workspace_id") != LANE, (name, table.name, row)
                assert [one for one in secrets if one in repr(row.get("args", ""))] == [], (name, table.name, row)


async def act_as_stranger(watched: Watched, name: str, who: Stranger) -> None:
    world, act = watched.world, ACTS[name]
    for channel, args in ((who.channel, {}), ("nowhere", {}), (None, {"movement": "movement"})):
        reply = await world.ritme.handle(ask(world, name, act, who, channel, args))
        outcome = watched.outcomes.intents[-1][1]
        assert outcome in ("ok", "refused", "invalid"), (name, outcome)
        await check_untouched(watched, name, act, reply)


def test_every_handler_is_tried() -> None:
    events = {*commands.PASSIVE_EVENTS, *commands.PLATFORM_EVENTS, "place.joined", "home.opened", "thread.mentioned"}
    typed = {name for name in commands.COMMANDS if name.startswith("conversation.")} | {"story.save_message"}
    assert set(ACTS) >= set(commands.COMMANDS) - events - typed
    assert set(ACTS) >= OF_ALL


@pytest.mark.parametrize(("stranger", "kind"), [*((one, "sqlite") for one in STRANGERS), (ELSEWHERE, "postgresql")])
async def test_ids_of_another_movement_are_nothing_to_a_stranger(tmp_path: Path, stranger: str, kind: str) -> None:
    outcomes = Outcomes()
    async with open_world(tmp_path, kind=kind, telemetry=outcomes, pages=True) as world:
        watched = await watch(world, outcomes)
        # First what leaves them in their movement and asked for nothing else.
        for name in sorted(ACTS, key=lambda one: one in LEAVES):
            if name not in BY_CODE:
                await act_as_stranger(watched, name, STRANGERS[stranger])


async def test_who_has_the_code_links_a_channel_and_no_more(tmp_path: Path) -> None:
    outcomes = Outcomes()
    async with open_world(tmp_path, telemetry=outcomes, pages=True) as world:
        watched = await watch(world, outcomes)
        act = ACTS["start.join.save"]
        for who in STRANGERS.values():
            await world.ritme.handle(ask(world, "start.join.save", act, who, "nowhere", {}))
        now = await snapshot(world)
        changed = {table for table, rows in watched.rows.items() if not rows <= now[table]}
        # A network counts that somebody came.
        assert changed <= {"invite_codes", "networks"}


@pytest.mark.parametrize("name", sorted(set(ACTS) - OF_ALL))
async def test_what_is_for_somebody_else_or_a_coordinator_is_refused_to_a_member(tmp_path: Path, name: str) -> None:
    outcomes = Outcomes()
    async with open_world(tmp_path, telemetry=outcomes, pages=True) as world:
        await fill(world)
        act = ACTS[name]
        who = "noor" if act.who != "noor" else "sanne"
        await world.ritme.handle(world.intent(who, "help", {}, channel=act.channel))  # noted that they act
        before, outcomes.intents[:] = await snapshot(world), []
        where = {"message": "m9"} if name == "saving.ask" else {}
        reply = await world.ritme.handle(
            world.intent(who, name, {**act.args, **act.values}, channel=act.channel, **where)  # type: ignore[arg-type]
        )
        assert outcomes.intents[-1][1] in ("refused", "invalid"), (outcomes.intents, reply)
        after = await snapshot(world)
        changed = {table for table in before if before[table] != after[table]} - {"people"}
        assert changed == set(), changed
