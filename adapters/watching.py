"""For who keeps Ritme running: what /metrics says, and traces for who has somewhere to send them.

What this process did is counted here; how the outbox stands is asked of the database, and holds for all processes.
"""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from typing import Any, Protocol

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.domain.delivery import Delivery, DeliveryState

log = structlog.get_logger(__name__)
ANSWER_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5)
"""Seconds; a person wants 0.1, Slack gives up after 3 and Teams after 5."""
LAG_BUCKETS = (1, 2, 5, 10, 30, 60, 300, 900, 3600, 14400)
"""Seconds; what is more than four hours late is dropped."""


class Standing(Protocol):
    """How many deliveries of a platform are in a state, for all processes."""

    @property
    def platform(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def rows(self) -> int: ...
    @property
    def due(self) -> int:
        """How many of them it is time for."""

    @property
    def late(self) -> timedelta:
        """For how long the oldest of those could have been sent."""


class Tracer(Protocol):
    """What makes spans: see `traces`."""

    def span(self, what: str, correlation: str, about: Mapping[str, str]) -> AbstractContextManager[None]: ...


class Watching:
    """The core's `Watch`: counts in a registry of its own, and makes spans where `tracer` is given. `platforms`: those
    that are served, whenever that is asked."""

    def __init__(self, tracer: Tracer | None = None, *, platforms: Collection[str] = ()) -> None:
        self._tracer = tracer
        self._platforms = platforms
        self.registry = CollectorRegistry()
        self._intents = Counter(
            "ritme_intents",
            "What people did, by name and by what came of it",
            ["name", "outcome"],
            registry=self.registry,
        )
        self._answers = Histogram(
            "ritme_answer_seconds", "How long an answer took", buckets=ANSWER_BUCKETS, registry=self.registry
        )
        self._deliveries = Counter(
            "ritme_deliveries", "What became of deliveries", ["platform", "state"], registry=self.registry
        )
        self._retries = Counter(
            "ritme_retries", "Deliveries put off after a try, by why", ["platform", "reason"], registry=self.registry
        )
        self._lag = Histogram(
            "ritme_delivery_lag_seconds",
            "From when a delivery was due to when it arrived",
            ["platform"],
            buckets=LAG_BUCKETS,
            registry=self.registry,
        )
        self._planned = Counter("ritme_planned", "Moments of rhythms turned into deliveries", registry=self.registry)
        self._outbox = Gauge(
            "ritme_outbox_rows", "Deliveries not settled yet", ["platform", "state"], registry=self.registry
        )
        self._queue = Gauge("ritme_queue_depth", "Deliveries that are due now", ["platform"], registry=self.registry)
        self._overdue = Gauge(
            "ritme_overdue_seconds", "How long the oldest due delivery has waited", ["platform"], registry=self.registry
        )

    def during(self, what: str, correlation: str, **about: str) -> AbstractContextManager[None]:
        return self._tracer.span(what, correlation, about) if self._tracer is not None else nullcontext()

    def handled(self, intent: str, outcome: str, seconds: float) -> None:
        self._intents.labels(intent, outcome).inc()
        self._answers.observe(seconds)

    def planned(self, moments: int) -> None:
        self._planned.inc(moments)

    def settled(self, delivery: Delivery) -> None:
        platform = delivery.workspace_id.partition(":")[0]
        self._deliveries.labels(platform, delivery.state.value).inc()
        if delivery.state is DeliveryState.WAITING and delivery.attempted_at is not None:
            self._retries.labels(platform, delivery.reason or "asked").inc()
        if delivery.state is DeliveryState.SENT and delivery.sent_at is not None:
            self._lag.labels(platform).observe(
                max(0.0, (delivery.sent_at - (delivery.queued_at or delivery.due_at)).total_seconds())
            )

    def text(self, standing: Sequence[Standing] | None) -> bytes:
        """The metrics in Prometheus's text format, with how the outbox stands now: nothing of it while that is not
        known, and zeros where nothing waits."""
        for gauge in (self._outbox, self._queue, self._overdue):
            gauge.clear()
        for platform in self._platforms if standing is not None else ():
            self._queue.labels(platform).set(0)
            self._overdue.labels(platform).set(0)
        for row in standing or ():
            self._outbox.labels(row.platform, row.state).set(row.rows)
            if row.state == DeliveryState.WAITING.value:
                self._queue.labels(row.platform).set(row.due)
                self._overdue.labels(row.platform).set(max(0.0, row.late.total_seconds()))
        return generate_latest(self.registry)


TRACED = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""OpenTelemetry's own variables: where traces go."""


def tracer() -> "OpenTelemetry | None":
    """What sends traces, where the environment says whereto. Without OpenTelemetry installed it says how to get it."""
    if not any(os.environ.get(variable) for variable in TRACED):
        return None
    try:
        return OpenTelemetry()
    except ImportError:
        log.error("traces_are_not_sent", cure="Install what sends them: pip install 'ritme[otel]'")
        return None


class OpenTelemetry:
    """Spans whose trace is the correlation id, so that a delivery is in the trace of the request that asked for it."""

    def __init__(self, exporter: Any = None) -> None:
        from opentelemetry import trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        if exporter is None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            exporter = OTLPSpanExporter()
        named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "ritme"}
        self._trace = trace
        self._provider = TracerProvider(resource=Resource.create(named))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("ritme")

    @contextmanager
    def span(self, what: str, correlation: str, about: Mapping[str, str]) -> Iterator[None]:
        trace = self._trace
        asked = trace.SpanContext(
            trace_id=int(correlation, 16),
            span_id=int(correlation[:16], 16),
            is_remote=True,
            trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
        )
        parent = trace.set_span_in_context(trace.NonRecordingSpan(asked))
        attributes = {f"ritme.{name}": value for name, value in about.items()}
        with self._tracer.start_as_current_span(what, context=parent, attributes=attributes):
            yield

    def close(self) -> None:
        """Sends what was not sent yet."""
        self._provider.shutdown()
