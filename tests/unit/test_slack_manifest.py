"""The manifest is valid for Slack, and asks for the scopes and events that the code uses and no others."""

import ast
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from typer.testing import CliRunner

from adapters.cli.commands import ritme
from adapters.settings import CURES, Settings
from adapters.slack import events, inbound
from adapters.slack.manifest import slack_manifest
from adapters.slack.permissions import API_METHODS, BOT_EVENTS, SCOPES
from bot.commands import VOCABULARY
from bot.domain.person import Language

CLONE = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((CLONE / "tests" / "schemas" / "slack-manifest-1.0.0.json").read_text())
README = (CLONE / "README.md").read_text()
URL = "https://ritme.example.org"
EVERY = list(itertools.product(Language, (None, URL), (False, True), (False, True)))
FAMILIES = (
    "auth.",
    "chat.",
    "conversations.",
    "files.",
    "oauth.",
    "reactions.",
    "usergroups.",
    "users.",
    "views.",
    "apps.",
)
OURS_ALONE = {"reactions.read"}


def made(*, language: Language = Language.EN, url: str | None = URL, **more: Any) -> dict[str, Any]:
    return slack_manifest(language, url=url, **more)


@pytest.mark.parametrize(("language", "url", "dutch", "many"), EVERY)
def test_slack_accepts_it(language: Language, url: str | None, dutch: bool, many: bool) -> None:
    whole = made(language=language, url=url, dutch=dutch, many=many)
    assert list(Draft7Validator(SCHEMA).iter_errors(whole)) == []
    # What the schema does not know, from the reference of the app manifest.
    display = whole["display_information"]
    assert len(display["description"]) <= 140
    assert 174 <= len(display["long_description"]) <= 4000
    for command in whole["features"]["slash_commands"]:
        assert len(command["command"]) <= 32
        assert len(command["description"]) <= 2000
        assert len(command["usage_hint"]) <= 1000
    for shortcut in whole["features"]["shortcuts"]:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150


def test_an_app_of_another_name_is_called_so_everywhere() -> None:
    whole = made(name="Samen")
    assert whole["display_information"]["name"] == whole["features"]["bot_user"]["display_name"] == "Samen"
    assert "Ritme" not in json.dumps(whole)


def test_people_are_told_the_commands_that_the_app_has() -> None:
    told = Settings().slack_commands
    assert told == tuple(command["command"] for command in made()["features"]["slash_commands"])
    dutch = Settings(slack_commands_listed="/ritme, /stuck /story /vast /verhaal").slack_commands
    assert dutch == tuple(command["command"] for command in made(dutch=True)["features"]["slash_commands"])


@pytest.mark.parametrize("language", list(Language))
def test_it_names_the_same_address_everywhere_or_none(language: Language) -> None:
    addresses = {URL + inbound.EVENTS_PATH}
    whole = made(language=language, dutch=True)
    assert {command["url"] for command in whole["features"]["slash_commands"]} == addresses
    assert {whole["settings"][part]["request_url"] for part in ("event_subscriptions", "interactivity")} == addresses
    assert not whole["settings"]["socket_mode_enabled"]
    socket = made(language=language, url=None, dutch=True)
    assert "http" not in json.dumps(socket)
    assert socket["settings"]["socket_mode_enabled"]


def test_many_workspaces_come_back_to_a_page_and_get_tokens_that_end() -> None:
    whole = made(many=True)
    assert whole["oauth_config"]["redirect_urls"] == [f"{URL}/slack/oauth_redirect"]
    assert whole["settings"]["token_rotation_enabled"]
    assert not whole["settings"]["org_deploy_enabled"]
    assert "redirect_urls" not in made()["oauth_config"]


def test_dutch_commands_come_when_asked_and_all_mean_something() -> None:
    def names(**more: bool) -> list[str]:
        return [one["command"] for one in made(**more)["features"]["slash_commands"]]

    assert names() == ["/ritme", "/stuck", "/story"]
    assert names(dutch=True) == ["/ritme", "/stuck", "/story", "/vast", "/verhaal"]
    assert all(VOCABULARY.meaning(name.lstrip("/")) for name in names(dutch=True) if name != "/ritme")


def strings(file: Path) -> set[str]:
    """Return every string constant in a module."""
    tree = ast.parse(file.read_text())
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_method_that_is_called_is_known_with_its_scope() -> None:
    files = [
        file
        for file in Path(inbound.__file__).parent.glob("*.py")
        if file.name not in ("permissions.py", "manifest.py")
    ]
    said = set().union(*map(strings, files))
    called = {one for one in said if one.startswith(FAMILIES) and " " not in one and ":" not in one} - OURS_ALONE
    assert called - {"chat.", "views."} == set(API_METHODS)


def handled_event_types() -> set[str]:
    """Return the event types that are translated, and those that the listener of removals handles."""
    return set(events.EVENT_TRANSLATORS) | inbound.APP_REMOVED_EVENTS


def test_every_listener_has_its_event_and_every_event_its_listener() -> None:
    assert {event.partition(".")[0] for event in BOT_EVENTS} == handled_event_types()
    assert made()["settings"]["event_subscriptions"]["bot_events"] == sorted(BOT_EVENTS)


def test_no_scope_is_missing_and_none_too_many() -> None:
    used = {scope for scope in (*BOT_EVENTS.values(), *API_METHODS.values()) if scope} | {"commands"}
    assert used == set(SCOPES)
    assert made()["oauth_config"]["scopes"]["bot"] == sorted(SCOPES)


def test_the_command_prints_it() -> None:
    printed = CliRunner().invoke(ritme, ["manifest", "slack", "--url", f"{URL}/", "--lang", "nl", "--dutch-commands"])
    assert printed.exit_code == 0
    assert json.loads(printed.stdout) == made(language=Language.NL, dutch=True)
    socket = CliRunner().invoke(ritme, ["manifest", "slack", "--socket"])
    assert json.loads(socket.stdout) == made(url=None)


@pytest.mark.parametrize("options", [[], ["--url", "http://ritme.example.org"], ["--socket", "--many"]])
def test_without_an_address_it_says_what_to_do(options: list[str]) -> None:
    printed = CliRunner().invoke(ritme, ["manifest", "slack", *options])
    assert printed.exit_code == 2
    assert "--url" in printed.stderr


def test_the_public_url_is_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RITME_PUBLIC_URL", URL)
    printed = CliRunner().invoke(ritme, ["manifest", "slack"])
    assert json.loads(printed.stdout) == made()


@pytest.mark.parametrize("variable", list(CURES))
def test_the_readme_explains_every_variable(variable: str) -> None:
    assert f"`{variable}`" in README
