"""Make the app manifest, from which Slack creates the app with all its settings."""

from datetime import UTC, datetime
from typing import Any

from adapters.slack.inbound import EVENTS_PATH
from adapters.slack.install import OAUTH_REDIRECT_PATH
from adapters.slack.permissions import BOT_EVENTS, SAVE_SHORTCUT, SCOPES, STUCK_SHORTCUT
from bot import wording
from bot.chat import CommandSyntax
from bot.domain.person import Language
from bot.wording import Reader

SLASH_COMMANDS = {Language.EN: ("stuck", "story"), Language.NL: ("vast", "verhaal")}
"""Slash commands by language, beside /ritme."""
BACKGROUND_COLOUR = "#1f5d57"
"""Ritme's colour, around its icon; a test keeps it equal to that of the Teams package."""


def slack_manifest(
    language: Language, *, url: str | None, dutch: bool = False, many: bool = False, name: str = "Ritme"
) -> dict[str, Any]:
    """Return the manifest as Slack reads it, its texts in `language`.

    Without `url` (https, no slash at its end) the app uses Socket Mode. `dutch` adds /vast and /verhaal; `many` is for
    an app that several workspaces install; `name` is what people will call it.
    """
    syntax = CommandSyntax(platform="slack", app=name)
    reader = Reader(language=language, timezone="UTC", now=datetime.now(UTC), syntax=syntax)
    address = {"request_url": url + EVENTS_PATH} if url else {}

    def text(block: str) -> str:
        return wording.render_sentence("slack/manifest.md.j2", block, reader)

    def command(name: str) -> dict[str, Any]:
        return {
            "command": f"/{name}",
            "description": text(name),
            "usage_hint": text(f"{name}_hint"),
            "should_escape": False,
            **({"url": url + EVENTS_PATH} if url else {}),
        }

    names = ("ritme", *SLASH_COMMANDS[Language.EN], *(SLASH_COMMANDS[Language.NL] if dutch else ()))
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": name,
            "description": text("description"),
            "long_description": text("long_description"),
            "background_color": BACKGROUND_COLOUR,
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": name, "always_online": True},
            "shortcuts": [
                {
                    "name": text("im_stuck"),
                    "type": "global",
                    "callback_id": STUCK_SHORTCUT,
                    "description": text("im_stuck_hint"),
                },
                {
                    "name": text("save"),
                    "type": "message",
                    "callback_id": SAVE_SHORTCUT,
                    "description": text("save_hint"),
                },
            ],
            "slash_commands": [command(name) for name in names],
        },
        "oauth_config": {
            **({"redirect_urls": [url + OAUTH_REDIRECT_PATH]} if url and many else {}),
            "scopes": {"bot": sorted(SCOPES)},
        },
        "settings": {
            "event_subscriptions": {**address, "bot_events": sorted(BOT_EVENTS)},
            "interactivity": {"is_enabled": True, **address},
            "org_deploy_enabled": False,
            "socket_mode_enabled": url is None,
            "token_rotation_enabled": many,
        },
    }
