"""A journal in PostgreSQL, for several machines. psycopg is imported only where one is used.

The tables stand in a schema of their own, so that they never meet others of their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event

from etl.errors import JournalError
from etl.journal import schema
from etl.journal.faults import translated
from etl.journal.keys import Hasher
from etl.settings.journal import JournalSettings

SCHEMA = "etl_journal"
_CONNECT_SECONDS = 10
_LOCK = 0x45544C4A
"""Of two programs that make or change the tables at once, one waits."""


def open_database(settings: JournalSettings, folder: Path, environ: Mapping[str, str], hasher: Hasher) -> Engine:
    """Return the engine of the journal at `settings.url`, with its tables. Raises JournalError."""
    where = settings.url or ""
    engine = connect(settings, folder, environ)
    try:
        with translated(where), engine.begin() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            if not has_tables(connection):
                connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
                schema.create(connection, hasher)
            schema.upgrade(connection, where)
    except BaseException:
        engine.dispose()
        raise
    return engine


def has_tables(connection: Any) -> bool:
    """Tell whether there is a journal in the database."""
    return connection.exec_driver_sql(f"SELECT to_regclass('{SCHEMA}.journal')").scalar() is not None


def connect(settings: JournalSettings, folder: Path, environ: Mapping[str, str]) -> Engine:
    """Return an engine for the database; nothing is asked of it yet. Raises JournalError."""
    try:
        import psycopg
    except ImportError:
        hint = "pip install 'salesmanago-etl[postgres]'"
        message = "a journal in PostgreSQL needs psycopg, which is not installed"
        raise JournalError(message, code="no-psycopg", where=settings.url or "", hint=hint) from None
    password = password_of(settings, folder, environ)
    url = settings.url or ""

    def connected() -> Any:
        extra: dict[str, Any] = {} if password is None else {"password": password}
        return psycopg.connect(url, connect_timeout=_CONNECT_SECONDS, application_name="salesmanago-etl", **extra)

    engine = create_engine("postgresql+psycopg://", creator=connected, hide_parameters=True, pool_pre_ping=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # Not as a start-up option: a pooler in between may refuse those.
        with connection.cursor() as cursor:
            cursor.execute(f"SET search_path TO {SCHEMA}")
        connection.commit()

    return engine


def password_of(settings: JournalSettings, folder: Path, environ: Mapping[str, str]) -> str | None:
    """Return the password, None to leave it to libpq (PGPASSWORD, ~/.pgpass)."""
    where = settings.url or ""
    if settings.password_env is not None:
        password = environ.get(settings.password_env)
        if not password:
            message = f"the environment variable {settings.password_env} is not set"
            hint = "it must hold the password of the journal's database (`password_env` under [journal])"
            raise JournalError(message, code="journal-password", where=where, hint=hint)
        return password
    if settings.password_file is not None:
        try:
            return (folder / Path(settings.password_file).expanduser()).read_text(encoding="utf-8-sig").strip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            message = f"the file {settings.password_file} cannot be read: {reason}"
            hint = "it must hold the password of the journal's database (`password_file` under [journal])"
            raise JournalError(message, code="journal-password", where=where, hint=hint) from None
    return environ.get("PGPASSWORD") or None
