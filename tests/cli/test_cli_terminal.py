"""On a real pseudo-terminal: bars, the question before deleting, and Ctrl-C."""

from __future__ import annotations

import contextlib
import csv
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import requests
from sheets import write_contacts, write_deletes
from shell import environment, etl, on_terminal

STOPPING = "stopping: finishing what is in flight; press Ctrl-C again to stop at once"
QUESTION = "This deletes 3 contacts at sandbox.\nType 3 to delete them, anything else to stop: "
AGAIN = "That was not 3. Type 3 to delete them, anything else to stop: "


def statuses(results: Path) -> Counter[str]:
    with results.open(encoding="utf-8-sig", newline="") as file:
        return Counter(row["status"] for row in csv.DictReader(file))


def wait_for_a_request(database: Path, seconds: float = 20) -> None:
    """Wait until the sandbox has taken a request; its answer may be long in coming."""
    end = time.monotonic() + seconds
    with contextlib.closing(sqlite3.connect(database, timeout=5)) as connection:
        while not connection.execute("SELECT count(*) FROM requests").fetchone()[0]:
            assert time.monotonic() < end
            time.sleep(0.05)


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
    ("answers", "code"),
    [(["3"], 0), (["4", "3"], 0), (["4", "yes"], 3), (["", ""], 3), (["\x04"], 3)],
    ids=["number", "second", "other", "none", "end"],
)
def test_only_the_number_confirms_a_deletion_and_a_wrong_answer_is_asked_once_more(
    tmp_path: Path, answers: list[str], code: int
) -> None:
    mapping, file = write_deletes(tmp_path, 3)

    with on_terminal("run", mapping, file, "--target", "sandbox", "--out", "r", cwd=tmp_path) as terminal:
        for question, typed in zip([QUESTION, AGAIN], answers, strict=False):
            terminal.wait_for(question)
            terminal.type(typed if typed == "\x04" else f"{typed}\n")
        assert terminal.exit_code() == code

    assert statuses(tmp_path / "r" / "results.csv") == {"delivered" if code == 0 else "blocked": 3}


def test_a_deletion_is_asked_for_only_where_question_and_answer_are_on_a_terminal(tmp_path: Path) -> None:
    mapping, file = write_deletes(tmp_path, 3)

    done = etl("run", mapping, file, "--target", "sandbox", cwd=tmp_path)

    assert done.returncode == 3
    assert "to delete them" not in done.stdout + done.stderr


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


def test_a_second_ctrl_c_ends_at_once_and_says_where_what_is_known_stands(tmp_path: Path) -> None:
    mapping, file = write_contacts(tmp_path, 50)
    server = subprocess.Popen(
        [sys.executable, "-m", "etl", "sandbox", "--port", "0", "--latency", "30"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        url = re.search(r"http://\S+[0-9]", server.stdout.readline())
        assert url is not None
        (tmp_path / "etl.toml").write_text(f'[targets.slow]\nurl = "{url[0]}"\n', "utf-8")
        with on_terminal("run", mapping, file, "--target", "slow", cwd=tmp_path) as terminal:
            terminal.wait_for("sending ")
            wait_for_a_request(tmp_path / ".etl" / "sandbox.db")
            terminal.type("\x03")
            terminal.wait_for(STOPPING)
            terminal.type("\x03")
            assert terminal.exit_code(10) == 130
            assert terminal.shows_control_keys
        (results,) = (tmp_path / "etl-reports").glob("*/results.csv")
        assert terminal.text.splitlines()[-1].endswith(
            f"ended at once; what is known so far is in {results.relative_to(tmp_path)}, "
            "what was in flight is unknown   [interrupted]"
        )
    finally:
        server.kill()
        server.communicate()


def test_the_key_ctrl_c_leaves_no_mark_in_a_bar_and_the_terminal_is_left_as_it_was(tmp_path: Path) -> None:
    mapping, file = write_contacts(tmp_path, 4000)

    with on_terminal("run", mapping, file, "--target", "sandbox", "--rate", "100", cwd=tmp_path) as terminal:
        assert terminal.shows_control_keys
        terminal.wait_for("delivered ")
        assert not terminal.shows_control_keys
        terminal.type("\x03")
        terminal.wait_for("Reports ")
        assert terminal.exit_code() == 130
        assert terminal.shows_control_keys

    assert "^C" not in terminal.text
    assert f"\r\x1b[K{STOPPING}\r\n" in terminal.raw


@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_of_a_bar_is_cut_within_a_word(tmp_path: Path, columns: int) -> None:
    mapping, file = write_contacts(tmp_path, 300, bad=40)

    with on_terminal(
        "run", mapping, file, "--target", "sandbox", "--rate", "200", cwd=tmp_path, columns=columns
    ) as terminal:
        terminal.exit_code()

    bars = [line.strip() for line in terminal.text.replace("\n", "\r").split("\r") if line.startswith("sending ")]
    assert any("invalid 40" in bar for bar in bars)
    for bar in bars:
        assert len(bar) < columns
        assert re.search(r" of 340( rows)?(, [0-9,]+ rows/s)?(, [0-9:]+ left)?(, [a-z]+ [0-9,]+)*\Z", bar), bar


def test_a_sandbox_counts_its_requests_on_one_line(tmp_path: Path) -> None:
    with on_terminal("sandbox", "--port", "0", cwd=tmp_path) as terminal:
        terminal.wait_for("SELECT received_at")
        url = re.search(r"http://\S+[0-9]", terminal.text)
        assert url is not None
        body = {"contact": {"email": "anna@example.com"}}
        for _ in range(3):
            requests.post(f"{url[0]}/contacts", json=body, timeout=10)
        terminal.wait_for("3 requests: 3 with 200")
        terminal.type("\x03")
        assert terminal.exit_code() == 0
        assert terminal.shows_control_keys

    assert "^C" not in terminal.text
    assert terminal.text.endswith("3 requests: 3 with 200\n")


def test_ctrl_c_while_reading_sends_nothing(tmp_path: Path) -> None:
    mapping, file = write_contacts(tmp_path, 400_000)

    with on_terminal("run", mapping, file, "--target", "sandbox", cwd=tmp_path) as terminal:
        terminal.wait_for("checking")
        terminal.signal(signal.SIGINT)
        assert terminal.exit_code() == 130
        assert terminal.shows_control_keys

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
