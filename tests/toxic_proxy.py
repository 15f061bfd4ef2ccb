"""A TCP proxy that ails, with Toxiproxy's eight toxics (https://github.com/Shopify/toxiproxy#toxics).

    with ToxicProxy(server.url, [Toxic("latency", seconds=0.1)]) as proxy:
        ...  # send to proxy.url
        proxy.toxics = [Toxic("reset_peer")]     # of each connection from now on; "down" ends those there are

A toxic ails one direction: `down` what the server says, `up` what the client says. `every`: each N-th connection alone.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

KINDS = ("latency", "down", "bandwidth", "slow_close", "timeout", "reset_peer", "slicer", "limit_data")
_BLOCK = 4_096
_LINGER = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Toxic:
    """One ailment of a direction (`up`, `down`).

    latency: each block `seconds` later, give or take `jitter`. down: refused, and what was open ends. bandwidth: `per_second` bytes.
    slow_close: the connection's end is passed on `seconds` later. timeout: nothing gets through, and after `seconds`
    the connection ends. reset_peer: what came `seconds` after the first byte is discarded, and the connection reset.
    slicer: blocks of `size` bytes, `seconds` apart. limit_data: after `size` bytes the connection ends.
    """

    kind: str
    direction: str = "down"
    seconds: float = 0.0
    jitter: float = 0.0
    per_second: float = 0.0
    size: int = 0
    every: int = 1

    def __post_init__(self) -> None:
        assert self.kind in KINDS, self.kind
        assert self.direction in {"up", "down"}, self.direction


class ToxicProxy:
    """Passes connections on to the port of `url` on this machine. `connections`: how many were let in."""

    def __init__(self, url: str, toxics: Sequence[Toxic] = (), seed: int = 0) -> None:
        self.connections = 0
        self._upstream = urlsplit(url).port
        self._random = random.Random(seed)
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._toxics: list[Toxic] = []
        self.toxics = list(toxics)

    @property
    def toxics(self) -> list[Toxic]:
        return self._toxics

    @toxics.setter
    def toxics(self, toxics: list[Toxic]) -> None:
        self._toxics = toxics
        if any(toxic.kind == "down" for toxic in toxics):
            self._shut_down()
        elif self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
            self._start(self._accept, self._listener)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> ToxicProxy:
        if self._listener is not None:
            self._start(self._accept, self._listener)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._shut_down()
        for thread in list(self._threads):
            thread.join(5)

    def _shut_down(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def _start(self, work, *arguments) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self._over.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            toxics = [toxic for toxic in self.toxics if self.connections % toxic.every == 0]
            server = socket.create_connection(("127.0.0.1", self._upstream), 5)
            for one in (client, server):
                one.settimeout(None)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open |= {client, server}
            line = _Line((client, server))
            self._start(self._pump, client, server, [t for t in toxics if t.direction == "up"], line)
            self._start(self._pump, server, client, [t for t in toxics if t.direction == "down"], line)

    def _pump(self, source: socket.socket, sink: socket.socket, toxics: list[Toxic], line: _Line) -> None:
        with contextlib.suppress(OSError):
            for block in self._ailing(self._blocks(source), toxics, line):
                sink.sendall(block)
        if not line.is_reset:
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)
        if line.has_ended():
            with self._lock:
                self._open -= {source, sink}
            source.close()
            sink.close()

    def _blocks(self, source: socket.socket) -> Iterator[bytes]:
        while block := source.recv(_BLOCK):
            yield block

    def _ailing(self, blocks: Iterator[bytes], toxics: list[Toxic], line: _Line) -> Iterator[bytes]:
        for toxic in toxics:
            blocks = getattr(self, f"_{toxic.kind}")(blocks, toxic, line)
        return blocks

    def _latency(self, blocks, toxic, _line):
        for block in blocks:
            self._over.wait(max(0.0, toxic.seconds + self._random.uniform(-toxic.jitter, toxic.jitter)))
            yield block

    def _bandwidth(self, blocks, toxic, _line):
        for block in blocks:
            for start in range(0, len(block), 64):
                part = block[start : start + 64]
                self._over.wait(len(part) / toxic.per_second)
                yield part

    def _slow_close(self, blocks, toxic, _line):
        yield from blocks
        self._over.wait(toxic.seconds)

    def _timeout(self, blocks, toxic, line):
        # Data comes in all the same, so that the other side does not notice.
        next(blocks, b"")
        self._over.wait(toxic.seconds)
        line.cut()
        yield from ()

    def _reset_peer(self, blocks, toxic, line):
        next(blocks, b"")
        self._over.wait(toxic.seconds)
        line.cut(reset=True)
        yield from ()

    def _slicer(self, blocks, toxic, _line):
        for block in blocks:
            for start in range(0, len(block), toxic.size):
                yield block[start : start + toxic.size]
                self._over.wait(toxic.seconds)

    def _limit_data(self, blocks, toxic, line):
        left = toxic.size
        for block in blocks:
            yield block[:left]
            left -= len(block)
            if left <= 0:
                line.cut()
                return


class _Line:
    """A client's connection and the one to the server; two pumps share it."""

    def __init__(self, pair: tuple[socket.socket, socket.socket]) -> None:
        self._pair = pair
        self._lock = threading.Lock()
        self._ended = 0
        self.is_reset = False

    def has_ended(self) -> bool:
        """Note that a pump is over; tell whether both are."""
        with self._lock:
            self._ended += 1
            return self._ended == 2

    def cut(self, *, reset: bool = False) -> None:
        """End both connections: in good order, or so that whoever closes them sends a reset."""
        self.is_reset = self.is_reset or reset
        for one in self._pair:
            with contextlib.suppress(OSError):
                if reset:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
                # Ending the reading side wakes the pump of the other direction, and tells nobody.
                one.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
