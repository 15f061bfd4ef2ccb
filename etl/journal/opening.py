"""`open_journal`: from the settings to a Journal, its hashing key found, made or refused."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from etl.errors import JournalError
from etl.journal import keys, postgres, schema, sqlite_file
from etl.journal.faults import MOVE_ASIDE, translated
from etl.journal.store import Journal
from etl.settings import Settings

KEY_FILE = Path(".etl") / "journal.key"
"""Of a journal in PostgreSQL, below the folder of etl.toml; that of a file stands beside it."""


def open_journal(settings: Settings, *, create: bool = True) -> Journal | None:
    """Return the journal that the settings name, whoever calls closes it; it is made where there is none.

    None where there is none and `create` is False. Raises JournalError, which says what to do.
    """
    if settings.journal.url is not None:
        return _from_database(settings, create=create)
    path = settings.journal.file(settings.folder)
    with translated(str(path)):
        exists = path.exists()
    if not exists and not create:
        return None
    if exists:
        with translated(str(path)):
            sqlite_file.refuse_foreign(path)
    hasher = _hasher(settings, path.with_suffix(".key"), may_make=not exists, where=str(path))
    return _journal(settings, sqlite_file.open_file(path, hasher), hasher, str(path))


def key_of_masks(settings: Settings) -> bytes | None:
    """Return the key of the tokens that stand for people in reports; None where no journal has been begun here.

    Raises JournalError.
    """
    key = keys.given_key(settings.journal, settings.folder, settings.environ)
    if key is None:
        file = settings.journal.file(settings.folder).with_suffix(".key")
        key = keys.read_key(settings.folder / KEY_FILE if settings.journal.url is not None else file)
    return None if key is None else keys.Hasher(key).masks


def _from_database(settings: Settings, *, create: bool) -> Journal | None:
    where = settings.journal.url or ""
    engine = postgres.connect(settings.journal, settings.folder, settings.environ)
    try:
        with translated(where), engine.connect() as connection:
            exists = postgres.has_tables(connection)
    finally:
        engine.dispose()
    if not exists and not create:
        return None
    hasher = _hasher(settings, settings.folder / KEY_FILE, may_make=not exists, where=where)
    engine = postgres.open_database(settings.journal, settings.folder, settings.environ, hasher)
    return _journal(settings, engine, hasher, where)


def _journal(settings: Settings, engine: Engine, hasher: keys.Hasher, where: str) -> Journal:
    try:
        with translated(where), sqlite_file.reading(engine).connect() as connection:
            check = schema.marks_of(connection).get("check")
        if check != hasher.check:
            message = "the hashing key is another one than the journal was begun with"
            hint = f"{_WAY_OUT}; or {MOVE_ASIDE}"
            raise JournalError(message, code="journal-key", where=where, hint=hint)
    except BaseException:
        engine.dispose()
        raise
    return Journal(engine, hasher, where, settings.journal)


_WAY_OUT = "copy journal.key from the machine that began it, or set `key_env` or `key_file` under [journal]"


def _hasher(settings: Settings, file: Path, *, may_make: bool, where: str) -> keys.Hasher:
    key = keys.given_key(settings.journal, settings.folder, settings.environ)
    if key is None:
        key = keys.read_key(file)
    if key is None and may_make:
        with translated(where):
            key = keys.make_key(file)
    if key is None:
        hint = f"{_WAY_OUT}; or {MOVE_ASIDE}"
        message = f"the hashing key of the journal is missing: there is no {file}"
        raise JournalError(message, code="journal-key", where=where, hint=hint)
    return keys.Hasher(key)
