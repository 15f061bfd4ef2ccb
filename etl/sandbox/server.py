"""The sandbox as a running server, in a thread of this process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from etl.errors import SettingsError
from etl.sandbox import answers
from etl.sandbox.answers import HttpDate
from etl.sandbox.exchange import Reply, Request
from etl.sandbox.gateway import Gateway
from etl.sandbox.options import SandboxOptions
from etl.sandbox.protocol import Connection
from etl.sandbox.store import Store

START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts since the sandbox started; `by_status` of the answers given, `by_fault` of the faults by kind."""

    requests: int
    by_status: Mapping[int, int]
    by_fault: Mapping[str, int]
    connections: int


@dataclass(frozen=True, slots=True)
class Running:
    """Where a sandbox that serves can be reached, and where it stores."""

    url: str
    database: Path


class _Server:
    """One event loop's worth of sandbox. Answers leave after the commit that holds what they confirm."""

    def __init__(self, options: SandboxOptions, database: Path) -> None:
        self._options = options
        self._database = database
        self._clock = HttpDate(options.clock_offset_seconds)
        self._pending: list[tuple[Connection, Reply]] = []
        self._flushing = False
        self._connections: set[Connection] = set()
        self._opened = 0

    async def start(self) -> Running:
        """Open the database and the port. Raises SettingsError where either can't be had."""
        store = Store(self._database)
        self.gateway = Gateway(self._options, store, self._clock)
        options = self._options
        try:
            self._listener = await asyncio.get_running_loop().create_server(
                lambda: Connection(self, options.max_body_bytes), options.host, options.port, backlog=1024
            )
        except OSError as error:
            store.close()
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            raise SettingsError(
                f"the sandbox cannot listen on {options.host} port {options.port}: {reason}",
                code="sandbox-port",
                where="sandbox",
                hint="give another port, or 0 for any free one",
            ) from error
        host, port = self._listener.sockets[0].getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        return Running(f"http://{shown}:{port}{options.base_path}", self._database)

    async def stop(self) -> None:
        """Send what is ready, end all connections, and close the database."""
        self._listener.close()
        self._flush()
        await asyncio.sleep(0)
        for connection in tuple(self._connections):
            if connection.transport is not None:
                connection.transport.close()
        await asyncio.sleep(0)
        for connection in tuple(self._connections):
            connection.abort()
        await asyncio.sleep(0)
        self.gateway.store.close()

    def stats(self) -> Stats:
        """Return the counts so far."""
        tally = self.gateway.tally
        return Stats(tally.requests, dict(tally.by_status), dict(tally.by_fault), self._opened)

    # the desk of `protocol`

    def take(self, connection: Connection, request: Request) -> None:
        """Carry out `request`; it is answered when this turn of the loop has been committed."""
        try:
            if request.refusal is not None:
                reply = self.gateway.refuse(request, request.refusal)
            else:
                reply = self.gateway.reply(request)
        except sqlite3.Error:
            self._undo()
            reply = self._internal_error()
        self._pending.append((connection, reply))
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def opened(self, connection: Connection) -> None:
        """Count a connection."""
        self._opened += 1
        self._connections.add(connection)

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""
        self._connections.discard(connection)

    def date(self) -> str:
        """Return the Date header of an answer made now."""
        return self._clock.text()

    def _flush(self) -> None:
        self._flushing = False
        try:
            self.gateway.store.commit()
        except sqlite3.Error:
            self._undo()
        pending, self._pending = self._pending, []
        loop = asyncio.get_running_loop()
        for connection, reply in pending:
            # Each in a call of its own: what goes wrong with one connection stays with it.
            loop.call_soon(connection.deliver, reply)

    def _undo(self) -> None:
        # One commit holds all that are pending, so that they stand or fall together.
        self.gateway.store.rollback()
        self._pending = [(connection, self._internal_error()) for connection, _ in self._pending]

    def _internal_error(self) -> Reply:
        return Reply(answers.gateway(500), self.gateway.request_id())


class Sandbox:
    """A sandbox in a thread of this process: `with Sandbox(SandboxOptions()) as sandbox: sandbox.url`.

    It serves from `start` (or `with`) to `stop`; both may be called from any thread, `stop` more than once.
    """

    def __init__(self, options: SandboxOptions | None = None) -> None:
        self.options = options or SandboxOptions()
        self._stack = contextlib.ExitStack()
        self._ready = threading.Event()
        self._fault: BaseException | None = None
        self._running: Running | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Serve. Raises SettingsError where the port or the database can't be had."""
        database = self.options.database
        if database is None:
            database = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="sandbox-"))) / "sandbox.db"
        server = self._server = _Server(self.options, database)
        thread = self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(server)), name="sandbox", daemon=True
        )
        thread.start()
        if not self._ready.wait(START_SECONDS):
            raise AssertionError(f"BUG: the sandbox has not started within {START_SECONDS:g} s")
        if self._fault is not None:
            thread.join()
            self._stack.close()
            raise self._fault
        self._started()

    def stop(self) -> None:
        """Stop serving, and remove the database if it was a temporary one."""
        if self._loop is not None and self._stopping is not None and self._thread is not None:
            # A loop that has ended by itself refuses the call, and there is nothing to stop then.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
        self._stack.close()

    @property
    def url(self) -> str:
        """The base URL, with the base path and without a slash at its end."""
        return self._started().url

    @property
    def database(self) -> Path:
        """The SQLite file; every answer that was received is in it."""
        return self._started().database

    def stats(self) -> Stats:
        """Return the counts so far; also after `stop`."""
        self._started()
        if self._server is None:
            raise AssertionError("BUG: a sandbox that runs has no server")
        return self._server.stats()

    def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """Return what an SQL query on the database yields, a dict a row, column by name."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=5.0)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, parameters)]

    def _started(self) -> Running:
        if self._running is None:
            raise AssertionError("BUG: the sandbox is used before it was started")
        return self._running

    async def _serve(self, server: _Server) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        try:
            self._running = await server.start()
        except SettingsError as error:
            self._fault = error
            return
        finally:
            self._ready.set()
        await self._stopping.wait()
        await server.stop()
