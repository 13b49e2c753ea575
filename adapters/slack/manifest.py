"""The app manifest: what whoever makes the Slack app pastes, so that nothing is left to click together."""

from datetime import UTC, datetime
from typing import Any

from adapters.slack.inbound import PATH
from adapters.slack.install import BACK
from adapters.slack.permissions import EVENTS, SAVE, SCOPES, STUCK
from bot import wording
from bot.domain.person import Language
from bot.wording import Reader

COMMANDS = {Language.EN: ("stuck", "story"), Language.NL: ("vast", "verhaal")}
COLOUR = "#1f5d57"


def manifest(language: Language, *, url: str | None, dutch: bool = False, many: bool = False) -> dict[str, Any]:
    """The manifest as Slack reads it, its words in `language`. Without `url` (https, no slash at its end) the app uses
    Socket Mode. `dutch` adds /vast and /verhaal; `many` is for an app that several workspaces install."""
    reader = Reader(language=language, timezone="UTC", now=datetime.now(UTC))
    address = {"request_url": url + PATH} if url else {}

    def said(block: str) -> str:
        return wording.sentence("slack/manifest.md.j2", block, reader)

    def command(name: str) -> dict[str, Any]:
        return {
            "command": f"/{name}",
            "description": said(name),
            "usage_hint": said(f"{name}_hint"),
            "should_escape": False,
            **({"url": url + PATH} if url else {}),
        }

    names = ("ritme", *COMMANDS[Language.EN], *(COMMANDS[Language.NL] if dutch else ()))
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": "Ritme",
            "description": said("description"),
            "long_description": said("long_description"),
            "background_color": COLOUR,
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Ritme", "always_online": True},
            "shortcuts": [
                {
                    "name": said("im_stuck"),
                    "type": "global",
                    "callback_id": STUCK,
                    "description": said("im_stuck_hint"),
                },
                {"name": said("save"), "type": "message", "callback_id": SAVE, "description": said("save_hint")},
            ],
            "slash_commands": [command(name) for name in names],
        },
        "oauth_config": {
            **({"redirect_urls": [url + BACK]} if url and many else {}),
            "scopes": {"bot": sorted(SCOPES)},
        },
        "settings": {
            "event_subscriptions": {**address, "bot_events": sorted(EVENTS)},
            "interactivity": {"is_enabled": True, **address},
            "org_deploy_enabled": False,
            "socket_mode_enabled": url is None,
            "token_rotation_enabled": many,
        },
    }
