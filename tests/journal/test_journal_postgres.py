"""The journal in PostgreSQL: who may log in, and a server that goes away in the middle."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from made import delivery, identity, intent, new_run, outcome, settings_in
from postgres_server import PASSWORD, PostgresServer
from sqlalchemy import event

from etl.errors import JournalError
from etl.journal import open_journal
from etl.journal.store import Journal

WORKING = {"ETL_PASSWORD": PASSWORD}


def opened(folder: Path, url: str, **journal: Any) -> Journal:
    settings = settings_in(folder, WORKING, url=url, password_env="ETL_PASSWORD", **journal)
    found = open_journal(settings)
    assert found is not None
    return found


def refused(folder: Path, environ: dict[str, str], **journal: Any) -> JournalError:
    with pytest.raises(JournalError) as error:
        open_journal(settings_in(folder, environ, **journal))
    assert error.value.__cause__ is None
    assert PASSWORD not in str(error.value)
    return error.value


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.emptied()


def test_there_is_no_journal_until_one_is_made(tmp_path: Path, url: str) -> None:
    assert open_journal(settings_in(tmp_path, WORKING, url=url, password_env="ETL_PASSWORD"), create=False) is None


def test_the_name_is_the_url_and_the_key_stands_below_the_folder(tmp_path: Path, url: str) -> None:
    with opened(tmp_path, url) as journal:
        assert journal.name == url
    assert (tmp_path / ".etl" / "journal.key").exists()


def test_another_machine_without_the_key_is_refused(tmp_path: Path, url: str) -> None:
    opened(tmp_path, url).close()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    error = refused(elsewhere, WORKING, url=url, password_env="ETL_PASSWORD")
    assert (error.code, "copy journal.key from the machine that began it" in error.hint) == ("journal-key", True)


@pytest.mark.parametrize(
    "journal", [{}, {"password_file": "password.txt"}, {"password_env": "OWN"}], ids=["PGPASSWORD", "file", "variable"]
)
def test_the_password_may_stand_in_each_place(tmp_path: Path, url: str, journal: dict[str, str]) -> None:
    (tmp_path / "password.txt").write_text(PASSWORD + "\n")
    environ = {"PGPASSWORD": PASSWORD} if not journal else {"OWN": PASSWORD}
    found = open_journal(settings_in(tmp_path, environ, url=url, **journal))
    assert found is not None
    found.close()


def test_a_wrong_password_is_told(tmp_path: Path, url: str) -> None:
    error = refused(tmp_path, {"OWN": "wrong"}, url=url, password_env="OWN")
    assert str(error) == (
        f"{url}: the journal: the database refuses user or password\n"
        "  hint: see `password_env` and `password_file` under [journal], PGPASSWORD, and ~/.pgpass   [journal-password]"
    )


@pytest.mark.parametrize(
    ("journal", "message"),
    [
        ({"password_env": "NONE"}, "the environment variable NONE is not set"),
        ({"password_file": "none.txt"}, "the file none.txt cannot be read: No such file or directory"),
    ],
    ids=["variable", "file"],
)
def test_a_password_that_is_not_there_is_told(tmp_path: Path, journal: dict[str, str], message: str) -> None:
    error = refused(tmp_path, {}, url="postgresql://etl@127.0.0.1:1/x", **journal)
    assert (error.message, error.code) == (message, "journal-password")


def test_a_database_that_is_not_there_is_told(tmp_path: Path, url: str) -> None:
    error = refused(tmp_path, WORKING, url=url + "_not", password_env="ETL_PASSWORD")
    assert (error.message, error.code) == ("the journal: there is no such database", "journal-open")


def test_a_server_that_does_not_answer_is_told(tmp_path: Path) -> None:
    error = refused(tmp_path, WORKING, url="postgresql://etl@127.0.0.1:1/x", password_env="ETL_PASSWORD")
    assert str(error) == (
        "postgresql://etl@127.0.0.1:1/x: the journal's database does not answer\n"
        "  hint: see that the server runs and that `url` under [journal] in etl.toml is right; then go on   [journal-gone]"
    )


def test_two_machines_may_make_the_tables_at_once(tmp_path: Path, url: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        for journal in pool.map(lambda _: opened(tmp_path, url), range(6)):
            journal.close()


def test_a_server_that_crashes_in_the_middle_loses_nothing(tmp_path: Path, url: str, postgres: PostgresServer) -> None:
    with opened(tmp_path, url) as journal:
        journal.begin(new_run())
        over = threading.Event()
        written: list[int] = []

        def work(start: int) -> None:
            position = start
            while not over.is_set():
                one = delivery(position, f"p{position}@example.com")
                writer.write([intent(one)])
                writer.write([outcome(one)])
                written.append(position)
                position += 8

        with journal.writer("run-1", "production") as writer:
            threads = [threading.Thread(target=work, args=(start,)) for start in range(8)]
            for thread in threads:
                thread.start()
            for how in (signal.SIGQUIT, signal.SIGINT):
                time.sleep(0.2)
                postgres.restart(how=how)
                before = len(written)
                until = time.monotonic() + 30
                while len(written) < before + 20 and time.monotonic() < until:
                    time.sleep(0.02)
            over.set()
            for thread in threads:
                thread.join()
        assert len(written) > 40
        assert journal.tally("run-1") == {"delivered": len(written)}
        assert journal.memory("production").count("contact.upsert") == len(written)


def test_a_server_that_stays_away_stops_the_sending(tmp_path: Path, url: str, postgres: PostgresServer) -> None:
    with opened(tmp_path, url, reconnect_seconds=0.5) as journal:
        journal.begin(new_run())
        with journal.writer("run-1", "production") as writer:
            writer.write([intent(delivery())])
            postgres.stop()
            try:
                with pytest.raises(JournalError) as error:
                    writer.write([outcome(delivery())])
            finally:
                postgres.start()
            with pytest.raises(JournalError):
                writer.write([outcome(delivery())])
        assert str(error.value) == (
            f"{url}: nothing more is sent, since it could not be written down: the journal's database does not answer\n"
            "  hint: see that the server runs and that `url` under [journal] in etl.toml is right; then go on   [journal-write]"
        )
        assert journal.tally("run-1") == {"sending": 1}


def test_a_commit_whose_outcome_is_unknown_is_written_again(tmp_path: Path, url: str) -> None:
    changed = delivery(3, body={"contact": {"email": "anna@example.com", "phone": "new"}, "tags": ["VIP"]})
    with opened(tmp_path, url) as journal:
        journal.begin(new_run())
        with journal.writer("run-1", "production") as writer:
            writer.write([outcome(delivery(2))])
            commit, lost = journal._engine.dialect.do_commit, []

            def committed_but_not_told(connection: Any) -> None:
                commit(connection)
                if not lost:
                    lost.append(True)
                    raise psycopg.OperationalError("server closed the connection unexpectedly")

            journal._engine.dialect.do_commit = committed_but_not_told  # type: ignore[method-assign]
            writer.write([outcome(changed)])
        assert lost
        assert [entry.changed for entry in journal.history("anna@example.com")] == [None, ("contact.phone",)]
        assert journal.tally("run-1") == {"delivered": 2}


def test_a_pooled_connection_that_died_is_replaced(tmp_path: Path, url: str, postgres: PostgresServer) -> None:
    with opened(tmp_path, url) as journal:
        journal.begin(new_run())
        postgres.restart()
        assert journal.run("run-1").id == "run-1"


def test_no_value_of_a_statement_is_in_a_message(tmp_path: Path, url: str) -> None:
    with opened(tmp_path, url) as journal:
        journal.begin(new_run())

        @event.listens_for(journal._engine, "before_cursor_execute", retval=True)
        def _break(_c: Any, _cursor: Any, statement: str, given: Any, _context: Any, _many: bool) -> tuple[str, Any]:
            return statement.replace("INTO deliveries", "INTO deliveriez"), given

        with journal.writer("run-1", "production") as writer, pytest.raises(JournalError) as error:
            writer.write([outcome(delivery(), message="secret@example.com")])
        assert "journal failed: 42P01" in str(error.value)
        assert identity("anna@example.com") not in str(error.value)
        assert error.value.__cause__ is None
