"""What every test may lean on."""

import os

import pytest

OURS = ("RITME_", "SLACK_", "TEAMS_")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No address, token or proxy of this shell reaches a test: Slack's libraries read them by themselves."""
    for name in list(os.environ):
        if name.startswith(OURS) or name.upper() in PROXIES or name == "PORT":
            monkeypatch.delenv(name)
