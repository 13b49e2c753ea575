"""Take over what an activity of Teams tells of whoever sent it, until they choose for themselves."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.person import Language, Person, WorkspaceId
from tests.drivers.border import TENANT, InTeams, open_teams
from tests.fakes.teams.microsoft import Fault

LANE = WorkspaceId(f"teams:{TENANT}")


@pytest.fixture
async def teams(tmp_path: Path) -> AsyncIterator[InTeams]:
    async with open_teams(tmp_path) as opened:
        yield opened


async def speak(teams: InTeams, name: str, locale: str | None, zone: str | None, **more: Any) -> Person:
    """Have Fatima say something, called `name` and with a client that is set so; return her row."""
    sender = {"id": "29:fatima", "aadObjectId": "fatima", "name": name}
    facts = {"locale": locale, "localTimezone": zone, "from": sender}
    await teams.send("fatima", {"type": "message", "text": "dankjewel!", **facts, **more}, "")
    async with teams.begin() as work:
        found = await work.people.by_account(LANE, "fatima")
        assert found is not None
        return found


def facts_of(person: Person) -> tuple[str, Language | None, str | None]:
    return person.name, person.language, person.timezone


async def test_what_is_told_follows_until_they_choose(teams: InTeams) -> None:
    first = await speak(teams, "Fatima", "nl-NL", "Europe/Amsterdam")
    assert facts_of(first) == ("Fatima", Language.NL, "Europe/Amsterdam")
    moved = await speak(teams, "Fatima Jansen", "en-GB", "Europe/London")
    assert facts_of(moved) == ("Fatima Jansen", Language.EN, "Europe/London")
    # Nothing told, or nothing we know, changes nothing.
    for locale, zone in ((None, None), ("de-DE", "Mars/Base"), ("", "")):
        assert facts_of(await speak(teams, "", locale, zone)) == facts_of(moved)
    client = [{"type": "clientInfo", "locale": "nl-NL", "timezone": "Europe/Brussels"}]
    told = await speak(teams, "Fatima Jansen", None, None, entities=client)
    assert facts_of(told) == ("Fatima Jansen", Language.NL, "Europe/Brussels")
    async with teams.begin() as work:
        chooser = await work.people.by_account(LANE, "fatima")
        assert chooser is not None
        chooser.chose = ["language", "timezone"]
    kept = await speak(teams, "Fatima J.", "en-GB", "Europe/London")
    assert facts_of(kept) == ("Fatima J.", Language.NL, "Europe/Brussels")


async def test_a_message_whose_answer_was_lost_is_found_by_its_button_and_deleted(teams: InTeams) -> None:
    """Teams tells nobody whether such a message arrived; who presses its button does."""
    teams.microsoft.faults.append(Fault(hang_up=True, after=True))
    await teams.send("fatima", {"type": "message", "text": "ik"}, "")
    await teams.until(teams.clock.now() + timedelta(minutes=10))
    assert ("failed", None) in await answers(teams)
    lost = (await teams.to("fatima"))[-1]
    await teams.press("fatima", lost, "me.settings")
    assert ("sent", lost.id) in await answers(teams)
    await teams.send("fatima", {"type": "message", "text": "ik"}, "")
    await teams.press("fatima", (await teams.to("fatima"))[-1], "me.forget")
    await teams.until(teams.clock.now() + timedelta(minutes=10))
    deleted = [path for method, path, _ in teams.microsoft.calls if method == "DELETE"]
    assert f"conversations/chat-of-fatima/activities/{lost.id}" in deleted


async def answers(teams: InTeams) -> list[tuple[Any, ...]]:
    async with teams.storage.database.connect() as connection:
        found = await connection.exec_driver_sql("SELECT state, receipt FROM deliveries WHERE person_id = 'fatima'")
        return [tuple(row) for row in found]
