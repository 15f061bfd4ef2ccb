"""The journal's tables, and how an older journal becomes a newer one.

    journal      its version, the check value of its hashing key
    runs         one row per run; a resumed one keeps its row
    deliveries   one row per request's row and record: the last that is known of it
    confirmed    the last confirmed payload, by scope (target and action) and key
    fields       of the same payload and key, the hash of each field; apart, so that the look-up stays narrow
    erased       who was deleted through us, by scope and lane
    doubts       requests that may have been carried out, by scope and key, until an outcome is certain
    scopes       target and action; `latest`: the newest time in `confirmed` or `erased` of it
    paths        names of fields, by the number that stands in `fields.packed`
    kinds        what was wrong in runs of a target and mapping, by the fingerprint of its kind
    conditions   whether a target and mapping are good, and what each notifier was told of it

Hashes are 16 bytes, keyed (`keys.Hasher`); digests are sealed. `key` and `person` are without group key in deliveries,
`bare` and `person` in fields and `bare` in erased too; NULL where it would repeat `person`. Times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    select,
    update,
)

from etl.errors import JournalError
from etl.journal.faults import MOVE_ASIDE
from etl.journal.keys import Hasher

Migration = Callable[[Connection], None]


def _add_news(connection: Connection) -> None:
    """Make version 2: what was wrong in earlier runs, and who was told."""
    for statement in _NEWS:
        connection.exec_driver_sql(statement)


_NEWS = (
    """CREATE TABLE kinds (
    target TEXT NOT NULL, mapping TEXT NOT NULL, print TEXT NOT NULL, what TEXT NOT NULL, code TEXT NOT NULL,
    field TEXT NOT NULL, rows BIGINT NOT NULL, first_at DOUBLE PRECISION NOT NULL, first_run TEXT NOT NULL,
    last_at DOUBLE PRECISION NOT NULL, PRIMARY KEY (target, mapping, print))""",
    """CREATE TABLE conditions (
    notifier TEXT NOT NULL, target TEXT NOT NULL, mapping TEXT NOT NULL, state TEXT NOT NULL,
    since DOUBLE PRECISION NOT NULL, at DOUBLE PRECISION NOT NULL, run TEXT NOT NULL, ending TEXT NOT NULL,
    kinds TEXT NOT NULL, failure TEXT NOT NULL, failed_at DOUBLE PRECISION,
    PRIMARY KEY (notifier, target, mapping))""",
)
"""As both databases take it. A step says what it makes by itself: the tables below are those of the newest version."""
MIGRATIONS: tuple[Migration, ...] = (_add_news,)
"""The n-th (from 0) makes version n + 2 of version n + 1."""
VERSION = 1 + len(MIGRATIONS)
"""Of the tables below."""
PROGRAM = "salesmanago-etl"

metadata = MetaData()
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")

journal = Table(
    "journal", metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)  # fmt: skip
runs = Table(
    "runs", metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("started_at", Double, nullable=False),
    Column("sitting_at", Double, nullable=False),
    Column("who", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("mapping", Text, nullable=False),
    Column("mapping_fingerprint", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("sittings", Integer, nullable=False, default=1),
    Column("ended_at", Double),
    Column("exit_code", Integer),
    Column("rows", BigInteger, nullable=False, default=0),
    Column("counts", Text, nullable=False, default="{}"),
    Column("stop_code", Text, nullable=False, default=""),
    Column("stop_message", Text, nullable=False, default=""),
    sqlite_autoincrement=True,
)  # fmt: skip
deliveries = Table(
    "deliveries", metadata,
    Column("run", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("record", SmallInteger, primary_key=True, autoincrement=False),
    Column("action", Text, nullable=False),
    Column("key", LargeBinary),
    Column("person", LargeBinary),
    Column("key_text", Text),
    Column("digest", LargeBinary),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("http_status", Integer),
    Column("request_id", Text),
    Column("code", Text),
    Column("message", Text),
    Column("sent_at", Double),
    Column("duration_ms", Double),
    Column("changed", Text),
    sqlite_with_rowid=False,
)  # fmt: skip
Index("deliveries_person", deliveries.c.person, sqlite_where=deliveries.c.person.is_not(None),
      postgresql_where=deliveries.c.person.is_not(None))  # fmt: skip
Index("deliveries_key", deliveries.c.key, sqlite_where=deliveries.c.key.is_not(None),
      postgresql_where=deliveries.c.key.is_not(None))  # fmt: skip
scopes = Table(
    "scopes", metadata,
    Column("id", Integer, primary_key=True),
    Column("target", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("latest", Double, nullable=False, default=0.0),
    UniqueConstraint("target", "action"),
)  # fmt: skip
confirmed = Table(
    "confirmed", metadata,
    Column("scope", Integer, primary_key=True, autoincrement=False),
    Column("key", LargeBinary, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("confirmed_at", Double, nullable=False),
    Column("run", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("key_text", Text),
    sqlite_with_rowid=False,
)  # fmt: skip
fields = Table(
    "fields", metadata,
    Column("scope", Integer, primary_key=True, autoincrement=False),
    Column("key", LargeBinary, primary_key=True),
    Column("person", LargeBinary),
    Column("bare", LargeBinary),
    Column("packed", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)  # fmt: skip
erased = Table(
    "erased", metadata,
    Column("scope", Integer, primary_key=True, autoincrement=False),
    Column("person", LargeBinary, primary_key=True),
    Column("bare", LargeBinary, nullable=False),
    Column("at", Double, nullable=False),
    Column("run", BigInteger, nullable=False),
    Column("revived_at", Double),
    sqlite_with_rowid=False,
)  # fmt: skip
doubts = Table(
    "doubts", metadata,
    Column("scope", Integer, primary_key=True, autoincrement=False),
    Column("key", LargeBinary, primary_key=True),
    Column("run", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("person", LargeBinary),
    Column("bare", LargeBinary),
    sqlite_with_rowid=False,
)  # fmt: skip
paths = Table(
    "paths", metadata,
    Column("id", Integer, primary_key=True),
    Column("path", Text, nullable=False, unique=True),
)  # fmt: skip
kinds = Table(
    "kinds", metadata,
    Column("target", Text, primary_key=True),
    Column("mapping", Text, primary_key=True),
    Column("print", Text, primary_key=True),
    Column("what", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("first_at", Double, nullable=False),
    Column("first_run", Text, nullable=False),
    Column("last_at", Double, nullable=False),
)  # fmt: skip
conditions = Table(
    "conditions", metadata,
    Column("notifier", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("mapping", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("since", Double, nullable=False),
    Column("at", Double, nullable=False),
    Column("run", Text, nullable=False),
    Column("ending", Text, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("failure", Text, nullable=False),
    Column("failed_at", Double),
)  # fmt: skip


def create(connection: Connection, hasher: Hasher) -> None:
    """Make the tables of a new journal, in the transaction that is open."""
    metadata.create_all(connection)
    marks = {"program": PROGRAM, "version": str(VERSION), "check": hasher.check}
    connection.execute(journal.insert(), [{"name": name, "value": value} for name, value in marks.items()])


def marks_of(connection: Connection) -> dict[str, str]:
    """Return what the table `journal` says."""
    return {row.name: row.value for row in connection.execute(select(journal))}


def is_old(connection: Connection, where: str, newest: int = VERSION) -> bool:
    """Tell whether the journal needs `upgrade`. Raises JournalError for one that is newer than this program."""
    version = _version(connection, where)
    if version > newest:
        hint = "install that version here too, or set another `path` or `url` under [journal] in etl.toml"
        message = f"the journal was written by a newer version of etl (its layout is {version}; known here: {newest})"
        raise JournalError(message, code="journal-newer", where=where, hint=hint)
    return version < newest


def upgrade(connection: Connection, where: str, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the journal to the newest version, in the transaction that is open; another one may have done it since."""
    newest = 1 + len(migrations)
    if is_old(connection, where, newest):
        for migrate in migrations[_version(connection, where) - 1 :]:
            migrate(connection)
        connection.execute(update(journal).where(journal.c.name == "version").values(value=str(newest)))


def _version(connection: Connection, where: str) -> int:
    version = marks_of(connection).get("version", "")
    if not version.isdecimal():
        raise JournalError("the journal does not say its version", code="journal-corrupt", where=where, hint=MOVE_ASIDE)
    return int(version)
