"""The install guide, followed to the letter: its own lines in a shell, its own tokens, and then Slack."""

import asyncio
import json
import os
import re
import signal
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path

import aiohttp
import pytest
from cryptography.fernet import Fernet
from jsonschema import Draft7Validator

from adapters.settings import CURES, Settings
from adapters.slack.permissions import SCOPES
from bot.commands import VOCABULARY
from tests.drivers.slack import SlackDriver
from tests.fakes.slack.people import People
from tests.fakes.slack.server import TOKEN, SlackServer
from tests.fakes.slack.sockets import APP_TOKEN
from tests.fakes.slack.state import Modal
from tests.pictures import SCRIPTS, walk
from tests.support.guides import (
    BLOCK,
    CLONE,
    DOCS,
    code_blocks,
    find_broken_links,
    read_until,
    split_by_heading,
    trouble_texts,
    type_in_shell,
)

GUIDES = {"en": "install-slack.md", "nl": "install-slack.nl.md"}
DUTCH = " --lang nl --dutch-commands"
SCHEMA = json.loads((CLONE / "tests" / "schemas" / "slack-manifest-1.0.0.json").read_text())
TOKENS = {"xoxb-your-own": TOKEN, "xapp-your-own": APP_TOKEN}


def guide(language: str) -> str:
    return (DOCS / GUIDES[language]).read_text()


def socket_mode_part(language: str) -> str:
    """Return the part of the guide that installs Ritme over Socket Mode."""
    return list(split_by_heading(guide(language)).values())[1]


# -- walking it --------------------------------------------------------------------------------------------------------


def type_guide(
    language: str, slack: SlackServer, home: Path
) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    """Type every line of the guide in a shell, one after the other; it stays in the last one."""
    text = socket_mode_part(language)
    (typed,) = code_blocks(text, "ini")
    for placeholder, token in TOKENS.items():
        assert placeholder in typed
        typed = typed.replace(placeholder, token)
    environment = {"SLACK_API_URL": slack.api_url, "RITME_PORT": "0"}
    return type_in_shell(code_blocks(text, "sh"), home, typed=typed, environment=environment)


def without_revision(said: str) -> str:
    """Replace the number of the newest migration in what the doctor says."""
    return re.sub(r"at revision \w+", "at revision …", said)


@pytest.mark.parametrize("language", GUIDES)
async def test_following_it_leads_to_a_movement(language: str, tmp_path: Path) -> None:
    async with (
        SlackServer(lambda: datetime.now(UTC)).running() as slack,
        aiohttp.ClientSession() as session,
        type_guide(language, slack, tmp_path) as shell,
    ):
        people = People(server=slack, session=session, bot_url="", forbids_calls=False)
        iris = slack.add_user("Iris", locale=language).id
        channel = slack.add_channel("wijkteam", iris, with_bot=False).id

        await read_until(shell, "=== done")  # step 1
        printed = await read_until(shell, "=== done")  # step 2
        manifest = json.loads(printed.removesuffix("=== done\n"))
        assert list(Draft7Validator(SCHEMA).iter_errors(manifest)) == []
        assert manifest["settings"]["socket_mode_enabled"]
        slack.granted = manifest["oauth_config"]["scopes"]["bot"]

        said = await read_until(shell, "Ritme is ready")
        lines = takewhile(lambda line: "===" not in line, said[said.index("✓") :].splitlines(keepends=True))
        (foretold,) = code_blocks(socket_mode_part(language), "")
        said = without_revision("".join(lines)).replace(":0,", ":8080,").replace(":0\n", ":9080\n")
        assert said == without_revision(foretold)
        assert (tmp_path / "ritme" / "var" / "ritme.db").exists()
        await slack.sockets.wait_for_connections()

        await people.invite_bot(iris, channel)
        await slack.wait_for_words(channel, iris, "/ritme stop")
        form = await people.command(iris, channel, "/ritme start")
        assert isinstance(form, Modal)
        assert f"**{form.view['submit']['text']}**" in socket_mode_part(language)
        assert await people.submit(iris, form, name="Samen op pad", vision="Iedereen loopt mee") is None
        await slack.wait_for_words(channel, iris, "Samen op pad")

        os.kill(int((tmp_path / "tools" / "pid").read_text()), signal.SIGTERM)
        rest, _ = await shell.communicate()
        assert shell.returncode == 0, rest.decode()
        assert slack.sockets.open == []
        assert (slack.problems, slack.sockets.problems) == ([], [])
        assert TOKEN not in said + rest.decode()


@pytest.mark.parametrize("language", GUIDES)
async def test_its_pictures_can_be_drawn_anew(language: str, on_slack: SlackDriver) -> None:
    drawn: list[str] = []

    async def keep(name: str, html: str) -> None:
        assert "</" in html
        drawn.append(f"images/slack-{name}-{language}.png")

    await walk(on_slack, SCRIPTS[language], language, keep)
    assert sorted(drawn) == sorted(re.findall(r"!\[.+\]\((.+)\)", guide(language)))


# -- reading it --------------------------------------------------------------------------------------------------------


def test_both_languages_type_the_same() -> None:
    dutch = [inside.replace(DUTCH, "") for _, inside in BLOCK.findall(guide("nl"))]
    assert dutch == [inside for _, inside in BLOCK.findall(guide("en"))]
    assert len(split_by_heading(guide("nl"))) == len(split_by_heading(guide("en")))


def test_the_list_of_what_ritme_may_do_is_whole_and_true() -> None:
    def rows(language: str) -> dict[str, str]:
        return dict(re.findall(r"^\| `([a-z_.]+:?[a-z_.]*)` \| (.+) \|$", guide(language), re.MULTILINE))

    assert rows("en") == SCOPES
    assert list(rows("nl")) == list(SCOPES)


@pytest.mark.parametrize("language", GUIDES)
def test_each_way_to_run_it_has_all_it_needs(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = [block for block in code_blocks(guide(language), "ini") if "SLACK_" in block]
    assert len(shown) == 3
    for block in shown:
        for name in CURES:
            monkeypatch.delenv(name, raising=False)
        for line in block.splitlines():
            name, _, value = line.partition("=")
            monkeypatch.setenv(name, Fernet.generate_key().decode() if name == "RITME_SECRET_KEY" else value)
        settings = Settings.load()
        assert settings.missing_for_serving() == {}
        assert settings.is_multi_workspace == ("SLACK_CLIENT_ID" in block)


@pytest.mark.parametrize("language", GUIDES)
def test_every_command_in_it_means_something(language: str) -> None:
    typed = re.findall(r"`(?:/ritme|@Ritme) ([a-z]+)`", guide(language))
    assert typed
    assert all(map(VOCABULARY.meaning, typed))


@pytest.mark.parametrize("language", GUIDES)
def test_every_link_and_picture_leads_somewhere(language: str) -> None:
    assert find_broken_links(guide(language)) == []


@pytest.mark.parametrize("language", GUIDES)
def test_its_troubles_are_in_the_words_people_see(language: str) -> None:
    ours = "\n".join(
        file.read_text()
        for pattern in (
            "adapters/**/*.py",
            "Makefile",
            f"prompts/{language}/errors/*.j2",
            "prompts/*/slack/pages.md.j2",
        )
        for file in CLONE.glob(pattern)
    )
    slacks = {"manifest with errors", "dispatch_failed", "not a valid command", "has been turned off"}
    for said in trouble_texts(guide(language)):
        assert said in ours or any(one in said for one in slacks), said
