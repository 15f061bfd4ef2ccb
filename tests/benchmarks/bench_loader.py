"""The loader beside a pool of threads with `requests.Session`, against a server that does nothing, on another core.

    python tests/benchmarks/bench_loader.py [REQUESTS] [CONCURRENCY]

Measured 2026-11-24 on 2 busy cores: 2,500/s without signatures, 1,600/s with sigv4; numbers vary by a third.
"""

from __future__ import annotations

import asyncio
import cProfile
import multiprocessing
import os
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

from requests import Session

from etl.load.loader import Loader
from etl.load.schedule import Limits
from etl.load.throttle import Bucket
from etl.records import Delivery, Endpoint, Receipt, Status, Unit
from etl.settings import Credentials, Secret, TargetSettings
from etl.targets.auth import Anonymous, Signer, signer_for
from etl.targets.client import transport_factory

ANSWER_BODY = b'{"success": true, "messages": [], "requestId": "00000000-0000-0000-0000-000000000000"}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
    len(ANSWER_BODY),
    ANSWER_BODY,
)


class Nothing(asyncio.Protocol):
    """Answers every whole request with the same bytes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._seen = transport, b""

    def data_received(self, data: bytes) -> None:
        self._seen += data
        while (end := self._seen.find(b"\r\n\r\n")) >= 0:
            head = self._seen[:end].lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or b"0")
            if len(self._seen) < end + 4 + length:
                return
            self._seen = self._seen[end + 4 + length :]
            self._transport.write(ANSWER)


def serve(port: Connection) -> None:
    """Serve for ever, and tell on which port."""
    pin(-1)

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Nothing, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def pin(place: int) -> None:
    """Stay on one core, counted from either end."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[place]})


def measure(url: str, signer: Signer, requests: int, concurrency: int) -> float:
    """Return requests a second."""
    target = TargetSettings(name="bench", url=url)
    ended: list[Status] = []

    def note(receipt: Receipt) -> None:
        ended.append(receipt.status)

    bucket = Bucket(10_000, time.monotonic)
    loader = Loader(transport_factory(target, signer), bucket, on_receipt=note, limits=Limits(concurrency))
    started = time.perf_counter()
    for number in range(requests):
        body = b'{"contact":{"email":"person%d@example.com","name":"Zoe Example"},"tags":["A","B"]}' % number
        lane = f"person{number}"
        loader.submit(Unit((Delivery(number, 1, Endpoint("POST", "/contacts"), body, lane, True),)))
    loader.drain()
    assert ended == [Status.DELIVERED] * requests
    return requests / (time.perf_counter() - started)


def measure_bare(url: str, requests: int, concurrency: int) -> float:
    """Return requests a second of what one would write by hand: no order, no retries, no rate, nothing written down."""
    sessions = threading.local()

    def post(number: int) -> int:
        if not hasattr(sessions, "session"):
            sessions.session = Session()
        body = {"contact": {"email": f"person{number}@example.com", "name": "Zoe Example"}, "tags": ["A", "B"]}
        return int(sessions.session.post(url + "/contacts", json=body, timeout=35).status_code)

    started = time.perf_counter()
    with ThreadPoolExecutor(concurrency) as pool:
        assert list(pool.map(post, range(requests))) == [200] * requests
    return requests / (time.perf_counter() - started)


def main() -> None:
    """Measure by hand, and the loader without and with signatures, in turn; print medians and ratios."""
    requests, concurrency = (int(word) for word in [*sys.argv[1:], "5000", "16"][:2])
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ours.recv()}"
    pin(0)
    sigv4 = TargetSettings(name="bench", url=url, auth="sigv4")
    keys = Credentials(Secret("s" * 40), Secret("AKIDEXAMPLE"))
    rates: dict[str, list[float]] = {"bare": [], "none": [], "sigv4": []}
    for _ in range(3):
        rates["bare"].append(measure_bare(url, requests, concurrency))
        rates["none"].append(measure(url, Anonymous(), requests, concurrency))
        rates["sigv4"].append(measure(url, signer_for(sigv4, keys), requests, concurrency))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    for name, label in (("bare", "requests in threads"), ("none", "loader"), ("sigv4", "loader, signed")):
        ratio = medians[name] / medians["bare"]
        sys.stdout.write(f"{label:20} {medians[name]:7,.0f} requests/s over {concurrency} connections, {ratio:.2f}\n")
    if "PROFILE" in os.environ:
        profile(url, requests)
    server.terminate()


def profile(url: str, requests: int) -> None:
    """Show where one transport spends its time."""
    transport = transport_factory(TargetSettings(name="bench", url=url), Anonymous())()
    with cProfile.Profile() as seen:
        for _ in range(requests):
            transport.send(Endpoint("POST", "/contacts"), b"{}")
    seen.print_stats("cumulative")
    transport.close()


if __name__ == "__main__":
    main()
