"""A journal in one SQLite file: how it is made, opened and looked over.

A file is made under another name and moved into place when it is whole, so nothing can leave half a journal behind.
WAL is used only where SQLite has the fix of the WAL-reset bug (https://sqlite.org/wal.html#walresetbug), since that bug
loses commits where two connections write; otherwise the rollback journal is truncated. Each commit is forced to disk.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event

from etl.errors import JournalError
from etl.journal import schema
from etl.journal.faults import MOVE_ASIDE, translated
from etl.journal.keys import Hasher, publish

LOCK_SECONDS = 30.0
"""How long a statement waits for another process."""
APPLICATION = 0x45544C4A
"""`PRAGMA application_id` of a journal: ETLJ."""
_READING = "reading"
_LOOKED_OVER = 64 << 20
"""Bytes up to which a journal that was not closed is looked over before use: well under a second."""
SYNCHRONOUS = "FULL"
"""Each commit reaches the disk before it is told: also a machine that loses its power loses none."""
_CACHE_KB = 65_536


def is_wal_safe(version: tuple[int, ...]) -> bool:
    """Tell whether this version of SQLite has the fix of the WAL-reset bug: 3.44.6, 3.50.7, 3.51.3 and later ones."""
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


def open_file(path: Path, hasher: Hasher) -> Engine:
    """Return the engine of the journal in `path`, which is made where there is none. Raises JournalError."""
    where = str(path)
    with translated(where):
        if not path.exists():
            _make(path, hasher)
        refuse_foreign(path)
        was_closed = not _leftover(path)
        engine = _engine(path)
        try:
            if not was_closed and path.stat().st_size <= _LOOKED_OVER:
                _look_over(engine, where)
            with reading(engine).connect() as connection:
                is_old = schema.is_old(connection, where)
            if is_old:
                with engine.begin() as connection:
                    schema.upgrade(connection, where)
        except BaseException:
            engine.dispose()
            raise
    return engine


def reading(engine: Engine) -> Engine:
    """Return the same engine for single statements that read: they take no lock to write."""
    return engine.execution_options(**{_READING: True})


def _make(path: Path, hasher: Hasher) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    started = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        # Readable by its owner alone, from the first byte on.
        os.close(os.open(started, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        engine = _engine(started, mode="DELETE")
        try:
            with engine.begin() as connection:
                schema.create(connection, hasher)
                connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")
        finally:
            engine.dispose()
        publish(started, path)
    finally:
        for ending in ("", "-journal"):
            Path(f"{started}{ending}").unlink(missing_ok=True)


def refuse_foreign(path: Path) -> None:
    """Raise JournalError for a file that is no journal, before SQLite could change anything in it; OSError."""
    with path.open("rb") as file:
        start = file.read(72)
    if len(start) == 72 and start.startswith(b"SQLite format 3\0") and int.from_bytes(start[68:72]) == APPLICATION:
        return
    message = "the file is empty: no journal" if not start else "the file is no journal of etl, or a damaged one"
    hint = f"set another `path` under [journal] in etl.toml; if it was the journal, {MOVE_ASIDE}"
    raise JournalError(message, code="journal-foreign", where=str(path), hint=hint)


def _leftover(path: Path) -> bool:
    """Tell whether the last one who wrote did not come to close the file."""
    for ending in ("-journal", "-wal"):
        try:
            if Path(f"{path}{ending}").stat().st_size:
                return True
        except FileNotFoundError:
            continue
    return False


def _look_over(engine: Engine, where: str) -> None:
    with reading(engine).connect() as connection:
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if found != "ok":
        raise JournalError("the journal is damaged", code="journal-corrupt", where=where, hint=MOVE_ASIDE)


def _engine(path: Path, mode: str | None = None) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": LOCK_SECONDS, "check_same_thread": False},
        hide_parameters=True,
    )
    chosen = mode or ("WAL" if is_wal_safe(sqlite3.sqlite_version_info) else "TRUNCATE")

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (f"journal_mode = {chosen}", f"synchronous = {SYNCHRONOUS}", f"cache_size = -{_CACHE_KB}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        # A transaction that reads first and writes then is refused at once where another one has written in between.
        if not connection.get_execution_options().get(_READING):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
