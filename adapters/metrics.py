"""Metrics for Prometheus.

Counters and histograms hold for this process. Gauges are read from the database at each scrape and hold for all
processes.
"""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from adapters.database.outbox import OutboxStats
from adapters.tracing import Tracer
from bot.domain.delivery import Delivery, DeliveryState
from bot.domain.person import platform_of

DURATION_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5)
"""Seconds; a person wants 0.1, Slack gives up after 3 and Teams after 5."""
LAG_BUCKETS = (1, 2, 5, 10, 30, 60, 300, 900, 3600, 14400)
"""Seconds; what is more than four hours late is dropped."""


class Metrics:
    """Implement the core's `Telemetry`: count in a registry of its own, and create spans when `tracer` is given.

    `platforms` are those that are served; it is read at each export, so it may still be empty now.
    """

    def __init__(self, tracer: Tracer | None = None, *, platforms: Collection[str] = ()) -> None:
        self._tracer = tracer
        self._platforms = platforms
        self.registry = CollectorRegistry()
        self._intents = Counter(
            "ritme_intents",
            "Intents (commands, buttons and forms) handled, by name and outcome",
            ["name", "outcome"],
            registry=self.registry,
        )
        self._durations = Histogram(
            "ritme_intent_duration_seconds",
            "Seconds it took to handle an intent and answer it",
            buckets=DURATION_BUCKETS,
            registry=self.registry,
        )
        self._results = Counter(
            "ritme_delivery_results",
            "Results of sending or looking up a delivery, by platform and the state it led to",
            ["platform", "state"],
            registry=self.registry,
        )
        self._retries = Counter(
            "ritme_delivery_retries",
            "Deliveries rescheduled after an attempt, by platform and reason",
            ["platform", "reason"],
            registry=self.registry,
        )
        self._lag = Histogram(
            "ritme_delivery_lag_seconds",
            "Seconds from when a delivery was due until it was sent",
            ["platform"],
            buckets=LAG_BUCKETS,
            registry=self.registry,
        )
        self._planned = Counter(
            "ritme_occurrences_planned", "Occurrences of rhythms for which deliveries were made", registry=self.registry
        )
        self._unsettled = Gauge(
            "ritme_outbox_deliveries",
            "Deliveries in the outbox that are not settled, by platform and state",
            ["platform", "state"],
            registry=self.registry,
        )
        self._due = Gauge(
            "ritme_outbox_due_deliveries", "Waiting deliveries that are due", ["platform"], registry=self.registry
        )
        self._oldest = Gauge(
            "ritme_outbox_oldest_due_age_seconds",
            "Seconds since the oldest delivery that can be sent now became due",
            ["platform"],
            registry=self.registry,
        )

    def span(self, what: str, correlation: str, **about: str) -> AbstractContextManager[None]:
        return self._tracer.span(what, correlation, about) if self._tracer is not None else nullcontext()

    def record_intent(self, intent: str, outcome: str, seconds: float) -> None:
        self._intents.labels(intent, outcome).inc()
        self._durations.observe(seconds)

    def record_planning(self, moments: int) -> None:
        self._planned.inc(moments)

    def record_delivery(self, delivery: Delivery) -> None:
        platform = platform_of(delivery.workspace_id)
        self._results.labels(platform, delivery.state.value).inc()
        if delivery.state is DeliveryState.WAITING and delivery.attempted_at is not None:
            self._retries.labels(platform, delivery.reason or "asked").inc()
        if delivery.state is DeliveryState.SENT and delivery.sent_at is not None:
            # The two moments may come from different clocks: a lag is never negative.
            self._lag.labels(platform).observe(
                max(0.0, (delivery.sent_at - (delivery.queued_at or delivery.due_at)).total_seconds())
            )

    def export(self, stats: Sequence[OutboxStats] | None) -> bytes:
        """Return all metrics in Prometheus's text format. `stats` is None while the database gives no answer."""
        # A series that is absent means "unknown" to an alarm; zero means "nothing waits". So without stats there are
        # no gauges, and with them every platform has its zeros.
        for gauge in (self._unsettled, self._due, self._oldest):
            gauge.clear()
        for platform in self._platforms if stats is not None else ():
            self._due.labels(platform).set(0)
            self._oldest.labels(platform).set(0)
        for one in stats or ():
            self._unsettled.labels(one.platform, one.state).set(one.rows)
            if one.state == DeliveryState.WAITING.value:
                self._due.labels(one.platform).set(one.due)
                self._oldest.labels(one.platform).set(max(0.0, one.oldest_due_age.total_seconds()))
        return generate_latest(self.registry)
