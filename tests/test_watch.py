"""`etl watch` with real files, real processes, a real endpoint and a real journal; kill -9 included."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from cli.shell import on_terminal
from fault_server import FaultServer, reply
from support import Rig, rig
from zygote import CRASHED, Child, Zygote

from etl.journal import open_journal
from etl.journal.model import RunRecord, RunState
from etl.settings import load_settings

pytestmark = pytest.mark.timeout(60)

CONTACTS = """\
version: 1
name: contacts
records:
  - action: contact.upsert
    fields:
      contact.email: {column: E-mail, required: true}
"""
LEAVERS = "version: 1\nname: leavers\nrecords:\n  - action: contact.delete\n    fields: {email: E-mail}\n"
BOUGHT = """\
version: 1
name: bought
records:
  - action: event.create
    fields: {email: E-mail, externalId: Id, contactExtEventType: {value: PURCHASE}}
"""
RULES = """
[[watch]]
pattern = "leavers*"
mapping = "leavers.yaml"
[[watch]]
pattern = "bought*"
mapping = "bought.yaml"
[[watch]]
pattern = "*.csv"
mapping = "contacts.yaml"
"""
ONCE = ("--once", "--settle", "0")
QUICK = ("--settle", "0.3", "--interval", "0.05")
NO_PAUSE = "import etl.watch.decisions as w; w.FIRST_PAUSE_SECONDS = w.LONGEST_PAUSE_SECONDS = 0.3"


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote() as one:
        yield one


def people(*numbers: int) -> str:
    return "E-mail,Id\n" + "".join(f"p{n}@example.com,{n}\n" for n in numbers)


class Place:
    """A folder with mappings, etl.toml and the watched folder `in`."""

    def __init__(self, folder: Path, zygote: Zygote, url: str, target: str = "") -> None:
        self.folder, self.zygote, self.into = folder, zygote, folder / "in"
        self.into.mkdir(parents=True, exist_ok=True)
        for name, text in (("contacts", CONTACTS), ("leavers", LEAVERS), ("bought", BOUGHT)):
            (folder / f"{name}.yaml").write_text(text)
        self.point_to(url, target)

    def point_to(self, url: str, target: str = "") -> None:
        lines = f'default_target = "test"\n[targets.test]\nurl = "{url}"\nrate = 10000\n{target}\n'
        (self.folder / "etl.toml").write_text(lines + RULES)

    def drop(self, name: str, text: str, at: int | None = None) -> Path:
        path = self.into / name
        path.write_text(text, "utf-8")
        if at is not None:
            os.utime(path, (at, at))
        return path

    def start(self, *flags: str, **how) -> Child:
        return self.zygote.start(("watch", "in", *flags), self.folder, **how)

    def once(self, *flags: str, **how) -> tuple[int, str]:
        child = self.zygote.run(("watch", "in", *ONCE, *flags), self.folder, **how)
        return child.wait(), child.output

    def etl(self, *words: str) -> tuple[int, str]:
        child = self.zygote.run(words, self.folder)
        return child.wait(), child.output

    def waiting(self) -> set[str]:
        return {path.name for path in self.into.iterdir() if path.is_file()}

    def archive(self) -> dict[str, set[str]]:
        """Return the names of the files that were put away, without their reports, by folder."""
        found: dict[str, set[str]] = {}
        for shelf in ("done", "attention", "refused", "stopped"):
            for folder in sorted((self.into / shelf).glob("*")):
                # Folders hold the reports of earlier sittings.
                names = {path.name for path in folder.iterdir() if path.is_file()}
                names -= {"results.csv", "issues.csv", "summary.json"}
                optional = {"report.html", "annotated.xlsx", "to_fix.csv", "why.txt"}
                found.setdefault(shelf, set()).update(names - optional)
        return found

    def runs(self) -> list[RunRecord]:
        with open_journal(load_settings(self.folder / "etl.toml", {}, self.folder)) as journal:
            return journal.runs()

    def lines(self, run: RunRecord) -> list[dict[str, str]]:
        with (Path(run.new.out) / "results.csv").open(newline="") as stream:
            return list(csv.DictReader(stream))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Rig]:
    with rig(tmp_path / "server") as one:
        yield one


@pytest.fixture
def place(tmp_path: Path, zygote: Zygote, server: Rig) -> Place:
    return Place(tmp_path, zygote, server.sandbox.url)


def until(condition, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while True:
        # A child that has just been started has said nothing, and nowhere.
        with contextlib.suppress(FileNotFoundError):
            if condition():
                return
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def asked(server: Rig) -> list[str]:
    """Return the addresses that requests were about, in the order of their arrival."""
    with closing(sqlite3.connect(server.database)) as connection:
        bodies = [json.loads(row[0]) for row in connection.execute("SELECT body FROM requests ORDER BY seq")]
    return [body.get("email") or body["contact"]["email"] for body in bodies]


def log_of(output: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def test_each_file_is_run_and_archived_with_its_reports_by_how_its_run_ended(place):
    place.drop("good.csv", people(1, 2))
    place.drop("bad.csv", people(3) + "nobody,4\n")
    place.drop("wrong.csv", "Colour\nred\n")
    place.drop("leavers.csv", people(5))

    code, _ = place.once()

    assert place.archive() == {
        "done": {"good.csv"}, "attention": {"bad.csv"}, "refused": {"wrong.csv"}, "stopped": {"leavers.csv"},
    }  # fmt: skip
    assert place.waiting() == set()
    assert code == 3
    (done,) = (place.into / "done").iterdir()
    assert {"good.csv", "results.csv", "issues.csv", "summary.json"} <= {path.name for path in done.iterdir()}
    (refused,) = (place.into / "refused").iterdir()
    assert "column 'E-mail' is not in" in (refused / "why.txt").read_text()


def test_files_are_taken_in_the_order_of_their_arrival(place, server):
    for name, number, at in (("c.csv", 1, 100), ("b.csv", 3, 200), ("a.csv", 2, 200)):
        place.drop(name, people(number), at)

    assert place.once()[0] == 0
    assert asked(server) == ["p1@example.com", "p2@example.com", "p3@example.com"]


NAMES = ["a b.csv", "-rf.csv", "zażółć.csv", "a;b'c\".csv", "%s {x}.csv", "x" * 240 + ".csv", "results.csv", "to_fix.csv",
         "s3:bucket.csv", "https:x.csv", "[a-z].csv"]  # fmt: skip


def test_names_are_no_obstacle(place, server):
    for number, name in enumerate(NAMES):
        place.drop(name, people(number))

    assert place.once()[0] == 0

    renamed = {"results.csv": "sent-results.csv", "to_fix.csv": "sent-to_fix.csv"}
    assert place.archive() == {"done": {renamed.get(name, name) for name in NAMES}}
    assert len(asked(server)) == len(NAMES)


def test_a_name_that_is_no_text_is_refused(place):
    (place.into / os.fsdecode(b"bad\xff.csv")).write_text(people(1))

    code, output = place.once()

    assert code == 2, output
    assert place.archive() == {"refused": {os.fsdecode(b"bad\xff.csv")}}
    (why,) = (place.into / "refused").glob("*/why.txt")
    assert why.read_text() == (
        "bad\\udcff.csv: the name of the file is not UTF-8\n  hint: give it another name   [file-name]\n"
    )


def test_two_files_of_one_name_never_meet(place):
    for number in range(2):
        place.drop("a.csv", people(number))
        assert place.once()[0] == 0

    kept = sorted(path.read_text() for path in (place.into / "done").glob("*/a.csv"))
    assert kept == sorted(people(number) for number in range(2))


def test_what_is_no_finished_file_is_left_alone(place, tmp_path):
    outside = tmp_path / "outside.csv"
    outside.write_text(people(1))
    (place.into / "link.csv").symlink_to(outside)
    (place.into / "folder.csv").mkdir()
    os.mkfifo(place.into / "pipe.csv")
    for name in ("a.csv.part", ".hidden.csv", "~$b.csv", "c.csv~"):
        place.drop(name, people(2))

    assert place.once()[0] == 0
    assert place.archive() == {}
    assert outside.exists()


def test_a_file_without_a_rule_stays_and_is_told_once(place):
    place.drop("a.pdf", "x")
    child = place.start(*QUICK)
    until(lambda: "file-unclaimed" in child.output)
    place.drop("b.csv", people(1))
    until(place.archive)
    child.signal(signal.SIGTERM)

    assert child.wait() == 143
    assert child.output.count("file-unclaimed") == 1
    assert place.waiting() == {"a.pdf"}


def test_a_file_that_is_being_written_is_not_taken_before_it_is_whole(place, server):
    child = place.start(*QUICK)
    with (place.into / "slow.csv").open("w") as file:
        file.write("E-mail,Id\n")
        for number in range(12):
            file.write(f"p{number}@example.com,{number}\n")
            file.flush()
            time.sleep(0.1)
    until(place.archive)
    child.signal(signal.SIGTERM)
    child.wait()

    assert place.archive() == {"done": {"slow.csv"}}
    assert len(place.runs()) == 1
    assert len(asked(server)) == 12


def test_once_leaves_alone_what_is_still_being_written(place):
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with (place.into / "slow.csv").open("a") as file:
                file.write("x\n")
            stop.wait(0.05)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        place.drop("a.csv", people(1))
        code, _ = place.once("--settle", "0.5")
    finally:
        stop.set()
        writer.join()

    assert code == 0
    assert place.archive() == {"done": {"a.csv"}}
    assert place.waiting() == {"slow.csv"}


def test_a_file_that_is_renamed_when_it_is_whole_is_taken_as_what_it_is_now(place):
    child = place.start(*QUICK)
    place.drop("a.csv.part", "E-mail\n")
    time.sleep(0.5)
    assert place.archive() == {}
    place.drop("a.csv.part", people(1)).rename(place.into / "a.csv")
    until(place.archive)
    child.signal(signal.SIGTERM)
    child.wait()

    assert place.archive() == {"done": {"a.csv"}}


def test_with_a_marker_only_marked_files_are_taken_and_the_marker_goes_with_them(place):
    place.drop("a.csv", people(1))
    place.drop("b.csv", people(2))
    place.drop("b.csv.done", "")

    assert place.once("--marker", ".done", "--settle", "60")[0] == 0
    assert place.archive() == {"done": {"b.csv", "b.csv.done"}}
    assert place.waiting() == {"a.csv"}


def test_deletions_need_a_yes_and_with_it_they_are_carried_out(place, server):
    place.drop("leavers.csv", people(1))
    assert place.once()[0] == 3
    place.drop("leavers.csv", people(1))
    assert place.once("--yes", "--max-deletes", "0")[0] == 3
    place.drop("leavers.csv", people(1))
    assert place.once("--yes")[0] == 0

    assert asked(server) == ["p1@example.com"]
    assert place.archive() == {"stopped": {"leavers.csv"}, "done": {"leavers.csv"}}


def test_a_dry_run_leaves_reports_and_sends_and_archives_nothing(place, server):
    place.drop("bad.csv", people(1) + "nobody,4\n")
    child = place.start(*QUICK, "--dry-run")
    until(lambda: "file-checked" in child.output)
    time.sleep(0.3)
    child.signal(signal.SIGTERM)

    assert child.wait() == 143
    assert child.output.count("file-checked") == 1
    assert place.waiting() == {"bad.csv"}
    (reports,) = (place.into / "checked").iterdir()
    assert (reports / "results.csv").exists()
    assert asked(server) == []


def test_a_retry_finds_file_and_reports_in_the_archive(place, server):
    place.point_to("http://127.0.0.1:1", "retries = 0\nconnect_timeout = 0.2\npatience = 0")
    place.drop("results.csv", people(1))
    assert place.once()[0] == 3
    place.point_to(server.sandbox.url)
    assert place.once()[0] == 0
    place.drop("a.csv", people(2) + "nobody,3\n")
    assert place.once()[0] == 1

    code, _ = place.etl("show", "last")

    assert code == 0
    run = place.runs()[0]
    assert Path(run.new.out).parent == place.into / "attention"
    assert Path(run.new.files[0]["path"]).read_text() == people(2) + "nobody,3\n"
    assert place.etl("retry", "last")[0] == 1, "nothing to retry: it says how it ended"


def test_a_person_is_forgotten_in_the_archive_too(place):
    place.drop("a.csv", people(1, 2))
    assert place.once()[0] == 0

    code, output = place.etl("forget", "p1@example.com", "--yes")

    assert code == 0, output
    (results,) = (place.into / "done").glob("*/results.csv")
    assert "p1@example.com" not in results.read_text()
    assert "p2@example.com" in results.read_text()


def test_off_a_terminal_each_event_is_a_line_of_log_that_says_where_the_file_is(place):
    place.drop("bad.csv", people(1) + "nobody,4\n")

    _, output = place.once()

    (folder,) = (place.into / "attention").iterdir()
    events = {str(event["event"]): event for event in log_of(output)}
    taken, archived = events["file-taken"], events["file-archived"]
    assert (taken["file"], taken["level"]) == ("bad.csv", "info")
    assert archived | {"time": "", "run": ""} == {
        "time": "", "level": "warning", "event": "file-archived", "file": "bad.csv", "run": "", "exit_code": 1,
        "reason": archived["reason"], "place": f"attention/{folder.name}",
    }  # fmt: skip
    assert str(archived["reason"]).startswith("1 of 2 rows was delivered to test; 1 is invalid.")


def test_on_a_terminal_it_says_what_it_waits_for(place):
    place.drop("a.csv", people(1))
    with on_terminal("watch", "in", "--settle", "1", "--interval", "0.1", cwd=place.folder, columns=100) as terminal:
        terminal.wait_for("waiting until a.csv is finished")
        terminal.wait_for("a.csv: 1 of 1 row was delivered to test.  (exit code 0; done/")
        terminal.wait_for(f"waiting for files in {place.into}"[:80])
        terminal.signal(signal.SIGINT)
        assert terminal.exit_code() == 130
        assert "Traceback" not in terminal.text
        assert terminal.text.rstrip().endswith("stopped watching")


def test_two_watchers_do_not_share_a_folder(place, tmp_path):
    (tmp_path / "other").mkdir()
    with Zygote() as another:
        first = another.start(("watch", str(place.into)), place.folder)
        until(lambda: "watching" in first.output)
        code, output = place.once()
        first.signal(signal.SIGTERM)
        assert first.wait() == 143

    assert code == 3
    assert "in: another etl watch is at this folder: " in output
    assert f", process {first.pid}, since " in output
    assert "hint: end that one first; two would take the same files   [watch-under-way]" in output
    assert place.once()[0] == 0


LONG = pytest.mark.soak
"""Of cases that differ little, one stands for the others in the suite."""
SIGNALS = {"SIGTERM": (signal.SIGTERM, 143), "Ctrl-C": pytest.param(signal.SIGINT, 130, marks=LONG)}


@pytest.mark.parametrize(("number", "code"), SIGNALS.values(), ids=SIGNALS)
def test_while_it_waits_a_signal_ends_it_at_once(place, number, code):
    child = place.start("--interval", "60")
    until(lambda: "watching" in child.output)
    time.sleep(0.3)
    started = time.monotonic()
    child.signal(number)

    assert child.wait() == code
    assert time.monotonic() - started < 5


@contextmanager
def slow_place(tmp_path: Path, zygote: Zygote) -> Iterator[tuple[Place, Rig]]:
    """Yield a place whose endpoint takes its time, so that a run can be met under way."""
    with rig(tmp_path / "server", latency_seconds=0.02) as server:
        yield Place(tmp_path, zygote, server.sandbox.url, "concurrency = 2\ncanary = 0"), server


def requests(server: Rig) -> int:
    return int(server.sandbox.stats().requests)


@pytest.mark.parametrize(("number", "code"), SIGNALS.values(), ids=SIGNALS)
def test_a_signal_during_a_run_leaves_the_file_and_the_next_start_goes_on_with_it(tmp_path, zygote, number, code):
    with slow_place(tmp_path, zygote) as (place, server):
        place.drop("a.csv", people(*range(60)))
        place.drop("b.csv", people(99))
        child = place.start(*QUICK)
        until(lambda: requests(server) > 10)
        child.signal(number)
        assert child.wait() == code, child.output
        assert place.waiting() == {"a.csv", "b.csv"}
        assert place.once()[0] == 0
        sent = asked(server)

    assert sorted(sent) == sorted(f"p{n}@example.com" for n in [*range(60), 99]), "nothing twice, nothing lost"
    assert place.archive() == {"done": {"a.csv", "b.csv"}}
    assert [run.sittings for run in place.runs()] == [1, 2]


def test_after_kill_9_the_next_start_resumes_the_run_and_says_what_is_in_doubt(tmp_path, zygote):
    with slow_place(tmp_path, zygote) as (place, server):
        place.drop("bought.csv", people(*range(60)))
        child = place.start(*QUICK)
        until(lambda: requests(server) > 10)
        child.kill()
        assert child.wait() == -signal.SIGKILL
        code, output = place.once()
        sent = asked(server)

    (run,) = place.runs()
    assert (run.sittings, run.state) == (2, RunState.FINISHED)
    assert len(sent) == len(set(sent)), "no event was sent twice"
    doubts = [line for line in place.lines(run) if line["status"] == "unknown"]
    assert len(doubts) <= 2
    assert {f"p{n}@example.com" for n in range(60)} - set(sent) <= {line["key"] for line in doubts} | {""}
    assert code == (1 if doubts else 0), output
    assert place.archive() == {"attention" if doubts else "done": {"bought.csv"}}


ARCHIVING = {
    "before the run is in the journal": pytest.param(("before", "etl.journal.store:Journal.begin", 1), marks=LONG),
    "before the end is in the journal": ("before", "etl.journal.store:Journal.end", 1),
    "before the file is moved": pytest.param(("before", "etl.watch.folder:WatchFolder.take_in", 1), marks=LONG),
    "after the file is moved": ("after", "etl.watch.folder:WatchFolder.take_in", 1),
    "after the folder is moved": ("after", "etl.watch.folder:WatchFolder.put_away", 1),
    "before the journal is told": pytest.param(("before", "etl.journal.store:Journal.move", 1), marks=LONG),
}


@pytest.mark.parametrize("point", ARCHIVING.values(), ids=ARCHIVING)
def test_dying_between_sending_and_archiving_it_sends_nothing_again_and_archives(place, server, point):
    place.drop("a.csv", people(1, 2))
    died, output = place.once(crash=point)
    assert died == CRASHED, output

    code, output = place.once()

    assert code == 0, output
    assert sorted(asked(server)) == ["p1@example.com", "p2@example.com"]
    assert place.archive() == {"done": {"a.csv"}}
    assert place.waiting() == set()
    (run,) = place.runs()
    assert Path(run.new.out).parent == place.into / "done"
    assert Path(run.new.files[0]["path"]).read_text() == people(1, 2)
    assert [path.name for path in (place.into / ".etl-watch").iterdir()] == ["lock"]


def test_dying_while_a_file_is_refused_it_is_refused_at_the_next_start(place):
    place.drop("wrong.csv", "Colour\nred\n")
    died, output = place.once(crash=ARCHIVING["after the file is moved"])
    assert died == CRASHED, output

    place.once()

    assert place.archive() == {"refused": {"wrong.csv"}}


def test_a_new_file_of_the_same_name_after_a_death_is_run_as_what_it_is(place, server):
    place.drop("a.csv", people(1))
    assert place.once(crash=("before", "etl.journal.store:Journal.end", 1))[0] == CRASHED
    place.drop("a.csv", people(2))

    assert place.once()[0] == 0
    assert asked(server) == ["p1@example.com", "p2@example.com"]
    assert place.archive() == {"done": {"a.csv"}, "stopped": set()}


def test_a_mapping_that_changed_after_a_death_lets_the_file_be_run_anew(place, server):
    place.drop("bought.csv", people(1))
    assert place.once(crash=("before", "etl.journal.store:Journal.end", 1))[0] == CRASHED
    (place.folder / "bought.yaml").write_text(BOUGHT + "\n# changed\n")

    code, output = place.once()

    assert code == 0, output
    assert "file-anew" in output
    assert asked(server) == ["p1@example.com"], "what was confirmed is not created again"
    assert place.archive() == {"done": {"bought.csv"}, "stopped": set()}


def test_a_run_that_another_journal_knows_is_not_sent_from_here(place):
    place.drop("a.csv", people(1))
    assert place.once(crash=("before", "etl.journal.store:Journal.end", 1))[0] == CRASHED
    (place.folder / ".etl").rename(place.folder / "elsewhere")

    code, output = place.once()

    assert code == 2
    assert ": this is a run under way, of which this journal knows nothing\n" in output
    assert "hint: start where that run was started, with its etl.toml; or move it away   [watch-foreign]" in output
    assert place.waiting() == {"a.csv"}


DOWN = "retries = 0\nconnect_timeout = 1\npatience = 0\nconcurrency = 2"


def test_an_endpoint_that_is_down_is_waited_for_and_files_keep_their_order(tmp_path, zygote):
    is_up = threading.Event()

    def answer(_):
        return reply() if is_up.is_set() else reply(503, {"message": "maintenance"})

    with FaultServer(answer) as server:
        place = Place(tmp_path, zygote, server.url, DOWN)
        place.drop("a.csv", people(*range(30)), at=100)
        place.drop("b.csv", people(99), at=200)
        child = place.start(*QUICK, setup=NO_PAUSE)
        until(lambda: child.output.count("file-waits") >= 2)
        assert place.waiting() == {"a.csv", "b.csv"}
        is_up.set()
        until(lambda: place.archive().get("done") == {"a.csv", "b.csv"})
        child.signal(signal.SIGTERM)
        assert child.wait() == 143

    waited = [event for event in log_of(child.output) if event["event"] == "file-waits"]
    assert {(event["file"], event["code"]) for event in waited} == {("a.csv", "endpoint-down")}
    assert next(run.sittings for run in place.runs()) == 1, "b.csv was not tried before a.csv was through"
    assert b"p99@" in server.requests[-1].body


def test_once_ends_where_the_endpoint_is_down_and_burns_through_nothing(tmp_path, zygote):
    with FaultServer([reply(503)]) as server:
        place = Place(tmp_path, zygote, server.url, DOWN)
        for name in ("a.csv", "b.csv", "c.csv"):
            place.drop(name, people(*range(30)))
        code, _ = place.once()

    assert code == 3
    assert place.waiting() == {"a.csv", "b.csv", "c.csv"}
    assert len(place.runs()) == 1


def test_a_mapping_that_breaks_meanwhile_is_waited_for_too(place, server):
    child = place.start(*QUICK, setup=NO_PAUSE)
    until(lambda: "watching" in child.output)
    (place.folder / "contacts.yaml").write_text("version: 1\nrecords: oops\n")
    place.drop("a.csv", people(1))
    until(lambda: "file-waits" in child.output)
    assert place.waiting() == {"a.csv"}
    (place.folder / "contacts.yaml").write_text(CONTACTS)
    until(place.archive)
    child.signal(signal.SIGTERM)
    child.wait()

    assert place.archive() == {"done": {"a.csv"}}


def test_a_file_that_takes_the_place_of_the_one_under_way_is_sent_as_well(tmp_path, zygote):
    with slow_place(tmp_path, zygote) as (place, server):
        place.drop("a.csv", people(*range(40)))
        child = place.start(*QUICK)
        until(lambda: requests(server) > 5)
        place.drop(".new", people(98, 99)).rename(place.into / "a.csv")
        until(lambda: place.archive().get("done") == {"a.csv"} and not place.waiting())
        child.signal(signal.SIGTERM)
        child.wait()
        sent = asked(server)

    assert {"p98@example.com", "p99@example.com"} <= set(sent)
    assert [path.read_text() for path in (place.into / "done").glob("*/a.csv")] == [people(98, 99)]


# Root reads everything, unless it gives that right up: CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH.
LIKE_ANYBODY = """
import ctypes
libc, head, sets = ctypes.CDLL(None), (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
libc.capget(head, sets)
sets[0] &= ~0b110
libc.capset(head, sets)
"""


def test_a_file_that_may_not_be_read_is_refused(place):
    place.drop("a.csv", people(1)).chmod(0)
    place.drop("b.csv", people(2))

    code, output = place.once(setup=LIKE_ANYBODY)

    assert code == 2, output
    assert place.archive() == {"done": {"b.csv"}, "refused": {"a.csv"}}
    (why,) = (place.into / "refused").glob("*/why.txt")
    assert "the file cannot be read: Permission denied" in why.read_text()


REFUSED = {
    "no rule": (
        ["--config", "none.toml"],
        (
            "etl watch: no mapping is given for the files that come\n"
            '  hint: add --mapping FILE, or rules to etl.toml: [[watch]], pattern = "contacts*.csv", mapping = ...'
            "   [no-watch-rule]\n"
        ),
    ),
    "a target that is not there": (["--target", "tset"], "etl.toml: unknown target 'tset'\n"),
    "a mapping that is not there": (
        ["--mapping", "none.yaml"],
        "none.yaml: the mapping can't be read: no such file or directory\n",
    ),
}


@pytest.mark.parametrize(("flags", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_with_every_file_is_said_before_the_first(place, flags, message):
    (place.folder / "none.toml").write_text("")
    place.drop("a.csv", people(1))

    code, output = place.once(*flags)

    assert code == 2
    assert message in output
    assert place.waiting() == {"a.csv"}


def test_an_archive_that_leads_out_of_the_folder_is_refused(place, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (place.into / "done").symlink_to(tmp_path / "elsewhere")

    code, output = place.once()

    assert code == 2
    assert "done: this is no folder; the archive goes here\n  hint: move it away   [watch-folder]" in output


def test_a_folder_that_goes_away_is_waited_for(place):
    child = place.start(*QUICK)
    until(lambda: "watching" in child.output)
    time.sleep(0.2)
    place.into.rename(place.folder / "away")
    until(lambda: "folder-away" in child.output)
    (place.folder / "away").rename(place.into)
    place.drop("a.csv", people(1))
    until(place.archive)
    child.signal(signal.SIGTERM)

    assert child.wait() == 143
    assert child.output.count("folder-away") == 1


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_memory_is_flat_however_many_files_come(place):
    def resident(pid: int) -> int:
        (line,) = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmRSS")]
        return int(line.split()[1])

    child = place.start("--settle", "0", "--interval", "0.05")
    sizes = []
    for number in range(600):
        place.drop(f"{number}.csv", people(number))
        if number % 100 == 99:
            until(lambda: not place.waiting(), 300)
            sizes.append(resident(child.pid))
    child.signal(signal.SIGTERM)
    child.wait()

    assert sizes[-1] < sizes[0] * 1.15, sizes
