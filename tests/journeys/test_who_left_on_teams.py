"""Forget who left the organisation in Teams, which tells a bot nothing of that: their membership is looked up."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.drivers.border import HERE, InTeams, channel_id, open_teams
from tests.fakes.teams.microsoft import Fault
from tests.support.databases import BOTH

NOT_A_MEMBER = "MemberNotFoundInConversation"
GONE = Fault(status=404, code=NOT_A_MEMBER)


@pytest.fixture(params=BOTH)
async def teams(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[InTeams]:
    async with open_teams(tmp_path, kind=request.param) as opened:
        yield opened


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[InTeams]:
    """Open Teams on one database only."""
    async with open_teams(tmp_path) as opened:
        yield opened


async def pass_days(teams: InTeams, days: int) -> None:
    """Live on, with what the service does by itself every hour."""
    for _ in range(days):
        await teams.until(teams.clock.now() + timedelta(days=1))
        await teams.storage.engine.run_until_idle()


async def of_fatima(teams: InTeams) -> tuple[Any, ...] | None:
    """Return her account and since when it is deactivated."""
    query = "SELECT account, deactivated_at FROM people WHERE id = 'fatima'"
    async with teams.storage.database.connect() as connection:
        return tuple((await connection.exec_driver_sql(query)).one())


async def test_who_is_no_member_any_more_is_forgotten_after_ninety_days(teams: InTeams) -> None:
    await pass_days(teams, 8)
    assert "conversations/chat-of-fatima/members/29:fatima" in teams.microsoft.lookups
    assert await of_fatima(teams) == ("fatima", None)
    teams.microsoft.absent["fatima"] = GONE
    await pass_days(teams, 9)
    account, since = await of_fatima(teams) or (None, None)
    assert account == "fatima"
    assert since
    await pass_days(teams, 60)
    assert (await of_fatima(teams) or ())[0] == "fatima", "not before its days are over"
    await pass_days(teams, 35)
    assert await of_fatima(teams) == (None, None)
    async with teams.storage.database.connect() as connection:
        rows = await connection.exec_driver_sql("SELECT count(*) FROM people WHERE account IS NOT NULL")
        assert rows.scalar() >= 3, "nobody else"


@pytest.mark.parametrize(
    ("answer", "is_gone"),
    [
        (GONE, True),
        (Fault(status=400, code=NOT_A_MEMBER), True),
        (Fault(status=404), True),
        (Fault(status=404, code="ConversationNotFound"), False),
        (Fault(status=403, code="BotNotInConversationRoster"), False),
        (Fault(status=401), False),
        (Fault(status=429), False),
        (Fault(status=500), False),
        (Fault(status=502), False),
    ],
    ids=lambda one: f"{one.status} {one.code}" if isinstance(one, Fault) else "",
)
async def test_only_a_clear_answer_counts(here: InTeams, answer: Fault, is_gone: bool) -> None:
    here.microsoft.absent["fatima"] = answer
    await pass_days(here, 8)
    assert here.microsoft.lookups
    assert bool((await of_fatima(here) or ("", ""))[1]) is is_gone


async def test_who_speaks_again_or_is_found_again_never_left(here: InTeams) -> None:
    for again in ("speaks", "is found"):
        here.microsoft.absent["fatima"] = GONE
        await pass_days(here, 8)
        assert (await of_fatima(here) or ("", None))[1]
        here.microsoft.absent.clear()
        if again == "speaks":
            await here.type("fatima", "help")
        else:
            await pass_days(here, 8)
        assert await of_fatima(here) == ("fatima", None)


@pytest.mark.parametrize(("was_removed", "is_gone"), [(False, True), (True, False)])
async def test_who_was_met_among_others_left_when_no_conversation_has_them(
    here: InTeams, was_removed: bool, is_gone: bool
) -> None:
    async with here.storage.database.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE teams_conversations SET channel = '29:fatima', member = '29:fatima' WHERE account = 'fatima'"
        )
    if was_removed:  # she may be where we are not any more
        group = {"conversation": {"id": "19:g@thread.v2", "conversationType": "groupChat"}}
        await here.send("iris", {"type": "installationUpdate", "action": "remove", **group}, "")
    here.microsoft.absent["fatima"] = GONE
    await pass_days(here, 8)
    assert "conversations/29:fatima" not in str(here.microsoft.lookups)
    assert f"conversations/{channel_id(HERE)}/members/fatima" in here.microsoft.lookups
    assert bool((await of_fatima(here) or ("", ""))[1]) is is_gone
