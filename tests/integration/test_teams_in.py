"""Read what Teams really sends: words, mentions, files and senders in every shape, at the real address."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import process_time
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from adapters.clock import SettableClock
from adapters.teams.platform import AppRegistration, TeamsPlatform
from adapters.web import make_app
from bot.chat import Intent, Reply
from tests.support.world import MONDAY

TENANT, CHANNEL, BOT = "00000000-0000-0000-0000-00000000feed", "19:west@thread.tacv2", "28:ritme"
Json = dict[str, Any]


@dataclass
class RememberedConversations:
    """Storage of conversations that lives as long as its test."""

    rows: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)

    async def get(self, workspace: str, channel: str) -> Mapping[str, str] | None:
        return self.rows.get((workspace, channel))

    async def with_person(self, workspace: str, account: str) -> Mapping[str, str] | None:
        return next((row for row in self.rows.values() if row["account"] == account), None)

    async def latest(self, workspace: str) -> Mapping[str, str] | None:
        return next(iter(self.rows.values()), None)

    async def of_groups(self, workspace: str, limit: int) -> Sequence[Mapping[str, str]]:
        return [row for row in self.rows.values() if not row["account"]][:limit]

    async def of_team(self, workspace: str, team: str) -> Sequence[Mapping[str, str]]:
        return [row for row in self.rows.values() if row["team"] == team]

    async def save(self, row: Mapping[str, str]) -> None:
        self.rows[row["workspace_id"], row["channel"]] = row

    async def remove(self, workspace: str, channel: str) -> None:
        self.rows.pop((workspace, channel), None)

    async def removed_at(self, workspace: str, channels: Collection[str]) -> datetime | None:
        return None

    async def find_all(
        self, workspace: str, channel: str, team: str, member: str
    ) -> tuple[Mapping[str, Mapping[str, str]], datetime | None]:
        found = ((one, self.rows.get((workspace, one))) for one in (channel, team, member))
        return {one: row for one, row in found if row is not None}, None

    async def last_removal(self, workspace: str) -> Mapping[str, str] | None:
        return None

    async def save_removal(self, row: Mapping[str, str], at: datetime, *, keep_since: datetime) -> None:
        self.rows.pop((row["workspace_id"], row["channel"]), None)


@dataclass
class Door:
    """The address that Teams sends to, with a core that records what it was handed."""

    session: aiohttp.ClientSession
    store: RememberedConversations
    address: str = ""
    intents: list[Intent] = field(default_factory=list)

    async def handle(self, intent: Intent) -> Reply:
        self.intents.append(intent)
        return None

    async def send(self, **more: Any) -> int:
        """Send an activity, a message of Noor in a channel unless `more` says otherwise; return the HTTP status."""
        activity = {
            "type": "message",
            "id": "1",
            "channelId": "msteams",
            "serviceUrl": "http://127.0.0.1:9/",
            "from": {"id": "29:noor", "name": "Noor", "aadObjectId": "noor"},
            "recipient": {"id": BOT, "name": "Ritme"},
            "conversation": {"id": f"{CHANNEL};messageid=7", "conversationType": "channel", "tenantId": TENANT},
            "channelData": {"tenant": {"id": TENANT}, "team": {"id": CHANNEL}, "channel": {"id": CHANNEL}},
            **more,
        }
        async with self.session.post(self.address, json=activity) as answer:
            return answer.status


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with aiohttp.ClientSession() as session:
        opened = Door(session=session, store=RememberedConversations())
        registration = AppRegistration(app_id="app", tenants=frozenset({TENANT}), auth_disabled=True)
        clock = SettableClock(MONDAY, running=False)
        platform = TeamsPlatform(registration, opened.store, clock, opens=frozenset())
        app = make_app(mounts=[lambda served: platform.mount(served, opened)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        opened.address = f"http://127.0.0.1:{runner.addresses[0][1]}/teams/messages"
        yield opened
        await runner.cleanup()
        await platform.close()


def mention(id: str = BOT, name: str = "Ritme", text: str | None = "<at>Ritme</at>") -> Json:
    return {"type": "mention", "mentioned": {"id": id, "name": name}, "text": text}


def html(content: str) -> Json:
    return {"contentType": "text/html", "content": content}


def mark(number: int, name: str) -> str:
    return f'<span itemscope itemtype="http://schema.skype.com/Mention" itemid="{number}">{name}</span>'


OURS, JAN = mention(), mention("29:jan", "Jan", "<at>Jan</at>")
SPRITE = "https://statics.teams.cdn.office.net/emoticons/partypopper/20_f.png"
PARTY = f'<img itemscope itemtype="http://schema.skype.com/Emoji" itemid="party" src="{SPRITE}" alt="🎉">'
PASTED = '<img itemtype="http://schema.skype.com/AMSImage" src="https://api.asm/1">'
REPLY = '<blockquote itemscope itemtype="http://schema.skype.com/Reply" itemid="1">{}</blockquote>'
PICTURE = {"contentType": "image/png", "name": "image.png", "contentUrl": "https://smba.example/v3/attachments/1"}
PHOTO = {"contentType": "application/vnd.microsoft.teams.file.download.info", "name": "tuin.jpg"}
CARD = {"contentType": "application/vnd.microsoft.card.adaptive", "name": "kaart", "content": {}}

SHAPES: dict[str, tuple[Json, str, tuple[str, ...]]] = {
    "plain": ({"text": "Het lukte & <3"}, "Het lukte & <3", ()),
    "escaped": ({"text": "a &lt; b &amp; c&nbsp;d\xa0e"}, "a < b & c d e", ()),
    "typed tags": ({"text": "&lt;b&gt;vet&lt;/b&gt;"}, "<b>vet</b>", ()),
    "several lines": ({"text": "een\r\ntwee"}, "een\ntwee", ()),
    "xml": (
        {"text": "<p>Het <b>lukte</b>&nbsp;<i>wel</i></p><p>echt</p>", "textFormat": "xml"},
        "Het lukte wel\necht",
        (),
    ),
    "xml of Word": (
        {"text": "<p><![if !supportLists]>Het <![endif]>lukte<![<b>]></p>", "textFormat": "xml"},
        "Het lukte]>",
        (),
    ),
    "markdown": (
        {"text": "**Het** [lukte](https://x.nl) nl_NL_nl", "textFormat": "markdown"},
        "Het lukte (https://x.nl) nl_NL_nl",
        (),
    ),
    "emoji": (
        {"text": "Het lukte", "attachments": [{**PICTURE, "contentUrl": SPRITE}, html(f"<p>Het lukte {PARTY}</p>")]},
        "Het lukte 🎉",
        (),
    ),
    "emoji as image/*": (
        {
            "text": "Het lukte",
            "attachments": [{**PICTURE, "contentType": "image/*"}, html(f"<p>Het lukte {PARTY}</p>")],
        },
        "Het lukte 🎉",
        (),
    ),
    "emoji alone": ({"text": "", "attachments": [PICTURE, html(f"<p>{PARTY}</p>")]}, "🎉", ()),
    "emoji of Graph": (
        {"text": "ja", "attachments": [html('<p>ja <emoji id="grow" alt="🌱" title="x"></emoji></p>')]},
        "ja 🌱",
        (),
    ),
    "emoji and a picture": (
        {
            "text": "Kijk",
            "attachments": [PICTURE, {**PICTURE, "contentUrl": SPRITE}, html(f"<p>Kijk {PARTY}{PASTED}</p>")],
        },
        "Kijk 🎉",
        ("image.png",),
    ),
    "files": (
        {"text": "Zie", "attachments": [PHOTO, PICTURE, CARD, {"contentType": "messageReference", "content": "{}"}]},
        "Zie",
        ("tuin.jpg", "image.png"),
    ),
    "a quoted reply": (
        {"text": "Jan\noud\nnieuw", "attachments": [html(REPLY.format("<b>Jan</b><p>oud<br>er</p>") + "<p>nieuw</p>")]},
        "nieuw",
        (),
    ),
    "a quoted reply in the new way": ({"text": '<quoted messageId="17"/> nieuw'}, "nieuw", ()),
    "a list": (
        {"text": "x", "attachments": [html("<ul><li>een</li><li>twee</li></ul><ol><li>a</li><li>b</li></ol>")]},
        "- een\n- twee\n1. a\n2. b",
        (),
    ),
    "links": (
        {
            "text": "x",
            "attachments": [html('<p>zie <a href="https://x.nl/a">dit</a> en <a href="https://x.nl/">x.nl</a></p>')],
        },
        "zie dit (https://x.nl/a) en x.nl",
        (),
    ),
    "code": (
        {"text": "x", "attachments": [html("<pre><code>als x:\n    y</code></pre><p>&nbsp;</p><p>ja</p>")]},
        "als x:\n    y\nja",
        (),
    ),
    "no words but tags": ({"text": "toch", "attachments": [html("<div><p>&nbsp;</p></div>")]}, "toch", ()),
}

MENTIONS: dict[str, tuple[Json, str]] = {
    "as documented": ({"text": "<at>Ritme</at> report Ritmeland", "entities": [OURS]}, "report Ritmeland"),
    "numbered": ({"text": '<at id="0">Ritme</at>&nbsp;stop', "entities": [OURS]}, "stop"),
    "in capitals": ({"text": "<AT>Ritme</AT> stop", "entities": [OURS]}, "stop"),
    "an entity without text": ({"text": "<at>Ritme</at> stop", "entities": [mention(text=None)]}, "stop"),
    "an entity with another name": ({"text": "<at>Ritme West</at> stop", "entities": [mention(text=None)]}, "stop"),
    "a name with &": (
        {
            "text": "<at>R &amp; D</at> zoek <at>Jan &amp; Co</at>",
            "entities": [mention(name="R & D", text=None), mention("29:jan", "Jan & Co", None)],
        },
        "zoek @Jan & Co",
    ),
    "several times": ({"text": "<at>Ritme</at> <at>Ritme</at> stop <at>Ritme</at>", "entities": [OURS]}, "stop"),
    "in parts": (
        {
            "text": "<at>Ritme</at> <at>West</at> bel <at>Jan</at> <at>Jansen</at>",
            "entities": [OURS, mention(name="West", text="<at>West</at>"), JAN, mention("29:jan", "Jansen", None)],
        },
        "bel @Jan Jansen",
    ),
    "of someone called as we are": (
        {"text": '<at id="0">Ritme</at> <at id="1">Ritme</at> zegt', "entities": [mention("29:r"), OURS]},
        "@Ritme zegt",
    ),
    "without a mark": ({"text": "@Ritme stop", "entities": [mention(text="@Ritme")]}, "stop"),
    "in xml": ({"text": '<p><at id="0">Ritme</at> stop</p>', "textFormat": "xml", "entities": [OURS]}, "stop"),
    "in the mirror": (
        {
            "text": "x",
            "attachments": [html(f"<p>{mark(0, 'Ritme')}&nbsp;zeg {mark(1, 'Jan')} dag {PARTY}</p>")],
            "entities": [OURS, JAN],
        },
        "zeg @Jan dag 🎉",
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_words_come_in_as_they_were_typed(door: Door, shape: str) -> None:
    more, text, files = SHAPES[shape]
    assert await door.send(**more) == 202
    (intent,) = door.intents
    assert (intent.name, intent.args["text"], intent.args["files"]) == ("thread.replied", text, files)


@pytest.mark.parametrize("shape", MENTIONS)
async def test_our_name_is_taken_out_and_that_of_others_stays(door: Door, shape: str) -> None:
    more, text = MENTIONS[shape]
    assert await door.send(**more) == 202
    (intent,) = door.intents
    assert (intent.name, intent.args["text"]) == ("command", text)


@pytest.mark.parametrize("entity", [mention("29:other"), mention("28:another", "Ritme"), mention("28:RITME")])
async def test_who_is_called_as_we_are_is_not_us(door: Door, entity: Json) -> None:
    await door.send(text="<at>Ritme</at> stop", entities=[entity])
    assert [one.name for one in door.intents] == ["thread.replied"]


async def test_the_words_of_a_saved_message_are_read_alike(door: Door) -> None:
    payload = {
        "id": "5",
        "from": {"user": {"id": "noor"}, "application": None},
        "body": {"contentType": "html", "content": f'<p><at id="0">Ritme</at> zie <at id="1">Jan</at> {PARTY}</p>'},
        "mentions": [
            {"id": 0, "mentionText": "Ritme", "mentioned": {"application": {"id": "ritme"}, "user": None}},
            {"id": 1, "mentionText": "Jan", "mentioned": {"user": {"id": "jan", "displayName": "Jan"}}},
        ],
        "attachments": None,
    }
    value = {"commandId": "save_as_story", "messagePayload": payload}
    assert await door.send(type="invoke", name="composeExtension/fetchTask", value=value) == 200
    (intent,) = door.intents
    assert intent.args == {"author": "noor", "text": "zie @Jan 🎉", "files": ()}


async def test_thousands_of_mentions_and_pictures_hold_up_nobody(door: Door) -> None:
    pictures = [{**PICTURE, "contentUrl": f"https://x.nl/{number}"} for number in range(4_000)]
    marks = {"text": "<at>b</at>" * 9_000, "entities": [mention(f"29:{number}", "a", None) for number in range(4_000)]}
    begun = process_time()
    assert await door.send(text="x", attachments=[*pictures, html(PARTY * 500)]) == 202
    assert await door.send(**marks) == 202
    assert process_time() - begun < 4


AUTOMATED: list[Json] = [
    {"id": "28:flow", "name": "Workflows"},
    {"id": "28:flow", "name": "Workflows", "aadObjectId": "flow"},
    {"id": "29:x", "role": "bot"},
    {"id": "29:x", "role": "skill", "aadObjectId": "x"},
    {"id": BOT, "name": "Ritme"},
    {"id": CHANNEL, "name": "Team West"},
    {"id": "48:calllogs"},
    {"name": "nobody"},
    {},
]
DOINGS: list[Json] = [
    {"text": "<at>Ritme</at> stop", "entities": [OURS]},
    {"text": "in een draad"},
    {"type": "messageUpdate", "text": "anders", "channelData": {"tenant": {"id": TENANT}, "eventType": "editMessage"}},
    {"type": "messageDelete"},
    {"type": "messageReaction", "reactionsAdded": [{"type": "like"}], "replyToId": "7"},
    {"type": "invoke", "name": "task/fetch", "value": {"data": {"intent": "stuck"}}},
    {"type": "invoke", "name": "adaptiveCard/action", "value": {"action": {"data": {"intent": "help"}}}},
]


@pytest.mark.parametrize("sender", AUTOMATED, ids=str)
async def test_no_bot_workflow_or_system_is_answered_or_gathered(door: Door, sender: Json) -> None:
    for doing in DOINGS:
        assert await door.send(**{**doing, "from": sender}) == (200 if doing.get("type") == "invoke" else 202)
    assert door.intents == []
    assert not [row for row in door.store.rows.values() if row["account"]]


@pytest.mark.parametrize("name", ["meetingStart", "meetingEnd", "meetingParticipantJoin"])
async def test_what_happens_in_a_meeting_is_no_business_of_ours(door: Door, name: str) -> None:
    assert await door.send(type="event", name=f"application/vnd.microsoft.{name}", value={"Id": "m"}) == 202
    assert (door.intents, door.store.rows) == ([], {})


TOO_LONG = "x" * 400
MALFORMED: list[Json] = [
    {"type": ""},
    {"id": 7},
    {"id": TOO_LONG},
    {"text": ["a"]},
    {"text": "x" * 100_001},
    {"from": "noor"},
    {"from": {"id": 29}},
    {"from": {"id": "29:noor", "aadObjectId": TOO_LONG}},
    {"conversation": {"id": TOO_LONG}},
    {"conversation": {"id": f"{CHANNEL};messageid={TOO_LONG}"}},
    {"conversation": {"id": "a:1", "conversationType": {}}},
    {"entities": {}},
    {"entities": ["mention"]},
    {"entities": [{"type": "mention", "mentioned": "Ritme"}]},
    {"attachments": [[]]},
    {"membersAdded": [{"id": {}}]},
    {"reactionsAdded": "like"},
    {"type": "invoke", "name": "adaptiveCard/action", "value": "x"},
    {"type": "invoke", "name": "adaptiveCard/action", "value": {"action": {"data": "x"}}},
    {"type": "invoke", "name": "task/fetch", "value": {"data": ["x"]}},
    {"type": "invoke", "name": "task/submit", "value": [1]},
    {"type": "invoke", "name": "composeExtension/fetchTask", "value": {"messagePayload": {"body": "x"}}},
]


@pytest.mark.parametrize("more", MALFORMED, ids=lambda more: repr(more)[:60])
async def test_what_has_another_shape_is_refused_in_one_line(
    door: Door, more: Json, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await door.send(**more) == 400
    assert door.intents == []
    said = capsys.readouterr().out
    assert "malformed" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "more",
    [
        {"channelData": {"tenant": {"id": TENANT}, "team": None, "eventType": None, "unheardOf": [1]}},
        {"entities": None, "attachments": None, "recipient": {"id": BOT, "name": None}},
        {"from": {"id": "29:noor", "name": "N" * 5000}, "locale": 7, "localTimezone": {}},
    ],
    ids=["nulls and unknown fields", "no lists", "odd hints"],
)
async def test_what_is_unknown_or_left_out_does_no_harm(door: Door, more: Json) -> None:
    assert await door.send(text="dag", **more) == 202
    assert [one.name for one in door.intents] == ["thread.replied"]
    assert len(door.intents[0].actor.name) <= 200
