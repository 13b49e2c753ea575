"""What the README tells an operator to do is what the software asks for."""

import json
from pathlib import Path

from adapters.doctor import SCOPES
from adapters.settings import CURES

CLONE = Path(__file__).resolve().parents[2]
MANIFEST = json.loads((CLONE / "docs" / "slack-manifest.json").read_text())
README = (CLONE / "README.md").read_text()


def test_the_manifest_asks_for_the_scopes_the_doctor_looks_for() -> None:
    assert MANIFEST["oauth_config"]["scopes"]["bot"] == sorted(SCOPES)


def test_every_address_in_the_manifest_is_the_one_to_replace() -> None:
    addresses = [command["url"] for command in MANIFEST["features"]["slash_commands"]]
    addresses += [MANIFEST["settings"][part]["request_url"] for part in ("event_subscriptions", "interactivity")]

    assert set(addresses) == {"https://ritme.example.org/slack/events"}


def test_the_readme_explains_every_variable() -> None:
    assert [variable for variable in CURES if f"`{variable}`" not in README] == []
