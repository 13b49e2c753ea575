"""The app package is valid for Teams, in two languages, and every command and address in it works."""

import json
import re
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile
from zlib import decompress

import pytest
from aiohttp import ClientSession, web
from jsonschema import Draft4Validator
from typer.testing import CliRunner

from adapters.cli.commands import ritme
from adapters.slack.manifest import BACKGROUND_COLOUR as ON_SLACK
from adapters.teams import package as module
from adapters.teams import pages
from adapters.teams.package import (
    ACCENT_COLOUR,
    MANIFEST_VERSION,
    MENU_COMMANDS,
    OTHER_LANGUAGES,
    RESOURCE_PERMISSIONS,
    build_localisation,
    build_package,
    build_teams_manifest,
)
from bot import __version__
from bot.chat import DEFAULT_SYNTAX
from bot.commands import VOCABULARY
from bot.domain.person import Language

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
MANIFEST, WORDS = (
    Draft4Validator(json.loads((SCHEMAS / f"teams-{name}-{MANIFEST_VERSION}.json").read_text()))
    for name in ("manifest", "localization")
)
APP, URL = "a1b2c3d4-1111-2222-3333-444455556666", "https://ritme.example.org"
OURS = {"website": "https://zorg.example/ritme", "privacy": "https://zorg.example/p", "terms": "https://zorg.example/t"}
EVERY: list[dict[str, Any]] = [{}, {"replies": False}, {"developer": "Wijkzorg Noord"}, {"developer": "x" * 32, **OURS}]
ICONS = Path(module.__file__).parent / "icons"


def whole(**publisher: Any) -> dict[str, Any]:
    return build_teams_manifest(APP, URL, **publisher)


# -- the manifest ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("publisher", EVERY)
def test_teams_accepts_it(publisher: dict[str, Any]) -> None:
    made = whole(**publisher)
    assert list(MANIFEST.iter_errors(made)) == []
    assert made["manifestVersion"] == MANIFEST_VERSION
    assert (made["version"], made["id"], made["accentColor"]) == (__version__, APP, ACCENT_COLOUR)
    assert made["accentColor"] == ON_SLACK


def test_an_app_of_another_name_is_called_so_everywhere() -> None:
    assert build_teams_manifest(APP, URL, name="Samen", developer="Wijk")["name"] == {"short": "Samen"}
    texts = {
        **build_localisation(Language.NL, "Samen"),
        **build_teams_manifest(APP, URL, name="Samen", developer="Wijk"),
    }
    assert "Ritme" not in json.dumps(texts)


def test_every_limit_is_that_of_the_oldest_teams() -> None:
    for words in (whole(), *(apply_translation(build_localisation(language)) for language in Language)):
        for one in words["bots"][0]["commandLists"]:
            assert 0 < len(one["commands"]) <= 10
            assert all(len(c["title"]) <= 32 and 0 < len(c["description"]) <= 128 for c in one["commands"])


def test_the_bot_is_everywhere_and_its_commands_with_it() -> None:
    (bot,) = whole()["bots"]
    assert bot["botId"] == APP
    assert bot["scopes"] == ["personal", "team", "groupChat"]
    assert not bot["supportsFiles"]
    assert [one["scopes"] for one in bot["commandLists"]] == [["personal"], ["team"], ["groupChat"]]
    assert [one.get("triggers") for one in bot["commandLists"]] == [None, *[["mention", "slash"]] * 2]
    # Without this, Teams shows no slash commands at all.
    assert bot["supportsTargetedMessages"]


def test_a_message_can_be_saved_as_a_story() -> None:
    (extension,) = whole()["composeExtensions"]
    (command,) = extension["commands"]
    assert extension["botId"] == APP
    assert (command["id"], command["type"], command["context"]) == ("save_as_story", "action", ["message"])
    assert command["fetchTask"]
    assert command["title"] == "Save as story"
    assert build_localisation(Language.NL)["composeExtensions[0].commands[0].title"] == "Bewaar als verhaal"


def test_it_asks_for_the_two_permissions_and_for_no_more() -> None:
    made = whole()
    asked = made["authorization"]["permissions"]["resourceSpecific"]
    assert {one["name"]: one["type"] for one in asked} == RESOURCE_PERMISSIONS
    assert set(RESOURCE_PERMISSIONS) == {"ChannelMessage.Read.Group", "ChatMessage.Read.Chat"}
    assert made["webApplicationInfo"] == {"id": APP, "resource": URL}
    assert "permissions" not in made
    assert "authorization" not in whole(replies=False)


def test_addresses_are_its_own_until_others_are_given() -> None:
    own = whole()["developer"]
    assert (own["websiteUrl"], own["privacyUrl"], own["termsOfUseUrl"]) == (
        f"{URL}/teams/about",
        f"{URL}/teams/privacy",
        f"{URL}/teams/terms",
    )
    given = whole(developer="Wijkzorg", **OURS)["developer"]
    assert list(given.values()) == ["Wijkzorg", *OURS.values()]
    assert whole()["validDomains"] == ["ritme.example.org"]


# -- its words ---------------------------------------------------------------------------------------------------------


def apply_translation(words: dict[str, str]) -> dict[str, Any]:
    """Return the manifest as Teams shows it in another language: each translation put at its path."""
    made = whole()
    for key, word in words.items():
        if key != "$schema":
            *path, last = [int(part) if part.isdecimal() else part for part in re.findall(r"\w+", key)]
            place: Any = made
            for part in path:
                place = place[part]
            assert last in place, key
            place[last] = word
    return made


def words_in(made: Any) -> list[str]:
    if isinstance(made, dict):
        told = [made[key] for key in ("title", "description") if isinstance(made.get(key), str)]
        return told + [word for value in made.values() for word in words_in(value)]
    return [word for value in made for word in words_in(value)] if isinstance(made, list) else []


@pytest.mark.parametrize("language", list(Language))
def test_the_other_language_says_every_word_where_it_belongs(language: Language) -> None:
    words = build_localisation(language)
    assert list(WORDS.iter_errors(words)) == []
    assert list(MANIFEST.iter_errors(apply_translation(words))) == []
    assert (apply_translation(words) == whole()) == (language is Language.EN)


def test_nothing_stays_english_in_dutch() -> None:
    english, dutch = words_in(whole()), words_in(apply_translation(build_localisation(Language.NL)))
    assert len(english) == 2 * (sum(map(len, MENU_COMMANDS.values())) + 1)
    same = {one for one, other in zip(english, dutch, strict=True) if one == other}
    assert same <= {"start", "stop"}


@pytest.mark.parametrize("language", list(Language))
def test_every_command_means_what_it_stands_for(language: Language) -> None:
    lists = apply_translation(build_localisation(language))["bots"][0]["commandLists"]
    for names, one in zip(MENU_COMMANDS.values(), lists, strict=True):
        assert [VOCABULARY.meaning(command["title"]) for command in one["commands"]] == list(names)


# -- the zip -----------------------------------------------------------------------------------------------------------


def test_the_zip_holds_what_the_manifest_names_and_nothing_more() -> None:
    with ZipFile(BytesIO(build_package(APP, URL))) as made:
        assert made.testzip() is None
        found = json.loads(made.read("manifest.json"))
        assert found == whole()
        named = {*found["icons"].values(), *(one["file"] for one in found["localizationInfo"]["additionalLanguages"])}
        assert (
            set(made.namelist())
            == {"manifest.json"} | named
            == {"manifest.json", "nl.json", "color.png", "outline.png"}
        )
        assert json.loads(made.read("nl.json")) == build_localisation(*OTHER_LANGUAGES)
        assert made.read("color.png") == (ICONS / "color.png").read_bytes()


def test_building_the_package_twice_gives_the_same_bytes() -> None:
    assert build_package(APP, URL) == build_package(APP, URL)


def pixels(name: str) -> list[list[tuple[int, ...]]]:
    """Decode a PNG of 8-bit RGB or RGBA without interlacing; return its rows of pixels."""
    data = (ICONS / name).read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, kind, _, _, interlaced = *(int.from_bytes(data[at : at + 4]) for at in (16, 20)), *data[24:29]
    assert (depth, interlaced) == (8, 0)
    size = {2: 3, 6: 4}[kind]
    packed, at = b"", 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += 12 + length
    raw, rows, above = decompress(packed), [], bytes(width * size)
    for row in range(height):
        filtered, *line = raw[row * (width * size + 1) : (row + 1) * (width * size + 1)]
        for i, value in enumerate(line):
            left, up, corner = (line[i - size] if i >= size else 0), above[i], (above[i - size] if i >= size else 0)
            nearest = min((left, up, corner), key=lambda one: abs(left + up - corner - one))
            line[i] = (value + (0, left, up, (left + up) // 2, nearest)[filtered]) % 256
        rows.append([tuple(line[i : i + size]) for i in range(0, len(line), size)])
        above = bytes(line)
    return rows


def test_the_colour_icon_is_large_and_without_holes() -> None:
    rows = pixels("color.png")
    assert {len(rows), *map(len, rows)} == {192}
    assert rows[0][0][:3] == tuple(bytes.fromhex(ACCENT_COLOUR[1:]))
    assert all(len(pixel) == 3 or pixel[3] == 255 for row in rows for pixel in row)


def test_the_outline_icon_is_white_on_nothing() -> None:
    rows = pixels("outline.png")
    assert {len(rows), *map(len, rows)} == {32}
    drawn = [pixel for row in rows for pixel in row if pixel[3]]
    assert 50 < len(drawn) < 32 * 32 / 2
    assert {pixel[:3] for pixel in drawn} == {(255, 255, 255)}
    assert {pixel[3] for pixel in (*rows[0], *rows[-1])} == {0}


# -- its pages ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def served() -> AsyncIterator[str]:
    app = web.Application()
    pages.mount_pages(app, DEFAULT_SYNTAX)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_every_address_of_the_package_leads_to_a_page(served: str) -> None:
    made = whole()
    tabs = [tab[key] for tab in made["staticTabs"] for key in ("contentUrl", "websiteUrl") if key in tab]
    addresses = [address for key, address in made["developer"].items() if key != "name"]
    async with ClientSession() as session:
        for address in (*addresses, *tabs):
            for locale in ("nl-NL", "en-GB"):
                path = address.removeprefix(URL).replace("{locale}", locale)
                async with session.get(served + path, headers={"Accept-Language": locale}) as answer:
                    html = await answer.text()
                    assert answer.status == 200
                    assert f'<html lang="{locale[:2]}">' in html
                    assert "teams.microsoft.com" in answer.headers["Content-Security-Policy"]
                for way in re.findall(r'href="([^"]+)"', html):
                    async with session.get(served + way) as further:
                        assert further.status == 200


# -- the command -------------------------------------------------------------------------------------------------------


def run(*options: str, **environment: str) -> Any:
    return CliRunner().invoke(ritme, ["manifest", "teams", *options], env=environment)


def test_the_command_writes_it(tmp_path: Path) -> None:
    out = tmp_path / "app.zip"
    written = run("--app-id", APP, "--url", f"{URL}/", "--developer", "Wijkzorg", "--out", str(out))
    assert written.exit_code == 0, written.stderr
    assert str(out) in written.stdout
    assert out.read_bytes() == build_package(APP, URL, developer="Wijkzorg")


def test_an_organisation_may_give_no_consent(tmp_path: Path) -> None:
    out = tmp_path / "app.zip"
    assert run("--app-id", APP, "--url", URL, "--mentions-only", "--out", str(out)).exit_code == 0
    assert out.read_bytes() == build_package(APP, URL, replies=False) != build_package(APP, URL)


def test_the_environment_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(TEAMS_APP_ID=APP, RITME_PUBLIC_URL=URL).exit_code == 0
    assert (tmp_path / "ritme-teams.zip").read_bytes() == build_package(APP, URL)


@pytest.mark.parametrize(
    ("options", "cure"),
    [
        (["--url", URL], "--app-id"),
        (["--url", URL, "--app-id", "ritme"], "--app-id"),
        (["--app-id", APP], "--url"),
        (["--app-id", APP, "--url", "http://ritme.example.org"], "--url"),
        (["--app-id", APP, "--url", f"{URL}/deeper"], "--url"),
        (["--app-id", APP, "--url", URL, "--privacy", "zorg.example/p"], "--privacy"),
        (["--app-id", APP, "--url", URL, "--developer", "x" * 33], "--developer"),
    ],
)
def test_what_is_missing_or_wrong_is_said(options: list[str], cure: str, tmp_path: Path) -> None:
    told = run(*options, "--out", str(tmp_path / "app.zip"))
    assert told.exit_code == 2
    assert cure in told.stderr
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    told = run("--app-id", APP, "--url", URL, "--out", str(tmp_path / "nowhere" / "app.zip"))
    assert told.exit_code == 1
    assert "--out" in told.stderr
