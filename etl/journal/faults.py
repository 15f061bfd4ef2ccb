"""What a database says → one JournalError. Nothing foreign leaves the package, and no value of a statement.

The cause is never chained: a driver's message may quote a row (PostgreSQL's DETAIL does).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from etl.errors import JournalError

MOVE_ASIDE = (
    "move it aside (and the files of its name that end in -journal, -wal, -shm); a new one is begun then, which does "
    "not know what was sent before: upserts are sent once more, events may be created twice, deletions are forgotten"
)
_FREE = "make room and go on with `etl resume`"
_BY_SQLITE = (
    ("SQLITE_BUSY", "journal-locked", "is locked by another process",
     "wait until it ends (a run, a backup, a database browser), and start again"),
    ("SQLITE_LOCKED", "journal-locked", "is locked by another process",
     "wait until it ends (a run, a backup, a database browser), and start again"),
    ("SQLITE_FULL", "journal-full", "cannot grow: the disk is full", _FREE),
    ("SQLITE_READONLY", "journal-read-only", "cannot be written: file or folder is read-only",
     "give the user who runs etl the right to write there, or set `path` under [journal] in etl.toml"),
    ("SQLITE_PERM", "journal-read-only", "cannot be written: file or folder is read-only",
     "give the user who runs etl the right to write there, or set `path` under [journal] in etl.toml"),
    ("SQLITE_CANTOPEN", "journal-open", "cannot be opened",
     "the folder must exist and be writable for the user who runs etl; or set `path` under [journal] in etl.toml"),
    ("SQLITE_CORRUPT", "journal-corrupt", "is damaged", MOVE_ASIDE),
    ("SQLITE_NOTADB", "journal-corrupt", "is no database, or a damaged one", MOVE_ASIDE),
    ("SQLITE_IOERR", "journal-io", "cannot be read or written: the disk reports a fault, or is full", _FREE),
)  # fmt: skip
_BY_SQLSTATE = (
    ("28", "journal-password", "the database refuses user or password",
     "see `password_env` and `password_file` under [journal], PGPASSWORD, and ~/.pgpass"),
    ("3D", "journal-open", "there is no such database", "create it, or correct `url` under [journal] in etl.toml"),
    ("42501", "journal-rights", "the user may not do this in the database",
     "give it a schema of its own: CREATE SCHEMA etl_journal AUTHORIZATION the_user"),
    ("25006", "journal-read-only", "the database is read-only",
     "correct `url` under [journal] in etl.toml: it must be the primary"),
    ("53100", "journal-full", "the database's disk is full", _FREE),
    ("53", "journal-busy", "the database has no room for a connection", "wait, and go on with `etl resume`"),
    ("XX", "journal-corrupt", "the database reports damaged data", "ask who runs the database"),
)  # fmt: skip
_GONE = ("08", "57P01", "57P02", "57P03", "57P05", "53300", "40001", "40P01")
"""Beginnings of SQLSTATEs after which the same work may succeed: connection lost, server stopping or starting."""


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn what a database raises into JournalError; `where`: the journal's name."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise fault_of(error, where) from None


def fault_of(error: BaseException, where: str) -> JournalError:
    """Return what is wrong, and what to do, in our words."""
    original = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(original, sqlite3.Error):
        name = getattr(original, "sqlite_errorname", "") or ""
        for start, code, message, hint in _BY_SQLITE:
            if name.startswith(start):
                return JournalError(f"the journal {message}", code=code, where=where, hint=hint)
    elif isinstance(original, OSError):
        hint = "give the user who runs etl the right to write there, or set `path` under [journal] in etl.toml"
        reason = original.strerror or type(original).__name__
        return JournalError(f"the journal cannot be used: {reason}", code="journal-open", where=where, hint=hint)
    state = getattr(original, "sqlstate", None) or _refusal(original)
    if (state is None and type(original).__module__.startswith("psycopg")) or is_passing(error):
        hint = "see that the server runs and that `url` under [journal] in etl.toml is right; then go on"
        return JournalError("the journal's database does not answer", code="journal-gone", where=where, hint=hint)
    for start, code, message, hint in _BY_SQLSTATE:
        if state is not None and state.startswith(start):
            return JournalError(f"the journal: {message}", code=code, where=where, hint=hint)
    kind = state or getattr(original, "sqlite_errorname", None) or type(original).__name__
    hint = "run `etl doctor`; if it goes on, report it with this line"
    return JournalError(f"the journal failed: {kind}", code="journal-failed", where=where, hint=hint)


def is_passing(error: BaseException) -> bool:
    """Tell whether the connection or the server is gone for now, so that the same work may succeed later."""
    if not isinstance(error, DBAPIError) or error.orig is None or isinstance(error.orig, sqlite3.Error):
        return False
    state = getattr(error.orig, "sqlstate", None) or _refusal(error.orig)
    if state is not None:
        return bool(state.startswith(_GONE))
    return error.connection_invalidated or type(error.orig).__name__ in {"OperationalError", "ConnectionTimeout"}


def _refusal(original: BaseException) -> str | None:
    """Return the SQLSTATE of a login that the server refused: libpq hands on its words alone."""
    connection = getattr(original, "pgconn", None)
    if connection is None:
        return None
    said = str(original)
    if connection.needs_password or "authentication failed" in said or "pg_hba.conf" in said:
        return "28000"
    return "3D000" if re.search('database "[^"]*" does not exist', said) else None
