"""One run per target and mapping: real processes that hold locks, are asked about them, and are killed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from etl.errors import GuardError, JournalError
from etl.journal import locks
from etl.settings import Settings
from etl.settings.journal import JournalSettings

ROOT = Path(__file__).parents[2]
HOLD = """
import sys
from pathlib import Path
from etl.errors import EtlError
from etl.journal import locks
from etl.settings import Settings
folder, target, mapping, run = sys.argv[1:]
try:
    with locks.locked(Settings(Path(folder)), target, mapping, run) as lock:
        print("held", lock.died.run if lock.died else "", flush=True)
        sys.stdin.read()
except EtlError as error:
    print(error.code, flush=True)
"""


class Runner:
    """A process that holds a lock until it is told to end, or killed."""

    def __init__(self, folder: Path, run: str, target: str = "production", mapping: str = "newsletter") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(folder), target, mapping, run],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    @property
    def said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.communicate()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


Start = Callable[..., Runner]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def begin(run: str, *names: str) -> Runner:
            runner = Runner(tmp_path, run, *names)
            stack.callback(runner.kill)
            return runner

        yield begin


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path)


def taken(settings: Settings, run: str = "second", target: str = "production", mapping: str = "newsletter") -> str:
    """Return the run that died before, "" for none; raises what `locked` raises."""
    with locks.locked(settings, target, mapping, run) as lock:
        return lock.died.run if lock.died else ""


def test_a_second_run_is_told_who_holds_the_lock_since_when_and_what_to_do(start: Start, settings: Settings) -> None:
    runner = start("20261124-020000-ab12")
    assert runner.said == "held"

    with pytest.raises(GuardError) as caught:
        taken(settings)

    who = re.escape(locks.this_process())
    assert caught.value.exit_code == 3
    assert re.fullmatch(
        "another run of 'newsletter' to 'production' is under way: 20261124-020000-ab12, by "
        rf"{who} \(process {runner.process.pid}\), since 20[0-9-]+ [0-9:]+ [A-Z0-9+-]+\n"
        '  hint: wait until it has ended; if it hangs, end that process, then "etl resume 20261124-020000-ab12"'
        r"   \[run-under-way\]",
        str(caught.value),
    )


@pytest.mark.parametrize(("target", "mapping"), [("test", "newsletter"), ("production", "opt-outs")])
def test_another_target_or_mapping_is_free(target: str, mapping: str, start: Start, settings: Settings) -> None:
    assert start("first").said == "held"

    assert taken(settings, target=target, mapping=mapping) == ""


def test_the_lock_of_a_run_that_ended_is_free_and_nobody_died(start: Start, settings: Settings) -> None:
    runner = start("first")
    assert runner.said == "held"
    runner.end()

    assert taken(settings) == ""


def test_a_holder_that_was_killed_is_noticed_and_its_lock_is_free(start: Start, settings: Settings) -> None:
    runner = start("first")
    assert runner.said == "held"
    runner.kill()

    assert taken(settings) == "first"
    assert taken(settings, "third") == ""


def test_a_run_that_is_resumed_is_not_told_that_it_died(start: Start, settings: Settings) -> None:
    runner = start("first")
    assert runner.said == "held"
    runner.kill()

    assert taken(settings, "first") == ""


def test_what_is_told_of_a_dead_holder_names_the_command_that_goes_on() -> None:
    died = locks.Holder("20261124-020000-ab12", "production", "newsletter", "anna@crm1", 4711, 0.0)

    assert locks.died_note(died) == (
        'run 20261124-020000-ab12 died; "etl resume 20261124-020000-ab12" goes on with it '
        "(it was anna@crm1, process 4711)"
    )


def test_of_runs_that_start_at_once_one_gets_the_lock(start: Start) -> None:
    said = sorted(runner.said for runner in [start(f"run-{number}") for number in range(4)])

    assert said == ["held", "run-under-way", "run-under-way", "run-under-way"]


def test_two_runs_of_one_process_exclude_each_other(settings: Settings) -> None:
    with locks.locked(settings, "production", "newsletter", "first"), pytest.raises(GuardError, match="under way"):
        taken(settings)


def test_a_run_that_fails_lets_go(settings: Settings) -> None:
    with pytest.raises(ZeroDivisionError), locks.locked(settings, "production", "newsletter", "first"):
        raise ZeroDivisionError

    assert taken(settings) == ""


def test_the_holder_can_be_asked_for_without_taking_the_lock(start: Start, settings: Settings) -> None:
    assert locks.holder_of(settings, "production", "newsletter") is None
    runner = start("first")
    assert runner.said == "held"

    holder = locks.holder_of(settings, "production", "newsletter")

    assert holder is not None
    assert (holder.run, holder.pid) == ("first", runner.process.pid)
    assert locks.holders(settings) == [holder]
    runner.kill()
    assert locks.holder_of(settings, "production", "newsletter") is None
    assert locks.holders(settings) == []


def test_who_only_asks_never_makes_a_run_fail(settings: Settings) -> None:
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            locks.holder_of(settings, "production", "newsletter")

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    try:
        for number in range(30):
            taken(settings, f"run-{number}")
    finally:
        done.set()
        for asker in askers:
            asker.join()


def test_what_must_be_alone_is_refused_while_a_run_is_under_way(start: Start, settings: Settings) -> None:
    assert start("20261124-020000-ab12").said == "held"

    with pytest.raises(GuardError) as caught, locks.alone(settings):
        pass

    assert caught.value.code == "run-under-way"
    assert caught.value.message.startswith(
        "a run is under way, and would write down what is to be forgotten (newsletter to production: "
        "20261124-020000-ab12, by "
    )


def test_a_run_waits_for_what_must_be_alone(start: Start, settings: Settings) -> None:
    with locks.alone(settings):
        runner = start("first")
        time.sleep(0.3)
        assert locks.holder_of(settings, "production", "newsletter") is None

    assert runner.said == "held"


def test_a_lock_whose_folder_was_removed_is_taken_anew_when_it_is_checked(settings: Settings) -> None:
    with locks.locked(settings, "production", "newsletter", "first") as lock:
        lock.check()
        shutil.rmtree(settings.folder / ".etl")

        lock.check()

        with pytest.raises(GuardError):
            taken(settings)


def test_a_lock_that_another_run_took_meanwhile_is_lost(start: Start, settings: Settings) -> None:
    with locks.locked(settings, "production", "newsletter", "first") as lock:
        shutil.rmtree(settings.folder / ".etl")
        other = start("second")
        assert other.said == "held"
        with pytest.raises(GuardError) as caught:
            lock.check()
        assert caught.value.code == "run-under-way"
        other.end()

        for _ in range(2):
            with pytest.raises(GuardError) as caught:
                lock.check()

    assert caught.value.code == "lock-lost"
    assert caught.value.message.startswith("this run lost its lock, which was taken by second, by ")


def test_a_lock_file_that_holds_nonsense_is_as_good_as_an_empty_one(settings: Settings) -> None:
    taken(settings)
    (path,) = (p for p in (settings.folder / ".etl" / "locks").iterdir() if p.name != "all.lock")
    path.write_text('{"run": 1', "utf-8")

    assert taken(settings) == ""
    assert json.loads(path.read_text("utf-8"))["run"] == "second"


def test_a_folder_that_cannot_be_made_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / ".etl").write_text("a file", "utf-8")

    with pytest.raises(JournalError) as caught:
        taken(Settings(tmp_path))

    assert str(caught.value) == (
        f"{tmp_path / '.etl' / 'locks'}: this cannot be locked, so two runs might send the same: Not a directory\n"
        "  hint: the folder must be writable, and on a disk that knows locks   [lock]"
    )


def test_a_journal_elsewhere_has_its_locks_beside_it(tmp_path: Path) -> None:
    journal = JournalSettings(path=str(tmp_path / "shared" / "all.db"))
    north, south = Settings(tmp_path / "north", journal=journal), Settings(tmp_path / "south", journal=journal)

    with locks.locked(north, "production", "newsletter", "first"), pytest.raises(GuardError, match="under way"):
        taken(south)

    assert (tmp_path / "shared" / "all.locks" / "all.lock").exists()


def test_children_of_a_killed_run_do_not_keep_its_lock(settings: Settings, tmp_path: Path) -> None:
    script = HOLD.replace(
        "        sys.stdin.read()\n",
        "        import subprocess\n        print(subprocess.Popen(['sleep', '30']).pid, flush=True)\n        sys.stdin.read()\n",
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), "production", "newsletter", "first"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "held"
    child = int(process.stdout.readline())
    try:
        process.kill()
        process.wait()

        assert taken(settings) == "first"
    finally:
        os.kill(child, signal.SIGKILL)
        process.communicate()
