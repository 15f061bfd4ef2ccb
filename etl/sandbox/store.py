"""What the sandbox was told, in SQLite, so that `sqlite3` can look at it while the sandbox runs.

    contacts    one row per e-mail (case-folded) and group key ("" with the wire form `fields`)
    events      one row per event, in the order of arrival
    deletions   one row per contact erased
    requests    one row per request: what came, byte for byte, in order, and what was answered

An answer leaves only after `commit`, so what was answered is stored, also if the process is killed. (Power loss may
cost the last moments: nothing is forced to the disk.) Columns are the page's names in snake case.

How an upsert merges (the page is silent): a field that is absent keeps its value, "" clears it (it is stored as "");
`tags` replaces the list; `properties`, `dictionaryProperties` and free attributes merge key by key, and "" removes the
key. `newEmail` moves the contact; if both addresses have one, the two are merged, the moved one's values first, so that
repeating the request changes nothing.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from etl.errors import SettingsError
from etl.sandbox.wire import CONTACT_FIELDS, EVENT_FIELDS, Record

LAYOUT = 1
LOCK_SECONDS = 1.0
_COLUMNS = {
    "streetAddress": "street_address",
    "zipCode": "zip_code",
    "contactExtEventType": "type",
    "externalId": "external_id",
    "shopDomain": "shop_domain",
}


def column(field_name: str) -> str:
    """Return the column in which a field of the page is stored."""
    return _COLUMNS.get(field_name, field_name)


_PLAIN = tuple(column(name) for name in CONTACT_FIELDS)
_JSON = ("tags", "properties", "dictionary_properties", "attributes")
_CONTACT = ("email", "group_key", *_PLAIN, *_JSON, "created_at", "updated_at")
_EVENT = ("email", "group_key", *(column(name) for name in EVENT_FIELDS), "attributes", "received_at")
_REQUEST = (
    "method", "path", "action", "wire", "person", "body", "sha256", "status", "fault", "acted", "request_id",
    "received_at",
)  # fmt: skip

_TABLES = f"""
CREATE TABLE IF NOT EXISTS contacts (
  {", ".join(f"{name} TEXT NOT NULL" for name in ("email", "group_key"))},
  {", ".join(f"{name} TEXT" for name in _PLAIN)},
  {", ".join(f"{name} TEXT NOT NULL" for name in (*_JSON, "created_at", "updated_at"))},
  PRIMARY KEY (email, group_key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY,
  {", ".join(f"{name} {'REAL' if name == 'value' else 'TEXT'}" for name in _EVENT)}
);
CREATE TABLE IF NOT EXISTS deletions (
  id INTEGER PRIMARY KEY, email TEXT NOT NULL, group_key TEXT NOT NULL, deleted_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS requests (
  seq INTEGER PRIMARY KEY, method TEXT NOT NULL, path TEXT NOT NULL, action TEXT, wire TEXT, person TEXT NOT NULL,
  body BLOB NOT NULL, sha256 TEXT NOT NULL, status INTEGER, fault TEXT, acted INTEGER NOT NULL,
  request_id TEXT NOT NULL, received_at TEXT NOT NULL
);
PRAGMA user_version = {LAYOUT};
"""


def _insert(verb: str, table: str, columns: tuple[str, ...]) -> str:
    return f"{verb} INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


_INSERT_CONTACT = _insert("INSERT OR REPLACE", "contacts", _CONTACT)
_INSERT_EVENT = _insert("INSERT", "events", _EVENT)
_INSERT_REQUEST = _insert("INSERT", "requests", _REQUEST)
_SELECT_CONTACT = f"SELECT {', '.join(_CONTACT)} FROM contacts WHERE email = ? AND group_key = ?"  # noqa: S608  constants
_DELETE_CONTACT = "DELETE FROM contacts WHERE email = ? AND group_key = ?"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One line of the table `requests`. `status` None: no answer was given; `acted`: it changed what is stored."""

    method: str
    path: str
    action: str | None
    wire: str | None
    person: str
    body: bytes
    status: int | None
    fault: str | None
    acted: bool
    request_id: str
    received_at: str


class Store:
    """The sandbox's database; used by one thread. Raises SettingsError where `path` is no database of a sandbox."""

    def __init__(self, path: Path) -> None:
        try:
            # Personal data: readable by its owner alone, from the first byte on.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=LOCK_SECONDS
            )
            self._prepare(path)
        except (OSError, sqlite3.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise SettingsError(
                f"the sandbox cannot store here: {reason}",
                code="sandbox-database",
                where=str(path),
                hint="give another file, or remove this one",
            ) from error

    def _prepare(self, path: Path) -> None:
        layout = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if layout not in (0, LAYOUT) or (
            layout == 0 and self._connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        ):
            raise sqlite3.DatabaseError("it is another program's or another version's database")
        # WAL: who looks at the tables does not hold up the writer.
        self._connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; {_TABLES}")

    def upsert(self, record: Record, now: str) -> None:
        """Create the contact, or merge `record` into it; `now`: ISO 8601."""
        old_key, new_key = record.email.casefold(), (record.new_email or record.email).casefold()
        contact = self._contact(old_key, record.group_key)
        if new_key != old_key:
            contact = _merged(self._contact(new_key, record.group_key), contact)
            self._execute(_DELETE_CONTACT, (old_key, record.group_key))
        created = contact.get("created_at", now)
        contact = _merged(contact, _changes(record))
        row = (
            new_key,
            record.group_key,
            *(contact.get(name) for name in _PLAIN),
            *(orjson.dumps(contact.get(name, [] if name == "tags" else {})).decode() for name in _JSON),
            created,
            now,
        )
        self._execute(_INSERT_CONTACT, row)

    def delete(self, record: Record, now: str) -> bool:
        """Erase the contact; False if there is none."""
        key = (record.email.casefold(), record.group_key)
        if self._execute(_DELETE_CONTACT, key).rowcount == 0:
            return False
        self._execute("INSERT INTO deletions (email, group_key, deleted_at) VALUES (?, ?, ?)", (*key, now))
        return True

    def add_event(self, record: Record, now: str) -> None:
        """Add an event; a repeated one is another one, since the endpoint is not known to recognise it."""
        values = (_cell(record.values.get(name)) for name in EVENT_FIELDS)
        attributes = orjson.dumps(record.attributes).decode()
        self._execute(_INSERT_EVENT, (record.email.casefold(), record.group_key, *values, attributes, now))

    def record(self, arrival: Arrival) -> None:
        """Add a line to `requests`."""
        row = (
            arrival.method, arrival.path, arrival.action, arrival.wire, arrival.person, arrival.body,
            sha256(arrival.body).hexdigest(), arrival.status, arrival.fault, int(arrival.acted), arrival.request_id,
            arrival.received_at,
        )  # fmt: skip
        self._execute(_INSERT_REQUEST, row)

    def commit(self) -> None:
        """Make everything since the last commit visible and permanent. Raises sqlite3.Error, after undoing it all."""
        if not self._connection.in_transaction:
            return
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            self.rollback()
            raise

    def rollback(self) -> None:
        """Undo everything since the last commit."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Commit and close."""
        self.commit()
        self._connection.close()

    def _execute(self, statement: str, row: tuple[Any, ...]) -> sqlite3.Cursor:
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")
        return self._connection.execute(statement, row)

    def _contact(self, email: str, group_key: str) -> dict[str, Any]:
        row = self._connection.execute(_SELECT_CONTACT, (email, group_key)).fetchone()
        if row is None:
            return {}
        contact = dict(zip(_CONTACT, row, strict=True))
        return contact | {name: orjson.loads(contact[name]) for name in _JSON}


def _changes(record: Record) -> dict[str, Any]:
    changes: dict[str, Any] = {column(name): _cell(value) for name, value in record.values.items() if name != "tags"}
    if "tags" in record.values:
        tags = record.values["tags"]
        changes["tags"] = tags if isinstance(tags, list) else [tags]
    changes["properties"] = record.properties
    changes["dictionary_properties"] = record.dictionary_properties
    changes["attributes"] = record.attributes
    return changes


def _merged(contact: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**contact, **{name: value for name, value in changes.items() if value is not None}}
    for name in _JSON[1:]:
        keys = {**contact.get(name, {}), **changes.get(name, {})}
        merged[name] = {key: value for key, value in keys.items() if value != ""}
    return merged


def _cell(value: Any) -> Any:
    # An account's mapping may send any attribute to any field, and SQLite knows neither lists nor wide integers.
    if isinstance(value, list):
        return orjson.dumps(value).decode()
    return float(value) if isinstance(value, int) and not -(2**63) <= value < 2**63 else value
