"""Slack's requests are checked at the door: whatever they hold, the answer is a 200 or a 400."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
import structlog

from adapters.door import BadInput
from adapters.slack.payloads import named_workspaces, read_payload
from adapters.slack.translate import slack_workspace
from tests.drivers.slack import SlackDriver
from tests.fakes.slack.people import Sent
from tests.fakes.slack.state import Modal, Shown

ODD: tuple[Any, ...] = (
    None,
    5,
    True,
    "",
    [],
    {},
    [None],
    {"id": []},
    "x" * 70,
    "\x00",
    "\ud800",
    "U1 <!channel>",
    1e300,
)
SAID = "mevrouw De Vries"


def variants(payload: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield a payload with each of its parts in turn missing or odd, with where that part stood."""
    part = payload
    for step in path:
        part = part[step]
    for step in list(part) if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ():
        where = (*path, step)
        for odd in (..., *ODD):
            changed = deepcopy(payload)
            holder = changed
            for one in path:
                holder = holder[one]
            if odd is ...:
                del holder[step]
            else:
                holder[step] = odd
            yield where, changed
        yield from variants(payload, where)


def opened(sent: Sent) -> tuple[str, Any]:
    """Return the kind of body that a request has, and what is in it."""
    if sent.content_type == "application/json":
        return "json", json.loads(sent.body)
    fields = dict(parse_qsl(sent.body, keep_blank_values=True))
    return ("payload", json.loads(fields["payload"])) if "payload" in fields else ("form", fields)


async def everyday_requests(driver: SlackDriver) -> dict[str, Sent]:
    """Let people do one of everything; return the requests by what they are."""
    await driver.movement("fatima")
    people, fatima, general = driver.people, driver.user("fatima"), driver.channel("general")
    found: dict[str, Sent] = {}

    def note(name: str) -> None:
        found[name] = people.sent[-1]

    form = await driver.type("fatima", "/stuck")
    note("command")
    assert isinstance(form, Modal)
    await driver.submit("fatima", form, text=SAID, kind="reach", audience="me")
    note("view_submission")
    welcome = await driver.type("fatima", "/vast niemand komt")
    assert isinstance(welcome, Shown)
    await people.send_press(fatima, welcome, next(iter(welcome.buttons().values())))
    note("block_actions")
    shown = await people.say(fatima, general, "Zomaar iets")
    await driver.shortcut("fatima", "save_as_story", shown)
    note("message_action")
    await driver.shortcut("fatima", "stuck")
    note("shortcut")
    reply = await people.say(fatima, general, "Antwoord", thread=shown.ts)
    note("message")
    await people.edit(fatima, reply, "Anders")
    note("message_changed")
    await people.react(fatima, reply, "heart")
    note("reaction_added")
    await people.delete(fatima, reply)
    note("message_deleted")
    await people.rename(general, "algemeen")
    note("channel_rename")
    await people.change_profile(fatima, name="Fatima B", locale="nl-NL")
    note("user_change")
    await people.open_home(fatima)
    note("app_home_opened")
    return found


class TestWhateverIsInAPayload:
    async def test_is_answered_and_never_with_an_error_of_ours(self, on_slack: SlackDriver) -> None:
        sent = await everyday_requests(on_slack)
        on_slack.people.forbids_calls = False
        failed = []
        for number, (name, request) in enumerate(sent.items()):
            kind, payload = opened(request)
            for where, odd in list(variants(payload))[number::11]:  # each has its own share
                if kind == "form":
                    body = urlencode({key: str(value).encode("utf-8", "surrogatepass") for key, value in odd.items()})
                else:
                    body = json.dumps(odd)
                    body = urlencode({"payload": body}) if kind == "payload" else body
                status, _ = await on_slack.people.deliver(Sent(body=body, content_type=request.content_type))
                if status not in (200, 400):
                    failed.append((name, where, status))
        assert failed == []

    @pytest.mark.parametrize(
        "body", ['{"type": ', "[" * 100_000, '{"a":' * 50_000, "[]", "5", '"x"', "payload=%5B", "\xff"]
    )
    async def test_that_is_none_is_refused(self, on_slack: SlackDriver, body: str) -> None:
        status, _ = await on_slack.people.deliver(Sent(body=body, content_type="application/json"))
        assert status == 400

    async def test_is_refused_in_the_log_without_its_words(self, on_slack: SlackDriver) -> None:
        event = {"type": "message", "channel": "C1", "user": "U1", "ts": SAID, "text": SAID, SAID: {SAID: SAID}}
        body = {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": event}
        with structlog.testing.capture_logs() as logged:
            status, _ = await on_slack.people.deliver(Sent(body=json.dumps(body), content_type="application/json"))
        assert status == 400
        (line,) = [one for one in logged if one["event"] == "request_malformed"]
        assert line["reason"] == "ts: string_pattern_mismatch"
        assert "Vries" not in str(logged)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ([], "body: no object"),
        ({}, "type: missing"),
        ({"command": "/stuck"}, "user_id: missing"),
        ({"type": "event_callback"}, "event: missing"),
        ({"type": "event_callback", "event": {"type": "message", "subtype": 5}}, "event.subtype: string_type"),
        ({"type": "view_submission", "user": {"id": "U1"}, "view": {}}, "view.id: missing"),
    ],
)
def test_a_reason_names_the_field(body: Any, reason: str) -> None:
    with pytest.raises(BadInput, match=f"^{reason}"):
        read_payload(body)


class TestWhoseItIs:
    @pytest.mark.parametrize(
        ("payload", "named"),
        [
            ({"team_id": "T1"}, ("T1",)),
            ({"team": {"id": "T1"}}, ("T1",)),
            ({"team": "T1"}, ("T1",)),
            ({"team": None, "user": {"id": "U1", "team_id": "T1"}, "enterprise": {"id": "E1"}}, ("T1", "E1")),
            ({"view": {"app_installed_team_id": "T1", "team_id": "T2"}, "team": {"id": "T2"}}, ("T1",)),
            ({"view": {"team_id": "T1"}, "team": None}, ("T1",)),
            ({"team_id": "T2", "authorizations": [{"team_id": "T1"}]}, ("T1",)),
            ({"authorizations": [{"team_id": "T1"}], "event": {"team": "T2", "user_team": "T2"}}, ("T1",)),
            ({"authorizations": [{"team_id": None, "enterprise_id": "E1"}], "team_id": "T1"}, ("T1", "E1")),
            ({"team_id": "T2", "context_team_id": "T1"}, ("T1", "T2")),
            ({"event": {"user": {"id": "U1", "team_id": "T1"}}}, ("T1",)),
            ({"event": {"team": "T1", "user_team": "T2", "source_team": "T3"}}, ("T1", "T2", "T3")),
            ({"event": {"message": {"team": "T1"}}}, ("T1",)),
            ({"message": {"team": "T1"}}, ("T1",)),
            ({"is_enterprise_install": True, "enterprise_id": "E1", "team_id": None}, ("E1",)),
            ({"team_id": "", "team": [], "user": "U1", "view": 5, "authorizations": {"x": 1}, "event": []}, ()),
            ({"team_id": "None", "team": {"id": ["T1"]}}, ()),
        ],
    )
    def test_is_found_however_slack_says_it(self, payload: dict[str, Any], named: tuple[str, ...]) -> None:
        assert named_workspaces(payload) == named

    @pytest.mark.parametrize("odd", ["", None, [], "None", "t1", "slack:T1", "T1 ", 5])
    def test_is_never_an_odd_id(self, odd: Any) -> None:
        with pytest.raises(ValueError, match="not the id"):
            slack_workspace(odd)

    @pytest.mark.parametrize(
        "team",
        [{"team": None}, {"team": "T1"}, {"team": {"id": "T9"}, "view": {"app_installed_team_id": "T1"}}, {"team": []}],
        ids=str,
    )
    async def test_lets_a_form_be_sent_from_anywhere(
        self, on_slack: SlackDriver, team: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also where the app is installed by the organisation, and from another workspace that shares the channel."""
        await on_slack.movement("fatima")
        on_slack.platform._static_token.team = "T1"
        form = await on_slack.type("fatima", "/stuck")
        assert isinstance(form, Modal)
        send = on_slack.people._payload

        async def send_from_there(payload: dict[str, Any]) -> Any:
            return await send({**payload, **team, "view": {**payload["view"], **team.get("view", {})}})

        monkeypatch.setattr(on_slack.people, "_payload", send_from_there)
        await on_slack.submit("fatima", form, text="Niemand komt", kind="reach", audience="me")
        assert await _count(on_slack, "stuck_episodes") == 1
        assert await _count(on_slack, "workspaces") == 1

    @pytest.mark.parametrize("team", ["T9", "", None, [], "None"], ids=repr)
    async def test_does_nothing_when_it_is_nobodys(self, on_slack: SlackDriver, team: Any) -> None:
        on_slack.platform._static_token.team = "T1"
        event = {"type": "message", "channel": "D1", "channel_type": "im", "user": "U1", "ts": "1.1", "text": "vast"}
        body = {"type": "event_callback", "team_id": team, "event_id": "Ev1", "event": event}
        status, _ = await on_slack.people.deliver(Sent(body=json.dumps(body), content_type="application/json"))
        assert status == 200
        assert await _count(on_slack, "workspaces") == await _count(on_slack, "people") == 0


async def _count(driver: SlackDriver, table: str) -> int:
    async with driver.database.connect() as connection:
        return int((await connection.exec_driver_sql(f"SELECT count(*) FROM {table}")).scalar_one())
