"""Metrics (always, as Prometheus text) and traces (when a collector is named)."""

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from grpc import StatusCode
from opentelemetry import context as otel_context
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import Histogram, Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, Tracer, get_current_span
from opentelemetry.trace import StatusCode as SpanStatus
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import CollectorRegistry, generate_latest

TRACEPARENT = "traceparent"
OTLP_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
CALLS_PER_FLUSH = 64
"""A measurement among other work takes 100 us, in a row with others 12 us: caches are cold."""
DURATION_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)

_OTLP_PACKAGE = "opentelemetry.exporter.otlp.proto.grpc"
# Codes that are the server's fault; the others are the caller's, and no error of the span.
_SERVER_FAULTS = frozenset(
    {
        StatusCode.UNKNOWN,
        StatusCode.DEADLINE_EXCEEDED,
        StatusCode.UNIMPLEMENTED,
        StatusCode.INTERNAL,
        StatusCode.UNAVAILABLE,
        StatusCode.DATA_LOSS,
    }
)

logger = structlog.get_logger(__name__)

RecordCall = Callable[[StatusCode, float], None]


class CallSpan(Protocol):
    """Where the outcome of a call is written; a no-op when nobody collects traces."""

    def finish(self, code: StatusCode) -> None:
        """Note the status that the caller gets."""


@dataclass(slots=True)
class _RecordedSpan:
    span: Span

    def finish(self, code: StatusCode) -> None:
        self.span.set_attribute("rpc.grpc.status_code", code.value[0])
        if code in _SERVER_FAULTS:
            self.span.set_status(Status(SpanStatus.ERROR))


class _NoSpan:
    def finish(self, code: StatusCode) -> None:
        del code


_NO_SPAN = _NoSpan()


@dataclass(slots=True, kw_only=True)
class Telemetry:
    """The meter, tracer and registry of one process; give it to every server and channel."""

    registry: CollectorRegistry
    meter: Meter
    tracer: Tracer | None = None
    """None when nobody collects spans; trace context is passed on all the same."""
    _calls_per_flush: int = CALLS_PER_FLUSH
    _pending: list[tuple[Histogram, float, Mapping[str, str]]] = field(default_factory=list)
    _close: list[Callable[[], object]] = field(default_factory=list)
    _propagator: TraceContextTextMapPropagator = field(
        default_factory=TraceContextTextMapPropagator
    )

    @classmethod
    def start(
        cls, service_name: str, *, span_processor: SpanProcessor | None = None
    ) -> "Telemetry":
        """Return telemetry for one process.

        Args:
            service_name: Resource attribute of everything that is measured, e.g. `pricing`.
            span_processor: Where spans go; by default to `OTEL_EXPORTER_OTLP_ENDPOINT` if set.
        """
        registry = CollectorRegistry()
        otlp_spans, otlp_metrics = _otlp_exporters()
        resource = Resource.create({"service.name": f"steelyard-{service_name}"})
        meters = MeterProvider(
            metric_readers=[
                PrometheusMetricReader(registry=registry, scope_info_enabled=False),
                *(PeriodicExportingMetricReader(exporter) for exporter in otlp_metrics),
            ],
            resource=resource,
            views=[_duration_view()],
            shutdown_on_exit=False,
        )
        telemetry = cls(
            registry=registry,
            meter=meters.get_meter("steelyard"),
            # An exporter reads when it likes, and must not miss the last calls before a pause.
            _calls_per_flush=1 if otlp_metrics else CALLS_PER_FLUSH,
        )
        telemetry._close.append(meters.shutdown)
        processors = [span_processor] if span_processor else map(BatchSpanProcessor, otlp_spans)
        for processor in processors:
            tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
            tracers.add_span_processor(processor)
            telemetry.tracer = tracers.get_tracer("steelyard")
            telemetry._close.append(tracers.shutdown)
        return telemetry

    def close(self) -> None:
        """Flush and stop what was started."""
        self.flush()
        while self._close:
            self._close.pop()()

    def prometheus_text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        self.flush()
        return generate_latest(self.registry)

    def flush(self) -> None:
        """Measure the calls that wait for it."""
        pending, self._pending = self._pending, []
        for histogram, seconds, attributes in pending:
            histogram.record(seconds, attributes)

    def call_recorder(self, service: str, method: str) -> RecordCall:
        """Return a function that records the status and seconds of one served call."""
        histogram = self.meter.create_histogram(
            "rpc.server.call.duration", unit="s", description="Duration of served calls."
        )
        attributes = {
            code: {
                "rpc.service": service,
                "rpc.method": method,
                "rpc.response.status_code": code.name,
            }
            for code in StatusCode
        }

        def record(code: StatusCode, seconds: float) -> None:
            self._pending.append((histogram, seconds, attributes[code]))
            if len(self._pending) >= self._calls_per_flush:
                self.flush()

        return record

    @contextmanager
    def server_span(self, method: str, metadata: Mapping[str, str]) -> Iterator[CallSpan]:
        """Continue the caller's trace while a call is handled; `method` is `/service/method`."""
        if self.tracer is None and TRACEPARENT not in metadata:
            yield _NO_SPAN
            return
        parent = self._propagator.extract(metadata)
        if self.tracer is None:
            token = otel_context.attach(parent)
            try:
                yield _NO_SPAN
            finally:
                otel_context.detach(token)
            return
        service, _, name = method.removeprefix("/").partition("/")
        with self.tracer.start_as_current_span(
            method.removeprefix("/"),
            context=parent,
            kind=SpanKind.SERVER,
            attributes={"rpc.system": "grpc", "rpc.service": service, "rpc.method": name},
            # Messages of exceptions may quote what callers sent.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield _RecordedSpan(span)

    def trace_headers(self) -> dict[str, str]:
        """Return the headers that continue the current trace in another service."""
        headers: dict[str, str] = {}
        if get_current_span().get_span_context().is_valid:
            self._propagator.inject(headers)
        return headers


def _duration_view() -> View:
    return View(
        instrument_name="*.duration",
        aggregation=ExplicitBucketHistogramAggregation(boundaries=DURATION_BUCKETS),
    )


def _otlp_exporters() -> tuple[list[Any], list[Any]]:
    """Return exporters of spans and of metrics, none when no collector is named."""
    if not os.environ.get(OTLP_ENDPOINT):
        return [], []
    try:
        spans: Any = importlib.import_module(f"{_OTLP_PACKAGE}.trace_exporter")
        metrics: Any = importlib.import_module(f"{_OTLP_PACKAGE}.metric_exporter")
    except ImportError:
        logger.warning(
            "nothing is exported: install opentelemetry-exporter-otlp-proto-grpc",
            variable=OTLP_ENDPOINT,
        )
        return [], []
    return [spans.OTLPSpanExporter()], [metrics.OTLPMetricExporter()]
