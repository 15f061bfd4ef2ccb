"""A raw-socket HTTP server for faults: what it answers is scripted, by the number of the request and byte by byte.

    with FaultServer([reply(200, {"success": True}), RESET, drip(b"HTTP/1.1 200 OK", 0.05)]) as server:
        ...
        server.requests[0].body

A script is a list (its last entry answers all further requests) or a function of the request. An entry is `bytes` to
send, `Drip`, or one of RESET, CLOSE, HANG; a tuple of entries is played in turn. After bytes the connection stays open.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Seen:
    """One request as it came in. `number` counts from 0 over all connections, `connection` the connections."""

    number: int
    connection: int
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass(frozen=True)
class Drip:
    data: bytes
    seconds: float


RESET, CLOSE, HANG = "reset", "close", "hang"
Entry = bytes | Drip | str | tuple[Any, ...]
Script = Sequence[Entry] | Callable[[Seen], Entry]


def reply(status: int = 200, body: Any = None, **headers: str) -> bytes:
    """Return a whole answer; `body`: bytes as they are, anything else as JSON. `retry_after="3"` gives Retry-After."""
    data = body if isinstance(body, bytes) else json.dumps({"success": True} if body is None else body).encode()
    named = {"Content-Type": "application/json", "Content-Length": str(len(data))}
    named |= {name.replace("_", "-").title(): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + data


class FaultServer:
    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._tls = tls
        self._lock = threading.Lock()
        self.requests: list[Seen] = []
        self.connections = 0
        self._over = threading.Event()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def url(self) -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://localhost:{self.port}"

    def __enter__(self) -> FaultServer:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        # Closing alone does not wake a thread that is in `accept`.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                number, self.connections = self.connections, self.connections + 1
                self._open.add(connection)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(connection, number), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        plain = connection
        try:
            if self._tls is not None:
                # Wrapping takes the socket away from its old name.
                with self._lock:
                    self._open.discard(plain)
                connection.settimeout(10)
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                while (seen := self._read(stream, number)) is not None:
                    script = self._script
                    entry = script(seen) if callable(script) else script[min(seen.number, len(script) - 1)]
                    if not self._play(connection, entry):
                        return
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._open.discard(plain)
            plain.close()

    def _read(self, stream: Any, connection: int) -> Seen | None:
        line = stream.readline().decode()
        if not line.strip():
            return None
        method, path, _ = line.split()
        headers = {}
        while (header := stream.readline().decode().strip()) != "":
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", "0")))
        with self._lock:
            seen = Seen(len(self.requests), connection, method, path, headers, body, time.monotonic())
            self.requests.append(seen)
        return seen

    def _play(self, connection: socket.socket, entry: Entry) -> bool:
        if isinstance(entry, tuple):
            return all(self._play(connection, part) for part in entry)
        if isinstance(entry, bytes):
            connection.sendall(entry)
            return True
        if isinstance(entry, Drip):
            for place in range(len(entry.data)):
                if self._over.wait(entry.seconds):
                    return False
                connection.sendall(entry.data[place : place + 1])
            return True
        if entry == HANG:
            self._over.wait(30)
        elif entry == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
