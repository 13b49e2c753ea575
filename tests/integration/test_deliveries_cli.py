"""`ritme deliveries` lists, explains, retries and drops deliveries, and never shows what people wrote."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.commands import ritme
from adapters.database.migrate import migrate_schema
from adapters.database.tables import metadata
from bot.domain.delivery import DeliveryState, to_person, to_place
from bot.domain.movement import PlaceId
from bot.domain.person import WorkspaceId
from bot.ports import OutcomeUnknown, RetryAfter, Unreachable
from tests.support.databases import BOTH
from tests.support.outbox import enqueue_post, get_delivery
from tests.support.world import LANE, World, open_world


@pytest.fixture(params=BOTH)
async def outbox_world(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """Open a world with a delivery that waits, one with an unknown outcome, one that failed and one that was sent."""
    async with open_world(tmp_path, kind=request.param) as world:
        if request.param == "sqlite":
            async with world.database.begin() as connection:
                await connection.run_sync(metadata.drop_all)
            await migrate_schema(world.database)
        monkeypatch.setenv("RITME_DATABASE_URL", world.storage.url)
        await world.movement("fatima", channels=("general", "night", "day", "garden"))
        later = world.clock.now() + timedelta(hours=1)
        failures = {
            "waits": RetryAfter(later),
            "unknown": OutcomeUnknown(),
            "failed": Unreachable("not_accepted"),
            "sent": None,
        }
        for (key, failure), place in zip(failures.items(), ("general", "night", "day", "garden"), strict=True):
            world.messenger.fail_next = [(failure, False)] if failure is not None else []
            await enqueue_post(world, key, place=place)
            await world.drain()
        yield world


async def run(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner(env={"COLUMNS": "200"}).invoke, ritme, ("deliveries", *words))


@pytest.mark.usefixtures("outbox_world")
async def test_unsettled_and_failed_deliveries_are_listed_with_their_reasons() -> None:
    said = await run("list")
    assert said.exit_code == 0, said.output
    for word in ("#general", "waiting", "I am waiting a little", "unknown", "failed", "#day"):
        assert word in said.output
    assert "#garden" not in said.output
    listed = json.loads((await run("list", "--json", "--state", "failed")).output)
    assert [one["state"] for one in listed] == ["failed"]
    assert "No deliveries match" in (await run("list", "--workspace", "slack:T0")).output


async def test_overdue_deliveries_are_listed_except_where_ritme_was_removed(outbox_world: World) -> None:
    assert "Nothing is overdue" in (await run("list", "--overdue")).output
    await enqueue_post(outbox_world, "late", due_at=datetime(2026, 1, 1, tzinfo=UTC))
    said = (await run("list", "--overdue")).output
    assert (await get_delivery(outbox_world, "late")).id[:8] in said
    assert (await get_delivery(outbox_world, "waits")).id[:8] not in said
    await outbox_world.ritme.workspace_uninstalled(LANE)
    assert "Nothing is overdue" in (await run("list", "--overdue")).output


async def test_one_delivery_is_explained(outbox_world: World) -> None:
    failed = await get_delivery(outbox_world, "failed")
    said = await run("explain", failed.id[:8])
    assert said.exit_code == 0
    assert "not accept" in said.output
    assert "ritme deliveries retry" in said.output
    assert (await run("explain", "zzz")).exit_code == 1


async def add_personal_deliveries(world: World) -> None:
    """Add two messages for one person and one for another, of kinds that tell how they are."""
    async with world.begin() as work:
        for number, account in enumerate(("fatima", "fatima", "iris")):
            person = await work.people.by_account(WorkspaceId(LANE), account)
            assert person is not None
            await work.deliveries.add(
                to_person(person, "follow_up", key=f"private {number}", now=world.clock.now(), movement=None)
            )


async def test_nobody_is_shown_beside_what_tells_how_they_are(outbox_world: World) -> None:
    await add_personal_deliveries(outbox_world)
    listed = json.loads((await run("list", "--json")).output)
    private = [one["to"] for one in listed if one["kind"] == "follow_up"]
    assert private[0] == private[1] != private[2], "one sees who gets more than one, not who it is"
    for words in (("list",), ("list", "--json"), ("explain", (await get_delivery(outbox_world, "private 0")).id)):
        said = (await run(*words)).output
        assert "person-" in said
        assert "fatima" not in said
        assert "iris" not in said
        assert private[0] not in said, "no other run gives the same name"


async def test_who_it_is_can_be_shown_and_that_is_noted(outbox_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await add_personal_deliveries(outbox_world)
    kept: list[str] = []
    monkeypatch.setattr("syslog.syslog", lambda _priority, line: kept.append(line))
    monkeypatch.setenv("SUDO_USER", "ineke")
    ids = [(await get_delivery(outbox_world, f"private {number}")).id for number in range(3)]
    shown = await run("list", "--reveal", "--json")
    assert [one["to"] for one in json.loads(shown.stdout) if one["id"] in ids] == ["fatima", "fatima", "iris"]
    assert (await run("explain", ids[0], "--reveal")).stdout.count("fatima in") == 1
    first, second = (json.loads(line) for line in kept)
    assert set(ids) <= set(first["deliveries"])
    assert second["deliveries"] == ids[:1]
    for noted in (first, second):
        assert noted["event"] == "delivery_recipients_revealed"
        assert noted["by"].startswith("ineke as ")
        assert datetime.fromisoformat(noted["timestamp"]).tzinfo is not None
        assert "fatima" not in str(noted)
    assert kept[0] in shown.stderr


async def test_many_who_are_shown_are_noted_in_lines_that_no_log_cuts_off(
    outbox_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with outbox_world.begin() as work:
        person = await work.people.by_account(WorkspaceId(LANE), "fatima")
        assert person is not None
        for number in range(45):
            key = f"many {number}"
            await work.deliveries.add(
                to_person(person, "follow_up", key=key, now=outbox_world.clock.now(), movement=None)
            )
    kept: list[str] = []
    monkeypatch.setattr("syslog.syslog", lambda _priority, line: kept.append(line))
    shown = json.loads((await run("list", "--reveal", "--json", "--limit", "100")).stdout)
    assert len(kept) >= 3
    assert all(len(line.encode()) < 1_024 for line in kept)
    noted = [one for line in kept for one in json.loads(line)["deliveries"]]
    assert sorted(noted) == sorted(one["id"] for one in shown if one["to"].endswith(("fatima", "iris")))


async def test_a_failed_delivery_can_be_retried_and_a_sent_one_cannot(outbox_world: World) -> None:
    failed, sent = await get_delivery(outbox_world, "failed"), await get_delivery(outbox_world, "sent")
    assert (await run("retry", failed.id)).exit_code == 0
    again = await run("retry", sent.id)
    assert again.exit_code == 1
    assert "it cannot be retried" in again.output
    assert (await get_delivery(outbox_world, "failed")).state is DeliveryState.WAITING
    assert (await get_delivery(outbox_world, "sent")).state is DeliveryState.SENT


async def test_an_unknown_delivery_is_retried_only_with_even_if_twice(outbox_world: World) -> None:
    unknown = await get_delivery(outbox_world, "unknown")
    refused = await run("retry", unknown.id)
    assert refused.exit_code == 1
    assert "--even-if-twice" in refused.output
    assert (await get_delivery(outbox_world, "unknown")).state is DeliveryState.UNKNOWN
    assert (await run("retry", unknown.id, "--even-if-twice")).exit_code == 0
    assert (await get_delivery(outbox_world, "unknown")).state is DeliveryState.WAITING


async def test_an_unconfirmed_failure_is_retried_only_with_even_if_twice(outbox_world: World) -> None:
    async with outbox_world.begin() as work:
        failed = await work.deliveries.by_key("failed")
        assert failed is not None
        failed.fail("never_known")
    assert "--even-if-twice" in (await run("retry", failed.id)).output
    assert (await get_delivery(outbox_world, "failed")).state is DeliveryState.FAILED
    assert (await run("retry", failed.id, "--even-if-twice")).exit_code == 0
    assert (await get_delivery(outbox_world, "failed")).state is DeliveryState.WAITING


async def test_a_waiting_delivery_can_be_dropped(outbox_world: World) -> None:
    waits = await get_delivery(outbox_world, "waits")
    assert (await run("drop", waits.id)).exit_code == 0
    dropped = await get_delivery(outbox_world, "waits")
    assert (dropped.state, dropped.reason) == (DeliveryState.DROPPED, "dropped_by_hand")
    assert (await run("drop", (await get_delivery(outbox_world, "sent")).id)).exit_code == 1


async def test_a_dropped_answer_has_no_words_left_to_send(outbox_world: World) -> None:
    for key in ("waits", "unknown"):
        one = await get_delivery(outbox_world, key)
        assert one.args
        assert (await run("drop", one.id)).exit_code == 0
        assert (await get_delivery(outbox_world, key)).args == {}
        again = await run("retry", one.id, "--even-if-twice")
        assert again.exit_code == 1
        assert "an answer" in again.output
        assert "will be sent as soon" not in again.output
        assert (await get_delivery(outbox_world, key)).state is DeliveryState.DROPPED
        assert "ritme deliveries retry" not in (await run("explain", one.id)).output


async def test_a_dropped_delivery_with_words_can_be_retried(outbox_world: World) -> None:
    async with outbox_world.begin() as work:
        garden = await work.movements.place(PlaceId("garden"))
        assert garden is not None
        at = outbox_world.clock.now()
        await work.deliveries.add(to_place(garden, "follow_up", key="step", now=at, args={"of": "a step"}))
    step = await get_delivery(outbox_world, "step")
    assert (await run("drop", step.id)).exit_code == 0
    assert (await get_delivery(outbox_world, "step")).args == {"of": "a step"}
    assert "ritme deliveries retry" in (await run("explain", step.id)).output
    assert "will be sent as soon" in (await run("retry", step.id)).output
    assert (await get_delivery(outbox_world, "step")).state is DeliveryState.WAITING


async def test_without_a_database_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RITME_DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    said = await run("list")
    assert said.exit_code == 1
    assert "ritme migrate" in said.output
