"""The app package: the zip that a Microsoft 365 administrator uploads, so that nothing is left to fill in."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from adapters.teams.pages import ABOUT, BOARD, PRIVACY, TERMS
from bot import __version__, wording
from bot.app import Ritme
from bot.domain.person import Language
from bot.wording import Reader

SCHEMA = "1.30"
"""The manifest's version: commands can be slash commands from 1.29 on."""
COLOUR = "#1f5d57"
SAVE = "save_as_story"
"""The id of the message action, in the invokes that Teams sends for it."""
MENU_COMMANDS = {
    "personal": ("stuck", "story", "step", "chance", "connect", "lookback", "home", "me", "help", "stop"),
    "team": ("stuck", "story", "start", "purpose", "rhythm", "initiative", "harvest", "connect", "me", "help"),
    "groupChat": ("stuck", "story", "start", "purpose", "rhythm", "initiative", "harvest", "connect", "me", "help"),
}
"""The intents that the menu of commands offers, by scope; each is described in the manifest's words. Every Teams client
shows ten a scope."""
CONSENT = {"ChannelMessage.Read.Group": "Application", "ChatMessage.Read.Chat": "Application"}
"""Resource-specific permissions → their type: with these, answers under Ritme's messages need no mention."""
DEFAULT, OTHERS = Language.EN, (Language.NL,)
_WORDS = "teams/manifest.md.j2"
_ICONS = Path(__file__).parent / "icons"
_STAMP = (1980, 1, 1, 0, 0, 0)


def package(app_id: str, url: str, *, replies: bool = True, **publisher: str) -> bytes:
    """The zip, the same bytes for the same words. Arguments as of `manifest`."""
    texts = {"manifest.json": manifest(app_id, url, replies=replies, **publisher)}
    texts |= {f"{language.value}.json": localisation(language) for language in OTHERS}
    zipped = BytesIO()
    with ZipFile(zipped, "w", ZIP_DEFLATED) as made:
        for name, text in texts.items():
            made.writestr(_entry(name), json.dumps(text, indent=2, ensure_ascii=False) + "\n")
        for name in ("color.png", "outline.png"):
            made.writestr(_entry(name), (_ICONS / name).read_bytes())
    return zipped.getvalue()


def manifest(
    app_id: str,
    url: str,
    *,
    replies: bool = True,
    developer: str = "Ritme",
    website: str = "",
    privacy: str = "",
    terms: str = "",
) -> dict[str, Any]:
    """The manifest as Teams reads it. `app_id`: the app registration's, a GUID; `url`: where Ritme is reached, with
    https and no slash at its end; `replies`: whether to ask for `CONSENT`, without which an organisation that gives
    none lets the app in; `developer`: who offers Ritme here, at most 32 characters; the other three are addresses of
    pages, Ritme's own when left out."""
    said = _said(DEFAULT)
    return {
        "$schema": _schema("MicrosoftTeams"),
        "manifestVersion": SCHEMA,
        "version": __version__,
        "id": app_id,
        "developer": {
            "name": developer,
            "websiteUrl": website or url + ABOUT,
            "privacyUrl": privacy or url + PRIVACY,
            "termsOfUseUrl": terms or url + TERMS,
        },
        "name": {"short": "Ritme"},
        "description": {"short": said["description.short"], "full": said["description.full"]},
        "icons": {"color": "color.png", "outline": "outline.png"},
        "accentColor": COLOUR,
        "localizationInfo": {
            "defaultLanguageTag": DEFAULT.value,
            "additionalLanguages": [
                {"languageTag": language.value, "file": f"{language.value}.json"} for language in OTHERS
            ],
        },
        "bots": [
            {
                "botId": app_id,
                "scopes": list(MENU_COMMANDS),
                "isNotificationOnly": False,
                "supportsFiles": False,
                "supportsTargetedMessages": True,
                "commandLists": [_commands(number, scope, said) for number, scope in enumerate(MENU_COMMANDS)],
            }
        ],
        "composeExtensions": [
            {
                "botId": app_id,
                "commands": [
                    {
                        "id": SAVE,
                        "type": "action",
                        "context": ["message"],
                        "fetchTask": True,
                        "title": said["composeExtensions[0].commands[0].title"],
                        "description": said["composeExtensions[0].commands[0].description"],
                    }
                ],
            }
        ],
        "staticTabs": [
            {"entityId": "conversations", "scopes": ["personal"]},
            {
                "entityId": "board",
                "name": said["staticTabs[1].name"],
                "contentUrl": f"{url}{BOARD}?language={{locale}}",
                "websiteUrl": url + BOARD,
                "scopes": ["personal"],
            },
            {"entityId": "about", "scopes": ["personal"]},
        ],
        "validDomains": [urlsplit(url).netloc],
        # Nobody signs in with `resource`, but without one Teams passes over the permissions.
        "webApplicationInfo": {"id": app_id, "resource": url},
        **({"authorization": {"permissions": {"resourceSpecific": _consent()}}} if replies else {}),
    }


def localisation(language: Language) -> dict[str, str]:
    """The manifest's words in another language, by where in the manifest they stand."""
    return {"$schema": _schema("MicrosoftTeams.Localization"), **_said(language)}


def _said(language: Language) -> dict[str, str]:
    """Every word of the manifest that a person reads, by where it stands, as a localisation names it."""
    # A manifest is dated nowhere: the clock is only there because every reader has one.
    reader = Reader(language=language, timezone="UTC", now=datetime.now(UTC))

    def words(block: str) -> str:
        return wording.sentence(_WORDS, block, reader)

    def of_commands() -> Iterator[tuple[str, str]]:
        for number, names in enumerate(MENU_COMMANDS.values()):
            for place, name in enumerate(names):
                command = f"bots[0].commandLists[{number}].commands[{place}]"
                yield f"{command}.title", Ritme.typed_word(name, language)
                yield f"{command}.description", words(name)

    return {
        "name.short": "Ritme",
        "description.short": words("description"),
        "description.full": words("long_description"),
        "staticTabs[1].name": words("board"),
        "composeExtensions[0].commands[0].title": words("save"),
        "composeExtensions[0].commands[0].description": words("save_hint"),
        **dict(of_commands()),
    }


def _commands(number: int, scope: str, said: Mapping[str, str]) -> dict[str, Any]:
    """In a chat with Ritme alone there is nobody to mention, and nothing to keep between the two."""
    listed = (f"bots[0].commandLists[{number}].commands[{place}]" for place in range(len(MENU_COMMANDS[scope])))
    return {
        "scopes": [scope],
        **({} if scope == "personal" else {"triggers": ["mention", "slash"]}),
        "commands": [{"title": said[f"{one}.title"], "description": said[f"{one}.description"]} for one in listed],
    }


def _consent() -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in CONSENT.items()]


def _schema(name: str) -> str:
    return f"https://developer.microsoft.com/json-schemas/teams/v{SCHEMA}/{name}.schema.json"


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, _STAMP)
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
