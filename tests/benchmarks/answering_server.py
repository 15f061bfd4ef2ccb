"""A server that answers every request alike, a set time after it came: what clients are measured against.

    python tests/benchmarks/answering_server.py [--latency 0.05] [--port 0]

Prints its port and serves until it is ended. It looks at nothing but where a request ends, and answers as the endpoint
does: status 200, a request id of its own and a small JSON body. One process on one core; a request costs it about 30 us.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import deque
from email.utils import formatdate

_BODY = b'{"success":true,"messages":["Contact upserted"],"requestId":"%s","key":"AKIDEXAMPLE"}'
_HEAD = (
    b"HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    b"x-amzn-RequestId: %s\r\n\r\n"
)
_DATE_REQUESTS = 500
"""Answers that share a Date header, so that making it costs nothing."""


class Answers:
    """The answers that are due, in the order of their requests: the time to wait is the same for all."""

    def __init__(self, loop: asyncio.AbstractEventLoop, latency: float) -> None:
        self._loop, self._latency = loop, latency
        self._due: deque[tuple[float, asyncio.Transport]] = deque()
        self._date = b""
        self._count = 0

    def ask(self, transport: asyncio.Transport) -> None:
        """Answer on `transport` once the time has passed."""
        if self._latency <= 0:
            transport.write(self._answer())
            return
        self._due.append((self._loop.time() + self._latency, transport))
        if len(self._due) == 1:
            self._loop.call_at(self._due[0][0], self._give)

    def _give(self) -> None:
        now = self._loop.time()
        while self._due and self._due[0][0] <= now:
            transport = self._due.popleft()[1]
            if not transport.is_closing():
                transport.write(self._answer())
        if self._due:
            self._loop.call_at(self._due[0][0], self._give)

    def _answer(self) -> bytes:
        if self._count % _DATE_REQUESTS == 0:
            self._date = formatdate(usegmt=True).encode()
        self._count += 1
        request_id = b"00000000-0000-4000-8000-%012d" % self._count
        body = _BODY % request_id
        return _HEAD % (self._date, len(body), request_id) + body


class Requests(asyncio.Protocol):
    """Finds where each request on a connection ends; one after another, as clients without pipelining send them."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._seen = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Ask for an answer to each request that is whole."""
        seen = self._seen + data if self._seen else data
        while (end := seen.find(b"\r\n\r\n")) >= 0:
            length = int(seen[:end].lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or b"0")
            if len(seen) < end + 4 + length:
                break
            seen = seen[end + 4 + length :]
            self._answers.ask(self._transport)
        self._seen = seen


async def serve(latency: float, port: int) -> None:
    """Print the port, and serve for ever."""
    loop = asyncio.get_running_loop()
    answers = Answers(loop, latency)
    server = await loop.create_server(lambda: Requests(answers), "127.0.0.1", port, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds from a request to its answer")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    asyncio.run(serve(options.latency, options.port))


if __name__ == "__main__":
    main()
