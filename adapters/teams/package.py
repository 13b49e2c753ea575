"""Build the app package: the zip that a Microsoft 365 administrator uploads, so that nothing is left to fill in."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from adapters.teams.pages import ABOUT_PATH, BOARD_PATH, PRIVACY_PATH, TERMS_PATH
from bot import __version__, wording
from bot.app import Ritme
from bot.chat import CommandSyntax
from bot.domain.person import Language
from bot.wording import Reader

MANIFEST_VERSION = "1.30"
"""Version of the manifest schema: commands can be slash commands from 1.29 on."""
ACCENT_COLOUR = "#1f5d57"
SAVE_COMMAND_ID = "save_as_story"
"""Id of the message action, in the invokes that Teams sends for it."""
MENU_COMMANDS = {
    "personal": ("stuck", "story", "step", "chance", "connect", "lookback", "home", "me", "help", "stop"),
    "team": ("stuck", "story", "start", "purpose", "rhythm", "initiative", "harvest", "connect", "me", "help"),
    "groupChat": ("stuck", "story", "start", "purpose", "rhythm", "initiative", "harvest", "connect", "me", "help"),
}
"""Scope → intents that the menu of commands offers; each is described in the manifest's words. Every Teams client shows
ten a scope."""
RESOURCE_PERMISSIONS = {"ChannelMessage.Read.Group": "Application", "ChatMessage.Read.Chat": "Application"}
"""Resource-specific permissions → their type: with these, answers under Ritme's messages need no mention."""
DEFAULT_LANGUAGE, OTHER_LANGUAGES = Language.EN, (Language.NL,)
_WORDS = "teams/manifest.md.j2"
_ICONS = Path(__file__).parent / "icons"
_ENTRY_DATE = (1980, 1, 1, 0, 0, 0)


def build_package(app_id: str, url: str, *, replies: bool = True, name: str = "Ritme", **publisher: str) -> bytes:
    """Return the zip: the same bytes for the same words. Arguments as of `build_teams_manifest`."""
    texts = {"manifest.json": build_teams_manifest(app_id, url, replies=replies, name=name, **publisher)}
    texts |= {f"{language.value}.json": build_localisation(language, name) for language in OTHER_LANGUAGES}
    zipped = BytesIO()
    with ZipFile(zipped, "w", ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(_entry(name), json.dumps(text, indent=2, ensure_ascii=False) + "\n")
        for name in ("color.png", "outline.png"):
            archive.writestr(_entry(name), (_ICONS / name).read_bytes())
    return zipped.getvalue()


def build_teams_manifest(
    app_id: str,
    url: str,
    *,
    replies: bool = True,
    name: str = "Ritme",
    developer: str = "Ritme",
    website: str = "",
    privacy: str = "",
    terms: str = "",
) -> dict[str, Any]:
    """Return the manifest as Teams reads it.

    `app_id`: the app registration's, a GUID; `url`: where Ritme is reached, with https and no slash at its end;
    `replies`: whether to ask for RESOURCE_PERMISSIONS, without which an organisation that gives none lets the app in;
    `developer`: who offers Ritme here, at most 32 characters; the other three are addresses of pages, Ritme's own when
    left out. `name` is what people will call the app.
    """
    texts = _manifest_texts(DEFAULT_LANGUAGE, name)
    return {
        "$schema": _schema_url("MicrosoftTeams"),
        "manifestVersion": MANIFEST_VERSION,
        "version": __version__,
        "id": app_id,
        "developer": {
            "name": developer,
            "websiteUrl": website or url + ABOUT_PATH,
            "privacyUrl": privacy or url + PRIVACY_PATH,
            "termsOfUseUrl": terms or url + TERMS_PATH,
        },
        "name": {"short": name},
        "description": {"short": texts["description.short"], "full": texts["description.full"]},
        "icons": {"color": "color.png", "outline": "outline.png"},
        "accentColor": ACCENT_COLOUR,
        "localizationInfo": {
            "defaultLanguageTag": DEFAULT_LANGUAGE.value,
            "additionalLanguages": [
                {"languageTag": language.value, "file": f"{language.value}.json"} for language in OTHER_LANGUAGES
            ],
        },
        "bots": [_bot(app_id, texts)],
        "composeExtensions": [_message_extension(app_id, texts)],
        "staticTabs": _tabs(url, texts),
        "validDomains": [urlsplit(url).netloc],
        # Nobody signs in with `resource`, but without one Teams passes over the permissions.
        "webApplicationInfo": {"id": app_id, "resource": url},
        **({"authorization": {"permissions": {"resourceSpecific": _permissions()}}} if replies else {}),
    }


def build_localisation(language: Language, name: str = "Ritme") -> dict[str, str]:
    """Return the manifest's words in another language, by where in the manifest they stand."""
    return {"$schema": _schema_url("MicrosoftTeams.Localization"), **_manifest_texts(language, name)}


def _manifest_texts(language: Language, name: str) -> dict[str, str]:
    """Return every word of the manifest that a person reads, by where it stands, as a localisation names it."""
    # A manifest is dated nowhere: the clock is only there because every reader has one.
    syntax = CommandSyntax(platform="teams", app=name, command="")
    reader = Reader(language=language, timezone="UTC", now=datetime.now(UTC), syntax=syntax)

    def text(block: str) -> str:
        return wording.render_sentence(_WORDS, block, reader)

    def command_texts() -> Iterator[tuple[str, str]]:
        for number, names in enumerate(MENU_COMMANDS.values()):
            for place, name in enumerate(names):
                command = f"bots[0].commandLists[{number}].commands[{place}]"
                yield f"{command}.title", Ritme.typed_word(name, language)
                yield f"{command}.description", text(name)

    return {
        "name.short": name,
        "description.short": text("description"),
        "description.full": text("long_description"),
        "staticTabs[1].name": text("board"),
        "composeExtensions[0].commands[0].title": text("save"),
        "composeExtensions[0].commands[0].description": text("save_hint"),
        **dict(command_texts()),
    }


def _bot(app_id: str, texts: Mapping[str, str]) -> dict[str, Any]:
    return {
        "botId": app_id,
        "scopes": list(MENU_COMMANDS),
        "isNotificationOnly": False,
        "supportsFiles": False,
        "supportsTargetedMessages": True,  # without this, Teams shows no slash commands at all
        "commandLists": [_command_list(number, scope, texts) for number, scope in enumerate(MENU_COMMANDS)],
    }


def _command_list(number: int, scope: str, texts: Mapping[str, str]) -> dict[str, Any]:
    commands = (f"bots[0].commandLists[{number}].commands[{place}]" for place in range(len(MENU_COMMANDS[scope])))
    return {
        "scopes": [scope],
        # In a chat with Ritme alone there is nobody to mention, and nothing to keep between the two.
        **({} if scope == "personal" else {"triggers": ["mention", "slash"]}),
        "commands": [
            {"title": texts[f"{command}.title"], "description": texts[f"{command}.description"]} for command in commands
        ],
    }


def _message_extension(app_id: str, texts: Mapping[str, str]) -> dict[str, Any]:
    command = "composeExtensions[0].commands[0]"
    return {
        "botId": app_id,
        "commands": [
            {
                "id": SAVE_COMMAND_ID,
                "type": "action",
                "context": ["message"],
                "fetchTask": True,
                "title": texts[f"{command}.title"],
                "description": texts[f"{command}.description"],
            }
        ],
    }


def _tabs(url: str, texts: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"entityId": "conversations", "scopes": ["personal"]},
        {
            "entityId": "board",
            "name": texts["staticTabs[1].name"],
            "contentUrl": f"{url}{BOARD_PATH}?language={{locale}}",
            "websiteUrl": url + BOARD_PATH,
            "scopes": ["personal"],
        },
        {"entityId": "about", "scopes": ["personal"]},
    ]


def _permissions() -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in RESOURCE_PERMISSIONS.items()]


def _schema_url(name: str) -> str:
    return f"https://developer.microsoft.com/json-schemas/teams/v{MANIFEST_VERSION}/{name}.schema.json"


def _entry(name: str) -> ZipInfo:
    # A fixed date and mode: the bytes depend on the words alone.
    entry = ZipInfo(name, _ENTRY_DATE)
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
