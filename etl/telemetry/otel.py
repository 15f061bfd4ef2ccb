"""A run → OpenTelemetry traces and metrics, sent by OTLP over HTTP; where to, the standard OTEL_ variables say.

A span for the run, one for each of its stages, and below sending one for each request. Providers are our own: what a
host has set up for itself is left alone. Sending is done by threads of the SDK, whose queues are bounded: a collector
that is slow costs spans, one that is down costs `FLUSH_SECONDS` at the end, and neither costs a run anything else.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from etl.errors import SettingsError
from etl.logs import Log, loggable
from etl.records import POSITION_BITS, Outcome
from etl.release import program_version
from etl.settings.log import ENDPOINT_VARIABLES
from etl.telemetry.base import About, Asked, Event, RunBegan, RunEnded, StageBegan, StageEnded, Trouble

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

    from etl.settings import Settings

FLUSH_SECONDS = 3.0
"""How long the end of a run waits for the collector at most; a third of it where it has failed before."""
QUEUE = 8_192
"""Spans that wait to be sent at most, unless OTEL_BSP_MAX_QUEUE_SIZE says otherwise; more are dropped."""
SERVICE = "salesmanago-etl"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds; the last is the gateway's own limit."""
_PARTS = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
_ROW = (1 << POSITION_BITS) - 1
_LIBRARY = logging.getLogger("opentelemetry")


def observer(about: About, settings: Settings, log: Log) -> Otel | None:
    """Return what tells a collector, None where nobody wants it. Raises SettingsError: it is wanted, and not there."""
    if not settings.telemetry.wants_otel(settings.environ):
        return None
    if not all(map(_is_there, _PARTS)):
        if settings.telemetry.otel is None:
            log.logger.info("telemetry-off", code="otel-missing")
            return None
        raise SettingsError(
            "otel = true needs packages that are not installed", code="otel-missing",
            where=str(settings.file or ""), hint='pip install "salesmanago-etl[otel]", or leave it out of [telemetry]',
        )  # fmt: skip
    return Otel(about, log, settings.environ)


class Otel:
    """Tells a collector of one run; what is about the exporter itself the SDK reads in the environment."""

    per_request = True

    def __init__(self, about: About, log: Log, environ: Mapping[str, str]) -> None:
        from opentelemetry.trace import set_span_in_context

        self._log = log
        self._sent = _Sent()
        self._made = 0
        self._lock = threading.Lock()
        self._in_context = set_span_in_context
        self._traces, self._metrics = _providers(environ, self._sent)
        self._sends_spans = _is_sent("TRACES", environ)
        self._tracer = self._traces.get_tracer(SERVICE, program_version())
        self._labels = _labels(about)
        self._known: dict[tuple[tuple[str, Any], ...], dict[str, Any]] = {}
        self._run = self._begun(f"etl {about.verb}", attributes=_attributes(self._labels))
        self._stage: Span | None = None
        self._parent = set_span_in_context(self._run)
        meter = self._metrics.get_meter(SERVICE, program_version())
        self._requests = meter.create_counter("etl.requests", "{request}", "Requests by outcome.")
        self._retries = meter.create_counter("etl.retries", "{request}", "Requests that repeated one.")
        self._throttled = meter.create_counter("etl.throttled", "{request}", "Requests refused for their rate.")
        self._latency = meter.create_histogram(
            "etl.request.duration", "s", "How long requests took.", explicit_bucket_boundaries_advisory=BUCKETS
        )
        self._rows = meter.create_counter("etl.rows", "{row}", "Source rows read.")
        self._records = meter.create_counter("etl.records", "{record}", "Records by what became of them.")
        self._duration = meter.create_histogram("etl.run.duration", "s", "How long runs took.")

    def see(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case Asked(outcomes):
                for outcome in outcomes:
                    self._request(outcome)
            case StageBegan(stage):
                self._end_stage()
                self._stage = self._begun(stage, context=self._in_context(self._run))
                self._parent = self._in_context(self._stage)
            case StageEnded():
                self._end_stage()
            case Trouble(name, facts):
                self._run.add_event(name, _attributes(facts))
            case RunBegan():
                self._labels = _labels(event.about)
                self._known.clear()
                self._run.set_attributes(_attributes(self._labels | {"run": event.run}))
            case RunEnded():
                self._end(event)

    def close(self) -> None:
        """Hand over what is left, within `FLUSH_SECONDS`; what is not taken by then is lost, and the log says so."""
        end = time.monotonic() + (FLUSH_SECONDS / 3 if self._sent.failures else FLUSH_SECONDS)
        parts: tuple[Callable[[], None], ...] = (self._traces.shutdown, self._metrics.shutdown)
        # They wait half a minute where nobody answers; nobody waits for them.
        threads = [threading.Thread(target=part, name="etl-otel-end", daemon=True) for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        lost = max(0, self._made - self._sent.spans) if self._sends_spans else 0
        if lost or self._sent.failures or any(thread.is_alive() for thread in threads):
            self._log.logger.warning("telemetry-not-delivered", part="otel", spans=self._made, lost=lost)

    def _request(self, outcome: Outcome) -> None:
        receipt = outcome.receipt
        delivery = receipt.delivery
        ended = outcome.receipt.status.value if outcome.is_final else "retry"
        seconds = (receipt.duration_ms or 0.0) / 1000
        began = receipt.sent_at if receipt.sent_at is not None else outcome.at
        span = self._begun(
            f"{delivery.endpoint.method} {delivery.endpoint.path}", context=self._parent,
            start_time=_nanoseconds(began),
            attributes=_attributes({
                "action": delivery.action, "endpoint": delivery.endpoint.path, "row": delivery.position & _ROW,
                "record": delivery.record, "attempt": receipt.attempts, "http_status": receipt.http_status,
                "outcome": ended, "request_id": receipt.request_id or None, "code": receipt.code or None,
            }),
        )  # fmt: skip
        span.end(_nanoseconds(began + seconds))
        # A status is one of a few dozen numbers, and 0 where no answer came.
        self._requests.add(1, self._with(action=delivery.action, outcome=ended, http_status=receipt.http_status or 0))
        self._latency.record(seconds, self._with(action=delivery.action, outcome=ended))
        if receipt.attempts > delivery.before + 1:
            self._retries.add(1, self._with())
        if receipt.http_status == 429:
            self._throttled.add(1, self._with())

    def _end(self, event: RunEnded) -> None:
        from opentelemetry.trace import StatusCode

        self._end_stage()
        self._run.set_attributes(_attributes({"exit_code": event.exit_code, "code": event.code or None}))
        if event.exit_code > 1:
            self._run.set_status(StatusCode.ERROR, event.code)
        if event.report is not None:
            self._run.set_attributes(_attributes({"rows": event.report.rows}))
            self._rows.add(event.report.rows, self._with())
            for status, count in event.report.counts.items():
                self._records.add(count, self._with(status=status))
        self._duration.record(event.seconds, self._with(exit_code=event.exit_code))
        self._run.end()

    def _with(self, **more: Any) -> dict[str, Any]:
        """Return the labels of a metric: few values each, none of them of a run or a row alone."""
        key = tuple(more.items())
        if key not in self._known:
            self._known[key] = _attributes(self._labels | more)
        return self._known[key]

    def _begun(self, name: str, **given: Any) -> Span:
        span = self._tracer.start_span(name, **given)
        # One that is not sampled is not sent.
        with self._lock:
            self._made += span.is_recording()
        return span

    def _end_stage(self) -> None:
        if self._stage is not None:
            self._stage.end()
        self._stage = None
        self._parent = self._in_context(self._run)


@dataclass(slots=True)
class _Sent:
    """What the collector took, and how often it did not."""

    spans: int = 0
    failures: int = 0


def _counting(exporter: type[Any], sent: _Sent, *, spans: bool) -> Any:
    """Return an exporter of that kind which counts what became of its batches."""

    class Counting(exporter):  # type: ignore[misc]
        def export(self, batch: Any, *given: Any, **named: Any) -> Any:
            result = super().export(batch, *given, **named)
            if result.name != "SUCCESS":
                sent.failures += 1
            elif spans:
                sent.spans += len(batch)
            return result

    return Counting()


def _providers(environ: Mapping[str, str], sent: _Sent) -> tuple[TracerProvider, MeterProvider]:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    # Late complaints of its threads would else be printed by Python itself.
    if not any(isinstance(one, logging.NullHandler) for one in _LIBRARY.handlers):
        _LIBRARY.addHandler(logging.NullHandler())
    own = {"service.version": program_version()}
    if "OTEL_SERVICE_NAME" not in environ and "service.name" not in environ.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        own["service.name"] = SERVICE
    resource = Resource.create({name: value for name, value in own.items() if value})
    traces = TracerProvider(resource=resource, shutdown_on_exit=False)
    queue = None if "OTEL_BSP_MAX_QUEUE_SIZE" in environ else QUEUE
    if _is_sent("TRACES", environ):
        traces.add_span_processor(
            BatchSpanProcessor(_counting(OTLPSpanExporter, sent, spans=True), max_queue_size=queue)
        )
    readers = []
    if _is_sent("METRICS", environ):
        readers.append(PeriodicExportingMetricReader(_counting(OTLPMetricExporter, sent, spans=False)))
    return traces, MeterProvider(readers, resource=resource, shutdown_on_exit=False)


def _is_sent(signal: str, environ: Mapping[str, str]) -> bool:
    """Whether traces, or metrics, have somewhere to go: the SDK would try this machine's port 4318 else."""
    if environ.get(f"OTEL_{signal}_EXPORTER", "").strip().lower() == "none":
        return False
    own, named = f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT", [name for name in ENDPOINT_VARIABLES if environ.get(name)]
    return not named or own in named or ENDPOINT_VARIABLES[0] in named


def _labels(about: About) -> dict[str, Any]:
    return {"mapping": about.mapping, "target": about.target, "verb": about.verb}


def _attributes(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes: of what may be logged, under a name of ours."""
    return {f"etl.{name}": value for name, value in loggable(fields).items()}


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
