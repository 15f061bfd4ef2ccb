"""HTTP/1.1 and 1.0 over one connection: bytes → Request, Reply → bytes, and every way in which that goes wrong.

Requests of one connection are answered one after the other, pipelined ones too. Whatever comes in, the worst that
happens is that this connection ends.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Protocol

import httptools

from etl.sandbox.answers import Answer, gateway, head
from etl.sandbox.exchange import Reply, Request

MAX_HEAD_BYTES = 64 * 1024
MAX_DRAINED_BYTES = 64 * 1024 * 1024
MAX_WAITING = 64
DEFAULT_DRIP_SECONDS = 0.05
MID_BODY_PAUSE_SECONDS = 0.02
_LINGER_ZERO = struct.pack("ii", 1, 0)


class Desk(Protocol):
    """Where a connection hands in its requests; `Connection.deliver` is called back for each, never at once."""

    def take(self, connection: Connection, request: Request) -> None:
        """Carry out `request` and see to its delivery."""

    def opened(self, connection: Connection) -> None:
        """Learn of a new connection."""

    def closed(self, connection: Connection) -> None:
        """Learn that a connection has ended."""

    def date(self) -> str:
        """Return the Date header of an answer made now."""


class Connection(asyncio.Protocol):
    """One client's connection. `max_body_bytes`: larger bodies are read, dropped and answered by 413."""

    def __init__(self, desk: Desk, max_body_bytes: int) -> None:
        self._desk = desk
        self._max_body_bytes = max_body_bytes
        self._waiting: deque[Request] = deque()
        self._current: Request | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deaf = self._full = self._reading_paused = self._hanging = False
        self.transport: asyncio.Transport | None = None

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to listen."""
        if not isinstance(transport, asyncio.Transport):
            raise AssertionError(f"BUG: a connection over {type(transport).__name__}")
        self.transport = transport
        self._parser = httptools.HttpRequestParser(self)
        self._desk.opened(self)
        self._begin()

    def data_received(self, data: bytes) -> None:
        """Take bytes in; what is not HTTP is answered by 400 and the end of the connection."""
        if self._deaf:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._deaf = True  # the request itself is answered; what follows it is no HTTP
        except httptools.HttpParserCallbackError:
            raise  # a fault of ours, which must not pass for the client's
        except httptools.HttpParserError:
            self._refuse(gateway(400))
        self._next()

    def eof_received(self) -> bool:
        """Keep the connection open while an answer is still to come (a client may half-close)."""
        self._deaf = True
        return self._current is not None and not self._hanging

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was still owed."""
        self._deaf = True
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
        self._desk.closed(self)
        self.transport = None

    def pause_writing(self) -> None:
        """Stop taking requests of a client that does not read its answers."""
        self._full = True

    def resume_writing(self) -> None:
        """Go on once it does."""
        self._full = False
        self._next()

    # what httptools calls

    def on_message_begin(self) -> None:
        """Start a new request."""
        self._begin()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        self._target += url
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        key, text = name.decode("latin-1").lower(), (value or b"").decode("latin-1")
        self._headers[key] = f"{self._headers[key]},{text}" if key in self._headers else text
        self._count_head(len(name) + len(text))

    def on_headers_complete(self) -> None:
        """Invite the body, or refuse it before it comes."""
        expects = self._headers.get("expect", "").lower() == "100-continue"
        length = self._headers.get("content-length", "")
        size = int(length) if length.isdecimal() else 0
        if size > (self._max_body_bytes if expects else MAX_DRAINED_BYTES):
            self._refuse(gateway(413))
        elif expects and self.transport is not None and self._current is None:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._size += len(body)
        if self._size <= self._max_body_bytes:
            self._body.append(body)
        elif self._size > MAX_DRAINED_BYTES:
            self._refuse(gateway(413))
        else:
            self._body.clear()

    def on_message_complete(self) -> None:
        """Hand the request in, or let it wait for those before it."""
        if self._deaf:
            return
        too_large = self._size > self._max_body_bytes
        body = b"" if too_large else b"".join(self._body)
        refusal = gateway(413) if too_large else None
        self._waiting.append(self._request(body, keep_alive=self._parser.should_keep_alive(), refusal=refusal))
        if len(self._waiting) > MAX_WAITING and self.transport is not None:
            self._reading_paused = True
            self.transport.pause_reading()

    # answering

    def deliver(self, reply: Reply) -> None:
        """Answer the request handed in last, after its delay and with its fault."""
        if self.transport is None:
            return
        if reply.delay_seconds > 0:
            self._later(reply.delay_seconds, lambda: self._send(reply))
        else:
            self._send(reply)

    def abort(self) -> None:
        """Reset the connection: the client sees RST, not an orderly end."""
        if self.transport is None:
            return
        raw = self.transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self.transport.abort()

    def _send(self, reply: Reply) -> None:
        kind = reply.fault.kind if reply.fault else ""
        body = b"" if self._current is not None and self._current.method == "HEAD" else reply.answer.body
        match kind:
            case "reset" | "lost":
                self.abort()
            case "hang":
                self._hanging = True
                if self._deaf:
                    self._end()
            case "truncated" | "truncated-silent":
                self._write(self._head(reply, told=kind == "truncated") + body[: len(body) // 2])
                self._end()
            case "reset-mid-body":
                self._write(self._head(reply) + body[: len(body) // 2])
                self._later(MID_BODY_PAUSE_SECONDS, self.abort)
            case "drip":
                interval = reply.fault.interval if reply.fault and reply.fault.interval else DEFAULT_DRIP_SECONDS
                self._drip(self._head(reply) + body, 0, interval)
            case "close":
                self._write(self._head(reply) + body)
                self._end()
            case _:
                self._write(self._head(reply) + body)
                self._done()

    def _drip(self, rest: bytes, place: int, interval: float) -> None:
        self._write(rest[place : place + 1])
        if place + 1 < len(rest):
            self._later(interval, lambda: self._drip(rest, place + 1, interval))
        else:
            self._done()

    def _head(self, reply: Reply, *, told: bool = True) -> bytes:
        request = self._current
        keep = request is not None and request.keep_alive and told and not self._deaf
        connection = "" if keep else "close"
        if keep and request is not None and request.version == "1.0":
            connection = "keep-alive"
        length = len(reply.answer.body) if told else None
        return head(
            reply.answer,
            request_id=reply.request_id,
            date=self._desk.date(),
            length=length,
            connection=connection,
        )

    def _done(self) -> None:
        request, self._current = self._current, None
        if (request is not None and not request.keep_alive) or (self._deaf and not self._waiting):
            self._end()
        else:
            self._next()

    def _next(self) -> None:
        if self._current is not None or self._full or not self._waiting or self.transport is None:
            return
        self._current = self._waiting.popleft()
        if self._reading_paused and len(self._waiting) <= MAX_WAITING // 2:
            self._reading_paused = False
            self.transport.resume_reading()
        self._desk.take(self, self._current)

    def _begin(self) -> None:
        self._target = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = self._head_size = 0

    def _count_head(self, size: int) -> None:
        self._head_size += size
        if self._head_size > MAX_HEAD_BYTES:
            self._refuse(gateway(431))

    def _refuse(self, answer: Answer) -> None:
        # Answered in its turn, after the requests before it; what follows it is not read.
        if not self._deaf:
            self._deaf = True
            self._waiting.append(self._request(b"", keep_alive=False, refusal=answer))

    def _request(self, body: bytes, *, keep_alive: bool, refusal: Answer | None) -> Request:
        return Request(
            method=(self._parser.get_method() or b"").decode("latin-1"),
            target=self._target.decode("latin-1"),
            headers=self._headers,
            body=body,
            keep_alive=keep_alive,
            version=self._parser.get_http_version(),
            refusal=refusal,
        )

    def _write(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def _end(self) -> None:
        self._deaf = True
        self._waiting.clear()
        if self.transport is not None:
            self.transport.close()

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, act)
