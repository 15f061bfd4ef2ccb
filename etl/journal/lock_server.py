"""Locks of several machines: advisory ones of the PostgreSQL server that keeps the journal.

The server frees a lock with the session that took it, so a connection of its own stays open as long as the run. Who
holds it stands in the table `etl_journal.locks`, where a holder that let go has written so; one found without has died.
Behind a pooler that lends connections out by the transaction (pgbouncer) such locks are void: connect to the server.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from etl.errors import GuardError, JournalError
from etl.journal.holders import (
    Holder,
    digest_of,
    forgetting_under_way,
    lost,
    refusal,
    runs_under_way,
)

if TYPE_CHECKING:
    import psycopg

RECONNECT_SECONDS = 60.0
"""How long a server that restarts is waited for."""
FORGETTING_SECONDS = 60.0
_POLL_SECONDS = 0.25
_CONNECT_SECONDS = 10
_OLD_SESSION_SECONDS = 5.0
_ALL = int.from_bytes(digest_of("", "all runs")[:8], "big", signed=True)
_MAKING = int.from_bytes(digest_of("", "making the table of locks")[:8], "big", signed=True)
_TABLE = """
    CREATE TABLE IF NOT EXISTS etl_journal.locks (
        number bigint PRIMARY KEY, run text NOT NULL, target text NOT NULL, mapping text NOT NULL, who text NOT NULL,
        pid integer NOT NULL, since double precision NOT NULL, ended double precision, token text NOT NULL,
        session integer NOT NULL
    )
"""
_COLUMNS = "run, target, mapping, who, pid, since, ended"
_IS_HELD = """
    EXISTS (
        SELECT 1 FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND objsubid = 1
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND classid::bigint = (locks.number >> 32) & 4294967295 AND objid::bigint = locks.number & 4294967295
    )
"""
"""Whether somebody holds the advisory lock of a row, without trying it."""


@dataclass(frozen=True, slots=True)
class Server:
    """The database that keeps the journal: its URL, without a password, and that, None to leave it to libpq."""

    url: str
    password: str | None = field(default=None, repr=False)


class ServerLock:
    """A lock on the server, held until `release`, or until the server loses its session (see `check`)."""

    def __init__(self, server: Server, holder: Holder) -> None:
        """Take the lock. Raises GuardError where another run has it, JournalError."""
        self._server = server
        self._holder = holder
        self._number = _number(holder.target, holder.mapping)
        self._token = secrets.token_hex(8)
        self._guard = threading.Lock()
        self._lost: GuardError | None = None
        self._connection = connected(server)
        try:
            with _told(server):
                former = self._taken()
        except BaseException:
            self._connection.close()
            raise
        has_died = former is not None and former.ended is None and former.run != holder.run
        self.died = former if has_died else None

    def check(self) -> None:
        """Ask the server whether the session is there; where it is gone, take the lock anew, for up to a minute.

        One question and its answer: a millisecond or less beside the server.
        """
        import psycopg

        with self._guard:
            if self._lost is not None:
                raise self._lost
            try:
                self._connection.execute("SELECT 1")
            except psycopg.Error:
                self._again()

    def release(self) -> None:
        """Write down that the lock was let go, and let go."""
        import psycopg

        with self._guard, contextlib.suppress(psycopg.Error):
            self._connection.execute(
                "UPDATE etl_journal.locks SET ended = %s WHERE number = %s AND token = %s",
                (time.time(), self._number, self._token),
            )
        self._connection.close()

    def _again(self) -> None:
        end = time.monotonic() + RECONNECT_SECONDS
        while True:
            self._connection.close()
            try:
                self._connection = connected(self._server)
                with _told(self._server):
                    former = self._taken()
                break
            except GuardError:
                # A session that is there is taken for one that holds the lock.
                self._connection.close()
                raise
            except JournalError:
                if time.monotonic() > end:
                    raise
                time.sleep(_POLL_SECONDS)
        if former is not None and former.run != self._holder.run:
            self._lost = lost(former)
            raise self._lost

    def _taken(self) -> Holder | None:
        """Take the lock in this session and write down who has it; return who is named there as its last holder."""
        _try_all(self._connection, is_shared=True, patience=FORGETTING_SECONDS)
        end = time.monotonic() + _OLD_SESSION_SECONDS
        while not _try(self._connection, self._number):
            former, token, session = self._row()
            if token != self._token or time.monotonic() > end:
                raise refusal(self._holder.target, self._holder.mapping, former)
            # The connection broke, and the server has not noticed: that session is this lock's own.
            self._connection.execute("SELECT pg_terminate_backend(%s)", (session,))
            time.sleep(_POLL_SECONDS)
        former, _, _ = self._row()
        self._connection.execute(
            f"INSERT INTO etl_journal.locks AS locks (number, {_COLUMNS}, token, session) "  # noqa: S608 - constants
            "VALUES (%s, %s, %s, %s, %s, %s, %s, NULL, %s, pg_backend_pid()) ON CONFLICT (number) DO UPDATE SET "
            "run = EXCLUDED.run, who = EXCLUDED.who, pid = EXCLUDED.pid, since = EXCLUDED.since, ended = NULL, "
            "token = EXCLUDED.token, session = EXCLUDED.session",
            (
                self._number, self._holder.run, self._holder.target, self._holder.mapping, self._holder.who,
                self._holder.pid, self._holder.since, self._token,
            ),
        )  # fmt: skip
        return former

    def _row(self) -> tuple[Holder | None, str, int]:
        query = f"SELECT token, session, {_COLUMNS} FROM etl_journal.locks WHERE number = %s"  # noqa: S608 - constants
        found = self._connection.execute(query, (self._number,)).fetchone()
        return (Holder(*found[2:]), found[0], found[1]) if found else (None, "", 0)


@contextlib.contextmanager
def locked(server: Server, holder: Holder) -> Iterator[ServerLock]:
    """Hold the lock of the holder's target and mapping. Raises GuardError, JournalError."""
    lock = ServerLock(server, holder)
    try:
        yield lock
    finally:
        lock.release()


@contextlib.contextmanager
def alone(server: Server) -> Iterator[None]:
    """Keep all runs out. Raises GuardError where one is under way, JournalError."""
    with contextlib.closing(connected(server)) as connection:
        with _told(server):
            _try_all(connection, is_shared=False, patience=0.0)
        yield


def holder_of(server: Server, target: str, mapping: str) -> Holder | None:
    """Return who holds that lock at this moment, None if nobody does. Raises JournalError."""
    number = _number(target, mapping)
    with contextlib.closing(connected(server)) as connection, _told(server):
        found = _held(connection, "number = %s", (number,))
    return found[0] if found else None


def holders(server: Server) -> list[Holder]:
    """Return all who hold a lock at this moment, the longest first. Raises JournalError."""
    with contextlib.closing(connected(server)) as connection, _told(server):
        return _held(connection, "true", ())


def connected(server: Server) -> psycopg.Connection[Any]:
    """Return a session that notices a dead peer within a minute, as the server does of it. Raises JournalError."""
    import psycopg

    with _told(server):
        connection = psycopg.connect(
            server.url, autocommit=True, connect_timeout=_CONNECT_SECONDS, application_name="etl lock",
            keepalives_idle=30, keepalives_interval=10, keepalives_count=3, password=server.password,
        )  # fmt: skip
        try:
            connection.execute("SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10")
            connection.execute("SET tcp_keepalives_count = 3")
            if connection.info.server_version >= 140_000:
                # An idle session is one that holds its lock.
                connection.execute("SET idle_session_timeout = 0")
            _make_table(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def _make_table(connection: psycopg.Connection[Any]) -> None:
    """Make the table where there is none: it is no part of the journal's versions, and empty without a loss."""
    found = connection.execute("SELECT to_regclass('etl_journal.locks')").fetchone()
    if found is not None and found[0] is not None:
        return
    with connection.transaction():
        # Two that make a table at once collide, whatever IF NOT EXISTS says.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MAKING,))
        connection.execute("CREATE SCHEMA IF NOT EXISTS etl_journal")
        connection.execute(_TABLE)


def _number(target: str, mapping: str) -> int:
    """Return what PostgreSQL calls the lock: 64 bits, signed."""
    return int.from_bytes(digest_of(target, mapping)[:8], "big", signed=True)


def _try(connection: psycopg.Connection[Any], number: int, *, is_shared: bool = False) -> bool:
    function = "pg_try_advisory_lock_shared" if is_shared else "pg_try_advisory_lock"
    found = connection.execute(f"SELECT {function}(%s)", (number,)).fetchone()
    return bool(found and found[0])


def _try_all(connection: psycopg.Connection[Any], *, is_shared: bool, patience: float) -> None:
    """Take the lock that all runs share, or take it alone. Raises GuardError."""
    end = time.monotonic() + patience
    while not _try(connection, _ALL, is_shared=is_shared):
        if time.monotonic() >= end:
            raise forgetting_under_way() if is_shared else runs_under_way(_held(connection, "true", ()))
        time.sleep(_POLL_SECONDS)


def _held(connection: psycopg.Connection[Any], where: str, values: tuple[object, ...]) -> list[Holder]:
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM etl_journal.locks WHERE {where} AND ended IS NULL AND {_IS_HELD} ORDER BY since",  # noqa: S608 - constants
        values,
    )
    return [Holder(*row) for row in found]


@contextlib.contextmanager
def _told(server: Server) -> Iterator[None]:
    """Raise what the server or the way to it has against us as a JournalError, which never holds the password."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        # Without a state, a ProgrammingError speaks of the address, and may quote it.
        is_address = isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None
        said = ["its address cannot be read"] if is_address else str(error).strip().splitlines()
        raise JournalError(
            f"the journal's server does not lock: {said[0] if said else type(error).__name__}", code="lock",
            where=server.url, hint="is the server up, and may this user create tables in the schema etl_journal?",
        ) from None  # fmt: skip
