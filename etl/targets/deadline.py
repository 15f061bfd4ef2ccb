"""Requests cut off by the wall clock: one thread that shuts a connection down when its time is up.

A socket's own timeout counts from one read to the next, so that a server which drips a byte a second is never late.
The thread here looks at all requests under way a few times a second; nothing else in `targets` starts a thread.
"""

from __future__ import annotations

import contextlib
import math
import socket
import threading
import time

POLL_SECONDS = 0.05


class Watch:
    """The connection of one transport, and until when its request may take."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._until = math.inf
        self._expired = False

    def attach(self, connection: socket.socket) -> None:
        """Watch this connection from now on, through a handle of our own, which TLS cannot take away."""
        handle = connection.dup()
        with self._lock:
            previous, self._socket = self._socket, handle
            if self._expired:
                _shut(handle)
        if previous is not None:
            previous.close()

    def arm(self, until: float) -> None:
        """Begin a request that must be over at `until` (monotonic seconds)."""
        with self._lock:
            self._until, self._expired = until, False

    def disarm(self) -> bool:
        """End the request; tell whether its time ran out. The connection is then of no more use."""
        with self._lock:
            self._until = math.inf
            return self._expired

    def expire(self, now: float) -> None:
        """Shut the connection down if the request under way is late."""
        with self._lock:
            if now >= self._until:
                self._until, self._expired = math.inf, True
                if self._socket is not None:
                    _shut(self._socket)

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            handle, self._socket = self._socket, None
        if handle is not None:
            handle.close()


class Watchdog:
    """Watches any number of transports with one thread, which lives while there are any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watches: set[Watch] = set()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()

    def watch(self) -> Watch:
        """Return a new watch; `release` it in the end."""
        made = Watch()
        with self._lock:
            self._watches.add(made)
            if self._thread is None:
                self._wake.clear()
                self._thread = threading.Thread(target=self._run, name="etl-deadline", daemon=True)
                self._thread.start()
        return made

    def release(self, watch: Watch) -> None:
        """Watch it no longer, and let go of its connection."""
        with self._lock:
            self._watches.discard(watch)
            if not self._watches:
                self._wake.set()
        watch.close()

    def _run(self) -> None:
        while True:
            self._wake.wait(POLL_SECONDS)
            with self._lock:
                if not self._watches:
                    self._thread = None
                    return
                self._wake.clear()
                watches = tuple(self._watches)
            now = time.monotonic()
            for watch in watches:
                watch.expire(now)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
