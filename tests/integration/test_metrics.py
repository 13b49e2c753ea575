"""What /metrics says is what happened."""

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
from tests.support.outbox import put, row
from tests.support.service import serve_world
from tests.support.world import World, world

RHYTHM = {"kind": "purpose", "every": "1", "weekdays": ("MO",), "at": "10:00", "place": "general", "on_holiday": "skip"}
"""Every Monday, for the first time an hour after a world begins."""
Samples = dict[tuple[str, ...], float]
"""Values by the name of a metric and its labels' values, in the order of the labels' names."""


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
async def watched(
    tmp_path: Path, request: pytest.FixtureRequest, logging_as_it_was: None
) -> AsyncIterator[tuple[World, str]]:
    """A world, and where its metrics are."""
    logs.set_up(io.StringIO())
    metrics = Metrics()
    async with world(tmp_path, kind=request.param, telemetry=metrics) as here, serve_world(here, metrics) as address:
        await here.movement("fatima", "jan", channels=("general", "night", "day", "garden"))
        yield here, address


async def test_intents_are_counted_by_name_and_by_what_came_of_them(
    watched: tuple[World, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, address = watched

    async def breaks(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(commands.HANDLERS, "help", breaks)
    await here.type("fatima", "/vast De nachtdienst hoort het als laatste")
    await here.submit("jan", await here.do("jan", "stuck"))
    await here.do("jan", "what nobody ever heard of")
    await here.do("jan", "help")
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


async def test_deliveries_are_counted_by_what_became_of_them_and_how_late_they_came(
    watched: tuple[World, str],
) -> None:
    here, address = watched
    assert of(await scrape(address), "ritme_delivery_results_total") == {}
    now = here.clock.now()
    for place, failure in {
        "general": (RetryAfter(now + timedelta(seconds=40)), False),
        "night": (OutcomeUnknown(), True),
        "day": (OutcomeUnknown(), False),
        "garden": (Unreachable("not_accepted"), False),
    }.items():
        here.messenger.fail_next = [failure]
        await put(here, place, place=place)
        await here.drain()
    found = await scrape(address)
    assert of(found, "ritme_delivery_results_total") == {
        ("test", "waiting"): 1,
        ("test", "unknown"): 2,
        ("test", "failed"): 1,
    }
    assert of(found, "ritme_delivery_retries_total") == {("test", "pace"): 1}
    assert of(found, "ritme_outbox_deliveries") == {("test", "waiting"): 1, ("test", "unknown"): 2}

    await here.pass_(minutes=1)
    found = await scrape(address)
    assert of(found, "ritme_delivery_results_total") == {
        ("test", "waiting"): 2,  # once as it was asked to wait, once as it had not arrived
        ("test", "unknown"): 2,
        ("test", "failed"): 1,
        ("test", "sent"): 3,
    }
    assert of(found, "ritme_delivery_retries_total") == {("test", "pace"): 1, ("test", "not_arrived"): 1}
    assert of(found, "ritme_delivery_lag_seconds_count") == {("test",): 3}
    arrived = [await row(here, place) for place in ("general", "night", "day")]
    lags = [(one.sent_at - now).total_seconds() for one in arrived if one.sent_at is not None]
    assert max(lags) == 40
    assert of(found, "ritme_delivery_lag_seconds_sum") == {("test",): sum(lags)}
    assert of(found, "ritme_delivery_lag_seconds_bucket")["30.0", "test"] == 2
    assert of(found, "ritme_outbox_deliveries") == {}


async def test_what_waits_is_told_as_it_is_now_with_how_long_it_should_have_been_there(
    watched: tuple[World, str],
) -> None:
    here, address = watched
    for place in ("general", "night"):
        await put(here, place, place=place)
    await put(here, "tomorrow", due_at=here.clock.now() + timedelta(days=1))
    here.clock.set(here.clock.now() + timedelta(seconds=90))
    found = await scrape(address)
    assert of(found, "ritme_outbox_deliveries") == {("test", "waiting"): 3}
    assert of(found, "ritme_outbox_due_deliveries") == {("test",): 2}
    assert of(found, "ritme_outbox_oldest_due_age_seconds") == {("test",): 90}
    await here.drain()
    found = await scrape(address)
    assert of(found, "ritme_outbox_due_deliveries") == {("test",): 0}
    assert of(found, "ritme_outbox_oldest_due_age_seconds") == {("test",): 0}


def test_where_nothing_waits_it_says_so_and_where_nobody_knows_it_says_nothing() -> None:
    metrics = Metrics(platforms=("slack", "teams"))
    quiet, unknown = (values(metrics.export(stats).decode()) for stats in ([], None))
    for name in ("ritme_outbox_due_deliveries", "ritme_outbox_oldest_due_age_seconds"):
        assert of(quiet, name) == {("slack",): 0, ("teams",): 0}
        assert of(unknown, name) == {}


async def test_moments_of_rhythms_are_counted_once(watched: tuple[World, str]) -> None:
    here, address = watched
    await here.do("iris", "rhythm.save", args=RHYTHM)
    await here.pass_(days=14)
    assert of(await scrape(address), "ritme_occurrences_planned_total") == {(): 2}
