"""What was wrong in earlier runs, by kind, and who was told what of it. Times are Unix seconds; no personal data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Engine, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from etl.journal.encoding import storable
from etl.journal.faults import translated
from etl.journal.model import Condition, KnownKind
from etl.journal.schema import conditions, kinds

ITSELF = ""
"""In the place of a notifier's name: how the mapping and target are, whoever was told."""


class NewsBook:
    """A journal's tables of news; all methods raise JournalError."""

    def __init__(self, engine: Engine, reading: Engine, name: str) -> None:
        self._engine = engine
        self._reading = reading
        self._name = name

    def kinds(self, target: str, mapping: str) -> list[KnownKind]:
        """Return the kinds of trouble that runs of this mapping to this target had, the first one first."""
        asked = select(kinds).where(kinds.c.target == storable(target), kinds.c.mapping == storable(mapping))
        with translated(self._name), self._reading.connect() as connection:
            rows = connection.execute(asked.order_by(kinds.c.first_at, kinds.c.print)).all()
        return [
            KnownKind(row.print, row.what, row.code, row.field, row.rows, row.first_at, row.first_run, row.last_at)
            for row in rows
        ]

    def note(self, target: str, mapping: str, now: Condition, seen: Sequence[KnownKind]) -> Condition:
        """Write down how a run ended and what was wrong in it; return the condition, with since when it is so.

        Of a kind that is known already, the time and the run of its beginning stay.
        """
        place = {"target": storable(target), "mapping": storable(mapping)}
        with translated(self._name), self._engine.begin() as connection:
            before = _condition(connection, ITSELF, place)
            if before is not None and before.is_trouble == now.is_trouble:
                now = replace(now, since=before.since)
            _put(connection, conditions, {**place, "notifier": ITSELF, **_columns(now)})
            for one in seen:
                own = {
                    "what": one.what, "code": storable(one.code), "field": storable(one.field), "rows": one.rows,
                    "first_at": one.first_at, "first_run": one.first_run, "last_at": one.last_at,
                }  # fmt: skip
                _put(connection, kinds, {**place, "print": one.print, **own}, kept=("first_at", "first_run"))
        return now

    def told(self, notifier: str, target: str, mapping: str) -> Condition | None:
        """Return what a notifier was told last, None for nothing yet; of ITSELF: how the last run ended."""
        place = {"target": storable(target), "mapping": storable(mapping)}
        with translated(self._name), self._reading.connect() as connection:
            return _condition(connection, notifier, place)

    def all_told(self, notifier: str) -> list[tuple[str, str, Condition]]:
        """Return what a notifier was told last of each target and mapping, the newest first."""
        asked = select(conditions).where(conditions.c.notifier == notifier).order_by(conditions.c.at.desc())
        with translated(self._name), self._reading.connect() as connection:
            return [(row.target, row.mapping, _of(row)) for row in connection.execute(asked)]

    def note_told(self, notifier: str, target: str, mapping: str, told: Condition) -> None:
        """Write down what a notifier was told."""
        place = {"target": storable(target), "mapping": storable(mapping)}
        with translated(self._name), self._engine.begin() as connection:
            _put(connection, conditions, {**place, "notifier": notifier, **_columns(told)})


def _put(connection: Connection, table: Table, row: dict[str, Any], kept: Sequence[str] = ()) -> None:
    """Insert a row, or write over the one of its key, but for the columns `kept`."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    keys = [column.name for column in table.primary_key]
    changed = {name: value for name, value in row.items() if name not in keys and name not in kept}
    statement: Any = insert(table).values(**row)
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


def _condition(connection: Connection, notifier: str, place: dict[str, str]) -> Condition | None:
    asked = select(conditions).where(
        conditions.c.notifier == notifier,
        conditions.c.target == place["target"],
        conditions.c.mapping == place["mapping"],
    )
    row = connection.execute(asked).first()
    return None if row is None else _of(row)


def _of(row: Any) -> Condition:
    return Condition(
        is_trouble=row.state == "trouble", since=row.since, at=row.at, run=row.run, ending=row.ending,
        kinds=tuple(json.loads(row.kinds)), failure=row.failure, failed_at=row.failed_at,
    )  # fmt: skip


def _columns(told: Condition) -> dict[str, Any]:
    return {
        "state": "trouble" if told.is_trouble else "good", "since": told.since, "at": told.at,
        "run": storable(told.run), "ending": told.ending, "kinds": json.dumps(sorted(told.kinds)),
        "failure": storable(told.failure), "failed_at": told.failed_at,
    }  # fmt: skip
