"""Locks of several machines: a real PostgreSQL server, which restarts, and holders that are killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from postgres_server import PASSWORD, PostgresServer

from etl.errors import EtlError, GuardError, JournalError
from etl.journal import lock_server, locks
from etl.settings import Settings
from etl.settings.journal import JournalSettings

ROOT = Path(__file__).parents[2]
HOLD = """
import os, sys
from pathlib import Path
from etl.errors import EtlError
from etl.journal import locks
from etl.settings import Settings
from etl.settings.journal import JournalSettings
url, run = sys.argv[1:]
settings = Settings(Path("/"), environ=os.environ, journal=JournalSettings(url=url, password_env="SECRET"))
try:
    with locks.locked(settings, "production", "newsletter", run) as lock:
        print("held", lock.died.run if lock.died else "", flush=True)
        sys.stdin.read()
except EtlError as error:
    print(error.code, flush=True)
"""


@pytest.fixture
def settings(postgres: PostgresServer, tmp_path: Path) -> Settings:
    journal = JournalSettings(url=postgres.database(), password_env="SECRET")
    return Settings(tmp_path, environ={"SECRET": PASSWORD}, journal=journal)


@pytest.fixture
def start(settings: Settings) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    with ExitStack() as stack:

        def begin(run: str) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, "-c", HOLD, settings.journal.url or "", run],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={"SECRET": PASSWORD},
            )  # fmt: skip
            stack.callback(process.communicate)
            stack.callback(process.kill)
            return process

        yield begin


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def killed(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def taken(settings: Settings, run: str = "second", mapping: str = "newsletter") -> str:
    with locks.locked(settings, "production", mapping, run) as lock:
        return lock.died.run if lock.died else ""


def patiently(settings: Settings, run: str) -> str:
    """Take the lock as soon as the server has noticed that its holder is dead."""
    end = time.monotonic() + 10
    while True:
        try:
            return taken(settings, run)
        except GuardError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def test_runs_of_several_machines_exclude_each_other(start, settings: Settings) -> None:
    process = start("20261124-020000-ab12")
    assert said(process) == "held"

    with pytest.raises(GuardError) as caught:
        taken(settings)

    assert caught.value.code == "run-under-way"
    assert caught.value.message.startswith(
        "another run of 'newsletter' to 'production' is under way: 20261124-020000-ab12, by "
        f"{locks.this_process()} (process {process.pid}), since 20"
    )
    assert taken(settings, mapping="opt-outs") == ""


def test_a_holder_that_was_killed_is_noticed_and_its_lock_is_free(start, settings: Settings) -> None:
    process = start("first")
    assert said(process) == "held"
    killed(process)

    assert patiently(settings, "second") == "first"
    assert taken(settings, "third") == ""


def test_the_holder_can_be_asked_for_without_taking_the_lock(start, settings: Settings) -> None:
    assert locks.holder_of(settings, "production", "newsletter") is None
    process = start("first")
    assert said(process) == "held"

    holder = locks.holder_of(settings, "production", "newsletter")

    assert holder is not None
    assert (holder.run, holder.pid) == ("first", process.pid)
    assert locks.holders(settings) == [holder]
    process.communicate()
    assert locks.holders(settings) == []


def test_what_must_be_alone_excludes_runs_and_is_excluded_by_them(
    start, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_server, "FORGETTING_SECONDS", 0.1)
    with locks.alone(settings), pytest.raises(GuardError) as caught:
        taken(settings)
    assert str(caught.value) == (
        "somebody is being removed from journal and reports (etl forget); a run would write to both\n"
        "  hint: try again in a minute   [forgetting-under-way]"
    )
    assert said(start("first")) == "held"
    with pytest.raises(GuardError, match="newsletter to production: first, by "), locks.alone(settings):
        pass


def test_of_runs_that_start_at_once_on_an_empty_database_one_gets_the_lock(start) -> None:
    processes = [start(f"run-{number}") for number in range(3)]

    assert sorted(said(process) for process in processes) == ["held", "run-under-way", "run-under-way"]


def test_a_lock_that_went_with_the_server_is_taken_anew(settings: Settings, postgres: PostgresServer) -> None:
    with locks.locked(settings, "production", "newsletter", "first") as lock:
        lock.check()
        postgres.restart(how=signal.SIGQUIT)

        lock.check()

        with pytest.raises(GuardError, match="first, by "):
            taken(settings)
    assert taken(settings) == ""


def test_a_server_that_takes_its_time_is_waited_for(settings: Settings, postgres: PostgresServer) -> None:
    with locks.locked(settings, "production", "newsletter", "first") as lock:
        postgres.stop(how=signal.SIGQUIT)
        threading.Timer(0.5, postgres.start).start()

        lock.check()

        with pytest.raises(GuardError):
            taken(settings)


def test_a_session_of_its_own_that_the_server_still_keeps_is_ended(settings: Settings) -> None:
    with locks.locked(settings, "production", "newsletter", "first") as lock:
        assert isinstance(lock, lock_server.ServerLock)
        # As where the network between the two breaks, and the server has not noticed.
        kept, lock._connection = lock._connection, lock_server.connected(lock._server)
        lock._connection.close()

        lock.check()

        with pytest.raises(GuardError):
            taken(settings)
        kept.close()


def test_a_lock_that_another_run_holds_now_is_lost(start, settings: Settings) -> None:
    with locks.locked(settings, "production", "newsletter", "first") as lock:
        assert isinstance(lock, lock_server.ServerLock)
        lock._connection.close()
        other = start("second")
        # To the other run, this one has died: its session is gone.
        assert said(other) == "held first"

        with pytest.raises(GuardError) as caught:
            lock.check()

        assert caught.value.code == "run-under-way"
        other.communicate()
        for _ in range(2):
            with pytest.raises(GuardError) as caught:
                lock.check()
        assert caught.value.code == "lock-lost"
        assert caught.value.message.startswith("this run lost its lock, which was taken by second, by ")


def test_a_server_that_is_down_is_told_without_the_password(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_server, "RECONNECT_SECONDS", 0.1)
    journal = JournalSettings(url="postgresql://etl@127.0.0.1:1/journal", password_env="SECRET")

    with pytest.raises(JournalError) as caught:
        taken(Settings(settings.folder, environ={"SECRET": PASSWORD}, journal=journal))

    assert caught.value.where == "postgresql://etl@127.0.0.1:1/journal"
    assert caught.value.code == "lock"
    assert PASSWORD not in str(caught.value)


def test_a_wrong_password_is_told(settings: Settings) -> None:
    wrong = Settings(settings.folder, environ={"SECRET": "guessed-at"}, journal=settings.journal)

    with pytest.raises(EtlError, match="the journal's server does not lock") as caught:
        taken(wrong)

    assert "guessed-at" not in str(caught.value)
