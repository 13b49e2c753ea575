"""An invitation is taken back by who sent it, until it is answered: nothing of it is read any more."""

from copy import deepcopy
from pathlib import Path

import pytest

from adapters.database.unit_of_work import Begin
from adapters.playground.personas import WORKSPACE
from bot.domain.initiative import Initiative, InitiativeId
from bot.domain.movement import MovementId
from bot.domain.person import PersonId, WorkspaceId
from tests.drivers.playground import Seen, playground_driver
from tests.drivers.slack import slack_driver
from tests.drivers.teams import teams_driver
from tests.fakes.slack.state import Shown
from tests.journeys.test_asking import WALK, add_movements
from tests.journeys.test_on_teams import rows, start_movement
from tests.journeys.test_slack_and_teams import TENANT
from tests.journeys.test_ways_out_on_platforms import execute
from tests.support.stories import is_declined
from tests.support.world import World, agree, button_of, text_of

SAID = "Loop je dinsdag mee?"
TAKEN_BACK = "heeft deze uitnodiging teruggenomen"


async def invite(world: World, *, waits: bool = False) -> object:
    """Have Fatima invite Sanne; `waits`: Sanne gets it later, as she has quiet hours."""
    await add_movements(world, "fatima", "sanne")
    await agree(world.begin, "sanne")
    if waits:
        await world.pass_(hours=14)  # eleven at night
    return await world.do("fatima", "invite.send", person="sanne", initiative=WALK, text=SAID)


async def test_what_was_sent_is_replaced_by_that_it_was_taken_back(world: World) -> None:
    sent = await invite(world)
    card = deepcopy(world.private("sanne")[-1])
    taken_back = await world.press("fatima", sent, "take_back")
    assert "Teruggenomen" in text_of(taken_back)
    assert TAKEN_BACK in text_of(world.private("sanne")[-1])
    assert SAID not in str([one.message for one in world.private("sanne")])
    assert "accept" not in str([one.message for one in world.private("sanne")])
    async with world.database.connect() as connection:
        assert SAID not in str((await connection.exec_driver_sql("SELECT * FROM invitations")).all())
    # A press on the card as it still stood somewhere says the same, and nobody hears an answer.
    late = await world.press("sanne", card, "accept", channel=None)
    assert TAKEN_BACK in text_of(late)
    await world.pass_(days=20)
    assert world.private("fatima") == []


async def test_taken_back_four_times_is_once(world: World) -> None:
    sent = await invite(world)
    for channel in ("general", None, "general", None):
        await world.press("fatima", sent, "take_back", channel=channel)
    args = button_of(sent, "take_back").args
    await world.do("fatima", "invitation.take_back", args=args, key="another card")
    async with world.database.connect() as connection:
        changes = await connection.exec_driver_sql("SELECT kind FROM deliveries WHERE act = 'update'")
        assert changes.all() == [("invitation_taken_back",)]


async def test_what_was_not_sent_yet_is_not_sent_any_more(world: World) -> None:
    sent = await invite(world, waits=True)
    assert world.private("sanne") == []
    assert "hoort er niets van" in text_of(await world.press("fatima", sent, "take_back"))
    await world.pass_(days=3)
    assert world.private("sanne") == []


@pytest.mark.parametrize("answer", ["accept", "decline"])
async def test_what_was_answered_stands(world: World, answer: str) -> None:
    sent = await invite(world)
    card = world.private("sanne")[-1]
    await world.press("sanne", card, answer, channel=None)
    assert "al geantwoord" in text_of(await world.press("fatima", sent, "take_back"))
    assert TAKEN_BACK not in text_of(world.private("sanne")[-1])


async def test_one_to_be_asked_later_is_not_asked_again(world: World) -> None:
    sent = await invite(world)
    await world.press("sanne", world.private("sanne")[-1], "later", channel=None)
    await world.press("fatima", sent, "take_back")
    before = len(world.private("sanne"))
    await world.pass_(days=40)
    assert len(world.private("sanne")) == before


async def test_another_can_be_sent_in_other_words(world: World) -> None:
    sent = await invite(world)
    await world.press("fatima", sent, "take_back")
    again = await world.do("fatima", "invite.send", person="sanne", initiative=WALK, text="Kom je dinsdag?")
    assert "Kom je dinsdag?" in text_of(again)
    assert "Kom je dinsdag?" in text_of(world.private("sanne")[-1])


async def test_somebody_elses_invitation_is_not_touched(world: World) -> None:
    sent = await invite(world)
    args = button_of(sent, "take_back").args
    for who in ("sanne", "iris"):
        assert is_declined(await world.do(who, "invitation.take_back", args=args), "invitation_gone")
    assert button_of(world.private("sanne")[-1], "accept")


async def make_suggestible(begin: Begin, lane: str, account: str) -> PersonId:
    """Let somebody agree to being suggested as a connector. Returns their id."""
    async with begin() as work:
        person = await work.people.by_account(WorkspaceId(lane), account)
        assert person is not None
        ((_, member),) = await work.movements.of_person(person.id)
        member.suggestible, member.figures = True, ["connector"]
    return person.id


async def test_in_slack(tmp_path: Path) -> None:
    async with slack_driver(tmp_path) as on_slack:
        await on_slack.movement("fatima", "sanne")
        await agree(on_slack.begin, "sanne", figures=("connector",))
        async with on_slack.begin() as work:
            now, movement = on_slack.clock.now(), MovementId("movement")
            work.initiatives.add(
                Initiative(id=InitiativeId(WALK), movement_id=movement, name=WALK, started_by=None, started_at=now)
            )
        suggested = await on_slack.submit("fatima", await on_slack.type("fatima", "/ritme verbind"), figure="connector")
        form = await on_slack.press("fatima", suggested, "invite_1")  # type: ignore[arg-type]
        sent = await on_slack.submit("fatima", form, text=SAID)
        assert SAID in on_slack.private("sanne")[-1].words()
        assert isinstance(sent, Shown)
        await on_slack.press("fatima", sent, "take_back")
        await on_slack.drain()
        assert SAID not in str([one.words() for one in on_slack.private("sanne")])
        assert TAKEN_BACK in on_slack.private("sanne")[-1].words()
        assert on_slack.private("sanne")[-1].buttons() == {}
        assert "Teruggenomen" in on_slack.private("fatima")[-1].words()


async def test_in_the_playground(tmp_path: Path) -> None:
    async with playground_driver(tmp_path) as playground:
        await playground.movement()
        await make_suggestible(playground.served.begin, WORKSPACE, "sanne")
        suggested = await playground.submit(
            "fatima", await playground.type("fatima", "/ritme verbind"), figure="connector"
        )
        sent = await playground.submit("fatima", await playground.press("fatima", suggested, "invite_1"), text=SAID)
        assert SAID in str([one.words() for one in await playground.private("sanne")])
        assert isinstance(sent, Seen)
        await playground.press("fatima", sent, "take_back")
        await playground.drain()
        assert SAID not in str([one.words() for one in await playground.private("sanne")])
        assert TAKEN_BACK in (await playground.private("sanne"))[-1].words()


async def test_in_teams(tmp_path: Path) -> None:
    async with teams_driver(tmp_path) as on_teams:
        await start_movement(on_teams)
        ((account,),) = await rows(on_teams, "SELECT account FROM people")
        iris = await make_suggestible(on_teams.begin, f"teams:{TENANT}", str(account))
        await execute(on_teams, "fatima", {"intent": "invite.send", "args": {"person": iris, "text": SAID}})
        await on_teams.drain()
        card = on_teams.private()[-1]
        assert SAID in card.words()
        ((invitation,),) = await rows(on_teams, "SELECT id FROM invitations")
        await execute(on_teams, "fatima", {"intent": "invitation.take_back", "args": {"invitation": invitation}})
        await on_teams.drain()
        assert TAKEN_BACK in on_teams.teams.seen[card.id].words()
        assert SAID not in on_teams.teams.seen[card.id].words()
