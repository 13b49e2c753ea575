"""The correct payloads that are mutated: one of everything that Slack and Teams send, about what is really there."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from adapters.slack import render, views
from adapters.slack.permissions import SAVE_SHORTCUT, STUCK_SHORTCUT
from adapters.slack.translate import view_origin
from adapters.teams import dialogs
from adapters.teams.package import SAVE_COMMAND_ID
from adapters.teams.signer import Signer
from bot import wording
from bot.catalogue import CATALOGUE, FormEntry
from bot.chat import Account, Button, ChatPlace, Form, Intent
from bot.domain.person import Language
from bot.wording import Reader
from tests.fakes.slack.people import _view_state
from tests.fakes.slack.server import BOT, BOT_ID
from tests.support.world import MONDAY

Json = dict[str, Any]
TEAM, FOREIGN_TEAM = "T1", "TOTHER"
TENANT = "00000000-0000-0000-0000-00000000feed"
FOREIGN_TENANT = "00000000-0000-0000-0000-0000000000ba"
SERVICE = "https://smba.trafficmanager.net/emea/"
APP = "28:app"
UNKNOWN_INVOKE = "fileConsent/invoke"
"""An invoke of Teams that we do not know: it wants 501 for an answer."""
PAGE = "page"
"""The kind of what browsers ask for."""
SLACK_PATH, TEAMS_PATH = "/slack/events", "/teams/messages"
IDS = {
    "episode": "spell",
    "initiative": "walk",
    "company": "beside",
    "movement": "ours",
    "person": "jan",
    "invitation": "invited",
    "story": "told",
    "rhythm": "weekly",
    "step": "step",
    "request": "asked",
    "chance": "chance",
    "place": "here",
    "delivery": "sent",
    "author": "fatima",
}
"""Name of an argument of a button → what `tests.contract.seed` has of it."""
TYPED = (
    "help",
    "",
    "vast niemand komt",
    "stuck",
    "verhaal we liepen een rondje",
    "ik",
    "stop",
    "ritme elke maandag om 9 uur verhalen",
    "kans de zon schijnt",
    "initiatief Wandelen",
    "verbind jan",
    "noem jan",
    "terugblik",
    "purpose",
    "taal engels",
    "trouble",
    "every Monday at 9 stories",
    "wat is er",
)
READER = Reader(language=Language.NL, timezone="Europe/Amsterdam", now=MONDAY)


@dataclass(frozen=True)
class Payload:
    """A correct payload: its kind, where it is sent, its content, and how that travels: as "json", as a "form", as the
    field "payload" of one, or as the address and headers of a "page"."""

    kind: str
    path: str
    content: Json
    travels: str = "json"

    @property
    def platform(self) -> str:
        return self.path.split("/")[1]


def slack_payloads(prefix: str = "") -> list[Payload]:
    """List what Slack sends. `prefix` stands before the ids of the movement that it is about."""
    who, home = "UFATIMA", {"team": {"id": TEAM, "domain": "x"}, "user": {"id": "UFATIMA", "team_id": TEAM}}
    found = [
        Payload(
            "slack command",
            SLACK_PATH,
            {
                "command": command,
                "text": text,
                "team_id": TEAM,
                "team_domain": "x",
                "user_id": who,
                "user_name": "fatima",
                "channel_id": channel,
                "channel_name": "here",
                "trigger_id": "1.2.3",
                "response_url": "https://hooks.slack.com/commands/T1/1/x",
            },
            "form",
        )
        for channel in ("CHERE", "DFATIMA")
        for command, text in (*(("/ritme", text) for text in TYPED), ("/vast", ""), ("/story", "we liepen"))
    ]
    for number, button in enumerate(_buttons(prefix)):
        element = render._button(button)
        private = number % 2
        found.append(
            Payload(
                "slack press",
                SLACK_PATH,
                {
                    "type": "block_actions",
                    **home,
                    "api_app_id": "A1",
                    "channel": {"id": "CHERE", "name": "here"},
                    "container": {
                        "type": "message",
                        "message_ts": "1700000000.000100",
                        "channel_id": "CHERE",
                        "is_ephemeral": bool(private),
                    },
                    "message": {"ts": "1700000000.000100", "text": "x", "user": BOT},
                    "trigger_id": f"{number}.2.3",
                    "response_url": "https://hooks.slack.com/actions/T1/1/x",
                    "actions": [{**element, "action_ts": "1700000001.0001", "block_id": "b"}],
                },
                "payload",
            )
        )
    for form in _forms(prefix):
        where = Intent(
            name="x",
            actor=Account(workspace=f"slack:{TEAM}", id=who),
            place=ChatPlace(workspace=f"slack:{TEAM}", channel="CHERE", name="here"),
            key="k",
            message="1700000000.000100",
        )
        view = views.render_modal(form, view_origin(where))
        found.append(
            Payload(
                "slack form",
                SLACK_PATH,
                {
                    "type": "view_submission",
                    **home,
                    "trigger_id": "1.2.4",
                    "view": {
                        **view,
                        "id": "V1",
                        "hash": "1.x",
                        "app_installed_team_id": TEAM,
                        "team_id": TEAM,
                        "state": {"values": _filled_state(view)},
                    },
                },
                "payload",
            )
        )
    message = {"type": "message", "user": who, "text": "We <@UJAN> liepen &amp; lachten", "ts": "1700000000.000100"}
    found += [
        Payload("slack shortcut", SLACK_PATH, {**home, "action_ts": "1.1", "trigger_id": "1.2.5", **more}, "payload")
        for more in (
            {"type": "shortcut", "callback_id": STUCK_SHORTCUT},
            {
                "type": "message_action",
                "callback_id": SAVE_SHORTCUT,
                "channel": {"id": "CHERE", "name": "here"},
                "message_ts": "1700000000.000100",
                "message": message,
                "response_url": "https://hooks.slack.com/app/T1/1/x",
            },
        )
    ]
    found.append(
        Payload(
            "slack form",
            SLACK_PATH,
            {"type": "view_closed", **home, "view": {"id": "V1", "callback_id": "x"}},
            "payload",
        )
    )
    found += [
        Payload(
            "slack event",
            SLACK_PATH,
            {
                "type": "event_callback",
                "token": "x",
                "team_id": TEAM,
                "context_team_id": TEAM,
                "api_app_id": "A1",
                "event_id": f"Ev{number}",
                "event_time": 1_804_000_000,
                "authorizations": [{"team_id": TEAM, "user_id": BOT, "is_bot": True, "enterprise_id": None}],
                "is_ext_shared_channel": False,
                "event": {"event_ts": "1804000000.000100", **event},
            },
        )
        for number, event in enumerate(_slack_events(who, message))
    ]
    found.append(Payload("slack event", SLACK_PATH, {"type": "url_verification", "challenge": "c", "token": "t"}))
    return found


def _slack_events(who: str, message: Json) -> Iterator[Json]:
    said = {**message, "channel": "CHERE", "channel_type": "channel"}
    yield {**said, "type": "app_mention", "text": f"<@{BOT}> help"}
    yield {**said, "channel": "DFATIMA", "channel_type": "im", "text": "ik loop vast"}
    yield {**said, "ts": "1700000002.000100", "thread_ts": "1700000000.000100", "files": [{"title": "foto.jpg"}]}
    yield {**said, "text": "/vast", "blocks": [{"type": "rich_text", "elements": []}]}
    yield {**said, "subtype": "file_share", "thread_ts": "1700000000.000100"}
    yield {**said, "bot_id": BOT_ID, "bot_profile": {"id": BOT_ID, "app_id": "A1"}}
    changed = {"type": "message", "channel": "CHERE", "hidden": True, "ts": "1700000003.0001"}
    yield {
        **changed,
        "subtype": "message_changed",
        "message": {**message, "text": "anders"},
        "previous_message": message,
    }
    tombstone = {"subtype": "tombstone", "ts": message["ts"], "user": "USLACKBOT", "text": "deleted"}
    yield {**changed, "subtype": "message_changed", "message": tombstone, "previous_message": message}
    yield {**changed, "subtype": "message_deleted", "deleted_ts": message["ts"], "previous_message": message}
    item = {"type": "message", "channel": "CHERE", "ts": "1700000000.000100"}
    for kind in ("reaction_added", "reaction_removed"):
        yield {"type": kind, "user": who, "reaction": "seedling::skin-tone-2", "item": item, "item_user": "UJAN"}
    yield {"type": "app_home_opened", "user": who, "channel": "DFATIMA", "tab": "home"}
    yield {"type": "member_joined_channel", "user": BOT, "channel": "CNEW", "team": TEAM, "inviter": who}
    yield {"type": "member_joined_channel", "user": "UJAN", "channel": "CHERE", "team": TEAM}
    for kind in ("channel_left", "group_left", "channel_archive", "channel_deleted", "channel_unarchive"):
        yield {"type": kind, "channel": "CNIGHT", "actor_id": who}
    yield {"type": "channel_rename", "channel": {"id": "CHERE", "name": "zorg", "created": 1}}
    yield {"type": "channel_id_changed", "old_channel_id": "CNIGHT", "new_channel_id": "CNIGHT2"}
    yield {"type": "channel_shared", "channel": "CHERE", "connected_team_id": FOREIGN_TEAM}
    profile = {"display_name": "Fatima", "real_name": "Fatima B.", "title": ""}
    user = {
        "id": who,
        "team_id": TEAM,
        "deleted": False,
        "locale": "nl-NL",
        "tz": "Europe/Amsterdam",
        "profile": profile,
    }
    yield {"type": "user_change", "user": user, "cache_ts": 1}
    yield {"type": "user_change", "user": {**user, "deleted": True}, "cache_ts": 2}
    group = {"subteam_id": "S1", "added_users": ["UJAN"], "removed_users": [], "team_id": TEAM}
    yield {"type": "subteam_members_changed", **group}
    yield {"type": "subteam_updated", "subteam": {"id": "S1", "team_id": TEAM, "name": "Nacht", "date_delete": 0}}
    yield {"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}}
    yield {"type": "app_uninstalled"}


def teams_payloads(signer: Signer, prefix: str = "") -> list[Payload]:
    """List what Teams sends. `signer` signs the dialogs and the places that travel with its buttons."""
    person = {"id": "29:fatima", "name": "Fatima", "aadObjectId": "u-fatima"}
    personal = {"id": "a:fatima", "conversationType": "personal", "tenantId": TENANT}
    channel = {"id": "19:here@thread.tacv2", "conversationType": "channel", "tenantId": TENANT, "isGroup": True}
    thread = {**channel, "id": "19:here@thread.tacv2;messageid=1700000000000"}
    group = {"id": "19:night@thread.v2", "conversationType": "groupChat", "tenantId": TENANT, "isGroup": True}
    in_team = {"team": {"id": "19:team@thread.tacv2", "name": "Oost"}, "channel": {"id": "19:here@thread.tacv2"}}
    mention = {"type": "mention", "text": "<at>Ritme</at>", "mentioned": {"id": APP, "name": "Ritme"}}
    client = {
        "type": "clientInfo",
        "locale": "nl-NL",
        "country": "NL",
        "platform": "Web",
        "timezone": "Europe/Amsterdam",
    }
    html = {"contentType": "text/html", "content": "<p>Het lukte <at>Jan</at></p>"}
    numbers = iter(range(10**6))

    def activity(kind: str, type: str, where: Json, **more: Any) -> Payload:
        data = {"tenant": {"id": TENANT}, **(in_team if where["conversationType"] == "channel" else {})}
        content = {
            "type": type,
            "id": f"17000000{next(numbers)}",
            "channelId": "msteams",
            "serviceUrl": SERVICE,
            "timestamp": (MONDAY + timedelta(seconds=1)).isoformat(),
            "localTimezone": "Europe/Amsterdam",
            "from": person,
            "recipient": {"id": APP, "name": "Ritme"},
            "conversation": where,
            "locale": "nl-NL",
            "entities": [client],
            **more,
        }
        return Payload(kind, TEAMS_PATH, {**content, "channelData": {**data, **more.get("channelData", {})}})

    found = [activity("teams message", "message", personal, text=text, textFormat="plain") for text in TYPED]
    found += [
        activity(
            "teams message",
            "message",
            channel,
            text=f"<at>Ritme</at> {text}",
            entities=[mention, client],
            attachments=[html],
        )
        for text in TYPED[:6]
    ]
    image = {"contentType": "image/png", "contentUrl": "https://x.example/1", "name": "foto.png"}
    found += [
        activity("teams message", "message", thread, text="Wat mooi &amp; fijn", replyToId="1700000000000"),
        activity("teams message", "message", thread, text="<p>hoi</p>", textFormat="xml", attachments=[html, image]),
        activity("teams message", "message", group, text="<at>Ritme</at> help", entities=[mention]),
        activity("teams event", "messageUpdate", thread, text="anders", channelData={"eventType": "editMessage"}),
        activity("teams event", "messageUpdate", thread, text="x", channelData={"eventType": "undeleteMessage"}),
        activity("teams event", "messageDelete", thread, channelData={"eventType": "softDeleteMessage"}),
        activity("teams event", "messageReaction", channel, replyToId="1", reactionsAdded=[{"type": "like"}]),
        activity("teams event", "messageReaction", channel, replyToId="1", reactionsRemoved=[{"type": "heart"}]),
        activity("teams event", "conversationUpdate", personal, membersAdded=[{"id": APP}]),
        activity("teams event", "conversationUpdate", channel, membersAdded=[{"id": APP}, {"id": "29:x"}]),
        activity("teams event", "conversationUpdate", group, membersRemoved=[{"id": APP}]),
        activity("teams event", "typing", personal),
    ]
    found += [
        activity("teams event", "installationUpdate", where, action=action)
        for where in (personal, channel, group)
        for action in ("add", "add-upgrade", "remove", "remove-upgrade")
    ]
    happenings = [
        "channelRenamed",
        "channelDeleted",
        "channelRestored",
        "channelCreated",
        "teamArchived",
        "teamUnarchived",
        "teamDeleted",
        "teamRestored",
        "teamRenamed",
        "teamHardDeleted",
        "channelShared",
    ]
    found += [
        activity(
            "teams event",
            "conversationUpdate",
            channel,
            channelData={"eventType": one, **in_team, "channel": {"id": "19:night@thread.tacv2", "name": "Nacht"}},
        )
        for one in happenings
    ]
    for number, button in enumerate(_buttons(prefix)):
        origin = signer.sign_origin("u-fatima", "19:here@thread.tacv2", None)
        data = {"intent": button.intent, "args": dict(button.args), **({"origin": origin} if number % 4 else {})}
        if number % 3 == 0:
            value: Json = {"data": {"msteams": {"type": "task/fetch"}, **data}, "context": {"theme": "default"}}
            found.append(activity("teams invoke", "invoke", personal, name="task/fetch", value=value, replyToId="77"))
        else:
            value = {"action": {"type": "Action.Execute", "verb": button.intent, "data": data}, "trigger": "manual"}
            where = personal if number % 2 else thread
            found.append(
                activity("teams invoke", "invoke", where, name="adaptiveCard/action", value=value, replyToId="77")
            )
    for form in _forms(prefix):
        origin = {"channel": "19:here@thread.tacv2", "message": "77"}
        shown = dialogs.render_dialog(form, origin, lambda packed: signer.sign("u-fatima", packed))
        card = shown["card"]["content"]
        filled = {one["id"]: one.get("value", "hoi") for one in card["body"] if one["type"].startswith("Input.")}
        value = {"data": {**card["actions"][0]["data"], **filled}, "context": {"theme": "default"}}
        found.append(activity("teams form", "invoke", personal, name="task/submit", value=value))
    words = {
        "id": "1700000000000",
        "from": {"user": {"id": "u-jan", "displayName": "Jan"}},
        "body": {"contentType": "html", "content": "<p>We liepen<br>een rondje</p>"},
        "attachments": [image],
    }
    action = {"commandId": SAVE_COMMAND_ID, "commandContext": "message", "messagePayload": words}
    found += [
        activity("teams invoke", "invoke", channel, name="composeExtension/fetchTask", value=action),
        activity("teams invoke", "invoke", channel, name="composeExtension/submitAction", value={**action, "data": {}}),
        activity("teams invoke", "invoke", personal, name=UNKNOWN_INVOKE, value={"action": "accept"}),
    ]
    return found


def _buttons(prefix: str) -> Iterator[Button]:
    """Yield the buttons of everything that Ritme says, about what is really there."""
    seen = set()
    for entry in CATALOGUE.values():
        example = entry.example()
        if isinstance(example, FormEntry):
            continue
        for button in wording.render_entry(example, READER).buttons:
            real = {name: f"{prefix}{IDS[name]}" if name in IDS else value for name, value in button.args.items()}
            key = (button.intent, tuple(sorted(real.items())))
            if key not in seen:
                seen.add(key)
                yield replace(button, args=real)


def _forms(prefix: str) -> Iterator[Form]:
    for entry in CATALOGUE.values():
        example = entry.example()
        if isinstance(example, FormEntry):
            form = wording.render_form_entry(example, READER)
            hidden = {name: f"{prefix}{IDS[name]}" if name in IDS else value for name, value in form.hidden.items()}
            yield replace(form, hidden=hidden)


def _filled_state(view: Mapping[str, Any]) -> Json:
    """Return the state of a view in which everything is filled in."""
    values: Json = {}
    for block in view["blocks"]:
        if block["type"] != "input":
            continue
        element = block["element"]
        options = [one["value"] for one in element.get("options", ())]
        values[block["block_id"]] = {
            "plain_text_input": "hoi",
            "static_select": options[0] if options else None,
            "radio_buttons": options[0] if options else None,
            "checkboxes": options[:1],
            "multi_static_select": options[:2],
            "users_select": "UJAN",
            "multi_users_select": ["UJAN"],
            "datepicker": "2027-03-05",
            "timepicker": "10:00",
        }[element["type"]]
    return _view_state(dict(view), values)


def encode(payload: Payload, content: Any) -> tuple[bytes, str]:
    """Return a body with this content as the payload travels, and its content type."""
    if payload.travels == "json":
        return json.dumps(content).encode(), "application/json"
    if payload.travels == "payload":
        fields: Any = {"payload": json.dumps(content)}
    else:
        fields = content if isinstance(content, dict) else {"text": content}
    pairs = [
        (str(name), one if isinstance(one, str) else json.dumps(one))
        for name, value in fields.items()
        for one in (value if isinstance(value, list) else [value])
    ]
    return urlencode(pairs, errors="surrogatepass").encode(), "application/x-www-form-urlencoded"
