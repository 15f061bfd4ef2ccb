"""Keeps entries of many threads in group commits: while one is forced to disk, the next gathers.

A call returns only when its entries are durable, so a request that left has its intent in the journal, whatever kills
the process. After a failure that could not be overcome every call fails: nothing may be sent that is not written down.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
import traceback
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from etl.errors import JournalError
from etl.journal import schema
from etl.journal.confirming import Confirmer
from etl.journal.encoding import Encoder, Row
from etl.journal.faults import fault_of, is_passing
from etl.journal.keys import Hasher
from etl.journal.statements import upsert
from etl.records import Intent, Outcome

_LINGER_SECONDS = 0.002
"""Waited at most for the threads that the last commit set free to come back with what they did."""
_LINGER_STEP = 0.0002
_FIRST_WAIT = 0.1
_LONGEST_WAIT = 5.0


class _Ticket:
    """One call of `write`: its rows, and the lock that the writing thread opens when they are kept."""

    __slots__ = ("done", "failure", "rows")

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.failure: JournalError | None = None
        self.done = threading.Lock()
        self.done.acquire()


class Writer:
    """The recorder of one run (`load.recorder.Recorder`), used by many threads; a context manager."""

    def __init__(
        self,
        engine: Engine,
        hasher: Hasher,
        run: int,
        target: str,
        *,
        where: str,
        plain: bool,
        reconnect_seconds: float,
    ) -> None:
        self._engine = engine
        self._hasher = hasher
        self._run = run
        self._target = target
        self._where = where
        self._reconnect_seconds = reconnect_seconds
        self._encoder = Encoder(hasher, run, plain=plain)
        self._deliveries = upsert(schema.deliveries, engine.dialect, keeping=("action", "key", "person", "key_text"))
        self._confirmer: Confirmer | None = None
        self._connection: Connection | None = None
        self._waiting: deque[_Ticket] = deque()
        self._arrived = threading.Condition()
        self._changed: dict[tuple[int, int], str] | None = None
        self._closing = False
        self._failure: JournalError | None = None
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, entries: Sequence[Intent | Outcome]) -> None:
        """Return once all `entries` are durable, in their order; whatever it raises, nothing more may be sent.

        Raises JournalError of code `journal-write`, and so does every later call.
        """
        if not entries:
            return
        ticket = _Ticket([self._encoder.row(entry) for entry in entries])
        with self._arrived:
            if self._failure is not None:
                raise self._failed(self._failure)
            if self._closing:
                raise AssertionError("BUG: written to after it was closed")
            self._waiting.append(ticket)
            self._arrived.notify()
        ticket.done.acquire()
        if ticket.failure is not None:
            raise self._failed(ticket.failure)

    def close(self) -> None:
        """Keep what was handed over, and end the thread. Raises nothing: who waits for an entry is told."""
        with self._arrived:
            self._closing = True
            self._arrived.notify()
        self._thread.join()

    def _work(self) -> None:
        last = 0
        try:
            while True:
                with self._arrived:
                    while not self._waiting and not self._closing:
                        self._arrived.wait()
                    if not self._waiting:
                        return
                self._gather(last)
                with self._arrived:
                    tickets, self._waiting = self._waiting, deque()
                last = len(tickets)
                self._keep(tickets)
        finally:
            self._disconnect()

    def _gather(self, last: int) -> None:
        until = time.monotonic() + _LINGER_SECONDS
        seen = len(self._waiting)
        while seen < last and time.monotonic() < until:
            time.sleep(_LINGER_STEP)
            if len(self._waiting) == seen:
                return
            seen = len(self._waiting)

    def _keep(self, tickets: deque[_Ticket]) -> None:
        """Commit the tickets' rows, or fail for ever; either way, let the threads go on."""
        failure = self._failure
        if failure is None:
            try:
                self._commit([row for ticket in tickets for row in ticket.rows])
            except JournalError as error:
                failure = error
            except Exception as error:  # noqa: BLE001 - whoever waits must be told, whatever it is
                # Kind and line of the fault alone: a message may quote values.
                frame = traceback.extract_tb(error.__traceback__)[-1]
                message = f"BUG: {type(error).__name__} in the journal, {Path(frame.filename).name}:{frame.lineno}"
                failure = JournalError(message, code="journal-bug", where=self._where)
        if failure is not None:
            with self._arrived:
                self._failure = failure
                tickets.extend(self._waiting)
                self._waiting.clear()
        for ticket in tickets:
            ticket.failure = failure
            ticket.done.release()

    def _commit(self, rows: list[Row]) -> None:
        """Commit once; over a lost connection as often as it takes, for a while. Each write may be repeated."""
        until: float | None = None
        wait = _FIRST_WAIT
        self._changed = None
        while True:
            try:
                self._commit_once(rows)
            except (SQLAlchemyError, sqlite3.Error, OSError) as error:
                self._disconnect()
                until = until or time.monotonic() + self._reconnect_seconds
                if not is_passing(error) or time.monotonic() + wait > until:
                    raise fault_of(error, self._where) from None
                time.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
                wait = min(2 * wait, _LONGEST_WAIT)
            else:
                return

    def _commit_once(self, rows: list[Row]) -> None:
        """Write and commit. What differed is kept from the first try: after a commit in doubt nothing does any more."""
        connection, confirmer = self._connected()
        with connection.begin():
            differing = confirmer.write(connection, [row for row in rows if row.effect is not None])
            confirmer.doubt(connection, rows)
            if self._changed is None:
                self._changed = differing
            last: dict[tuple[int, int], tuple[Any, ...]] = {}
            for row in rows:
                changed = self._changed.get(row.place) if row.effect is not None else None
                last[row.place] = (self._run, *row.values, changed)
            self._deliveries.run(connection, list(last.values()))
        confirmer.committed()

    def _connected(self) -> tuple[Connection, Confirmer]:
        if self._connection is None or self._confirmer is None:
            connection = self._engine.connect()
            try:
                with connection.begin():
                    self._confirmer = Confirmer(connection, self._hasher, self._run, self._target)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection, self._confirmer

    def _disconnect(self) -> None:
        connection, self._connection, self._confirmer = self._connection, None, None
        if connection is not None:
            try:
                connection.close()
            except Exception:  # noqa: BLE001 - it is given up
                connection.invalidate()

    def _failed(self, failure: JournalError) -> JournalError:
        message = f"nothing more is sent, since it could not be written down: {failure.message}"
        return JournalError(message, code="journal-write", where=failure.where, hint=failure.hint)
