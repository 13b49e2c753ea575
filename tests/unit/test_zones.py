"""Time zones that a platform reports are used only if they exist."""

import pytest

from adapters.slack.people import profile
from adapters.teams.activity import teams_account
from adapters.teams.payloads import read_activity
from adapters.zones import parse_time_zone

NONE = ["Mars/Base", "Europe", "../etc", "/etc/localtime", "a\0b", "z" * 5000, None, 31, {}]


@pytest.mark.parametrize("told", NONE, ids=lambda told: repr(told)[:30])
def test_an_unknown_zone_is_none(told: object) -> None:
    assert parse_time_zone(told) is None


def test_a_zone_is_itself() -> None:
    assert parse_time_zone("Europe/Amsterdam") == "Europe/Amsterdam"


def test_slack_and_teams_are_believed_alike() -> None:
    someone = {"type": "message", "conversation": {"id": "a:1"}, "from": {"id": "29:jan"}}
    for told, believed in (("Europe/Amsterdam", "Europe/Amsterdam"), ("Mars/Base", None)):
        assert teams_account(read_activity({**someone, "localTimezone": told})).timezone == believed
        in_client = {"entities": [{"type": "clientInfo", "timezone": told}]}
        assert teams_account(read_activity({**someone, **in_client})).timezone == believed
        assert profile({"tz": told}, "T1").timezone == believed
    both = {"localTimezone": "Mars/Base", "entities": [{"type": "clientInfo", "timezone": "Europe/Amsterdam"}]}
    assert teams_account(read_activity({**someone, **both})).timezone == "Europe/Amsterdam"
