"""What leaves the journal: a person who asked for it, and what is too old."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, or_, select, update

from etl.journal.model import RunState
from etl.journal.schema import confirmed, deliveries, doubts, erased, fields, kinds, runs

_ROWS_AT_ONCE = 20_000
"""Deliveries removed in one transaction: a run beside waits no longer than that takes."""
_DIED_SECONDS = 30 * 86_400
"""A run that says it is running is given this much longer: it may be."""


def forget(engine: Engine, hashes: Sequence[bytes], *, keep_erasure: bool) -> dict[str, int]:
    """Remove the persons of these hashes, and return how many rows of each table were touched."""
    counts = {"erased": 0}
    blank: dict[str, Any] = dict.fromkeys(("key", "person", "key_text", "digest", "request_id", "message", "changed"))
    with engine.begin() as connection:
        _overwrite_what_is_deleted(connection)
        theirs = or_(deliveries.c.person.in_(hashes), deliveries.c.key.in_(hashes))
        counts["deliveries"] = connection.execute(update(deliveries).where(theirs).values(**blank)).rowcount
        known = select(fields.c.scope, fields.c.key).where(or_(fields.c.person.in_(hashes), fields.c.bare.in_(hashes)))
        places = connection.execute(known).all()
        counts["confirmed"] = len(places)
        for table in (confirmed, fields):
            for scope, key in places:
                connection.execute(delete(table).where(table.c.scope == scope, table.c.key == key))
        connection.execute(delete(doubts).where(or_(doubts.c.person.in_(hashes), doubts.c.bare.in_(hashes))))
        if not keep_erasure:
            counts["erased"] = connection.execute(delete(erased).where(erased.c.bare.in_(hashes))).rowcount
    if engine.dialect.name == "sqlite":
        # In WAL mode the old pages stand in two files until they are copied.
        with engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("BEGIN")
    return counts


def prune(engine: Engine, older_than: float) -> dict[str, int]:
    """Remove the runs that last began or ended before `older_than` with their deliveries, and return the counts.

    A run that confirmed what is still remembered stays, without its deliveries: whose key it is, is told by it.
    """
    last = func.coalesce(runs.c.ended_at, runs.c.sitting_at)
    may_run = (runs.c.state == str(RunState.RUNNING)) & (last >= older_than - _DIED_SECONDS)
    with engine.begin() as connection:
        numbers = list(connection.scalars(select(runs.c.number).where(last < older_than, ~may_run)))
        needed = set(connection.scalars(select(confirmed.c.run).distinct())) if numbers else set()
        numbers = [number for number in numbers if number not in needed or _has_deliveries(connection, number)]
        connection.execute(delete(kinds).where(kinds.c.last_at < older_than))
    counts = {"runs": 0, "deliveries": 0}
    for number in numbers:
        while removed := _remove_some(engine, number):
            counts["deliveries"] += removed
        if number in needed:
            continue
        with engine.begin() as connection:
            counts["runs"] += connection.execute(delete(runs).where(runs.c.number == number)).rowcount
    return counts


def _has_deliveries(connection: Connection, run: int) -> bool:
    return connection.scalar(select(deliveries.c.run).where(deliveries.c.run == run).limit(1)) is not None


def _remove_some(engine: Engine, run: int) -> int:
    of_run = deliveries.c.run == run
    with engine.begin() as connection:
        _overwrite_what_is_deleted(connection)
        nth = select(deliveries.c.position).where(of_run).order_by(deliveries.c.position).offset(_ROWS_AT_ONCE).limit(1)
        border = connection.scalar(nth)
        some = delete(deliveries).where(of_run)
        return int(connection.execute(some if border is None else some.where(deliveries.c.position < border)).rowcount)


def _overwrite_what_is_deleted(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
