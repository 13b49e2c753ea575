"""Simulate people who use Slack: send the bot the signed requests that Slack would send for what they do.

They can press and fill in only what they see, and only as Slack's own client lets them.
"""

import hashlib
import hmac
import io
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlencode

import aiohttp

from tests.fakes.slack.block_kit import problems_in_message
from tests.fakes.slack.server import BOT, BOT_ID, TEAM, SlackServer
from tests.fakes.slack.state import Channel, Json, Modal, Shown

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
RETRIES = 3


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A request as it went to the bot, so that it can be delivered again."""

    body: str
    content_type: str

    def as_envelope(self) -> tuple[str, Json]:
        """Return the request as Socket Mode would deliver it: its type and payload."""
        if self.content_type == "application/json":
            return "events_api", json.loads(self.body)
        fields = dict(parse_qsl(self.body, keep_blank_values=True))
        if "payload" in fields:
            return "interactive", json.loads(fields["payload"])
        return "slash_commands", fields


@dataclass(kw_only=True)
class People:
    """The people of one workspace, and their requests to the bot.

    `bot_url` is where the bot listens, empty for Socket Mode; `answers` holds the HTTP status of everything delivered
    so far.
    """

    server: SlackServer
    session: aiohttp.ClientSession
    bot_url: str
    team: str = TEAM
    """Id of the workspace they send forms from."""
    forbids_calls: bool = True
    """Assert that the bot calls Slack's API in none of its answers, which people would wait for; only a form may be
    opened, since its trigger lives three seconds. Off where the bot also sends by itself meanwhile."""
    answers: list[int] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    # -- what people do ---------------------------------------------------------------------------------------------

    async def command(self, user: str, channel: str, line: str) -> Shown | Modal | None:
        """Type a slash command. Returns what appears to them: an answer, or a form."""
        command, _, text = line.partition(" ")
        before = self.server.screens.get(user)
        place = self.server.channels[channel]
        answer = await self._form(
            {
                "command": command,
                "text": _escape(text),
                "team_id": TEAM,
                "user_id": user,
                "user_name": user.lower(),
                "channel_id": channel,
                "channel_name": _name(place),
                "trigger_id": self.server.new_trigger(user),
                "response_url": self.server.new_response_url(None, channel, user),
            }
        )
        if answer:
            assert answer["response_type"] == "ephemeral", answer
            assert problems_in_message({"text": answer["text"], "blocks": answer["blocks"]}) == []
            return self._show_privately(user, channel, answer)
        after = self.server.screens.get(user)
        return after if after is not before else None

    async def press(self, user: str, shown: Shown, name: str) -> Modal | None:
        """Press a button of a message they see. Returns the form it opened, if any."""
        assert shown in self.server.visible(shown.channel, user), "they cannot see that message"
        assert name in shown.buttons(), f"no button {name}; there are {list(shown.buttons())}"
        before = self.server.screens.get(user)
        await self.send_press(user, shown, shown.buttons()[name])
        after = self.server.screens.get(user)
        return after if after is not before else None

    async def send_press(self, user: str, shown: Shown, button: Mapping[str, Any]) -> None:
        """Send the press of a button, which need not be there (any more)."""
        place = self.server.channels[shown.channel]
        container: Json = {
            "type": "message",
            "message_ts": shown.ts,
            "channel_id": shown.channel,
            "is_ephemeral": shown.only_for is not None,
        }
        if shown.thread:
            container["thread_ts"] = shown.thread
        await self._payload(
            {
                "type": "block_actions",
                "team": {"id": TEAM, "domain": "x"},
                "user": {"id": user, "username": user.lower(), "team_id": TEAM},
                "channel": {"id": shown.channel, "name": _name(place)},
                "container": container,
                **({} if shown.only_for else {"message": {"ts": shown.ts, "text": shown.text}}),
                "trigger_id": self.server.new_trigger(user),
                "response_url": self.server.new_response_url(shown, shown.channel, user),
                "actions": [{**button, "action_ts": self.server.next_ts(), "block_id": "b"}],
            }
        )

    async def shortcut(self, user: str, callback: str) -> Modal | None:
        """Use a shortcut from the lightning menu. Returns the form it opened, if any."""
        return await self._shortcut(user, {"type": "shortcut", "callback_id": callback})

    async def shortcut_on(self, user: str, shown: Shown, callback: str) -> Modal | None:
        """Use a shortcut on a message. Returns the form it opened, if any."""
        assert shown in self.server.visible(shown.channel, user), "they cannot see that message"
        place = self.server.channels[shown.channel]
        return await self._shortcut(
            user,
            {
                "type": "message_action",
                "callback_id": callback,
                "channel": {"id": shown.channel, "name": _name(place)},
                "message_ts": shown.ts,
                "message": {"type": "message", **_as_event(shown)},
                "response_url": self.server.new_response_url(None, shown.channel, user),
            },
        )

    async def _shortcut(self, user: str, payload: Json) -> Modal | None:
        before = self.server.screens.get(user)
        await self._payload(
            {
                "team": {"id": TEAM, "domain": "x"},
                "user": {"id": user, "username": user.lower(), "team_id": TEAM},
                "action_ts": self.server.next_ts(),
                "trigger_id": self.server.new_trigger(user),
                **payload,
            }
        )
        after = self.server.screens.get(user)
        return after if after is not before else None

    async def open_home(self, user: str, *, tab: str = "home") -> None:
        """Open the app. Slack sends an event each time, with the view that is published by then."""
        there = self.server.tabs.get(user)
        shown = {"view": {"id": there.id, "hash": there.hash, **there.view}} if there and tab == "home" else {}
        chat = self.server.chat_of(user).id
        await self.event({"type": "app_home_opened", "user": user, "channel": chat, "tab": tab, **shown})

    async def press_home(self, user: str, name: str, number: int = 1) -> Modal | None:
        """Press the nth button with this name on their Home tab, from the top. Returns the form it opened, if any."""
        tab = self.server.tabs[user]
        found = tab.buttons(name)
        assert len(found) >= number, f"no button {name} {number} on their home"
        before = self.server.screens.get(user)
        await self._payload(
            {
                "type": "block_actions",
                "team": {"id": TEAM, "domain": "x"},
                "user": {"id": user, "username": user.lower(), "team_id": TEAM},
                "container": {"type": "view", "view_id": tab.id},
                "view": {**tab.view, "id": tab.id, "hash": tab.hash},
                "trigger_id": self.server.new_trigger(user),
                "actions": [{**found[number - 1], "action_ts": self.server.next_ts(), "block_id": "b"}],
            }
        )
        after = self.server.screens.get(user)
        return after if after is not before else None

    async def submit(self, user: str, modal: Modal, **values: Any) -> dict[str, str] | Modal | None:
        """Send a form, with values in place of what its fields hold.

        Returns the errors beside its fields, the next view, or None when it closed.
        """
        assert self.server.screens.get(user) is modal, "that form is not on their screen"
        answer = await self._payload(
            {
                "type": "view_submission",
                "team": {"id": self.team, "domain": "x"},
                "user": {"id": user, "username": user.lower(), "team_id": TEAM},
                "trigger_id": self.server.new_trigger(user),
                "view": {
                    **modal.view,
                    "id": modal.id,
                    "hash": modal.hash,
                    "state": {"values": _view_state(modal.view, values)},
                },
            }
        )
        answer = answer or {}
        match answer.get("response_action"):
            case "errors":
                shown = {block.get("block_id") for block in modal.view["blocks"] if block["type"] == "input"}
                assert set(answer["errors"]) <= shown, "an error beside a field that is not there"
                return dict(answer["errors"])
            case "update":
                return self.server.show(user, answer["view"], view_id=modal.id)
            case "push":
                return self.server.show(user, answer["view"], behind=modal)
        assert self.answers[-1] == 200, "Slack says: we had some trouble connecting"
        del self.server.screens[user]
        return None

    async def close(self, user: str, modal: Modal) -> None:
        """Close a form without sending it."""
        if modal.behind:
            self.server.screens[user] = modal.behind
        else:
            del self.server.screens[user]
        await self._payload(
            {
                "type": "view_closed",
                "team": {"id": TEAM},
                "user": {"id": user},
                "view": {**modal.view, "id": modal.id, "hash": modal.hash},
                "is_cleared": False,
            }
        )

    async def say(
        self, user: str, channel: str, text: str, *, thread: str | None = None, broadcast: bool = False, **more: Any
    ) -> Shown:
        """Write a message; with `thread`, a reply."""
        place = self.server.channels[channel]
        assert user in place.members, "they are not in that channel"
        shown = Shown(channel=channel, ts=self.server.next_ts(), by=user, text=self._tokenise(text), thread=thread)
        place.messages.append(shown)
        said = {"user": user, "text": shown.text, "ts": shown.ts, **({"thread_ts": thread} if thread else {}), **more}
        if broadcast:
            said["subtype"] = "thread_broadcast"
        if BOT not in place.members:
            return shown
        if f"<@{BOT}>" in shown.text and not place.personal:
            await self.event({"type": "app_mention", "channel": channel, **said})
        await self.event(
            {"type": "message", "channel": channel, "channel_type": "im" if place.personal else "channel", **said}
        )
        return shown

    async def edit(self, user: str, shown: Shown, text: str) -> None:
        """Change a message of their own."""
        assert shown.by == user
        before, shown.text = shown.text, self._tokenise(text)
        await self.event(
            {
                "type": "message",
                "subtype": "message_changed",
                "hidden": True,
                "channel": shown.channel,
                "ts": self.server.next_ts(),
                "message": {**_as_event(shown), "edited": {"user": user}},
                "previous_message": {**_as_event(shown), "text": before},
            }
        )

    async def delete(self, user: str, shown: Shown) -> None:
        """Delete a message of their own; with replies, Slack leaves a tombstone."""
        assert shown.by == user
        shown.deleted = True
        gone: Json = {"subtype": "message_deleted", "deleted_ts": shown.ts, "previous_message": _as_event(shown)}
        if any(one.thread == shown.ts and not one.deleted for one in self.server.channels[shown.channel].messages):
            tombstone = {
                "subtype": "tombstone",
                "ts": shown.ts,
                "user": "USLACKBOT",
                "text": "This message was deleted.",
            }
            gone = {"subtype": "message_changed", "message": tombstone, "previous_message": _as_event(shown)}
        await self.event(
            {"type": "message", "hidden": True, "channel": shown.channel, "ts": self.server.next_ts(), **gone}
        )

    async def react(self, user: str, shown: Shown, name: str, *, remove: bool = False) -> None:
        """Add or remove a reaction."""
        assert shown in self.server.visible(shown.channel, user)
        (shown.reactions.discard if remove else shown.reactions.add)((user, name))
        await self.event(
            {
                "type": "reaction_removed" if remove else "reaction_added",
                "user": user,
                "reaction": name,
                "item": {"type": "message", "channel": shown.channel, "ts": shown.ts},
                "item_user": shown.by,
            }
        )

    async def invite_bot(self, user: str, channel: str) -> None:
        """Invite the bot into a channel."""
        self.server.channels[channel].members.add(BOT)
        joined = {"type": "member_joined_channel", "user": BOT, "channel": channel, "channel_type": "C", "team": TEAM}
        await self.event({**joined, "inviter": user})

    async def remove_bot(self, channel: str) -> None:
        """Remove the bot from a channel."""
        self.server.channels[channel].members.discard(BOT)
        await self.event({"type": "channel_left", "channel": channel, "actor_id": "U0"})

    async def archive(self, user: str, channel: str, *, back: bool = False) -> None:
        """Archive a channel, or bring it `back`."""
        self.server.channels[channel].archived = not back
        kind = "channel_unarchive" if back else "channel_archive"
        await self.event({"type": kind, "channel": channel, "user": user})

    async def rename(self, channel: str, name: str) -> None:
        """Rename a channel."""
        self.server.channels[channel].name = name
        await self.event({"type": "channel_rename", "channel": {"id": channel, "name": name, "created": 1}})

    async def change_profile(self, user: str, *, name: str = "", locale: str = "", **marks: Any) -> None:
        """Change someone's record (`marks`: deleted, is_restricted …), of which Slack sends an event."""
        changed = self.server.users[user]
        changed.name, changed.locale = name or changed.name, locale or changed.locale
        changed.marks.update(marks)
        await self.event({"type": "user_change", "user": changed.record(with_locale=True), "cache_ts": 1})

    async def change_group(self, group: str, *, added: tuple[str, ...] = (), removed: tuple[str, ...] = ()) -> None:
        """Change the members of a user group."""
        members = self.server.groups[group][1]
        members[:] = [one for one in (*members, *added) if one not in removed]
        told = {"added_users": list(added), "removed_users": list(removed), "team_id": TEAM}
        await self.event({"type": "subteam_members_changed", "subteam_id": group, **told})

    async def rename_group(self, group: str, name: str, *, ended: bool = False) -> None:
        """Rename a user group, or disable it (`ended`)."""
        self.server.groups[group] = (name, self.server.groups[group][1])
        told = {"id": group, "team_id": TEAM, "name": name, "date_delete": 1 if ended else 0}
        await self.event({"type": "subteam_updated", "subteam": told})

    async def bot_speaks(self, shown: Shown) -> None:
        """Send the event of a message by the bot itself: Slack sends those too."""
        await self.event({"type": "message", "channel": shown.channel, "channel_type": "channel", **_as_event(shown)})

    # -- how it reaches the bot -------------------------------------------------------------------------------------

    async def event(self, happened: Json, event_id: str = "", *, at: datetime | None = None) -> None:
        """Deliver an event, at most four times, until it is answered 200. `at`: when it happened, if not now."""
        body = json.dumps(
            {
                "type": "event_callback",
                "team_id": TEAM,
                "api_app_id": "A1",
                "event_id": event_id or f"Ev{next(self.numbers)}",
                "event_time": int((at or self.server.now()).timestamp()),
                "authorizations": [{"team_id": TEAM, "user_id": BOT, "is_bot": True, "is_enterprise_install": False}],
                "event": {"event_ts": self.server.next_ts(), **happened},
            }
        )
        for attempt in range(RETRIES + 1):
            status, _ = await self.deliver(Sent(body=body, content_type="application/json"), attempt=attempt)
            if status == 200:
                return

    async def deliver(
        self, sent: Sent, *, attempt: int = 0, secret: str = SECRET, age: float = 0, **headers: str
    ) -> tuple[int, Any]:
        """Deliver one signed request, or an envelope without `bot_url`; return the status and the answer."""
        before = len(self.server.calls)
        answered = await self._deliver_once(sent, attempt=attempt, secret=secret, age=age, **headers)
        meanwhile = {method for method, _ in self.server.calls[before:]} - {"views.open", "auth.test"}
        assert not self.forbids_calls or not meanwhile, f"it let us wait for {meanwhile}"
        return answered

    async def _deliver_once(
        self, sent: Sent, *, attempt: int, secret: str, age: float, **headers: str
    ) -> tuple[int, Any]:
        if not self.bot_url:
            status, said = await self.server.sockets.deliver(*sent.as_envelope())
            self.answers.append(status)
            self.sent.append(sent)
            return status, said
        stamp = str(int(time.time() - age))
        signature = hmac.new(secret.encode(), f"v0:{stamp}:{sent.body}".encode(), hashlib.sha256).hexdigest()
        retries = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_error"} if attempt else {}
        async with self.session.post(
            self.bot_url,
            data=io.BytesIO(sent.body.encode()),
            headers={
                "Content-Type": sent.content_type,
                "X-Slack-Request-Timestamp": stamp,
                "X-Slack-Signature": f"v0={signature}",
                **retries,
                **headers,
            },
        ) as answer:
            text = await answer.text()
            self.answers.append(answer.status)
            self.sent.append(sent)
            return answer.status, json.loads(text) if text.startswith("{") else text

    async def redeliver_latest(self) -> tuple[int, Any]:
        """Deliver the latest request once more."""
        return await self.deliver(self.sent[-1], attempt=1)

    async def _payload(self, payload: Json) -> Json | None:
        return await self._form({"payload": json.dumps(payload)})

    async def _form(self, fields: Mapping[str, str]) -> Json | None:
        _, answer = await self.deliver(Sent(body=urlencode(fields), content_type="application/x-www-form-urlencoded"))
        return answer if isinstance(answer, dict) else None

    def _show_privately(self, user: str, channel: str, answer: Json) -> Shown:
        shown = Shown(
            channel=channel,
            ts=self.server.next_ts(),
            by=BOT,
            text=answer["text"],
            blocks=answer["blocks"],
            only_for=user,
        )
        self.server.channels[channel].messages.append(shown)
        return shown

    def _tokenise(self, text: str) -> str:
        """Return typed text as Slack sends it: escaped, with people, commands and addresses as tokens."""
        text = _escape(text)
        for user in self.server.users.values():
            text = text.replace(f"@{user.name}", f"<@{user.id}>")
        text = re.sub(r"@(here|channel|everyone)\b", r"<!\1>", text)
        return re.sub(r"(?<![<|])https?://[^\s<>|]+", lambda url: f"<{url.group(0)}>", text)


def _name(place: Channel) -> str:
    """Return the name of a place in payloads: private ones all have the same."""
    return "directmessage" if place.personal else "privategroup" if place.private else place.name


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _as_event(shown: Shown) -> Json:
    bot = {"bot_id": BOT_ID} if shown.by == BOT else {}
    thread = {"thread_ts": shown.thread} if shown.thread else {}
    return {"user": shown.by, "text": shown.text, "ts": shown.ts, **bot, **thread}


def _view_state(view: Json, values: Mapping[str, Any]) -> Json:
    """Return the state of a view as Slack sends it: every input, with its new or initial value."""
    inputs = {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}
    unknown = set(values) - set(inputs)
    assert not unknown, f"the form has no field {unknown}; it has {set(inputs)}"
    state: Json = {}
    for name, block in inputs.items():
        element = block["element"]
        answer = _answer(element, values[name]) if name in values else _initial_answer(element)
        empty = not any(value for key, value in answer.items() if key != "type")
        assert block.get("optional") or not empty, f"Slack does not send it without {name}"
        state[name] = {element["action_id"]: answer}
    return state


def _initial_answer(element: Json) -> Json:
    kept = {
        "plain_text_input": ("value", "initial_value", None),
        "static_select": ("selected_option", "initial_option", None),
        "radio_buttons": ("selected_option", "initial_option", None),
        "checkboxes": ("selected_options", "initial_options", []),
        "multi_static_select": ("selected_options", "initial_options", []),
        "users_select": ("selected_user", "initial_user", None),
        "multi_users_select": ("selected_users", "initial_users", []),
        "datepicker": ("selected_date", "initial_date", None),
        "timepicker": ("selected_time", "initial_time", None),
    }
    key, initial, nothing = kept[element["type"]]
    return {"type": element["type"], key: element.get(initial, nothing)}


def _answer(element: Json, value: Any) -> Json:
    kind = element["type"]
    options = {one["value"]: one for one in element.get("options", [])}
    match kind:
        case "plain_text_input":
            assert len(value) <= element.get("max_length", 3000), "Slack does not let them type that much"
            return {"type": kind, "value": value or None}
        case "static_select" | "radio_buttons":
            assert not value or value in options, f"{value} is not offered; there are {list(options)}"
            return {"type": kind, "selected_option": options.get(value)}
        case "checkboxes" | "multi_static_select":
            return {"type": kind, "selected_options": [options[one] for one in value]}
        case "users_select":
            return {"type": kind, "selected_user": value or None}
        case "multi_users_select":
            assert len(value) <= element.get("max_selected_items", 100)
            return {"type": kind, "selected_users": list(value)}
        case "datepicker":
            return {"type": kind, "selected_date": value or None}
        case "timepicker":
            return {"type": kind, "selected_time": value or None}
    raise AssertionError(f"unknown input {kind}")
