"""What a confirmed delivery changes in the memory: the last payload of its key, its fields, and who was deleted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from etl.journal import schema
from etl.journal.doubts import Doubts
from etl.journal.encoding import DELETE, EVENT, UPSERT, Confirmation, Erasure, Row, confirmed_salt
from etl.journal.keys import FIELD_BYTES, SEPARATOR, Hasher
from etl.journal.statements import Ready, insert_missing, rows_among, scope_of, upsert

_TICK = 1e-6
_PATH_BYTES = 3
_STEP = _PATH_BYTES + FIELD_BYTES


def split_fields(packed: bytes) -> dict[int, bytes]:
    """Return the hash of each field by the number of its path."""
    starts = range(0, len(packed), _STEP)
    return {int.from_bytes(packed[at : at + _PATH_BYTES]): packed[at + _PATH_BYTES : at + _STEP] for at in starts}


class Confirmer:
    """Writes confirmations of one run into the transaction it is given; used by one thread.

    Times in the memory of a target only rise, whatever the machine's clock does: which of a payload and a deletion was
    confirmed later is read from them.
    """

    def __init__(self, connection: Connection, hasher: Hasher, run: int, target: str) -> None:
        self._hasher = hasher
        self._run = run
        dialect = connection.dialect
        self._scopes = {action: scope_of(connection, target, action) for action in (UPSERT, DELETE, EVENT)}
        self._doubts = Doubts(connection, run, self._scopes)
        self._paths = _known_paths(connection)
        self._new_paths: dict[str, int] = {}
        latest = select(schema.scopes.c.latest).where(schema.scopes.c.target == target)
        self._clock = max(connection.scalars(latest), default=0.0)
        self._confirmed = upsert(schema.confirmed, dialect)
        self._fields = upsert(schema.fields, dialect)
        self._erased = upsert(schema.erased, dialect, keeping_while={"run": schema.erased.c.revived_at.is_(None)})
        erased = schema.erased.c
        reviving = (
            update(schema.erased)
            .values(revived_at=bindparam("revived_at"))
            .where(erased.scope == bindparam("of"), erased.person == bindparam("lane"))
        )
        scopes = schema.scopes.c
        later = update(schema.scopes).values(latest=bindparam("at"))
        later = later.where(scopes.id == bindparam("of"), scopes.latest < bindparam("limit"))
        self._later = Ready(later, ("at", "of", "limit"), dialect)
        self._revived = Ready(reviving, ("revived_at", "of", "lane"), dialect)

    def write(self, connection: Connection, rows: Sequence[Row]) -> dict[tuple[int, int], str]:
        """Write what `rows` confirm, in their order; return which fields differed, by the rows' places.

        Paths are joined by SEPARATOR; a place is absent where its key was never confirmed before.
        """
        if not rows:
            return {}
        self._new_paths = {}
        self._name_paths(connection, rows)
        old = self._old(connection, rows)
        changed: dict[tuple[int, int], str] = {}
        memory: dict[tuple[int, bytes], tuple[Any, ...]] = {}
        fields: dict[tuple[int, bytes], tuple[Any, ...]] = {}
        erasures: dict[bytes, tuple[Any, ...]] = {}
        revivals: dict[bytes, float] = {}
        latest: dict[int, float] = {}
        for row in rows:
            self._clock = at = max(row.at, self._clock + _TICK)
            effect = row.effect
            if isinstance(effect, Erasure):
                scope = self._scopes[DELETE]
                erasures[effect.lane] = (scope, effect.lane, effect.bare, at, self._run, None)
                revivals.pop(effect.lane, None)
            elif isinstance(effect, Confirmation):
                scope = self._scopes[effect.action]
                place = (scope, effect.key)
                packed = self._packed(effect)
                if place in old:
                    changed[row.place] = self._differing(old[place], packed)
                old[place] = packed
                memory[place] = self._memory(scope, effect, row, at)
                fields[place] = (scope, effect.key, effect.person, effect.bare, packed)
                if effect.action == UPSERT and effect.lane is not None:
                    revivals[effect.lane] = at
            latest[scope] = at
        # In the order of the tables, so that a page is written once.
        self._confirmed.run(connection, [memory[place] for place in sorted(memory)])
        self._fields.run(connection, [fields[place] for place in sorted(fields)])
        self._erase(connection, erasures, revivals)
        self._later.run(connection, [(at, scope, at) for scope, at in latest.items()])
        return changed

    def doubt(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Write of which keys it is not known what became, and of which it is known now."""
        self._doubts.write(connection, [(row.doubt, row.at) for row in rows if row.doubt is not None])

    def committed(self) -> None:
        """Keep what was learnt in the transaction that has just been committed."""
        self._paths |= self._new_paths
        self._new_paths = {}

    def _memory(self, scope: int, effect: Confirmation, row: Row, at: float) -> tuple[Any, ...]:
        sealed = self._hasher.seal(effect.digest, confirmed_salt(scope, effect.key))
        return (scope, effect.key, sealed, at, self._run, row.place[0], effect.key_text)

    def _erase(
        self, connection: Connection, erasures: Mapping[bytes, tuple[Any, ...]], revivals: Mapping[bytes, float]
    ) -> None:
        self._erased.run(connection, list(erasures.values()))
        scope = self._scopes[DELETE]
        anybody = f"SELECT 1 FROM erased WHERE scope = {scope} LIMIT 1"  # noqa: S608 - a number
        if revivals and connection.exec_driver_sql(anybody).first() is not None:
            self._revived.run(connection, [(at, scope, lane) for lane, at in revivals.items()])

    def _old(self, connection: Connection, rows: Sequence[Row]) -> dict[tuple[int, bytes], bytes]:
        """Return the packed fields of the keys that were confirmed before."""
        wanted: dict[int, set[bytes]] = {}
        for row in rows:
            if isinstance(row.effect, Confirmation):
                wanted.setdefault(self._scopes[row.effect.action], set()).add(row.effect.key)
        found: dict[tuple[int, bytes], bytes] = {}
        for scope, keys in wanted.items():
            asked = f"SELECT key, packed FROM fields WHERE scope = {scope} AND key"  # noqa: S608 - a number
            found |= {(scope, key): packed for key, packed in rows_among(connection, asked, keys)}
        return found

    def _name_paths(self, connection: Connection, rows: Iterable[Row]) -> None:
        names = {path for row in rows if isinstance(row.effect, Confirmation) for path, _ in row.effect.fields}
        missing = sorted(names - self._paths.keys())
        if missing:
            for name in missing:
                connection.execute(insert_missing(schema.paths, connection.dialect, ("path",), path=name))
            self._new_paths = {n: i for n, i in _known_paths(connection).items() if n not in self._paths}

    def _packed(self, effect: Confirmation) -> bytes:
        known = self._paths | self._new_paths if self._new_paths else self._paths
        return b"".join(sorted([known[path].to_bytes(_PATH_BYTES) + hashed for path, hashed in effect.fields]))

    def _differing(self, before: bytes, after: bytes) -> str:
        if before == after:
            return ""
        old, new = split_fields(before), split_fields(after)
        names = {number: name for name, number in (self._paths | self._new_paths).items()}
        differing = sorted(names.get(n, "") for n in old.keys() | new.keys() if old.get(n) != new.get(n))
        return SEPARATOR.join(differing)


def is_erased(erased_at: float, revived_at: float | None) -> bool:
    """Tell whether somebody deleted at `erased_at` has not been upserted since."""
    return revived_at is None or math.isnan(revived_at) or revived_at < erased_at


def _known_paths(connection: Connection) -> dict[str, int]:
    return {name: number for number, name in connection.execute(select(schema.paths.c.id, schema.paths.c.path))}
