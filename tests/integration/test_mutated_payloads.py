"""Mutated payloads, correctly signed: none leads to an error of ours or touches others. The long run: `make fuzz`."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from adapters.database.tables import metadata
from adapters.slack import inbound
from bot.domain.person import WorkspaceId
from tests.fuzz import stage as stages
from tests.fuzz.mutations import SPOILS, VALUES, apply, spoil
from tests.fuzz.pages import NEW_TEAM
from tests.fuzz.run import fuzz, judge
from tests.fuzz.stage import OTHERS, open_stage


@pytest.mark.parametrize(("database", "payloads"), [("sqlite", 1500), ("postgresql", 400)])
async def test_whatever_is_sent_is_handled_or_refused(tmp_path: Path, database: str, payloads: int) -> None:
    report = await fuzz(database, tmp_path, seed=16, asked=payloads, rehearses=database == "sqlite")

    assert report.problems(judged_as_a_whole=False) == []
    assert report.done == payloads
    accepted = sum(times for (_, status), times in report.statuses.items() if status in (200, 202))
    assert payloads * 0.3 < accepted < payloads * 0.8, "mutated too little, or too much, to say anything"


async def test_whatever_a_browser_or_a_program_asks_is_answered_and_changes_nothing(tmp_path: Path) -> None:
    report = await fuzz("sqlite", tmp_path, seed=20, asked=350, pages=1.0)

    assert report.problems(judged_as_a_whole=False) == []
    answered = {status for _, status in report.statuses}
    assert answered >= {200, 303, 401, 403, 404}, "with a session and a key, and without"


async def test_a_bug_is_found_and_told_with_the_least_that_leads_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise KeyError("user")

    monkeypatch.setattr(inbound.translate, "translate_command", break_down)
    report = await fuzz("sqlite", tmp_path, seed=16, asked=60, rehearses=False)

    (problem,) = report.problems(judged_as_a_whole=False)
    assert "request_failed KeyError" in problem
    assert "--seed 16 --only" in problem
    assert "least: slack command []" in problem, "it fails without any mutation"


async def test_every_page_is_reached_with_what_a_browser_has(tmp_path: Path) -> None:
    async with open_stage("sqlite", tmp_path) as stage:
        answers = [(one.content, await stage.ask_page(one.content)) for one in stage.pages]
        assert {status for _, (status, _) in answers} == {200, 302, 303, 400, 401, 404, 410, 422}
        assert sum(b"Mijn gegevens" in said for _, (_, said) in answers) == 2, "the file behind its link"
        async with stage.storage.begin() as work:
            assert await work.people.workspace(WorkspaceId(f"slack:{NEW_TEAM}")) is not None, (
                "an install that went well"
            )


async def test_what_asking_changes_and_what_tells_of_others_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_stage("sqlite", tmp_path) as stage:
        monkeypatch.setattr(stages, "INSTALLS", ("/none",))
        install = next(one for one in stage.pages if one.content["query"].get("code"))
        with pytest.raises(AssertionError, match="asking changed something"):
            await stage.ask_page(install.content)
        monkeypatch.setattr(stages, "OTHERS", "Samen")
        page = next(one for one in stage.pages if one.path == "/pages/m/ours/movement")
        with pytest.raises(AssertionError, match="tells of others"):
            await stage.ask_page(page.content)


async def test_what_changes_of_others_is_found(tmp_path: Path) -> None:
    async with open_stage("sqlite", tmp_path) as stage:
        assert await stage.find_trespasses() == []
        people = metadata.tables["people"]
        async with stage.storage.database.begin() as connection:
            await connection.execute(update(people).where(people.c.id == f"{OTHERS}jan").values(name="Iemand"))
        (found,) = await stage.find_trespasses()
        assert found.startswith("people: 1 gone")
        await stage.reset()
        assert await stage.find_trespasses() == []


@pytest.mark.parametrize(
    ("status", "said", "events", "wrong"),
    [
        (200, b"", [], ""),
        (400, b"", [{"event": "request_malformed", "level": "warning"}], ""),
        (501, b"", [], ""),
        (500, b'{"reference": "ab"}', [], 'status 500 that is not in the log b\'{"reference": "ab"}\''),
        (500, b"", [], "status 500 that is not in the log b''"),
        (503, b'{"reference": "ab"}', [{"event": "x", "level": "warning", "reference": "ab"}], "status 503"),
        (200, b"", [{"event": "intent_failed", "level": "error", "error": "KeyError"}], "intent_failed KeyError"),
        (302, b"", [], "status 302"),
    ],
)
def test_an_error_of_ours_is_one_whatever_it_looks_like(
    status: int, said: bytes, events: list[dict[str, Any]], wrong: str
) -> None:
    assert judge(status, said, events) == wrong


def test_mutations_change_what_they_are_given_and_nothing_else() -> None:
    content = {"user": {"id": "U1"}, "text": "hoi", "many": [1, 2]}
    assert apply(content, []) == content
    assert apply(content, [("value", ("user", "id"), None), ("gone", ("text",), None), ("wrap", ("many",), None)]) == {
        "user": {"id": None},
        "many": [[1, 2]],
    }
    assert apply(content, [("gone", ("user",), None), ("value", ("user", "id"), 7)]) == {"text": "hoi", "many": [1, 2]}
    assert content == {"user": {"id": "U1"}, "text": "hoi", "many": [1, 2]}
    assert all(isinstance(spoil(b'{"id": "x"}', [("raw", (), one)]), bytes) for one in SPOILS)
    assert len(VALUES) > 40
