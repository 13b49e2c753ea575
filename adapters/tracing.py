"""Traces through OpenTelemetry, sent when the environment names an endpoint."""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import structlog

log = structlog.get_logger(__name__)
ENDPOINT_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""OpenTelemetry's own variables: where traces go."""


class Tracer(Protocol):
    """Creates spans; see `make_tracer`."""

    def span(self, what: str, correlation: str, about: Mapping[str, str]) -> AbstractContextManager[None]:
        """Record a span named `what` while the context is open, in the trace of `correlation` (32 hexadecimal digits).

        `about` becomes its attributes.
        """


def make_tracer() -> "OpenTelemetry | None":
    """Create the tracer that the environment configures, or return None.

    When OpenTelemetry is not installed, log how to install it and return None.
    """
    if not any(os.environ.get(variable) for variable in ENDPOINT_VARIABLES):
        return None
    try:
        return OpenTelemetry()
    except ImportError:
        log.error("traces_are_not_sent", cure="Install what sends them: pip install 'ritme[otel]'")
        return None


class OpenTelemetry:
    """Create spans whose trace id is the correlation id, so that a delivery is in the trace of its request.

    Without an `exporter`, spans are sent over OTLP/HTTP to the endpoint in the environment. Raises ImportError when the
    optional dependencies (`ritme[otel]`) are not installed.
    """

    def __init__(self, exporter: Any = None) -> None:
        from opentelemetry import trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        if exporter is None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            exporter = OTLPSpanExporter()
        # An attribute given here would go before the name an operator chose.
        attributes = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "ritme"}
        self._trace = trace
        self._provider = TracerProvider(resource=Resource.create(attributes))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("ritme")

    @contextmanager
    def span(self, what: str, correlation: str, about: Mapping[str, str]) -> Iterator[None]:
        trace = self._trace
        # The request and its deliveries run in different processes and share only the correlation id: each span gets
        # the same remote parent, made from it, which is sampled so that the SDK does not drop the span.
        request = trace.SpanContext(
            trace_id=int(correlation, 16),
            span_id=int(correlation[:16], 16),
            is_remote=True,
            trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
        )
        parent = trace.set_span_in_context(trace.NonRecordingSpan(request))
        attributes = {f"ritme.{name}": value for name, value in about.items()}
        with self._tracer.start_as_current_span(what, context=parent, attributes=attributes):
            yield

    def close(self) -> None:
        """Send the spans that are still buffered, and stop."""
        self._provider.shutdown()
