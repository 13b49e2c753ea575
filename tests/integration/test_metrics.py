"""/metrics counts intents, deliveries, retries and planned moments as they happened."""

import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters import logs
from adapters.metrics import Metrics
from bot import commands
from bot.ports import OutcomeUnknown, RetryAfter, Unreachable
from tests.support.databases import BOTH
from tests.support.outbox import enqueue_post, get_delivery
from tests.support.service import serve_world
from tests.support.world import World, open_world

RHYTHM = {"kind": "purpose", "every": "1", "weekdays": ("MO",), "at": "10:00", "place": "general", "on_holiday": "skip"}
"""A rhythm on Mondays; its first moment is an hour after a world begins."""
Samples = dict[tuple[str, ...], float]
"""Values of metrics, by name and the values of the labels in the order of the labels' names."""


async def scrape(address: str) -> Samples:
    async with aiohttp.ClientSession() as session, session.get(f"{address}/metrics") as answer:
        assert answer.status == 200
        return values(await answer.text())


def values(said: str) -> Samples:
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(said)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def of(found: Samples, name: str) -> Samples:
    return {labels[1:]: value for labels, value in found.items() if labels[0] == name}


@pytest.fixture(params=BOTH)
async def world_and_metrics(
    tmp_path: Path, request: pytest.FixtureRequest, logging_as_it_was: None
) -> AsyncIterator[tuple[World, str]]:
    """Open a world and serve its metrics; yield it with the address."""
    logs.configure_logging(io.StringIO())
    metrics = Metrics()
    async with (
        open_world(tmp_path, kind=request.param, telemetry=metrics) as world,
        serve_world(world, metrics) as address,
    ):
        await world.movement("fatima", "jan", channels=("general", "night", "day", "garden"))
        yield world, address


async def test_intents_are_counted_by_name_and_outcome(
    world_and_metrics: tuple[World, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, address = world_and_metrics

    async def breaks(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(commands.HANDLERS, "help", breaks)
    await world.type("fatima", "/vast De nachtdienst hoort het als laatste")
    await world.submit("jan", await world.do("jan", "stuck"))
    await world.do("jan", "what nobody ever heard of")
    await world.do("jan", "help")
    found = await scrape(address)
    assert of(found, "ritme_intents_total") == {
        ("stuck", "ok"): 2,
        ("stuck.report", "invalid"): 1,
        ("unknown", "refused"): 1,
        ("help", "broken"): 1,
    }
    assert of(found, "ritme_intent_duration_seconds_count") == {(): 5}
    assert of(found, "ritme_intent_duration_seconds_bucket")["+Inf",] == 5
    assert of(found, "ritme_intent_duration_seconds_sum")[()] > 0


async def test_deliveries_are_counted_by_result_and_lag(
    world_and_metrics: tuple[World, str],
) -> None:
    world, address = world_and_metrics
    assert of(await scrape(address), "ritme_delivery_results_total") == {}
    now = world.clock.now()
    for place, failure in {
        "general": (RetryAfter(now + timedelta(seconds=40)), False),
        "night": (OutcomeUnknown(), True),
        "day": (OutcomeUnknown(), False),
        "garden": (Unreachable("not_accepted"), False),
    }.items():
        world.messenger.fail_next = [failure]
        await enqueue_post(world, place, place=place)
        await world.drain()
    found = await scrape(address)
    assert of(found, "ritme_delivery_results_total") == {
        ("test", "waiting"): 1,
        ("test", "unknown"): 2,
        ("test", "failed"): 1,
    }
    assert of(found, "ritme_delivery_retries_total") == {("test", "pace"): 1}
    assert of(found, "ritme_outbox_deliveries") == {("test", "waiting"): 1, ("test", "unknown"): 2}

    await world.pass_(minutes=1)
    found = await scrape(address)
    assert of(found, "ritme_delivery_results_total") == {
        ("test", "waiting"): 2,  # once as it was asked to wait, once as it had not arrived
        ("test", "unknown"): 2,
        ("test", "failed"): 1,
        ("test", "sent"): 3,
    }
    assert of(found, "ritme_delivery_retries_total") == {("test", "pace"): 1, ("test", "not_arrived"): 1}
    assert of(found, "ritme_delivery_lag_seconds_count") == {("test",): 3}
    arrived = [await get_delivery(world, place) for place in ("general", "night", "day")]
    lags = [(one.sent_at - now).total_seconds() for one in arrived if one.sent_at is not None]
    assert max(lags) == 40
    assert of(found, "ritme_delivery_lag_seconds_sum") == {("test",): sum(lags)}
    assert of(found, "ritme_delivery_lag_seconds_bucket")["30.0", "test"] == 2
    assert of(found, "ritme_outbox_deliveries") == {}


async def test_outbox_gauges_show_what_waits_now_and_the_oldest_due_age(
    world_and_metrics: tuple[World, str],
) -> None:
    world, address = world_and_metrics
    for place in ("general", "night"):
        await enqueue_post(world, place, place=place)
    await enqueue_post(world, "tomorrow", due_at=world.clock.now() + timedelta(days=1))
    world.clock.set(world.clock.now() + timedelta(seconds=90))
    found = await scrape(address)
    assert of(found, "ritme_outbox_deliveries") == {("test", "waiting"): 3}
    assert of(found, "ritme_outbox_due_deliveries") == {("test",): 2}
    assert of(found, "ritme_outbox_oldest_due_age_seconds") == {("test",): 90}
    await world.drain()
    found = await scrape(address)
    assert of(found, "ritme_outbox_due_deliveries") == {("test",): 0}
    assert of(found, "ritme_outbox_oldest_due_age_seconds") == {("test",): 0}


def test_outbox_gauges_are_zero_when_empty_and_absent_when_the_database_is_unavailable() -> None:
    metrics = Metrics(platforms=("slack", "teams"))
    quiet, unknown = (values(metrics.export(stats).decode()) for stats in ([], None))
    for name in ("ritme_outbox_due_deliveries", "ritme_outbox_oldest_due_age_seconds"):
        assert of(quiet, name) == {("slack",): 0, ("teams",): 0}
        assert of(unknown, name) == {}


async def test_moments_of_rhythms_are_counted_once(world_and_metrics: tuple[World, str]) -> None:
    world, address = world_and_metrics
    await world.do("iris", "rhythm.save", args=RHYTHM)
    await world.pass_(days=14)
    assert of(await scrape(address), "ritme_occurrences_planned_total") == {(): 2}
