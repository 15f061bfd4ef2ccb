"""A collector on this machine that speaks OTLP over HTTP, and keeps what it is sent."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """What arrived. `bodies`: the requests as they came, decompressed; `headers`: of the first one."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.traces: list[Any] = []
        self.metrics: list[Any] = []
        self.bodies: list[bytes] = []
        self.headers: dict[str, str] = {}

    @property
    def spans(self) -> list[Any]:
        """Return all spans, in the order in which they began."""
        found = [
            span
            for request in self.traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        return sorted(found, key=lambda span: span.start_time_unix_nano)

    def points(self, name: str) -> list[tuple[dict[str, Any], Any]]:
        """Return the last points of a metric: attributes, and the number (of a histogram its count)."""
        last: dict[str, tuple[dict[str, Any], Any]] = {}
        for request in self.metrics:
            for resource in request.resource_metrics:
                for scope in resource.scope_metrics:
                    for metric in scope.metrics:
                        if metric.name == name:
                            for point in getattr(metric, metric.WhichOneof("data")).data_points:
                                labels = attributes(point)
                                number = point.count if hasattr(point, "count") else _number(point)
                                last[str(sorted(labels.items()))] = (labels, number)
        return list(last.values())


def attributes(thing: Any) -> dict[str, Any]:
    """Return the attributes of a span, a point or a resource."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in thing.attributes}


def _number(point: Any) -> Any:
    return getattr(point, point.WhichOneof("value"))


@contextmanager
def collector(*, slow: float = 0.0, status: int = 200) -> Iterator[Collector]:
    """Yield a collector that listens. `slow`: seconds before it answers; `status`: its answer."""
    kept = Collector("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            kept.bodies.append(body)
            kept.headers = kept.headers or dict(self.headers)
            if self.path == "/v1/traces":
                kept.traces.append(ExportTraceServiceRequest.FromString(body))
            elif self.path == "/v1/metrics":
                kept.metrics.append(ExportMetricsServiceRequest.FromString(body))
            time.sleep(slow)
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()
            except OSError:
                pass

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    kept.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
