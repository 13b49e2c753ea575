"""Ways out, forgetting, removal and coordinators' names where people stand: what each platform's server received."""

import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.chat import Receipt
from bot.domain.movement import Role
from bot.domain.person import WorkspaceId
from bot.outbox.outcomes import apply_result
from tests.drivers.playground import Seen, playground_driver
from tests.drivers.slack import LANE, slack_driver
from tests.drivers.teams import TeamsDriver, teams_driver
from tests.fakes.slack.state import Shown
from tests.fakes.teams.agents_playground import TEAM, user
from tests.journeys.test_on_teams import install, rows, start_movement
from tests.journeys.test_slack_and_teams import TENANT, slack_and_teams
from tests.journeys.test_stories_on_slack import start_story_round
from tests.support.outbox import enqueue_post

QUIETED = "SELECT count(*) FROM people WHERE stopped_at IS NOT NULL"


def told_to_type(said: Iterable[Any], word: str = "stop") -> str:
    """Return what the last message that tells to type a word says to type."""
    texts = [one.words() for one in said]
    found = [typed for text in texts for typed in re.findall(rf"[/@]\w+ {word}\b|(?<=[Tt]yp ){word}\b", text)]
    assert found, f"no message says what to type for {word}: {texts}"
    return str(found[-1])


async def count(driver: Any, query: str) -> int:
    async with driver.database.connect() as connection:
        return int((await connection.exec_driver_sql(query)).scalar_one())


@pytest.mark.parametrize("app", ["Ritme", "Samen"])
class TestWhatIsToldToTypeStops:
    async def test_in_a_slack_channel(self, tmp_path: Path, app: str) -> None:
        async with slack_driver(tmp_path, app=app) as on_slack:
            await on_slack.people.invite_bot(on_slack.user("iris"), on_slack.channel("general"))
            await on_slack.drain()
            form = await on_slack.type("iris", "/ritme start")
            await on_slack.submit("iris", form, name="Samen op pad", vision="Iedereen loopt mee")
            typed = told_to_type(on_slack.posts())
            assert typed == "/ritme stop"
            offered = await on_slack.type("fatima", typed)
            assert isinstance(offered, Shown)
            assert offered.only_for == on_slack.user("fatima")
            assert "iris" in offered.words()
            stopped = await on_slack.press("fatima", offered, "stop")
            assert isinstance(stopped, Shown)
            assert "Uit mezelf stuur ik je niets meer" in stopped.words()
            assert await count(on_slack, QUIETED) == 1

    async def test_in_ones_own_chat_in_slack(self, tmp_path: Path, app: str) -> None:
        async with slack_driver(tmp_path, app=app) as on_slack:
            await on_slack.movement("fatima", "jan")
            await on_slack.press("fatima", await on_slack.type("fatima", "/ritme code"), "ask")
            typed = told_to_type(on_slack.private("iris"))
            await on_slack.type("iris", typed, channel=None)
            assert await count(on_slack, QUIETED) == 1
            heard = len(on_slack.private("iris"))
            assert "ask" not in (await on_slack.type("jan", "/ritme code")).buttons()  # type: ignore[union-attr]
            assert len(on_slack.private("iris")) == heard

    async def test_in_a_slack_thread(self, tmp_path: Path, app: str) -> None:
        async with slack_driver(tmp_path, app=app) as on_slack:
            await on_slack.movement("fatima")
            root = await start_story_round(on_slack)
            await on_slack.reply("fatima", "general", root, "De buurvrouw liep mee")
            # A thread takes no slash commands.
            typed = told_to_type(on_slack.private("fatima"), "ik")
            assert typed == f"@{app} ik"
            await on_slack.reply("fatima", "general", root, typed)
            assert "stop" in on_slack.private("fatima")[-1].buttons()
            await on_slack.reply("fatima", "general", root, typed.replace("ik", "stop"))
            offered = on_slack.private("fatima")[-1]
            assert (offered.only_for, offered.thread) == (on_slack.user("fatima"), root)
            await on_slack.press("fatima", offered, "stop")
            assert await count(on_slack, QUIETED) == 1
            assert await count(on_slack, "SELECT count(*) FROM stories") == 1

    async def test_in_ones_own_chat_in_teams(self, tmp_path: Path, app: str) -> None:
        async with teams_driver(tmp_path, app=app) as on_teams:
            await start_movement(on_teams)
            await execute(on_teams, "fatima", ASK)
            typed = told_to_type(on_teams.private())
            assert typed == "stop"
            await on_teams.say("iris", typed)
            assert await count(on_teams, QUIETED) == 1

    @pytest.mark.parametrize("mention", [True, False])
    async def test_in_a_teams_channel(self, tmp_path: Path, app: str, mention: bool) -> None:
        async with teams_driver(tmp_path, app=app) as on_teams:
            await start_movement(on_teams)
            typed = told_to_type(on_teams.posts())
            assert typed == f"@{app} stop"
            # Picked from Teams' list it is a mention, else it is text.
            await on_teams.say(
                "iris", typed.removeprefix(f"@{app} ") if mention else typed, where=TEAM, mention=mention
            )
            await on_teams.press("iris", on_teams.private()[-1], "stop.me")
            assert await count(on_teams, QUIETED) == 1


async def test_what_is_told_to_type_stops_in_the_playground(tmp_path: Path) -> None:
    async with playground_driver(tmp_path) as playground:
        await playground.movement()
        await playground.press("fatima", await playground.type("fatima", "/ritme code"), "ask")
        typed = told_to_type(await playground.private("iris"))
        assert typed == "/ritme stop"
        stopped = await playground.type("iris", typed, channel=None)
        assert isinstance(stopped, Seen)
        assert "come_back" in stopped.buttons()
        assert "ask" not in (await playground.type("jan", "/ritme code")).buttons()


class TestCoordinatorsHaveNames:
    async def test_in_slack(self, tmp_path: Path) -> None:
        async with slack_driver(tmp_path) as on_slack:
            await on_slack.movement("fatima")
            refused = await on_slack.type("fatima", "/ritme code")
            assert isinstance(refused, Shown)
            assert "iris" in refused.words()
            asked = await on_slack.press("fatima", refused, "ask")
            assert isinstance(asked, Shown)
            assert "iris leest" in asked.words()
            (told,) = on_slack.private("iris")
            assert told.channel == on_slack.slack.chat_of(on_slack.user("iris")).id
            assert "fatima" in told.words()

    async def test_in_teams(self, tmp_path: Path) -> None:
        async with teams_driver(tmp_path) as on_teams:
            await install(on_teams)
            opened = await on_teams.press("fatima", on_teams.posts()[-1], "start")
            await on_teams.submit("fatima", opened, where=TEAM, name="Samen op pad", language="nl", vision="Samen")
            await on_teams.say("iris", "purpose", where=TEAM, mention=True)
            await on_teams.say("iris", "code", where=TEAM, mention=True)
            refused = on_teams.private()[-1]
            assert "Fatima" in refused.words()
            await on_teams.press("iris", refused, "coordinators.ask")
            assert "Fatima leest" in on_teams.private()[-1].words()
            ((account,),) = await rows(
                on_teams,
                "SELECT account FROM deliveries JOIN people ON people.id = deliveries.person_id"
                " WHERE kind = 'coordinator_asked' AND deliveries.state = 'sent'",
            )
            assert account == user("fatima")["aadObjectId"]

    async def test_in_the_playground(self, tmp_path: Path) -> None:
        async with playground_driver(tmp_path) as playground:
            await playground.movement()
            refused = await playground.type("fatima", "/ritme code")
            assert "Iris" in refused.words()
            asked = await playground.press("fatima", refused, "ask")
            assert "Iris" in asked.words()
            assert "Fatima" in (await playground.private("iris"))[-1].words()


ASK = {"intent": "coordinators.ask", "args": {"about": "rhythm.new"}}
FORGET = {"intent": "me.forget", "args": {}}


async def execute(driver: TeamsDriver, who: str, data: dict[str, Any]) -> None:
    """Press a button that somebody else than iris sees: the program shows only hers."""
    action = {"type": "Action.Execute", "verb": data["intent"], "data": data}
    await driver.invoke(who, "adaptiveCard/action", {"action": action, "trigger": "manual"}, where=TEAM)


class TestWhatIsAboutSomeoneForgottenIsTakenBackInOthersChats:
    async def test_in_slack(self, tmp_path: Path) -> None:
        async with slack_driver(tmp_path) as on_slack:
            await on_slack.movement("fatima")
            await on_slack.press("fatima", await on_slack.type("fatima", "/ritme code"), "ask")
            assert "fatima" in on_slack.private("iris")[-1].words()
            await on_slack.press("fatima", await on_slack.type("fatima", "/ritme ik"), "forget")
            await on_slack.pass_(minutes=2)
            assert "fatima" not in str(on_slack.private("iris"))
            assert on_slack.private("iris")[-1].edited

    async def test_in_teams(self, tmp_path: Path) -> None:
        async with teams_driver(tmp_path) as on_teams:
            await start_movement(on_teams)
            await execute(on_teams, "fatima", ASK)
            told = on_teams.private()[-1]
            assert "Fatima" in told.words()
            await execute(on_teams, "fatima", FORGET)
            await on_teams.until(on_teams.clock.now() + timedelta(minutes=2))
            assert "Fatima" not in str(on_teams.private())
            assert on_teams.teams.seen[told.id].words() != told.words()

    async def test_in_the_playground(self, tmp_path: Path) -> None:
        async with playground_driver(tmp_path) as playground:
            await playground.movement()
            form = await playground.type("fatima", "/story")
            await playground.submit("fatima", form, text="De buurvrouw liep mee", named="with", readers="movement")
            await playground.press("fatima", await playground.type("fatima", "/ritme code"), "ask")
            assert "Fatima" in (await playground.private("iris"))[-1].words()
            assert "buurvrouw" in str(await playground.posts())
            quoted = await playground.type("fatima", "/vast niemand komt naar het overleg")
            assert "niemand komt" in quoted.words()
            await playground.press("fatima", quoted, "change")
            await playground.type("fatima", "hulp", channel=None)
            await playground.press("fatima", await playground.type("fatima", "/ritme ik", channel=None), "forget")
            await playground.until(playground.served.clock.now() + timedelta(minutes=2))
            assert "Fatima" not in (await playground.private("iris"))[-1].words()
            assert "buurvrouw" not in str(await playground.posts())
            # The answers to what she did too, with the words that they quote.
            assert ["vergeten" in one.words() for one in await playground.private("fatima")] == [True]
            # So is what was kept for repeated requests, and the form she left open.
            with closing(sqlite3.connect(tmp_path / "ritme.db")) as connection:
                kept = str(connection.execute("SELECT value FROM playground_shelf WHERE kind != 'message'").fetchall())
            assert "buurvrouw" not in kept
            assert "niemand komt" not in kept


async def test_who_is_deactivated_for_ninety_days_is_forgotten_in_slack(tmp_path: Path) -> None:
    async with slack_driver(tmp_path) as on_slack:
        await on_slack.movement("fatima", "jan")
        for _ in range(3):
            await on_slack.say("fatima", "hulp")
        await on_slack.type("fatima", "/verhaal De buurvrouw liep mee")
        account, chat = on_slack.user("fatima"), on_slack.slack.chat_of(on_slack.user("fatima"))
        await on_slack.people.change_profile(account, deleted=True)
        await on_slack.pass_(days=89)
        assert [one for one in chat.messages if one.by != account and not one.deleted] != []
        await on_slack.pass_(days=2)
        assert [one.words() for one in chat.messages if one.by != account and not one.deleted] == []
        for table in ("people", "stories", "deliveries", "old_messages", "mentions", "inbox"):
            assert account not in str(await rows(on_slack, f"SELECT * FROM {table}")), table  # type: ignore[arg-type]
            assert "buurvrouw" not in str(await rows(on_slack, f"SELECT * FROM {table}")), table  # type: ignore[arg-type]


async def test_removed_from_slack_late_events_do_nothing_until_it_is_installed_again(tmp_path: Path) -> None:
    async with slack_driver(tmp_path) as on_slack:
        await on_slack.movement("fatima")
        root = await start_story_round(on_slack)
        await on_slack.people.event({"type": "app_uninstalled"})
        before = await count(on_slack, "SELECT count(*) FROM deliveries")
        calls = len(on_slack.slack.calls)
        await on_slack.reply("fatima", "general", root, "De buurvrouw liep mee")
        await on_slack.say("noor", "hulp")
        await on_slack.people.invite_bot(on_slack.user("iris"), on_slack.channel("nieuw"))
        assert await on_slack.type("fatima", "/vast niemand komt") is None
        await on_slack.pass_(hours=1)
        assert on_slack.slack.calls[calls:] == []
        assert await count(on_slack, "SELECT count(*) FROM deliveries") == before
        assert await count(on_slack, "SELECT count(*) FROM stories") == 0
        assert await count(on_slack, "SELECT count(*) FROM stuck_episodes") == 0
        assert on_slack.user("noor") not in str(await rows(on_slack, "SELECT * FROM people"))  # type: ignore[arg-type]
        await on_slack.ritme.workspace_installed(LANE, "Wijkzorg")
        await on_slack.reply("fatima", "general", root, "Nu lukte het wel")
        assert await count(on_slack, "SELECT count(*) FROM stories WHERE text = 'Nu lukte het wel'") == 1
        assert on_slack.private("fatima") != []


@pytest.mark.parametrize("kind", ["app_uninstalled", "tokens_revoked"])
async def test_news_of_a_removal_that_is_late_does_not_silence_who_installed_it_again(
    tmp_path: Path, kind: str
) -> None:
    """Also in a process that was there before, and had the token of the time."""
    async with slack_driver(tmp_path) as on_slack:
        await on_slack.movement("fatima")
        gone = {"type": kind, "tokens": {"bot": ["UBOT"], "oauth": []}}
        await on_slack.pass_(hours=2)
        await on_slack.ritme.workspace_installed(LANE, "Wijkzorg")
        await on_slack.people.event(gone, at=on_slack.clock.now() - timedelta(hours=1))
        assert await on_slack.type("fatima", "/vast niemand komt") is not None
        await on_slack.pass_(minutes=1)
        await on_slack.people.event(gone)
        assert await on_slack.type("fatima", "/vast niemand komt") is None


async def test_what_arrived_before_a_removal_and_is_noted_after_it_does_not_bring_ritme_back(tmp_path: Path) -> None:
    async with slack_driver(tmp_path) as on_slack:
        await on_slack.movement("fatima")
        await enqueue_post(on_slack, "aaa")
        async with on_slack.begin() as work:
            row = await work.deliveries.by_key("aaa")
            assert row is not None
            row.start(on_slack.clock.now())
        await on_slack.people.event({"type": "app_uninstalled"})
        async with on_slack.begin() as work:
            row, workspace = await work.deliveries.by_key("aaa"), await work.people.workspace(LANE)
            assert row is not None
            await apply_result(work, row, workspace, Receipt(channel="C1", message="1.1"), on_slack.clock.now())
            assert workspace is not None
            assert workspace.is_removed


async def test_removed_from_a_workspace_it_never_heard_of_nothing_late_is_stored(tmp_path: Path) -> None:
    async with slack_driver(tmp_path) as on_slack:
        await on_slack.people.event({"type": "app_uninstalled"})
        await on_slack.people.say(on_slack.user("noor"), on_slack.channel(None, "noor"), "hulp")
        await on_slack.people.change_profile(on_slack.user("noor"), name="Noor")
        await on_slack.drain()
        assert set(on_slack.people.answers) == {200}
        for table in ("people", "places", "inbox", "deliveries"):
            assert await count(on_slack, f"SELECT count(*) FROM {table}") == 0


async def test_a_coordinator_in_accra_reads_in_teams_whose_clock_a_dutch_place_has(tmp_path: Path) -> None:
    async with slack_and_teams(tmp_path) as both:
        slack = both.slack
        await slack.movement("fatima")
        form = await slack.press("iris", await slack.type("iris", "/ritme ritme"), "new")
        await slack.submit("iris", form, kind="stories", every="1", weekdays=["TH"], at="16:00")
        made = await slack.press("iris", await slack.type("iris", "/ritme code"), "make")
        assert isinstance(made, Shown)
        code = re.search(r"\w{4}-\w{4}-\w{4}", made.words())
        assert code
        in_accra = {"locale": "en-GB", "localTimezone": "Africa/Accra"}
        await both.in_teams(f"join {code.group(0)}", **in_accra)
        async with slack.begin() as work:
            noor = await work.people.by_account(WorkspaceId(f"teams:{TENANT}"), "noor")
            assert noor is not None
            member = (await work.movements.of_person(noor.id))[0][1]
            member.role = Role.COORDINATOR
        await both.in_teams("rhythm", **in_accra)
        assert "16:00 (Amsterdam time)" in both.said_in_teams()[-1]


async def test_removed_from_a_team_late_events_do_nothing_until_it_is_installed_again(tmp_path: Path) -> None:
    async with teams_driver(tmp_path) as on_teams:
        await start_movement(on_teams)
        posted, told = len(on_teams.posts()), len(on_teams.private())
        data = {"team": {"id": TEAM, "name": "Wijkteam"}, "channel": {"id": TEAM}}
        late, planned = on_teams.clock.now().isoformat(), await count(on_teams, "SELECT count(*) FROM deliveries")
        on_teams.clock.set(on_teams.clock.now() + timedelta(minutes=1))
        await on_teams.event("iris", "installationUpdate", action="remove", data=data)
        people = await rows(on_teams, "SELECT account, name FROM people")
        await on_teams.event(
            "noor", "message", where=f"{TEAM};messageid=9", id="9", text="/ritme stuck Niemand komt", timestamp=late
        )
        assert await rows(on_teams, "SELECT state FROM places") == [("unreachable",)]
        assert await rows(on_teams, "SELECT text FROM stuck_episodes") == []
        assert await rows(on_teams, "SELECT account, name FROM people") == people
        await on_teams.until(on_teams.clock.now() + timedelta(hours=1))
        assert len(on_teams.posts()) == posted
        # Who coordinates hears that the place is out of reach; nobody hears anything else.
        assert ["ik ben daar niet (meer) bij" in one.words() for one in on_teams.private()[told:]] == [True]
        assert await count(on_teams, "SELECT count(*) FROM deliveries") == planned + 1
        await install(on_teams)
        assert await rows(on_teams, "SELECT state FROM places") == [("alive",)]
        # By the clock of the journey: a mention is dated by the program's own.
        await on_teams.say("iris", "/ritme stuck Niemand komt", where=TEAM)
        assert await rows(on_teams, "SELECT text FROM stuck_episodes") == [("Niemand komt",)]
        assert "Niemand komt" in on_teams.private()[-1].words()
