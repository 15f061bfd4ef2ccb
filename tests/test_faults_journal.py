"""The journal fails, is damaged or in somebody's hands, and runs come twice: nothing leaves that is not written down."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from fault_runs import Arrived, hold_to_the_invariants, people, read_lines
from postgres_server import PASSWORD, NoPostgresError, running
from support import CONTACT, EVENTS, Rig, rig, write_csv
from zygote import CRASHED, Zygote

from etl.journal import open_journal
from etl.settings import load_settings

pytestmark = pytest.mark.timeout(60)

RUN = ("run", "m.yaml", "s.csv", "--target", "test", "--config", "etl.toml", "--out", "out")
TARGET = "concurrency = 8"


@pytest.fixture(scope="module")
def zygote():
    with Zygote() as one:
        yield one


@pytest.fixture(scope="module")
def second(tmp_path_factory):
    """Another parent of children, for two at once."""
    with Zygote() as one:
        # Loaded when the first test needs it.
        one.run(["--version"], tmp_path_factory.mktemp("second"))
        yield one


def write(folder: Path, rows: int, mapping: str = EVENTS) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "m.yaml").write_text(mapping)
    write_csv(folder / "s.csv", people(rows))


def run_id(folder: Path) -> str:
    journal = open_journal(load_settings(folder / "etl.toml", {}, folder), create=False)
    assert journal is not None
    with journal:
        return journal.runs(limit=1)[0].id


def resume(folder: Path, verb: str = "resume") -> tuple[str, ...]:
    return (verb, run_id(folder), "--config", "etl.toml")


def hold(folder: Path, server: Rig, rows: int) -> Counter[str]:
    lines = read_lines(folder / "out" / "results.csv")
    hold_to_the_invariants(lines, Arrived.of(server.database), rows)
    return Counter(line["status"] for line in lines)


def wait_for(server: Rig, requests: int, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while server.sandbox.stats().requests < requests:
        assert time.monotonic() < end, "nothing was sent in time"
        time.sleep(0.005)


def intents(folder: Path, journal: str = ".etl/journal.db") -> int:
    """Return how many deliveries the journal knows to have been begun."""
    with closing(sqlite3.connect(folder / journal)) as connection:
        return int(connection.execute("SELECT count(*) FROM deliveries").fetchone()[0])


FAILING = """
import sqlite3, threading
import etl.journal.writer as writer
real, calls = writer.Writer._commit_once, [0]
def failing(self, rows):
    calls[0] += 1
    if calls[0] >= {number}:
        error = sqlite3.OperationalError("{words}")
        error.sqlite_errorname = "{name}"
        raise error
    return real(self, rows)
writer.Writer._commit_once = failing
"""
WRITES = [(1, EVENTS), (2, CONTACT), (5, EVENTS), (17, EVENTS), (17, CONTACT)]


@pytest.mark.parametrize(
    ("number", "mapping"),
    WRITES,
    ids=[f"{number}-{'events' if text is EVENTS else 'upserts'}" for number, text in WRITES],
)
def test_after_the_nth_write_of_the_journal_failed_nothing_leaves_any_more(zygote, tmp_path, number, mapping):
    write(tmp_path, 60, mapping)
    setup = FAILING.format(number=number, name="SQLITE_FULL", words="database or disk is full")
    with rig(tmp_path, target=TARGET) as server:
        child = zygote.run(RUN, tmp_path, setup=setup)
        code = child.wait()
        sent = len(server.requests())
        # What cannot be recorded is not sent: each request has its intent.
        assert sent <= intents(tmp_path)
        assert sent <= 8 * number
        assert zygote.run(resume(tmp_path), tmp_path).wait() in {0, 1}
        counts = hold(tmp_path, server, 60)
    assert code == 3, child.output
    assert "journal" in child.output
    assert "Traceback" not in child.output
    assert set(counts) <= {"delivered", "unknown"}
    # In doubt is what was under way when it failed, no more.
    assert counts["unknown"] <= (8 if mapping is EVENTS else 0)


def test_a_disk_that_is_full_of_the_journal_stops_the_run_and_with_room_it_goes_on(zygote, tmp_path):
    write(tmp_path, 400)
    full = (
        "import sqlite3.dbapi2 as dbapi\n"
        "real = dbapi.connect\n"
        "def connect(*given, **named):\n"
        "    made = real(*given, **named)\n"
        "    made.execute('PRAGMA max_page_count = 40')\n"
        "    return made\n"
        "dbapi.connect = connect\n"
    )
    with rig(tmp_path, target=TARGET) as server:
        child = zygote.run(RUN, tmp_path, setup=full)
        assert child.wait() == 3, child.output
        assert len(server.requests()) <= intents(tmp_path) < 400
        assert zygote.run(resume(tmp_path), tmp_path).wait() in {0, 1}
        counts = hold(tmp_path, server, 400)
    assert "the disk is full: make room and go on with `etl resume`" in " ".join(child.output.split())
    assert counts["delivered"] + counts["unknown"] == 400
    assert counts["unknown"] <= 8


LOCKED = "import etl.journal.sqlite_file as file; file.LOCK_SECONDS = {seconds}"


def test_a_journal_that_another_program_holds_is_waited_for(zygote, tmp_path):
    write(tmp_path, 100)
    with rig(tmp_path, target=TARGET, latency_seconds=0.02) as server:
        child = zygote.start(RUN, tmp_path, setup=LOCKED.format(seconds=20))
        wait_for(server, 20)
        with closing(sqlite3.connect(tmp_path / ".etl" / "journal.db", timeout=10, isolation_level=None)) as backup:
            backup.execute("BEGIN IMMEDIATE")
            time.sleep(0.2)
            before = server.sandbox.stats().requests
            time.sleep(0.5)
            # What was under way ended; nothing new has left.
            assert server.sandbox.stats().requests == before
            backup.execute("ROLLBACK")
        code = child.wait()
    assert code == 0, child.output
    assert hold(tmp_path, server, 100) == {"delivered": 100}


def test_a_journal_that_another_program_keeps_stops_the_run(zygote, tmp_path):
    write(tmp_path, 400)
    with rig(tmp_path, target=TARGET, latency_seconds=0.02) as server:
        child = zygote.start(RUN, tmp_path, setup=LOCKED.format(seconds=0.3))
        wait_for(server, 20)
        with closing(sqlite3.connect(tmp_path / ".etl" / "journal.db", timeout=10, isolation_level=None)) as backup:
            backup.execute("BEGIN IMMEDIATE")
            code = child.wait()
            backup.execute("ROLLBACK")
        assert code == 3, child.output
        assert "is locked by another process" in child.output
        assert zygote.run(resume(tmp_path), tmp_path).wait() in {0, 1}
    assert hold(tmp_path, server, 400)["unknown"] <= 8


def corrupt_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096 : len(data) // 2] = b"\xa5" * (len(data) // 2 - 4096)
    path.write_bytes(bytes(data))
    # As a crash leaves it, so that it is looked over.
    path.with_name(f"{path.name}-journal").write_bytes(b"\0" * 512)


def corrupt_head(path: Path) -> None:
    path.write_bytes(b"\0" * 4096 + path.read_bytes()[4096:])


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [corrupt_middle, corrupt_head, empty], ids=lambda one: one.__name__)
def test_a_damaged_journal_is_refused_with_a_way_out_that_works(zygote, tmp_path, damage):
    write(tmp_path, 30, CONTACT)
    with rig(tmp_path, target=TARGET) as server:
        assert zygote.run(RUN, tmp_path).wait() == 0
        journal = tmp_path / ".etl" / "journal.db"
        damage(journal)
        before = len(server.requests())
        child = zygote.run(RUN, tmp_path)
        assert child.wait() == 2, child.output
        assert "move it aside" in child.output
        assert "Traceback" not in child.output
        assert len(server.requests()) == before
        for left in journal.parent.glob("journal.db*"):
            left.rename(left.with_name(f"aside-{left.name}"))
        again = zygote.run(RUN, tmp_path)
        assert again.wait() == 0, again.output


class TestTwoRuns:
    def test_the_second_is_told_who_runs_and_sends_nothing_and_the_first_is_not_disturbed(
        self, zygote, second, tmp_path
    ):
        write(tmp_path, 300)
        with rig(tmp_path, target=TARGET, latency_seconds=0.03) as server:
            first = zygote.start(RUN, tmp_path)
            wait_for(server, 10)
            other = second.run([*RUN[:-1], "other"], tmp_path)
            assert other.wait() == 3, other.output
            code = first.wait()
        assert code == 0, first.output
        assert str(first.pid) in other.output
        assert hold(tmp_path, server, 300) == {"delivered": 300}
        assert len(server.requests()) == 300

    def test_of_two_that_start_at_once_one_runs(self, zygote, second, tmp_path):
        write(tmp_path, 60)
        with rig(tmp_path, target=TARGET, latency_seconds=0.01) as server:
            children = [zygote.start(RUN, tmp_path), second.start([*RUN[:-1], "other"], tmp_path)]
            codes = sorted(child.wait() for child in children)
        assert codes in ([0, 3], [0, 0])
        # Where both ran, it was one after the other, and the later found all events created.
        assert set(Arrived.of(server.database).acted.values()) == {1}

    @pytest.mark.parametrize("verb", ["resume", pytest.param("retry", marks=pytest.mark.soak)])
    def test_a_run_that_is_under_way_is_not_taken_over(self, zygote, second, tmp_path, verb):
        write(tmp_path, 300)
        with rig(tmp_path, target=TARGET, latency_seconds=0.03) as server:
            first = zygote.start(RUN, tmp_path)
            wait_for(server, 10)
            other = second.run(resume(tmp_path, verb), tmp_path)
            assert other.wait() == 3, other.output
            assert first.wait() == 0, first.output
        assert len(server.requests()) == 300


class TestAfterACrash:
    """A job of the night is started anew by its clock; nobody resumes it."""

    def crash(self, zygote: Zygote, folder: Path) -> None:
        died = zygote.run(RUN, folder, crash=("after", "etl.targets.client:HttpTransport.send", 30))
        assert died.wait() == CRASHED, died.output

    def test_a_new_run_creates_no_event_twice_and_names_those_in_doubt(self, zygote, tmp_path):
        write(tmp_path, 80)
        with rig(tmp_path, target=TARGET) as server:
            self.crash(zygote, tmp_path)
            again = zygote.run(RUN, tmp_path)
            assert again.wait() == 1, again.output
            acted = Arrived.of(server.database).acted
        assert set(acted.values()) == {1}
        lines = read_lines(tmp_path / "out" / "results.csv")
        counts = Counter(line["status"] for line in lines)
        assert set(counts) == {"delivered", "unchanged", "unknown"}
        assert 1 <= counts["unknown"] <= 8
        # Nothing was carried out that is told as not to have been, and nothing is missing without a word.
        assert {line["payload_sha256"] for line in lines if line["status"] != "unknown"} <= set(acted)

    def test_a_new_run_says_that_another_died_and_how_to_go_on_with_it(self, zygote, tmp_path):
        write(tmp_path, 80)
        with rig(tmp_path, target=TARGET):
            self.crash(zygote, tmp_path)
            dead = run_id(tmp_path)
            again = zygote.run(RUN, tmp_path)
        assert f"etl resume {dead}" in " ".join(again.output.split())

    def test_a_file_that_is_another_one_by_now_is_not_resumed(self, zygote, tmp_path):
        write(tmp_path, 80)
        with rig(tmp_path, target=TARGET) as server:
            self.crash(zygote, tmp_path)
            write_csv(tmp_path / "s.csv", people(81))
            before = len(server.requests())
            resumed = zygote.run(resume(tmp_path), tmp_path)
            assert resumed.wait() == 2, resumed.output
            assert len(server.requests()) == before
        assert "its content has changed since" in resumed.output

    def test_reports_that_are_gone_are_written_again_from_the_journal(self, zygote, tmp_path):
        write(tmp_path, 80)
        with rig(tmp_path, target=TARGET) as server:
            self.crash(zygote, tmp_path)
            shutil.rmtree(tmp_path / "out")
            resumed = zygote.run(resume(tmp_path), tmp_path)
            assert resumed.wait() in {0, 1}, resumed.output
            counts = hold(tmp_path, server, 80)
        assert counts["delivered"] + counts["unknown"] == 80
        assert counts["unknown"] <= 8


@pytest.fixture(scope="module")
def postgres():
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'salesmanago-etl[postgres]'")
    try:
        with running() as server:
            yield server
    except NoPostgresError as reason:
        pytest.skip(str(reason))


class TestPostgres:
    @pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restarted", "crashed"])
    def test_a_server_that_is_gone_for_a_moment_costs_time_and_no_row(self, zygote, postgres, tmp_path, how):
        write(tmp_path, 150)
        journal = f'[journal]\nurl = "{postgres.emptied()}"\npassword_env = "ETL_PASSWORD"\n'
        with rig(tmp_path, target=f"{TARGET}\n{journal}", latency_seconds=0.02) as server:
            child = zygote.start(RUN, tmp_path, env={"ETL_PASSWORD": PASSWORD})
            wait_for(server, 30)
            postgres.stop(how=how)
            time.sleep(0.1)
            before = server.sandbox.stats().requests
            time.sleep(0.3)
            # While it is away, nothing leaves.
            assert server.sandbox.stats().requests == before
            postgres.start()
            code = child.wait()
        assert code == 0, child.output
        assert hold(tmp_path, server, 150) == {"delivered": 150}
        assert PASSWORD not in child.output
