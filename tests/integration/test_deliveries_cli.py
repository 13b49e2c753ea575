"""`ritme deliveries`: what was not sent, why, and what to do about it; never what anybody wrote."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.commands import ritme
from adapters.database.migrate import migrate
from adapters.database.tables import metadata
from bot.domain.delivery import DeliveryState, to_place
from bot.domain.movement import PlaceId
from bot.ports import OutcomeUnknown, RetryAfter, Unreachable
from tests.support.databases import BOTH
from tests.support.outbox import put, row
from tests.support.world import LANE, World, world


@pytest.fixture(params=BOTH)
async def troubled(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """One delivery waits, one has an unknown outcome, one failed, and one was sent."""
    async with world(tmp_path, kind=request.param) as here:
        if request.param == "sqlite":
            async with here.database.begin() as connection:
                await connection.run_sync(metadata.drop_all)
            await migrate(here.database)
        monkeypatch.setenv("RITME_DATABASE_URL", here.kept.url)
        await here.movement("fatima", channels=("general", "night", "day", "garden"))
        later = here.clock.now() + timedelta(hours=1)
        failures = {
            "waits": RetryAfter(later),
            "unknown": OutcomeUnknown(),
            "failed": Unreachable("not_accepted"),
            "sent": None,
        }
        for (key, failure), place in zip(failures.items(), ("general", "night", "day", "garden"), strict=True):
            here.messenger.fail_next = [(failure, False)] if failure is not None else []
            await put(here, key, place=place)
            await here.drain()
        yield here


async def run(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner(env={"COLUMNS": "200"}).invoke, ritme, ("deliveries", *words))


@pytest.mark.usefixtures("troubled")
async def test_what_is_not_settled_or_failed_is_listed_with_why() -> None:
    said = await run("list")
    assert said.exit_code == 0, said.output
    for word in ("#general", "waiting", "the platform asked to wait a little", "unknown", "failed", "#day"):
        assert word in said.output
    assert "#garden" not in said.output
    listed = json.loads((await run("list", "--json", "--state", "failed")).output)
    assert [one["state"] for one in listed] == ["failed"]
    assert "Nothing of that kind" in (await run("list", "--workspace", "slack:T0")).output


async def test_what_is_overdue_is_listed_and_where_ritme_was_removed_nothing_is(troubled: World) -> None:
    assert "Nothing is overdue" in (await run("list", "--overdue")).output
    await put(troubled, "late", due_at=datetime(2026, 1, 1, tzinfo=UTC))
    said = (await run("list", "--overdue")).output
    assert (await row(troubled, "late")).id[:8] in said
    assert (await row(troubled, "waits")).id[:8] not in said
    await troubled.ritme.workspace_uninstalled(LANE, "removed")
    assert "Nothing is overdue" in (await run("list", "--overdue")).output


async def test_one_is_explained(troubled: World) -> None:
    failed = await row(troubled, "failed")
    said = await run("explain", failed.id[:8])
    assert said.exit_code == 0
    assert "not accept" in said.output
    assert "ritme deliveries retry" in said.output
    assert (await run("explain", "zzz")).exit_code == 1


async def test_what_failed_is_sent_again_and_what_was_sent_is_not(troubled: World) -> None:
    failed, sent = await row(troubled, "failed"), await row(troubled, "sent")
    assert (await run("retry", failed.id)).exit_code == 0
    again = await run("retry", sent.id)
    assert again.exit_code == 1
    assert "nothing to send again" in again.output
    assert (await row(troubled, "failed")).state is DeliveryState.WAITING
    assert (await row(troubled, "sent")).state is DeliveryState.SENT


async def test_what_may_have_arrived_is_sent_again_only_if_it_may_come_twice(troubled: World) -> None:
    unknown = await row(troubled, "unknown")
    refused = await run("retry", unknown.id)
    assert refused.exit_code == 1
    assert "--even-if-twice" in refused.output
    assert (await row(troubled, "unknown")).state is DeliveryState.UNKNOWN
    assert (await run("retry", unknown.id, "--even-if-twice")).exit_code == 0
    assert (await row(troubled, "unknown")).state is DeliveryState.WAITING


async def test_what_ended_without_anybody_knowing_is_sent_again_only_if_it_may_come_twice(troubled: World) -> None:
    async with troubled.begin() as work:
        failed = await work.deliveries.by_key("failed")
        assert failed is not None
        failed.fail("never_known")
    assert "--even-if-twice" in (await run("retry", failed.id)).output
    assert (await row(troubled, "failed")).state is DeliveryState.FAILED
    assert (await run("retry", failed.id, "--even-if-twice")).exit_code == 0
    assert (await row(troubled, "failed")).state is DeliveryState.WAITING


async def test_what_waits_can_be_dropped(troubled: World) -> None:
    waits = await row(troubled, "waits")
    assert (await run("drop", waits.id)).exit_code == 0
    dropped = await row(troubled, "waits")
    assert (dropped.state, dropped.reason) == (DeliveryState.DROPPED, "dropped_by_hand")
    assert (await run("drop", (await row(troubled, "sent")).id)).exit_code == 1


async def test_an_answer_that_was_dropped_has_no_words_left_to_send(troubled: World) -> None:
    for key in ("waits", "unknown"):
        one = await row(troubled, key)
        assert one.args
        assert (await run("drop", one.id)).exit_code == 0
        assert (await row(troubled, key)).args == {}
        again = await run("retry", one.id, "--even-if-twice")
        assert again.exit_code == 1
        assert "an answer" in again.output
        assert "goes out" not in again.output
        assert (await row(troubled, key)).state is DeliveryState.DROPPED
        assert "ritme deliveries retry" not in (await run("explain", one.id)).output


async def test_what_was_dropped_and_still_has_its_words_is_sent_again(troubled: World) -> None:
    async with troubled.begin() as work:
        garden = await work.movements.place(PlaceId("garden"))
        assert garden is not None
        at = troubled.clock.now()
        await work.deliveries.add(to_place(garden, "follow_up", key="step", now=at, args={"of": "a step"}))
    step = await row(troubled, "step")
    assert (await run("drop", step.id)).exit_code == 0
    assert (await row(troubled, "step")).args == {"of": "a step"}
    assert "ritme deliveries retry" in (await run("explain", step.id)).output
    assert "goes out" in (await run("retry", step.id)).output
    assert (await row(troubled, "step")).state is DeliveryState.WAITING


async def test_without_a_database_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RITME_DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    said = await run("list")
    assert said.exit_code == 1
    assert "ritme migrate" in said.output
