"""Requests that may have been carried out, and of which nobody knows: by key, until a later outcome is certain.

Written with the intent, so that no crash hides one, and taken away by a confirmation; of an event also where it
certainly was not created. A contact's stays after a refusal, which says nothing of a request before it. While there is
one, what was confirmed of the contact counts for nothing, and an event may have been created already. Almost always the
table holds no more than what is under way.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from etl.journal import schema
from etl.journal.statements import remove_among, rows_among, upsert


@dataclass(frozen=True, slots=True)
class Doubt:
    """What an entry says about a key of `action`: a request is under way (`is_open`), or it is known how it ended.

    `key`: hash of the identity; `person`, `bare`: hashes of person and key without group key, for who is forgotten.
    """

    action: str
    key: bytes
    person: bytes | None
    bare: bytes | None
    is_open: bool


class Doubts:
    """Writes doubts of one run into the transaction it is given; used by one thread. `scopes`: by action."""

    def __init__(self, connection: Connection, run: int, scopes: dict[str, int]) -> None:
        self._run = run
        self._scopes = scopes
        self._opened = upsert(schema.doubts, connection.dialect)

    def write(self, connection: Connection, told: Sequence[tuple[Doubt, float]]) -> None:
        """Write what entries say, each with its time, in their order."""
        last = {(self._scopes[doubt.action], doubt.key): (doubt, at) for doubt, at in told}
        opened: list[tuple[Any, ...]] = []
        settled: dict[int, list[bytes]] = {}
        for (scope, key), (doubt, at) in sorted(last.items(), key=lambda item: item[0]):
            if doubt.is_open:
                opened.append((scope, key, self._run, at, doubt.person, doubt.bare))
            else:
                settled.setdefault(scope, []).append(key)
        self._opened.run(connection, opened)
        for scope, keys in settled.items():
            remove_among(connection, f"DELETE FROM doubts WHERE scope = {scope} AND key", keys)  # noqa: S608 - a number


def doubtful(connection: Connection, scope: int, keys: Collection[bytes], besides: int) -> dict[bytes, float]:
    """Return, of these keys, when the request of which nobody knows was sent; without those of run `besides`."""
    anything = select(schema.doubts.c.at).where(schema.doubts.c.scope == scope).limit(1)
    if connection.execute(anything).first() is None:
        return {}
    asked = f"SELECT key, at FROM doubts WHERE scope = {scope} AND run <> {besides} AND key"  # noqa: S608 - numbers
    return {bytes(key): at for key, at in rows_among(connection, asked, keys)}
