"""Changes that coordinators make are logged in the same transaction, and everybody in the movement can read it."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from adapters.database.tables import metadata
from bot import wording
from bot.app import Retention
from bot.chat import Answer, Form
from bot.domain.change import CoordinatorAct
from bot.domain.coverage import NAMES_ROUND, TIES_ROUND
from bot.domain.person import Language, PersonId, WorkspaceId
from tests.support.pressing import CODE, MOVEMENT, PRESSES, SUBMISSIONS, Act, fill
from tests.support.stories import add_reminder, reply_in_thread
from tests.support.world import LANE, World, open_world, text_of

ACTS: Mapping[str, Act] = {**PRESSES, **SUBMISSIONS}
CHANGE_NOTHING = {
    "trouble.again": "sends what was promised already",
    "trouble.place": "sends what was promised already",
    "trouble.knock": "sends what was promised already",
    "reach": "keeps what it counted",
    "webhook.test": "tries whether an address answers",
    "rhythm.keep": "confirms what is",
    "magazine.save": "makes a draft that only its makers see",
    "magazine.chosen": "chooses for a draft, and asks each teller",
}
"""Acts for coordinators that write something, but change nothing for anybody."""
MUST_LOG = {
    "start.leave", "start.link", "code.make", "code.revoke", "purpose.save", "purpose.take_back", "rhythm.save",
    "rhythm.end", "rhythm.resume", "rhythm.moment.save", "rhythm.pause.save", "rhythm.closed.save",
    "rhythm.closed.drop", "rhythm.place.save", "rhythm.apply", "rhythm.heard.save", "rhythm.double", "country.save",
    "groups.save", "hours.save", "reach.names.save", "reach.ties.save", "reach.names.here", "reach.end",
    "reach.take_back", "api.revoke", "initiative.close", "initiative.reopen", "council.agree", "trouble.leave",
    "api.make", "webhook.save", "webhook.on", "webhook.remove",
    "door.save", "door.close", "takeaway", "magazine.show",
}  # fmt: skip
"""Acts that are known to change something: this walk would tell nothing if they did not."""
BOOKKEEPING = {"inbox", "people", "networks", "workspaces", "page_sessions", "calendar_feeds"}
"""Tables with what Ritme notes of requests and of who makes them."""
PLANNED = {NAMES_ROUND, TIES_ROUND}
"""Kinds of deliveries that a coordinator plans for others."""


async def read_all(world: World) -> dict[str, list[str]]:
    """Return all that is stored of the movement; of deliveries only what coordinators plan for others."""
    async with world.database.connect() as connection:
        return {
            table.name: sorted(
                repr(row)
                for row in await connection.execute(table.select())
                if table.name != "deliveries" or row.kind in PLANNED
            )
            for table in metadata.sorted_tables
            if table.name not in BOOKKEEPING
        }


async def read_kinds(world: World) -> list[CoordinatorAct]:
    async with world.begin() as work:
        return [change.kind for change, _ in await work.movements.changes_by_coordinators(MOVEMENT, 99)]


async def do(world: World, name: str, who: str, act: Act) -> None:
    """Press a button, or send a form over what it holds."""
    where: dict[str, Any] = {"message": "m9"} if name == "saving.ask" else {}
    args = dict(act.args)
    if act.opener:
        opened = await world.ritme.handle(world.intent(who, act.opener, args, channel=act.channel, **where))
        if isinstance(opened, Form):
            args |= {one.name: one.value for one in opened.fields} | dict(opened.hidden)
        args |= act.values
    await world.ritme.handle(world.intent(who, name, args, channel=act.channel, **where))


def by_coordinators() -> list[str]:
    """Return the acts for which one has to coordinate: pressed by another they are refused, which other tests see."""
    return sorted({one for one, act in ACTS.items() if act.who == "iris"} | {"initiative.close", "initiative.reopen"})


@pytest.mark.parametrize("name", by_coordinators())
async def test_whatever_a_coordinator_changes_is_logged(tmp_path: Path, name: str) -> None:
    """Also where what it writes stands in a table that nobody thought of."""
    async with open_world(tmp_path, pages=True) as world:
        await fill(world)
        before = await read_all(world)
        await do(world, name, "iris", ACTS[name])
        after = await read_all(world)
        changed = {table for table, rows in after.items() if rows != before[table]}
        if name not in CHANGE_NOTHING:
            assert changed in (set(), {"coordinator_changes"}) or "coordinator_changes" in changed, changed
        if name in MUST_LOG:
            assert "coordinator_changes" in changed


def test_every_kind_of_change_has_words() -> None:
    for language in Language:
        assert wording.block_names("changes/what.md.j2", language) == {one.value for one in CoordinatorAct}


async def test_everybody_reads_what_was_changed_when_and_by_whom(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        await world.movement("fatima")
        assert "veranderden nog niets" in text_of(await world.type("fatima", "/ritme wijzigingen"))
        await world.do("iris", "purpose.save", vision="Samen.", core_messages="Vraag eerst.\nBlijf even.\nLach.")
        await world.do("iris", "code.make")
        said = text_of(await world.type("fatima", "/ritme wijzigingen", channel=None))
        assert "iris: maakte een code om aan te sluiten" in said
        await world.do("iris", "me.forget", channel=None)
        said = text_of(await world.type("fatima", "/ritme wijzigingen"))
        assert "een coördinator: maakte een code om aan te sluiten" in said
        assert "iris" not in said


async def test_two_rhythms_of_a_channel_are_told_apart(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        await world.movement("fatima")
        await add_reminder(world)
        async with world.begin() as work:
            (rhythm,) = await work.rhythms.of_movement(MOVEMENT)
        await world.do("iris", "rhythm.end", rhythm=rhythm.id)
        await world.do("iris", "code.make")
        said = text_of(await world.type("fatima", "/ritme wijzigingen", channel=None))
        assert "beëindigde een ritme (herinnering aan de bedoeling, #" in said
        said = text_of(await world.type("fatima", "/ritme changes", language="en", channel=None))
        assert "(purpose reminder, #" in said or "(herinnering" in said


async def test_a_refused_change_leaves_no_trace(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        await world.movement("fatima")
        await world.do("fatima", "code.make")
        await world.do("iris", "hours.save", group="Nacht", quiet_from="19:00")
        assert await read_kinds(world) == []


async def test_changes_go_when_they_were_kept_long_enough(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        await world.movement("fatima")
        await world.do("iris", "code.make")
        world.ritme._retention = Retention(closed=timedelta(days=30))
        await world.pass_(days=29)
        assert await read_kinds(world)
        await world.pass_(days=2)
        assert await read_kinds(world) == []


async def test_whoever_joins_with_a_code_is_seen_to_coordinate(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        await fill(world)
        await world.do("jan", "start.join.save", code=CODE, channel="new")
        assert CoordinatorAct.PLACE_JOINED in await read_kinds(world)


# -- works-council mode ------------------------------------------------------------------------------------------------

ROUNDS = {"reach.names", "reach.ties", "reach.names.here", "reach.names.save", "reach.ties.save"}
SUGGESTING = {"connect", "connect.look", "connect.why", "connect.other"}
NAMING = {"nominate", "nominate.save", "ties", "ties.save", *SUGGESTING, *ROUNDS}


@pytest.fixture
async def council(tmp_path: Path) -> Any:
    async with open_world(tmp_path, works_council=True) as world:
        await fill(world)
        yield world


@pytest.mark.parametrize("name", sorted(NAMING))
async def test_nobody_is_named_before_the_works_council_agreed(council: World, name: str) -> None:
    act = ACTS[name]
    reply = await council.do(act.who, name, args={**act.args, **act.values}, channel=act.channel)
    assert "ondernemingsraad" in text_of(reply)
    await council.do("iris", "council.agree")
    reply = await council.do(act.who, name, args={**act.args, **act.values}, channel=act.channel)
    assert isinstance(reply, Form) or "ondernemingsraad" not in text_of(reply)


@pytest.mark.parametrize("mode", [False, True], ids=["usual", "works council"])
@pytest.mark.parametrize("language", list(Language))
async def test_there_are_no_figures_of_a_person_not_even_for_themselves(
    tmp_path: Path, language: Language, mode: bool
) -> None:
    async with open_world(tmp_path, works_council=mode) as world:
        await fill(world)
        await world.do("iris", "council.agree")  # after it neither
        async with world.begin() as work:
            fatima = await work.people.by_account(WorkspaceId(LANE), "fatima")
            assert fatima is not None
            fatima.language = language
            for _, member in await work.movements.of_person(fatima.id):
                member.suggestible = True
        me = text_of(await world.do("fatima", "me", channel=None))
        home = text_of(await world.do("fatima", "home", channel=None))
        kept = [line for line in me.splitlines() if re.search("stories|verhalen|verhaal", line)]
        assert kept
        for said in (me, home):
            assert bool(re.search(r"dertig dagen|thirty days", said)) is not mode
        assert [bool(re.search(r"\d", line)) for line in kept] == [not mode] * len(kept)


async def test_a_round_that_waits_does_not_come(council: World) -> None:
    """Planned before the mode was on; or before the council withdrew."""
    await council.pass_(days=2)
    assert [one for one in council.posts("night") if one.post.message and "doorgeeft" in one.post.message.text] == []
    async with council.begin() as work:
        planned = await work.deliveries.about(NAMES_ROUND, "night", MOVEMENT)
    assert [(one.state.value, one.reason) for one in planned] == [("dropped", "council_first")]


async def test_withdrawing_drops_what_waits_and_everybody_reads_both(council: World) -> None:
    await council.do("iris", "council.agree")
    await council.do("iris", "council.withdraw")
    async with council.begin() as work:
        (waiting,) = await work.deliveries.about(NAMES_ROUND, "night", MOVEMENT)
    assert (waiting.state.value, waiting.reason) == ("dropped", "council_first")
    said = text_of(await council.type("fatima", "/ritme changes", language="en", channel=None))
    assert "agrees" in said or "instemt" in said
    assert "Zolang de ondernemingsraad niet" in text_of(await council.type("jan", "/ritme or"))


async def test_what_was_said_before_rests_and_is_used_again_which_is_said(council: World) -> None:
    async def count() -> int:
        async with council.database.connect() as connection:
            return (await connection.execute(text("SELECT count(*) FROM nominations"))).scalar_one()

    await council.do("iris", "council.agree")
    await council.do("fatima", "nominate.save", args={"connector": ("kwame",)})
    named = await count()
    withdrawn = text_of(await council.do("iris", "council.withdraw"))
    assert "blijft bewaard" in withdrawn
    assert "gebruik ik het om mensen voor te stellen" in withdrawn
    look = {"initiative": "walk", "figure": "connector"}
    assert "ondernemingsraad" in text_of(await council.do("fatima", "connect.look", args=look))
    assert await count() == named
    await council.do("iris", "council.agree")
    assert "ondernemingsraad" not in text_of(await council.do("fatima", "connect.look", args=look))
    assert await count() == named


async def test_who_answers_whom_is_not_kept(council: World) -> None:
    await add_reminder(council)
    ties = []
    for number, who in enumerate(("noor", "kwame", "sanne")):
        await reply_in_thread(council, who, "We liepen een rondje door de tuin.", f"r{number}")
        async with council.begin() as work:
            ties.append(len(await work.connecting.ties(MOVEMENT)))
        if number == 1:
            await council.do("iris", "council.agree")
    assert ties[0] == ties[1] < ties[2]


@pytest.mark.parametrize("name", ["meeting.met", "invitation.met"])
async def test_who_met_whom_is_not_kept(council: World, name: str) -> None:
    before = await count_ties(council)
    await meet(council, name)
    assert await count_ties(council) == before


@pytest.mark.parametrize("name", ["meeting.met", "invitation.met"])
async def test_who_met_whom_is_kept_once_the_council_agreed(council: World, name: str) -> None:
    await council.do("iris", "council.agree")
    before = await count_ties(council)
    await meet(council, name)
    assert await count_ties(council) > before


async def test_nobody_is_asked_whom_they_know_nor_as_what_they_may_be_named(council: World) -> None:
    """Neither is what was answered before dropped by a yes on an old card: it rests until the council agreed."""
    await council.do("iris", "council.agree")
    async with council.begin() as work:
        for _, member in await work.movements.of_person(PersonId("jan")):
            member.suggestible, member.figures = True, []
    await council.do("noor", "ties.save", args={"people": ("jan",), "shown": "yes"})
    await council.do("noor", "nominate.save", args={"maven": ("jan",)})
    asked = {"tie_yes", "tie_no", "also_yes", "also_no"}

    async def look() -> tuple[Answer, set[str]]:
        reply = await council.type("jan", "/ritme ik", channel=None)
        assert isinstance(reply, Answer)
        return reply, {one.name for one in reply.message.buttons} & asked

    assert (await look())[1] == {"also_yes", "also_no"}
    await council.press("jan", (await look())[0], "also_no", channel=None)
    card, names = await look()
    assert names == {"tie_yes", "tie_no"}
    before = await count_ties(council)
    await council.do("noor", "nominate.save", args={"connector": ("jan",)})
    await council.do("iris", "council.withdraw")
    assert (await look())[1] == set()
    assert "ondernemingsraad" in text_of(await council.press("jan", card, "tie_yes", channel=None))
    assert await count_ties(council) == before
    await council.do("iris", "council.agree")
    assert (await look())[1] == {"also_yes", "also_no"}
    await council.press("jan", card, "tie_yes", channel=None)
    assert await count_ties(council) > before


async def count_ties(world: World) -> int:
    async with world.begin() as work:
        return sum(tie.strength for tie in await work.connecting.ties(MOVEMENT))


async def meet(world: World, name: str) -> None:
    """Have everybody whom it is about say that they met."""
    act = ACTS[name]
    for who in (act.who, "kwame", "fatima", "jan", "noor", "sanne"):
        await world.do(who, name, args=dict(act.args), channel=None)


def test_ties_are_written_in_one_place() -> None:
    code = Path(wording.__file__).parent
    found = [one for one in code.rglob("*.py") if "connecting.strengthen(" in one.read_text(encoding="utf-8")]
    assert found == [code / "tying.py"]


async def test_without_the_mode_nothing_asks_for_an_agreement(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        await world.movement("fatima")
        shown: Any = await world.type("iris", "/ritme or", channel=None)
        assert [one.name for one in shown.message.buttons] == ["changes"]
        assert "wie het noteerde" not in text_of(shown)


async def test_only_a_coordinator_records_what_the_council_said(council: World) -> None:
    assert "coördinator" in text_of(await council.do("fatima", "council.agree"))
    assert "alleen jij" not in text_of(await council.type("fatima", "/ritme or")).lower()
