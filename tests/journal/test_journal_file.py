"""The journal as a file: how it comes to be, what it refuses, and what a bad disk makes of it."""

from __future__ import annotations

import os
import resource
import sqlite3
import stat
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from made import START, delivery, intent, new_run, outcome, settings_in
from sqlalchemy import Connection, event, text

from etl.errors import JournalError
from etl.journal import open_journal, schema, sqlite_file
from etl.journal.faults import MOVE_ASIDE, fault_of
from etl.journal.store import Journal
from etl.records import Status

ANNA = "anna@example.com"


def opened(folder: Path, environ: dict[str, str] | None = None, **journal: Any) -> Journal:
    found = open_journal(settings_in(folder, environ, **journal))
    assert found is not None
    return found


def refused(folder: Path, environ: dict[str, str] | None = None, **journal: Any) -> JournalError:
    with pytest.raises(JournalError) as error:
        open_journal(settings_in(folder, environ, **journal))
    assert error.value.__cause__ is None
    return error.value


def database(folder: Path) -> Path:
    return folder / ".etl" / "journal.db"


def made(folder: Path, rows: int = 1) -> None:
    with opened(folder) as journal:
        journal.begin(new_run())
        with journal.writer("run-1", "production") as writer:
            writer.write([outcome(delivery(n, f"p{n}@example.com")) for n in range(rows)])


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False), ((3, 44, 5), False), ((3, 44, 6), True), ((3, 45, 0), False), ((3, 50, 6), False),
        ((3, 50, 7), True), ((3, 51, 0), False), ((3, 51, 2), False), ((3, 51, 3), True), ((3, 52, 0), True),
    ],
    ids=str,
)  # fmt: skip
def test_wal_is_used_only_where_its_reset_bug_is_fixed(version: tuple[int, ...], safe: bool) -> None:
    assert sqlite_file.is_wal_safe(version) is safe


@pytest.mark.parametrize(("safe", "mode"), [(True, "wal"), (False, "truncate")], ids=["fixed", "not fixed"])
def test_the_journal_mode_follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, safe: bool, mode: str) -> None:
    monkeypatch.setattr(sqlite_file, "is_wal_safe", lambda _version: safe)
    with opened(tmp_path) as journal, journal._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == mode
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_journal_left_in_wal_mode_is_taken_out_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "is_wal_safe", lambda _version: True)
    made(tmp_path)
    monkeypatch.setattr(sqlite_file, "is_wal_safe", lambda _version: False)
    with opened(tmp_path) as journal, journal._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "truncate"
        assert journal.tally("run-1") == {"delivered": 1}


def test_there_is_no_journal_until_one_is_made(tmp_path: Path) -> None:
    assert open_journal(settings_in(tmp_path), create=False) is None
    assert list(tmp_path.iterdir()) == []


def test_journal_and_key_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    made(tmp_path)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in database(tmp_path).parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert {"journal.db", "journal.key"} <= modes.keys()


def test_an_interruption_leaves_no_half_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(schema, "create", interrupted)
        with pytest.raises(KeyboardInterrupt):
            opened(tmp_path)
    assert [path.name for path in database(tmp_path).parent.iterdir()] == ["journal.key"]
    opened(tmp_path).close()


def test_a_journal_that_another_process_made_meanwhile_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create = schema.create

    def overtaken(*given: Any) -> None:
        monkeypatch.setattr(schema, "create", create)
        made(tmp_path)
        create(*given)

    monkeypatch.setattr(schema, "create", overtaken)
    with opened(tmp_path) as journal:
        assert journal.tally("run-1") == {"delivered": 1}


def test_a_path_may_be_named(tmp_path: Path) -> None:
    with opened(tmp_path, path="deep/er/memory.db") as journal:
        assert journal.name == str(tmp_path / "deep/er/memory.db")
    assert (tmp_path / "deep/er/memory.key").exists()


def test_a_file_of_somebody_else_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("do not lose me")
    error = refused(tmp_path, path="notes.txt")
    assert str(error) == (
        f"{tmp_path / 'notes.txt'}: the file is no journal of etl, or a damaged one\n"
        f"  hint: set another `path` under [journal] in etl.toml; if it was the journal, {MOVE_ASIDE}   [journal-foreign]"
    )
    assert (tmp_path / "notes.txt").read_text() == "do not lose me"


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    error = refused(tmp_path, path="empty.db")
    assert error.message == "the file is empty: no journal"


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE journal (name, value)")
    connection.close()
    assert refused(tmp_path, path="other.db").code == "journal-foreign"


def damage(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))


def test_a_damaged_journal_is_refused_with_a_way_out(tmp_path: Path) -> None:
    made(tmp_path, rows=500)
    damage(database(tmp_path))
    error = refused(tmp_path)
    assert str(error) == (
        f"{database(tmp_path)}: the journal is damaged\n"
        "  hint: move it aside (and the files of its name that end in -journal, -wal, -shm); a new one is begun then, which "
        "does not know what was sent before: upserts are sent once more, events may be created twice, deletions are "
        "forgotten   [journal-corrupt]"
    )


def test_a_journal_that_was_not_closed_is_looked_over(tmp_path: Path) -> None:
    made(tmp_path, rows=2_000)
    with database(tmp_path).open("r+b") as file:
        file.seek(database(tmp_path).stat().st_size - 4096)
        file.write(b"\xff" * 4096)
    opened(tmp_path).close()
    Path(f"{database(tmp_path)}-journal").write_bytes(b"not a rollback journal, but somebody was interrupted")
    assert refused(tmp_path).code == "journal-corrupt"


def test_a_journal_whose_end_is_missing_is_refused(tmp_path: Path) -> None:
    made(tmp_path, rows=500)
    os.truncate(database(tmp_path), database(tmp_path).stat().st_size // 2)
    assert refused(tmp_path).code == "journal-corrupt"


def test_a_locked_journal_is_refused_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path)
    monkeypatch.setattr(sqlite_file, "LOCK_SECONDS", 0.1)
    other = sqlite3.connect(database(tmp_path), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    error = refused(tmp_path)
    other.close()
    assert str(error) == (
        f"{database(tmp_path)}: the journal is locked by another process\n"
        "  hint: wait until it ends (a run, a backup, a database browser), and start again   [journal-locked]"
    )


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    # Root may write anywhere but where the system lets nobody.
    error = refused(Path("/proc") if os.geteuid() == 0 else folder)
    assert error.code == "journal-open"
    assert error.message.startswith("the journal cannot be used: ")
    assert (
        error.hint == "give the user who runs etl the right to write there, or set `path` under [journal] in etl.toml"
    )


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    database(tmp_path).mkdir(parents=True)
    assert refused(tmp_path).message == "the journal cannot be used: Is a directory"


def test_a_read_only_file_is_told(tmp_path: Path) -> None:
    made(tmp_path)
    connection = sqlite3.connect(f"file:{database(tmp_path)}?mode=ro", uri=True)
    with pytest.raises(sqlite3.OperationalError) as error:
        connection.execute("DELETE FROM runs")
    connection.close()
    assert fault_of(error.value, "here").code == "journal-read-only"


def full(journal: Journal, pages: int = 0) -> None:
    """Make every connection of the journal find the disk full."""

    @event.listens_for(journal._engine, "connect")
    def _limit(connection: Any, _record: Any) -> None:
        used = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {used + pages}")

    journal._engine.dispose()


def test_on_a_full_disk_nothing_more_may_be_sent(tmp_path: Path) -> None:
    made(tmp_path)
    with opened(tmp_path) as journal:
        full(journal)
        with journal.writer("run-1", "production") as writer:
            entries = iter(range(10_000))
            with pytest.raises(JournalError) as error:
                [writer.write([intent(delivery(100 + number))]) for number in entries]
            written = next(entries) - 1
            with pytest.raises(JournalError) as again:
                writer.write([intent(delivery(5))])
        assert again.value.code == error.value.code == "journal-write"
        assert str(error.value) == (
            f"{database(tmp_path)}: nothing more is sent, since it could not be written down: the journal cannot grow: "
            "the disk is full\n  hint: make room and go on with `etl resume`   [journal-write]"
        )
        assert error.value.__cause__ is None
    with opened(tmp_path) as journal:
        assert journal.tally("run-1") == {"delivered": 1, "sending": written}


LIMITED = """
import resource, signal, sys
from pathlib import Path
from made import delivery, intent, settings_in
from etl.errors import JournalError
from etl.journal import open_journal
journal = open_journal(settings_in(Path(sys.argv[1])))
size = Path(sys.argv[1], ".etl/journal.db").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20_000, size + 20_000))
with journal.writer("run-1", "production") as writer:
    try:
        for number in range(10_000):
            writer.write([intent(delivery(100 + number))])
    except JournalError as error:
        print(error.code, number)
"""


def test_a_file_that_may_not_grow_is_a_full_disk(tmp_path: Path) -> None:
    assert resource.RLIMIT_FSIZE is not None
    made(tmp_path)
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent.parent)])
    command = [sys.executable, "-c", LIMITED, tmp_path]
    said = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=True)
    code, written = said.stdout.split()
    assert code == "journal-write"
    with opened(tmp_path) as journal:
        assert journal.tally("run-1") == {"delivered": 1, "sending": int(written)}


def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    made(tmp_path)
    with sqlite3.connect(database(tmp_path)) as connection:
        connection.execute("UPDATE journal SET value = '7' WHERE name = 'version'")
    connection.close()
    assert str(refused(tmp_path)) == (
        f"{database(tmp_path)}: the journal was written by a newer version of etl (its layout is 7; known here: 2)\n"
        "  hint: install that version here too, or set another `path` or `url` under [journal] in etl.toml   "
        "[journal-newer]"
    )


def add_colour(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE runs ADD COLUMN colour TEXT"))


def fail(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE runs ADD COLUMN taste TEXT"))
    connection.execute(text("SELECT * FROM nowhere"))


def test_an_older_journal_is_brought_up_step_by_step(tmp_path: Path) -> None:
    made(tmp_path)
    with opened(tmp_path) as journal, journal._engine.begin() as connection:
        steps = (*schema.MIGRATIONS, add_colour)
        schema.upgrade(connection, "here", steps)
        schema.upgrade(connection, "here", steps)
        assert schema.marks_of(connection)["version"] == str(schema.VERSION + 1)
        assert connection.execute(text("SELECT id, colour FROM runs")).all() == [("run-1", None)]


def test_a_step_that_fails_leaves_the_older_journal_as_it_was(tmp_path: Path) -> None:
    made(tmp_path)
    with opened(tmp_path) as journal:
        with pytest.raises(Exception, match="nowhere"), journal._engine.begin() as connection:
            schema.upgrade(connection, "here", (*schema.MIGRATIONS, add_colour, fail))
        with journal._engine.begin() as connection:
            assert schema.marks_of(connection)["version"] == str(schema.VERSION)
            columns = {row.name for row in connection.execute(text("PRAGMA table_info(runs)"))}
        assert columns.isdisjoint({"colour", "taste"})


WAY_OUT = "copy journal.key from the machine that began it, or set `key_env` or `key_file` under [journal]"


def test_a_journal_without_its_key_is_refused(tmp_path: Path) -> None:
    made(tmp_path)
    key = database(tmp_path).with_suffix(".key")
    key.unlink()
    assert str(refused(tmp_path)) == (
        f"{database(tmp_path)}: the hashing key of the journal is missing: there is no {key}\n"
        f"  hint: {WAY_OUT}; or {MOVE_ASIDE}   [journal-key]"
    )
    assert not key.exists()


def test_another_key_is_refused(tmp_path: Path) -> None:
    made(tmp_path)
    assert str(refused(tmp_path, {"KEY": "another secret of 32 characters.."}, key_env="KEY")) == (
        f"{database(tmp_path)}: the hashing key is another one than the journal was begun with\n"
        f"  hint: {WAY_OUT}; or {MOVE_ASIDE}   [journal-key]"
    )


@pytest.mark.parametrize(
    ("environ", "journal", "message"),
    [
        ({}, {"key_env": "KEY"}, "the environment variable KEY is not set"),
        ({"KEY": "short"}, {"key_env": "KEY"}, "the hashing key of the journal is too short"),
        ({}, {"key_file": "none.key"}, "there is no such file"),
    ],
    ids=["not set", "short", "no file"],
)
def test_a_key_that_cannot_be_used_is_told(
    tmp_path: Path, environ: dict[str, str], journal: dict[str, str], message: str
) -> None:
    error = refused(tmp_path, environ, **journal)
    assert (error.message, error.code) == (message, "journal-key")
    assert not database(tmp_path).exists()


def test_a_key_file_may_be_carried_to_another_machine(tmp_path: Path) -> None:
    made(tmp_path)
    text_of_key = database(tmp_path).with_suffix(".key").read_text()
    database(tmp_path).with_suffix(".key").unlink()
    with opened(tmp_path, {"KEY": text_of_key.strip()}, key_env="KEY") as journal:
        assert len(journal.history("p0@example.com")) == 1


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in database(folder).parent.iterdir())


def test_no_personal_data_is_in_the_file(tmp_path: Path) -> None:
    one, event_ = delivery(2), delivery(3, action="event.create", key="order-4711", body={"email": ANNA, "value": 1})
    with opened(tmp_path) as journal:
        journal.begin(new_run())
        with journal.writer("run-1", "production") as writer:
            writer.write([intent(one), outcome(one, Status.FAILED, final=False, message=f"no {ANNA}")])
            writer.write([outcome(one), outcome(event_), outcome(delivery(4, action="contact.delete"))])
    found = everything(tmp_path)
    for secret in (b"anna@", b"example.com", b"601234567", b"VIP", b"order-4711", sha256(one.body).digest()):
        assert secret not in found


def test_keys_may_be_kept_plain(tmp_path: Path) -> None:
    with opened(tmp_path, keys="plain") as journal:
        journal.begin(new_run())
        with journal.writer("run-1", "production") as writer:
            writer.write([outcome(delivery(group="main"))])
            writer.write([outcome(delivery(3, action="event.create", key="", body={"email": ANNA, "value": 1}))])
        assert [entry.key for entry in journal.history(ANNA)] == [ANNA, ANNA]
        memory = journal.memory("production")
        assert [one.text for one in memory.confirmed_keys("contact.upsert")] == [f"main\x1f{ANNA}"]
        assert [one.text for one in memory.confirmed_keys("event.create")] == [""]
        journal.forget(ANNA)
    assert b"anna@" not in everything(tmp_path)


def test_what_was_pruned_is_not_left_in_the_file(tmp_path: Path) -> None:
    with opened(tmp_path, keys="plain") as journal:
        journal.begin(new_run())
        with journal.writer("run-1", "production") as writer:
            writer.write([intent(delivery(group="main"))])
        journal.prune(START + 40 * 86_400)
    assert b"anna@" not in everything(tmp_path)
