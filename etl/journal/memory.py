"""What was confirmed before: asked in whole columns by the comparison, which compares hashes and never payloads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import Connection, Engine, exists, func, select

from etl.journal.confirming import is_erased
from etl.journal.doubts import doubtful
from etl.journal.encoding import DELETE, UPSERT, confirmed_salt
from etl.journal.faults import translated
from etl.journal.keys import DIGEST_BYTES, HASH_BYTES, Hasher
from etl.journal.model import Known, Remembered
from etl.journal.schema import confirmed, erased, runs, scopes
from etl.journal.statements import rows_among

_PAGE = 5_000


class Memory:
    """What is remembered for one target, as of each call. Raises JournalError."""

    def __init__(self, engine: Engine, hasher: Hasher, target: str, where: str) -> None:
        self._engine = engine
        self._hasher = hasher
        self._target = target
        self._where = where

    def hash_keys(self, identities: pa.Array) -> npt.NDArray[np.bytes_]:
        """Return the keyed hash of each identity, dtype S16; zeros (which read as b"") for null."""
        return _array(self._hasher.of_all(identities), HASH_BYTES)

    def known(self, action: str, keys: pa.Array, persons: pa.Array, besides: str = "") -> Known:
        """Return what is remembered of some rows of `action`.

        `keys`: string, the identities, null where nothing is to be looked for; of events without a key
        `keys.BY_PAYLOAD` and the body. `persons`: string, the lanes, or null. Of contact.delete only `erased_at` is
        known. A payload confirmed before a person's deletion counts for nothing for contact.upsert; an event stays
        created. What run `besides` itself confirmed, deleted or left open does not count.
        """
        key_hashes = self._hasher.of_all(keys)
        person_hashes = key_hashes if persons.equals(keys) else self._hasher.of_all(persons)
        with translated(self._where), self._engine.connect() as connection:
            number = _number_of(connection, besides) if besides else -1
            deleted = self._scope(connection, DELETE)
            erased_at, deleted_at = self._erased(connection, deleted, person_hashes, number)
            scope = self._scope(connection, action)
            found = [] if scope is None or action == DELETE else _confirmed(connection, scope, key_hashes, number)
            open_ones = {} if scope is None or action == DELETE else doubtful(connection, scope, key_hashes, number)
        payload, confirmed_at = self._opened(scope or 0, found, key_hashes)
        if action == UPSERT:
            stale = confirmed_at < np.nan_to_num(deleted_at, nan=-np.inf)
            payload[stale] = b""
        unsettled_at = np.full(len(key_hashes), np.nan)
        if open_ones:
            unsettled_at = np.array([open_ones.get(key, np.nan) for key in key_hashes])
            payload[~np.isnan(unsettled_at) & (action == UPSERT)] = b""
        return Known(payload, confirmed_at, erased_at, unsettled_at)

    def confirmed_keys(self, action: str) -> Iterator[Remembered]:
        """Yield every confirmed key of `action`, ascending, in constant memory; each page is as of its moment.

        Without those that name a person who was deleted since (whose key is the lane).
        """
        with translated(self._where), self._engine.connect() as connection:
            scope, deleted = self._scope(connection, action), self._scope(connection, DELETE)
        since = exists().where(
            erased.c.scope == deleted, erased.c.person == confirmed.c.key, erased.c.at > confirmed.c.confirmed_at
        )
        last = b""
        while scope is not None:
            asked = (
                select(confirmed.c.key, confirmed.c.key_text, runs.c.id, confirmed.c.position, confirmed.c.confirmed_at)
                .select_from(confirmed.outerjoin(runs, runs.c.number == confirmed.c.run))
                .where(confirmed.c.scope == scope, confirmed.c.key > last, ~since)
                .order_by(confirmed.c.key)
                .limit(_PAGE)
            )
            with translated(self._where), self._engine.connect() as connection:
                page = connection.execute(asked).all()
            for key, text, run, position, at in page:
                yield Remembered(bytes(key), text or "", run or "", position, at)
            if len(page) < _PAGE:
                return
            last = bytes(page[-1].key)

    def count(self, action: str) -> int:
        """Return how many keys of `action` are confirmed; of contact.delete, how many persons are erased."""
        with translated(self._where), self._engine.connect() as connection:
            scope = self._scope(connection, action)
            table = erased if action == DELETE else confirmed
            asked = select(func.count()).select_from(table).where(table.c.scope == scope)
            return 0 if scope is None else int(connection.scalar(asked) or 0)

    def _scope(self, connection: Connection, action: str) -> int | None:
        asked = select(scopes.c.id).where(scopes.c.target == self._target, scopes.c.action == action)
        found: int | None = connection.scalar(asked)
        return found

    def _erased(
        self, connection: Connection, scope: int | None, persons: Sequence[bytes], besides: int
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return when each was deleted and not upserted since, and when each was deleted at all; nan for never."""
        without = np.full(len(persons), np.nan)
        any_erased = select(erased.c.at).where(erased.c.scope == scope).limit(1)
        if scope is None or connection.execute(any_erased).first() is None:
            return without, without
        asked = "SELECT person, at, revived_at FROM erased"
        table = f"{asked} WHERE scope = {scope} AND run <> {besides} AND person"
        found = {p: (at, back) for p, at, back in rows_among(connection, table, persons)}
        deleted = np.array([found[p][0] if p in found else np.nan for p in persons])
        open_ones = [p in found and is_erased(*found[p]) for p in persons]
        return np.where(open_ones, deleted, np.nan), deleted

    def _opened(
        self, scope: int, found: Sequence[tuple[bytes, bytes, float]], keys: Sequence[bytes]
    ) -> tuple[npt.NDArray[np.bytes_], npt.NDArray[np.float64]]:
        payload = np.zeros(len(keys), dtype=f"S{DIGEST_BYTES}")
        confirmed_at = np.full(len(keys), np.nan)
        if found:
            pads = self._hasher.pads(confirmed_salt(scope, b""), [key for key, _, _ in found])
            sealed = b"".join([digest for _, digest, _ in found])
            opened = np.frombuffer(sealed, np.uint64) ^ np.frombuffer(pads, np.uint64)
            payloads = np.frombuffer(b"\0" * DIGEST_BYTES + opened.tobytes(), dtype=payload.dtype)
            times = np.array([np.nan, *[at for _, _, at in found]])
            row_of = {key: row for row, (key, _, _) in enumerate(found, start=1)}
            rows = np.fromiter(map(row_of.get, keys, repeat(0)), np.int64, len(keys))
            payload, confirmed_at = payloads[rows], times[rows]
        return payload, confirmed_at


def _number_of(connection: Connection, run: str) -> int:
    number = connection.scalar(select(runs.c.number).where(runs.c.id == run))
    return -1 if number is None else int(number)


def _confirmed(connection: Connection, scope: int, keys: Sequence[bytes], besides: int) -> list[Any]:
    asked = "SELECT key, digest, confirmed_at FROM confirmed"
    table = f"{asked} WHERE scope = {scope} AND run <> {besides} AND key"
    return list(rows_among(connection, table, keys))


def _array(hashes: Sequence[bytes], size: int) -> npt.NDArray[np.bytes_]:
    return np.array(list(hashes), dtype=f"S{size}")
