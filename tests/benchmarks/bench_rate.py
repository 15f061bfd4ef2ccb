"""The loader against a server that takes R requests a second and answers 429 above, after 50 ms.

    python tests/benchmarks/bench_rate.py [SECONDS]

Prints, for each R, what was delivered of what the server could have taken, and the share that it refused.

Measured 2026-11-24 on 2 busy cores, 40 to 60 s each: R = 50: 0.997 of R, 0.8 % refused; R = 200: 0.984, 0.4 %;
R = 800: 0.941, 0.3 %.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import threading
import time
from collections import Counter
from multiprocessing.connection import Connection

from etl.load.loader import Loader
from etl.load.schedule import Limits
from etl.load.throttle import Bucket
from etl.records import Delivery, Endpoint, Receipt, Status, Unit
from etl.settings import TargetSettings
from etl.targets.auth import Anonymous
from etl.targets.client import transport_factory

LATENCY_SECONDS = 0.05
BURST_SECONDS = 0.2
CONCURRENCY = 64
RATES = (50, 200, 800)


def answer(status: bytes, body: bytes) -> bytes:
    """Return a whole HTTP answer."""
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    return head + body


TAKEN = answer(b"200 OK", b'{"success": true}')
REFUSED = answer(b"429 Too Many Requests", b'{"message": "Too Many Requests"}')


class Gateway(asyncio.Protocol):
    """A token bucket for all connections, as API Gateway's is."""

    rate = tokens = 0.0
    filled_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._seen = transport, b""

    def data_received(self, data: bytes) -> None:
        self._seen += data
        end = self._seen.find(b"\r\n\r\n")
        if end < 0:
            return
        length = int(self._seen[:end].lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or b"0")
        if len(self._seen) < end + 4 + length:
            return
        self._seen = self._seen[end + 4 + length :]
        found = TAKEN if self._take() else REFUSED
        asyncio.get_running_loop().call_later(LATENCY_SECONDS, self._transport.write, found)

    @classmethod
    def _take(cls) -> bool:
        now = time.monotonic()
        cls.tokens = min(cls.rate * BURST_SECONDS, cls.tokens + (now - cls.filled_at) * cls.rate)
        cls.filled_at = now
        if cls.tokens < 1:
            return False
        cls.tokens -= 1
        return True


def serve(port: Connection, rate: float) -> None:
    """Serve for ever, and tell on which port."""
    Gateway.rate, Gateway.tokens, Gateway.filled_at = rate, rate * BURST_SECONDS, time.monotonic()

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Gateway, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def measure(url: str, seconds: float) -> tuple[int, float, int, int]:
    """Send for so long; return what was delivered, in how many seconds, the requests, and those that were refused."""
    ended: Counter[Status] = Counter()

    def note(receipt: Receipt) -> None:
        ended[receipt.status] += 1

    factory = transport_factory(TargetSettings(name="bench", url=url), Anonymous())
    bucket = Bucket(10_000, time.monotonic)
    loader = Loader(factory, bucket, on_receipt=note, limits=Limits(CONCURRENCY, canary=1))
    started = time.monotonic()
    timer = threading.Timer(seconds, loader.stop, ("interrupted", "the time is up"))
    timer.start()
    for number in range(10**9):
        if loader.stopped:
            break
        delivery = Delivery(number, 1, Endpoint("POST", "/contacts"), b'{"n": %d}' % number, str(number), True)
        loader.submit(Unit((delivery,)))
    loader.drain()
    took = time.monotonic() - started
    return ended[Status.DELIVERED], took, loader.stats.requests, loader.stats.throttled


def main() -> None:
    """Measure for each rate."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    context = multiprocessing.get_context("spawn")
    for rate in RATES:
        ours, theirs = context.Pipe()
        server = context.Process(target=serve, args=(theirs, rate), daemon=True)
        server.start()
        delivered, took, requests, refused = measure(f"http://127.0.0.1:{ours.recv()}", seconds)
        server.terminate()
        share = delivered / (rate * took)
        sys.stdout.write(
            f"R = {rate:4}: {delivered / took:6.1f}/s delivered, {share:.3f} of R; {refused / requests:.2%} refused\n"
        )


if __name__ == "__main__":
    main()
