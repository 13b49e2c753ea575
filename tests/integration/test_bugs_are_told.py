"""A bug is a 500 with a reference that is in the log once, in every path, and nothing of what somebody wrote is."""

import io
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web
from cryptography.fernet import Fernet
from sqlalchemy.exc import OperationalError

from adapters import logs
from adapters.bootstrap import open_service
from adapters.cli import commands as cli
from adapters.database.migrate import migrate_schema
from adapters.database.unit_of_work import connect
from adapters.settings import Settings
from adapters.web import make_app, make_operations_app
from bot import commands
from bot.ports import StorageUnavailable
from tests.drivers.border import HERE, MENTION, InTeams, open_border
from tests.drivers.slack import SlackDriver, slack_driver
from tests.fakes.slack.people import SECRET, Sent
from tests.fakes.slack.state import Shown

WRITTEN = "mijn moeder valt steeds"
"""Words of a person. Not in the lines of code that a traceback quotes."""
ID = "12345678-90ab-cdef-1234-567890abcdef"
REFERENCE = re.compile(r"\b[0-9a-f]{8}\b")
pytestmark = pytest.mark.usefixtures("logging_as_it_was")


@pytest.fixture
def logged() -> io.StringIO:
    stream = io.StringIO()
    logs.configure_logging(stream, logging.INFO)
    return stream


def break_down(*_: object, **__: object) -> Any:
    raise ValueError(WRITTEN)


async def break_down_later(*_: object, **__: object) -> Any:
    raise ValueError(WRITTEN)


def check_told(told: str, logged: io.StringIO) -> None:
    """Assert that an answer tells one reference, which is in one line of the log, and nothing else."""
    (reference,) = REFERENCE.findall(told)
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    (line,) = [one for one in lines if reference in json.dumps(one)]
    assert line["reference"] == reference
    assert line["level"] == "error"
    assert "Traceback" not in told
    assert WRITTEN not in told
    assert WRITTEN not in logged.getvalue()
    logged.truncate(0)
    logged.seek(0)


def settings(folder: Path, *, demo: bool) -> Settings:
    if demo:
        return Settings(database_url=f"sqlite:///{folder / 'demo.db'}")
    return Settings(
        database_url=f"sqlite:///{folder / 'ritme.db'}",
        slack_signing_secret=SECRET,
        slack_client_id="1.2",
        slack_client_secret="geheim",
        secret_key=Fernet.generate_key().decode(),
        public_url="https://ritme.example.org",
        slack_api_url="http://127.0.0.1:9/api",
        teams_app_id=ID,
        teams_app_password="geheim",
        teams_tenant_id=ID,
    )


@asynccontextmanager
async def serve(
    folder: Path, *, demo: bool, operations: bool = False
) -> AsyncIterator[tuple[web.Application, aiohttp.ClientSession]]:
    chosen = settings(folder, demo=demo)
    if demo:
        database = connect(chosen.database_url)
        await migrate_schema(database)
        await database.dispose()
    service = await open_service(chosen, demo=demo)
    if not demo:
        await migrate_schema(service.database)
    app = make_app(mounts=service.mounts)
    if operations:
        app = make_operations_app(find_problems=service.find_problems, metrics=service.export_metrics)
    for one in app.router.routes():
        one._handler = break_down_later
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as session:
        yield app, session
    await runner.cleanup()
    await service.close()


@pytest.mark.parametrize("served", ["platforms", "playground", "operations"])
async def test_a_handler_of_any_route_that_breaks(tmp_path: Path, logged: io.StringIO, served: str) -> None:
    async with serve(tmp_path, demo=served == "playground", operations=served == "operations") as (app, session):
        routes = {(one.method, one.resource.canonical) for one in app.router.routes() if one.resource is not None}
        assert len(routes) > (2 if served == "operations" else 8)
        for method, path in sorted(routes):
            if method == "HEAD":
                continue
            where = re.sub(r"{[^}]*}", "x", path)
            async with session.request("GET" if method == "*" else method, where) as answer:
                assert answer.status == 500, (method, path)
                check_told(await answer.text(), logged)


async def test_a_check_before_the_playgrounds_routes_that_breaks(
    tmp_path: Path, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.playground.request_checks._host_name", break_down)
    async with serve(tmp_path, demo=True) as (_, session), session.get("/playground/") as answer:
        assert answer.status == 500
        check_told(await answer.text(), logged)


# -- Slack ------------------------------------------------------------------------------------------------------------

FORM = "application/x-www-form-urlencoded"
WHO = {"team": {"id": "T1"}, "user": {"id": "U1", "team_id": "T1"}, "trigger_id": "t.1"}
COMMAND = {
    "command": "/stuck",
    "text": WRITTEN,
    "team_id": "T1",
    "user_id": "U1",
    "channel_id": "C1",
    "trigger_id": "t",
}
PRESS = {
    **WHO,
    "type": "block_actions",
    "container": {"type": "message", "message_ts": "1.1", "channel_id": "C1"},
    "channel": {"id": "C1", "name": "general"},
    "actions": [{"type": "button", "action_id": "a", "block_id": "b", "value": "{}"}],
}
SUBMISSION = {
    **WHO,
    "type": "view_submission",
    "view": {
        "id": "V1",
        "hash": "h",
        "type": "modal",
        "callback_id": "story.save",
        "private_metadata": '{"hidden":{},"origin":{}}',
        "blocks": [{"type": "input", "block_id": "text", "element": {"type": "plain_text_input", "action_id": "text"}}],
        "state": {"values": {"text": {"text": {"type": "plain_text_input", "value": WRITTEN}}}},
    },
}
SHORTCUT = {**WHO, "type": "shortcut", "callback_id": "stuck"}
EVENT = {
    "type": "event_callback",
    "team_id": "T1",
    "event_id": "Ev1",
    "event_time": 1803888000,
    "authorizations": [{"user_id": "UBOT", "is_bot": True, "team_id": "T1"}],
    "event": {"type": "message", "channel": "D1", "channel_type": "im", "user": "U1", "text": WRITTEN, "ts": "1.1"},
}
REMOVAL = {**EVENT, "event": {"type": "app_uninstalled"}}
REQUESTS: Mapping[str, Mapping[str, Any]] = {
    "command": COMMAND,
    "press": PRESS,
    "submission": SUBMISSION,
    "shortcut": SHORTCUT,
    "event": EVENT,
    "removal": REMOVAL,
}


def body_of(kind: str) -> tuple[str, str]:
    """Return a request as Slack's server sends it: body and content type."""
    payload = REQUESTS[kind]
    if kind == "command":
        return urlencode(payload), FORM
    if kind in ("event", "removal"):
        return json.dumps(payload), "application/json"
    return urlencode({"payload": json.dumps(payload)}), FORM


async def ask_http(driver: SlackDriver, kind: str) -> tuple[int, str]:
    body, content_type = body_of(kind)
    status, told = await driver.people.deliver(Sent(body=body, content_type=content_type))
    return status, json.dumps(told)


async def ask_socket(driver: SlackDriver, kind: str) -> tuple[int, str]:
    """Answer as Socket Mode does, with what it would not send: Slack is to send the request again."""
    assert driver.platform.inbound is not None
    answer = await driver.platform.inbound.answer(dict(REQUESTS[kind]))
    return answer.status, answer.body


WAYS: dict[str, Callable[[SlackDriver, str], Awaitable[tuple[int, str]]]] = {"http": ask_http, "socket": ask_socket}


def break_core(driver: SlackDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver.ritme, "handle", break_down_later)
    monkeypatch.setattr(driver.ritme, "workspace_uninstalled", break_down_later)


def break_bolt(driver: SlackDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    assert driver.platform.inbound is not None
    bolt = driver.platform.inbound._bolt
    for one in bolt._async_middleware_list:
        monkeypatch.setattr(one, "async_process", break_down_later)


def break_matching(driver: SlackDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    assert driver.platform.inbound is not None
    for one in driver.platform.inbound._bolt._async_listeners:
        monkeypatch.setattr(one, "async_matches", break_down_later)


def break_tokens(driver: SlackDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver.platform.tokens, "is_known", lambda _team: False)
    monkeypatch.setattr(driver.platform.tokens, "is_installed", break_down_later)


BREAKS = {"core": break_core, "bolt": break_bolt, "matching": break_matching, "tokens": break_tokens}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("where", BREAKS)
async def test_any_request_of_slack_that_breaks_anywhere(
    tmp_path: Path, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch, way: str, where: str
) -> None:
    async with slack_driver(tmp_path) as driver:
        BREAKS[where](driver, monkeypatch)
        for kind in REQUESTS:
            status, told = await WAYS[way](driver, kind)
            assert status == 500, kind
            check_told(told, logged)


async def test_a_request_over_a_socket_that_is_not_even_answered_is_in_the_log(
    tmp_path: Path, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with slack_driver(tmp_path, socket=True) as driver:
        assert driver.platform.inbound is not None
        monkeypatch.setattr(driver.platform.inbound, "answer", break_down_later)
        driver.slack.sockets.acknowledge_timeout = 0.2
        assert await driver.slack.sockets.deliver("slash_commands", COMMAND) == (0, "")
        (line,) = [one for one in logged.getvalue().splitlines() if "slack_request_failed" in one]
        check_told(json.loads(line)["reference"], logged)


async def test_storage_that_is_away_is_a_503_with_a_reference(
    tmp_path: Path, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise StorageUnavailable("gone")

    async with slack_driver(tmp_path) as driver:
        monkeypatch.setattr(driver.ritme, "workspace_uninstalled", away)
        status, told = await ask_http(driver, "removal")
        assert status == 503
        check_told(told, logged)


async def test_a_use_case_that_breaks_is_an_apology_on_slack(
    tmp_path: Path, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(commands.HANDLERS, "stuck", break_down_later)
    async with slack_driver(tmp_path) as driver:
        await driver.movement("fatima")
        shown = await driver.type("fatima", f"/stuck {WRITTEN}")
        assert isinstance(shown, Shown)
        check_told(shown.words(), logged)
        # Nothing was done: Slack delivers an event again, and an apology would be one too many.
        await driver.people.say(driver.user("fatima"), driver.channel("general"), f"@Ritme stuck {WRITTEN}")
        assert driver.people.answers.count(500) == 4


# -- Teams ------------------------------------------------------------------------------------------------------------

INVOKES: Mapping[str, Mapping[str, Any]] = {
    "adaptiveCard/action": {
        "action": {"type": "Action.Execute", "title": "x", "verb": "x", "data": {"intent": "stuck", "args": {}}},
        "trigger": "manual",
    },
    "task/fetch": {"data": {"intent": "stuck", "args": {}}, "context": {}},
    "task/submit": {"data": {"text": WRITTEN}, "context": {}},
    "composeExtension/fetchTask": {"commandId": "save", "messagePayload": {"id": "1", "body": {"content": WRITTEN}}},
    "composeExtension/submitAction": {"commandId": "save", "data": {"text": WRITTEN}},
}
ACTIVITIES: Mapping[str, Mapping[str, Any]] = {
    "message": {
        "type": "message",
        "text": f"{MENTION} stuck {WRITTEN}",
        "entities": [{"type": "mention", "mentioned": {"id": "28:ritme"}, "text": MENTION}],
    },
    "messageUpdate": {"type": "messageUpdate", "text": WRITTEN, "channelData": {"eventType": "editMessage"}},
    "conversationUpdate": {"type": "conversationUpdate", "membersAdded": [{"id": "28:ritme"}]},
    **{name: {"type": "invoke", "name": name, "value": value} for name, value in INVOKES.items()},
}


async def ask_teams(border: InTeams, what: Mapping[str, Any]) -> tuple[int, str]:
    where = {"id": f"19:{HERE}@thread.tacv2;messageid=1", "conversationType": "channel"}
    activity = {
        "id": "a1",
        "channelId": "msteams",
        "serviceUrl": f"{border.microsoft.url}/connector/",
        "from": {"id": "29:fatima", "name": "fatima", "aadObjectId": "fatima"},
        "recipient": {"id": "28:ritme", "name": "Ritme"},
        "conversation": where,
        **what,
        "channelData": {
            "tenant": {"id": "00000000-0000-0000-0000-00000000feed"},
            **what.get("channelData", {}),
        },
    }
    async with border.session.post(border.address, json=activity) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize("where", ["translate", "core", "references"])
async def test_any_activity_of_teams_that_breaks_anywhere(
    tmp_path: Path, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    async with open_border("teams", tmp_path) as border:
        assert isinstance(border, InTeams)
        logged.truncate(0)
        logged.seek(0)
        if where == "translate":
            for name in ("activity_intents", "press_intent", "message_action_intent", "submission_intent"):
                monkeypatch.setattr(f"adapters.teams.translate.{name}", break_down)
        elif where == "core":
            monkeypatch.setattr(border.ritme, "handle", break_down_later)
        else:
            for name in ("record", "write"):
                monkeypatch.setattr(f"adapters.teams.references.ConversationReferences.{name}", break_down_later)
        broken = 0
        for kind, what in ACTIVITIES.items():
            status, told = await ask_teams(border, what)
            if status >= 500:
                assert status == 500, kind
                broken += 1
                check_told(told, logged)
        assert broken >= len(INVOKES)


@pytest.mark.parametrize("where", ["translate", "core"])
async def test_who_waits_for_an_answer_in_teams_reads_once_what_the_log_knows(
    tmp_path: Path, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    async with open_border("teams", tmp_path) as border:
        assert isinstance(border, InTeams)
        if where == "translate":
            for name in ("activity_intents", "press_intent", "message_action_intent", "submission_intent"):
                monkeypatch.setattr(f"adapters.teams.translate.{name}", break_down)
        else:
            monkeypatch.setattr(border.ritme, "handle", break_down_later)
        for kind, what in ACTIVITIES.items():
            before = len(await border.to("fatima"))
            told = [await ask_teams(border, {**what, "id": f"{kind}1"}) for _ in range(2)]
            said = [one.words() for one in (await border.to("fatima"))[before:]]
            if kind not in ("messageUpdate", "conversationUpdate") and told[0][0] >= 500:
                (words,) = said  # delivered again, it is not said again
                assert REFERENCE.findall(words) == REFERENCE.findall(told[0][1])
                assert WRITTEN not in words
            else:
                assert said == []


async def test_a_use_case_that_breaks_is_an_apology_in_teams(
    tmp_path: Path, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(commands.HANDLERS, "stuck", break_down_later)
    async with open_border("teams", tmp_path) as border:
        assert isinstance(border, InTeams)
        logged.truncate(0)
        logged.seek(0)
        status, told = await ask_teams(border, ACTIVITIES["message"])
        assert status == 500
        said = (await border.to("fatima"))[-1].words()
        assert REFERENCE.findall(said) == REFERENCE.findall(told)
        check_told(told, logged)
        # People wait for the answer to an invoke, and read it there.
        status, told = await ask_teams(border, ACTIVITIES["task/fetch"])
        assert status == 200
        check_told(told, logged)


# -- the core and the command line ------------------------------------------------------------------------------------


async def test_storage_that_fails_outside_the_core_is_a_503_too(
    tmp_path: Path, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    async with slack_driver(tmp_path) as driver:
        monkeypatch.setattr(driver.platform.tokens, "is_known", lambda _team: False)
        monkeypatch.setattr(driver.platform.tokens, "is_installed", away)
        status, told = await ask_http(driver, "command")
        assert status == 503
        check_told(told, logged)


def test_a_command_that_breaks_tells_its_reference(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "ritme", break_down)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    printed = capsys.readouterr().err
    *lines, told = printed.splitlines()
    (reference,) = REFERENCE.findall(told)
    assert sum(reference in line for line in lines) == 1
    assert WRITTEN not in printed
