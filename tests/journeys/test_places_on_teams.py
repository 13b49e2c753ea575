"""Follow places of Teams as they come, go and change their names, in whichever of its ways Teams tells it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.database.teams import SqlConversations
from adapters.teams.inbound import TeamsInbound
from adapters.teams.payloads import read_activity
from adapters.teams.references import ConversationReferences
from adapters.teams.signer import Signer
from tests.drivers.border import BOT, HERE, TENANT, THERE, InTeams, channel_id, open_teams
from tests.support.databases import BOTH

TEAM, GROUP, MEETING = channel_id(HERE), "19:groep@thread.v2", "19:meeting_x@thread.v2"
NEW_TEAM = "19:nieuw@thread.tacv2"
Json = dict[str, Any]
KINDS = {"channel": NEW_TEAM, "groupChat": GROUP, "meeting": MEETING}
PEOPLE_WHO_INSTALL: dict[str, Json] = {
    "a person": {"id": "29:fatima", "name": "fatima", "aadObjectId": "fatima"},
    "an administrator's policy": {"id": "28:policy", "name": "Teams"},
    "Graph": {},
}


@pytest.fixture(params=BOTH)
async def teams(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[InTeams]:
    async with open_teams(tmp_path, kind=request.param) as opened:
        yield opened


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[InTeams]:
    """Open Teams on one database only: for what no query of its own decides."""
    async with open_teams(tmp_path) as opened:
        yield opened


def there(where: str) -> Json:
    """Return where an activity of a channel, group chat or meeting says that it happens."""
    tenant = {"id": TENANT}
    if where.endswith("tacv2"):
        data = {"tenant": tenant, "team": {"id": where, "name": "Wijkteam Oost"}}
        return {"conversation": {"id": where, "conversationType": "channel"}, "channelData": data}
    data = {"tenant": tenant, **({"meeting": {"id": "m"}} if where == MEETING else {})}
    return {"conversation": {"id": where, "conversationType": "groupChat"}, "channelData": data}


async def tell(teams: InTeams, type: str, where: str = TEAM, event: str = "", who: str = "iris", **more: Any) -> None:
    """Tell what happens to a place, at this moment unless `more` says otherwise."""
    place = there(where)
    data = {**place.pop("channelData"), **more.pop("data", {}), **({"eventType": event} if event else {})}
    stamp = {"timestamp": teams.clock.now().isoformat()}
    await teams.send(who, {"type": type, **place, "channelData": data, **stamp, **more}, "")


async def rows(teams: InTeams, query: str) -> list[tuple[Any, ...]]:
    async with teams.storage.database.connect() as connection:
        return [tuple(row) for row in await connection.exec_driver_sql(query)]


async def states(teams: InTeams) -> dict[str, tuple[str, str]]:
    found = await rows(teams, "SELECT channel, state, state_reason FROM places")
    return {channel: (state, reason) for channel, state, reason in found}


def said_in(teams: InTeams, where: str) -> list[str]:
    return [one.words() for one in teams._messages() if one.conversation.partition(";")[0] == where]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("who", "action"), [("a person", "add"), ("an administrator's policy", "add-upgrade"), ("Graph", "add")]
)
async def test_an_installation_alone_makes_a_place_and_greets_it_once(
    here: InTeams, kind: str, who: str, action: str
) -> None:
    where, people = KINDS[kind], await rows(here, "SELECT count(*) FROM people")
    await tell(here, "installationUpdate", where, action=action, **{"from": PEOPLE_WHO_INSTALL[who]})
    assert (await states(here))[where] == ("alive", "")
    assert len(said_in(here, where)) == 1
    # The same told once more, in both ways; and a newer version of the app.
    await tell(here, "installationUpdate", where, action="add")
    await tell(here, "conversationUpdate", where, membersAdded=[{"id": BOT}])
    await tell(here, "installationUpdate", where, action="add-upgrade")
    assert len(said_in(here, where)) == 1
    assert await rows(here, "SELECT count(*) FROM people") == people


@pytest.mark.parametrize("who", PEOPLE_WHO_INSTALL)
@pytest.mark.parametrize("action", ["add", "add-upgrade"])
async def test_an_installation_whose_first_handling_failed_is_done_when_it_is_told_again(
    here: InTeams, monkeypatch: pytest.MonkeyPatch, who: str, action: str
) -> None:
    async def break_down(*_: object) -> None:
        raise ValueError("a bug")

    told = {"id": "i1", "action": action, "from": PEOPLE_WHO_INSTALL[who]}
    with monkeypatch.context() as broken:
        broken.setattr("bot.use_cases.movements.starting._welcome", break_down)
        with pytest.raises(AssertionError, match="internal"):
            await tell(here, "installationUpdate", NEW_TEAM, **told)
    await tell(here, "installationUpdate", NEW_TEAM, **told)
    assert (await states(here))[NEW_TEAM] == ("alive", "")
    assert len(said_in(here, NEW_TEAM)) == 1
    await tell(here, "installationUpdate", NEW_TEAM, **{**told, "id": "i2", "action": "add-upgrade"})
    assert len(said_in(here, NEW_TEAM)) == 1


@pytest.mark.parametrize("who", PEOPLE_WHO_INSTALL)
async def test_installed_for_a_person_they_can_be_reached_and_are_told_once(here: InTeams, who: str) -> None:
    sender = PEOPLE_WHO_INSTALL[who]
    chat = {"conversation": {"id": "chat-of-nieuw", "conversationType": "personal"}, "from": sender}
    if sender.get("aadObjectId"):
        chat["from"] = {"id": "29:nieuw", "name": "nieuw", "aadObjectId": "nieuw"}
    for _ in range(2):
        await here.send("nieuw", {"type": "installationUpdate", "action": "add", **chat}, "")
    await here.send("nieuw", {"type": "conversationUpdate", "membersAdded": [{"id": BOT}], **chat}, "")
    assert len(said_in(here, "chat-of-nieuw")) == bool(sender.get("aadObjectId"))
    assert await rows(here, "SELECT count(*) FROM teams_conversations WHERE channel = 'chat-of-nieuw'") == [(1,)]


async def test_the_channel_chosen_at_installation_is_the_place(here: InTeams) -> None:
    chosen = {"settings": {"selectedChannel": {"id": "19:gekozen@thread.tacv2", "name": "Zorg"}}}
    await tell(here, "installationUpdate", NEW_TEAM, action="add", data=chosen)
    assert len(said_in(here, "19:gekozen@thread.tacv2")) == 1
    assert said_in(here, NEW_TEAM) == []
    names = await rows(here, "SELECT name FROM places WHERE channel = '19:gekozen@thread.tacv2'")
    assert names == [("Zorg",)]


GOING: dict[str, tuple[Json, str]] = {
    "uninstalled": ({"type": "installationUpdate", "action": "remove"}, "not_in_place"),
    "uninstalled by an upgrade": ({"type": "installationUpdate", "action": "remove-upgrade"}, "not_in_place"),
    "taken out": ({"type": "conversationUpdate", "membersRemoved": [{"id": BOT}]}, "not_in_place"),
    "archived": ({"type": "conversationUpdate", "event": "teamArchived"}, "place_archived"),
    "deleted": ({"type": "conversationUpdate", "event": "teamDeleted"}, "place_deleted"),
    "deleted for good": ({"type": "conversationUpdate", "event": "teamHardDeleted"}, "place_deleted"),
}


@pytest.mark.parametrize("how", GOING)
@pytest.mark.parametrize("names_channel", [False, True])
async def test_what_happens_to_a_team_happens_to_all_its_channels(here: InTeams, how: str, names_channel: bool) -> None:
    more, reason = GOING[how]
    data = {"channel": {"id": TEAM}} if names_channel else {}
    await tell(here, **more, data=data)
    assert await states(here) == {channel_id(HERE): ("unreachable", reason), channel_id(THERE): ("unreachable", reason)}
    told = [words for words in said_in(here, "chat-of-iris") if f"#{HERE}" in words]
    assert told, "the coordinator is told"


@pytest.mark.parametrize(
    ("gone", "back"),
    [
        ({"event": "teamArchived"}, {"event": "teamUnarchived"}),
        ({"event": "teamDeleted"}, {"event": "teamRestored"}),
        ({"membersRemoved": [{"id": BOT}]}, {"membersAdded": [{"id": BOT}]}),
    ],
    ids=str,
)
async def test_a_team_that_is_back_is_reached_again(here: InTeams, gone: Json, back: Json) -> None:
    await tell(here, "conversationUpdate", **gone)
    await here.until(here.clock.now() + timedelta(minutes=1))
    await tell(here, "conversationUpdate", **back)
    assert {state for state, _ in (await states(here)).values()} >= {"alive"}
    assert (await states(here))[TEAM] == ("alive", "")


async def test_one_channel_comes_and_goes_alone(here: InTeams) -> None:
    one = {"channel": {"id": channel_id(THERE), "name": THERE}}
    await tell(here, "conversationUpdate", event="channelDeleted", data=one)
    assert await states(here) == {TEAM: ("alive", ""), channel_id(THERE): ("unreachable", "place_deleted")}
    await here.until(here.clock.now() + timedelta(minutes=1))
    await tell(here, "conversationUpdate", event="channelRestored", data=one)
    assert (await states(here))[channel_id(THERE)] == ("alive", "")
    created = {"channel": {"id": "19:vers@thread.tacv2", "name": "Vers"}}
    await tell(here, "conversationUpdate", event="channelCreated", data=created)
    assert len(await states(here)) == 2, "a channel where nobody speaks to us is no place yet"


@pytest.mark.parametrize(
    ("event", "data", "where", "name"),
    [
        ("channelRenamed", {"channel": {"id": channel_id(THERE), "name": "Zorg"}}, channel_id(THERE), "Zorg"),
        ("teamRenamed", {"team": {"id": TEAM, "name": "Team West"}}, TEAM, "Team West"),
        (
            "teamRenamed",
            {"team": {"id": TEAM, "name": "Team West"}, "channel": {"id": TEAM, "name": "General"}},
            TEAM,
            "Team West",
        ),
    ],
)
async def test_a_new_name_follows(here: InTeams, event: str, data: Json, where: str, name: str) -> None:
    await tell(here, "conversationUpdate", event=event, data=data)
    assert await rows(here, f"SELECT name FROM places WHERE channel = '{where}'") == [(name,)]


async def test_a_group_chat_is_called_as_it_is_called_now(here: InTeams) -> None:
    await tell(here, "installationUpdate", GROUP, action="add")
    await tell(here, "conversationUpdate", GROUP, topicName="Nachtploeg")
    assert await rows(here, f"SELECT name FROM places WHERE channel = '{GROUP}'") == [("Nachtploeg",)]


async def test_members_who_come_and_go_change_no_place(here: InTeams) -> None:
    before = await states(here)
    for change in ({"membersAdded": [{"id": "29:x"}]}, {"membersRemoved": [{"id": "29:x"}]}):
        await tell(here, "conversationUpdate", event="teamMemberAdded", **change)
    assert await states(here) == before


async def test_who_speaks_to_us_in_a_place_proves_that_it_is_there(here: InTeams) -> None:
    await tell(here, "installationUpdate", action="remove")
    await here.until(here.clock.now() + timedelta(minutes=1))
    stamp = {"timestamp": here.clock.now().isoformat()}
    mention = {"type": "mention", "mentioned": {"id": BOT}, "text": "<at>Ritme</at>"}
    await here.send("fatima", {"type": "message", "text": "<at>Ritme</at> help", "entities": [mention], **stamp}, HERE)
    assert (await states(here))[TEAM] == ("alive", "")


async def test_removed_from_all_it_knows_the_coordinator_is_told_all_the_same(here: InTeams) -> None:
    async with here.storage.database.begin() as connection:  # they never spoke with us alone
        await connection.exec_driver_sql("DELETE FROM teams_conversations WHERE account <> ''")
    await here.until(here.clock.now() + timedelta(minutes=1))  # for so long it is remembered that they did
    here.microsoft.calls.clear()
    await tell(here, "installationUpdate", who="jan", action="remove")
    made = [body for method, path, body in here.microsoft.calls if path == "conversations"]
    assert [one["members"] for one in made] == [[{"id": "iris"}]]


async def test_after_removal_an_old_activity_does_nothing_in_any_process(teams: InTeams) -> None:
    for kind, more in (
        ("installationUpdate", {"action": "remove"}),
        ("conversationUpdate", {"event": "teamHardDeleted"}),
    ):
        old = (teams.clock.now() - timedelta(seconds=1)).isoformat()
        await tell(teams, kind, **more)
        await teams.until(teams.clock.now() + timedelta(minutes=5))
        store = SqlConversations(teams.storage.database)
        other = TeamsInbound(teams.ritme, ConversationReferences(store, teams.clock), Signer("other"), teams.clock)
        tables = ("people", "places", "deliveries", "stuck_episodes", "teams_conversations", "inbox")
        before = [await rows(teams, f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]
        sent = len(teams.microsoft.calls)
        mention = {"type": "mention", "mentioned": {"id": BOT}, "text": "<at>Ritme</at>"}
        late: list[Json] = [
            {"type": "message", "text": "<at>Ritme</at> stuck Niemand komt", "entities": [mention]},
            {"type": "installationUpdate", "action": "add"},
            {"type": "conversationUpdate", "membersAdded": [{"id": BOT}]},
            {"type": "messageReaction", "reactionsAdded": [{"type": "like"}], "replyToId": "1"},
            {"type": "invoke", "name": "task/fetch", "value": {"data": {"intent": "stuck", "args": {}}}},
        ]
        for number, one in enumerate(late):
            for where in (TEAM, channel_id(THERE)):
                place = there(where)
                place["channelData"]["team"]["id"] = TEAM
                told = {
                    "id": f"late{number}{where}",
                    "serviceUrl": f"{teams.microsoft.url}/connector/",
                    "from": {"id": "29:nieuw", "name": "Nieuw", "aadObjectId": "nieuw"},
                    "recipient": {"id": BOT},
                    "timestamp": old,
                }
                await other.receive(read_activity({**told, **place, **one}))
        await teams.until(teams.clock.now() + timedelta(minutes=5))
        assert [await rows(teams, f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables] == before
        assert len(teams.microsoft.calls) == sent
        # Let in again, it is back.
        await tell(teams, "installationUpdate", action="add")
        assert (await states(teams))[TEAM] == ("alive", "")
