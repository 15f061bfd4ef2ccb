"""Statements in SQLAlchemy Core, made ready once, so that the driver takes rows as plain tuples.

Binding by SQLAlchemy costs ten times what the driver does with a row; the statements stay the same for both databases.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Protocol

from sqlalchemy import Connection, Dialect, Executable, Table, case
from sqlalchemy.dialects import postgresql, sqlite

from etl.journal import schema

_ASKED = 1_000
"""Values at most in one statement: SQLite takes 32,766, and is quickest with few."""
_NAMED = re.compile(r"%\((\w+)\)s")
_VALUES = re.compile(r"\bVALUES (\([?, ]+\))")
_TOGETHER = 200
"""Rows of one statement: of the widest table 3,400 of the 32,766 values that SQLite takes."""


class _Cursor(Protocol):
    def fetchall(self) -> Sequence[Any]: ...


class Ready:
    """A statement that takes tuples in the order of `names`."""

    def __init__(self, statement: Any, names: Sequence[str], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(names))
        order = compiled.positiontup
        if order is None:
            order = _NAMED.findall(str(compiled))
        if list(order) != list(names):
            raise AssertionError(f"BUG: bound in the order {order}, not {names}")
        self._sql = _NAMED.sub("%s", str(compiled)) if compiled.positiontup is None else str(compiled)
        self._values = _VALUES.search(self._sql) if dialect.name == "sqlite" else None

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Execute the statement for each row."""
        if not rows:
            return
        if self._values is None:
            connection.exec_driver_sql(self._sql, list(rows))
            return
        # SQLite lets go of the interpreter at each row of executemany, and waits for it again beside busy threads.
        for start in range(0, len(rows), _TOGETHER):
            part = rows[start : start + _TOGETHER]
            on_sqlite(connection, self._of_many(len(part)), tuple(chain.from_iterable(part)))

    def _of_many(self, count: int) -> str:
        if self._values is None:
            raise AssertionError("BUG: not a statement with VALUES")
        one = self._values[1]
        return f"{self._sql[: self._values.start(1)]}{', '.join([one] * count)}{self._sql[self._values.end(1) :]}"


def upsert(
    table: Table, dialect: Dialect, *, keeping: Sequence[str] = (), keeping_while: Mapping[str, Any] | None = None
) -> Ready:
    """Return the statement that inserts a row of `table`, or replaces the one of its primary key.

    `keeping`: columns of the old row that stay; `keeping_while`: that stay while a condition on the old row holds.
    """
    made: Any = (postgresql.insert if dialect.name == "postgresql" else sqlite.insert)(table)
    key = [column.name for column in table.primary_key]
    changing = {c.name: made.excluded[c.name] for c in table.columns if c.name not in {*key, *keeping}}
    for name, holds in (keeping_while or {}).items():
        changing[name] = case((holds, table.c[name]), else_=made.excluded[name])
    made = made.on_conflict_do_update(index_elements=key, set_=changing)
    return Ready(made, [column.name for column in table.columns], dialect)


def insert_missing(table: Table, dialect: Dialect, unique: Sequence[str], **values: Any) -> Executable:
    """Return the statement that inserts a row unless there is one with the same `unique` columns."""
    made: Any = (postgresql.insert if dialect.name == "postgresql" else sqlite.insert)(table)
    found: Executable = made.values(**values).on_conflict_do_nothing(index_elements=list(unique))
    return found


def scope_of(connection: Connection, target: str, action: str) -> int:
    """Return the number of target and action, a new one where there is none; in a transaction that writes."""
    scopes = schema.scopes
    asked = scopes.select().where(scopes.c.target == target, scopes.c.action == action)
    row = connection.execute(asked).first()
    if row is None:
        unique = {"target": target, "action": action}
        connection.execute(insert_missing(scopes, connection.dialect, tuple(unique), **unique, latest=0.0))
        row = connection.execute(asked).one()
    return int(row.id)


def rows_among(connection: Connection, statement: str, hashes: Iterable[bytes]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of `statement` (which ends with the name of a column) that have one of these hashes; not b"".

    In the order of the index, so that each of its pages is read once. By the driver: SQLAlchemy's own `in_` costs
    more than the search.
    """
    for found in _among(connection, statement, hashes):
        if found is None:
            raise AssertionError("BUG: not a statement that returns rows")
        yield from found.fetchall()


def remove_among(connection: Connection, statement: str, hashes: Iterable[bytes]) -> None:
    """Execute `statement` (which ends with the name of a column) for the rows that have one of these hashes."""
    for _ in _among(connection, statement, hashes):
        pass


def on_sqlite(connection: Connection, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
    """Execute a statement by the driver, in the transaction that is open: SQLAlchemy would take as long as SQLite."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise AssertionError(f"BUG: {type(driver).__name__} is not SQLite's")
    return driver.execute(statement, values)


def _among(connection: Connection, statement: str, hashes: Iterable[bytes]) -> Iterator[_Cursor | None]:
    wanted = sorted({value for value in hashes if value})
    for start in range(0, len(wanted), _ASKED):
        part = wanted[start : start + _ASKED]
        if connection.dialect.name == "postgresql":
            yield connection.exec_driver_sql(f"{statement} = ANY(%b)", (part,)).cursor
        else:
            yield on_sqlite(connection, f"{statement} IN ({','.join('?' * len(part))})", part)
