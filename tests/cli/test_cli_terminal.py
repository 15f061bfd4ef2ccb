"""On a real pseudo-terminal: bars, the question before deleting, and Ctrl-C."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sheets import write_contacts, write_deletes
from shell import environment, etl, on_terminal

STOPPING = "stopping: finishing what is in flight; press Ctrl-C again to stop at once"
QUESTION = "This deletes 3 contacts at sandbox. Type the number to go on: "


def statuses(results: Path) -> Counter[str]:
    with results.open(encoding="utf-8-sig", newline="") as file:
        return Counter(row["status"] for row in csv.DictReader(file))


def test_a_terminal_sees_a_bar_and_then_the_verdict(tmp_path: Path) -> None:
    mapping, file = write_contacts(tmp_path, 400)

    with on_terminal("run", mapping, file, "--target", "sandbox", "--rate", "300", cwd=tmp_path) as terminal:
        terminal.wait_for("rows/s")
        code = terminal.exit_code()

    assert code == 0
    assert "sending " in terminal.text
    assert "All 400 rows were delivered to sandbox." in terminal.text
    assert "\x1b[1m" in terminal.raw


def test_no_color_is_respected(tmp_path: Path) -> None:
    with on_terminal("fields", cwd=tmp_path, NO_COLOR="1") as terminal:
        assert terminal.exit_code() == 0

    assert "\x1b[3" not in terminal.raw


@pytest.mark.parametrize(
    ("typed", "code"), [("3", 0), ("4", 3), ("yes", 3), ("", 3)], ids=["number", "other", "yes", "none"]
)
def test_only_the_number_confirms_a_deletion(tmp_path: Path, typed: str, code: int) -> None:
    mapping, file = write_deletes(tmp_path, 3)

    with on_terminal("run", mapping, file, "--target", "sandbox", "--out", "r", cwd=tmp_path) as terminal:
        terminal.wait_for(QUESTION)
        terminal.type(f"{typed}\n")
        assert terminal.exit_code() == code

    assert statuses(tmp_path / "r" / "results.csv") == {"delivered" if code == 0 else "blocked": 3}


def test_a_deletion_is_asked_for_only_where_question_and_answer_are_on_a_terminal(tmp_path: Path) -> None:
    mapping, file = write_deletes(tmp_path, 3)

    done = etl("run", mapping, file, "--target", "sandbox", cwd=tmp_path)

    assert done.returncode == 3
    assert "Type the number" not in done.stdout + done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"])
def test_a_signal_at_the_question_ends_the_run(tmp_path: Path, number: signal.Signals, code: int) -> None:
    mapping, file = write_deletes(tmp_path, 3)

    with on_terminal("run", mapping, file, "--target", "sandbox", cwd=tmp_path) as terminal:
        terminal.wait_for(QUESTION)
        terminal.signal(number)
        assert terminal.exit_code() == code

    assert "interrupted while reading; nothing was sent" in terminal.text
    assert "Traceback" not in terminal.text


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"])
def test_a_signal_finishes_what_is_in_flight_and_accounts_for_every_row(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    mapping, file = write_contacts(tmp_path, 4000)

    with on_terminal(
        "run", mapping, file, "--target", "sandbox", "--rate", "100", "--out", "r", cwd=tmp_path
    ) as terminal:
        terminal.wait_for("delivered ")
        terminal.signal(number)
        assert terminal.exit_code() == code

    assert STOPPING in terminal.text
    assert "Interrupted: what was in flight was finished, the rest was not sent." in terminal.text
    found = statuses(tmp_path / "r" / "results.csv")
    assert sum(found.values()) == 4000
    assert set(found) == {"delivered", "blocked"}


def test_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    mapping, file = write_contacts(tmp_path, 50)
    (tmp_path / "etl.toml").write_text('[targets.slow]\nurl = "http://127.0.0.1:18765"\n', "utf-8")
    server = subprocess.Popen(
        [sys.executable, "-m", "etl", "sandbox", "--port", "18765", "--latency", "30"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        server.stdout.readline()
        with on_terminal("run", mapping, file, "--target", "slow", cwd=tmp_path) as terminal:
            terminal.wait_for("sending ")
            terminal.signal(signal.SIGINT)
            terminal.wait_for(STOPPING)
            terminal.signal(signal.SIGINT)
            assert terminal.exit_code(10) == 130
    finally:
        server.kill()
        server.communicate()


def test_ctrl_c_while_reading_sends_nothing(tmp_path: Path) -> None:
    mapping, file = write_contacts(tmp_path, 400_000)

    with on_terminal("run", mapping, file, "--target", "sandbox", cwd=tmp_path) as terminal:
        terminal.wait_for("checking")
        terminal.signal(signal.SIGINT)
        assert terminal.exit_code() == 130

    assert "interrupted while reading; nothing was sent" in terminal.text
    assert not (tmp_path / ".etl" / "sandbox.db").exists()


@pytest.mark.parametrize("words", [["fields", "--json"], ["transforms"], ["--help"]], ids=["json", "table", "help"])
def test_a_pipe_that_nobody_reads_ends_quietly(tmp_path: Path, words: list[str]) -> None:
    script = f"{sys.executable} -m etl {' '.join(words)} | true"

    done = subprocess.run(
        ["/bin/sh", "-c", script], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )

    assert done.stderr == ""


def test_a_broken_pipe_does_not_change_the_exit_code(tmp_path: Path) -> None:
    mapping, file = write_contacts(tmp_path, 1, bad=1)
    script = f"{{ {sys.executable} -m etl check {mapping} {file} --quiet; echo $? >&2; }} | true"

    done = subprocess.run(
        ["/bin/sh", "-c", script], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )

    assert done.stderr == "1\n"
