"""`sandbox` as a process of its own."""

from __future__ import annotations

import io
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest
import requests
from shell import environment

from etl.__main__ import main
from etl.cli.request_counter import RequestLog
from etl.sandbox import Stats


class Served(NamedTuple):
    process: subprocess.Popen[str]
    url: str
    greeting: str


@contextmanager
def serving(folder: Path, *words: str, **extra: str) -> Iterator[Served]:
    process = subprocess.Popen(
        [sys.executable, "-m", "etl", "sandbox", "--port", "0", *words],
        cwd=folder,
        env=environment(**extra),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            # Read to its end, since what is buffered here `communicate` would not see.
            greeting = ""
            while "received_at" not in greeting and (line := process.stdout.readline()):
                greeting += line
            match = re.search(r"http://\S+[0-9]", greeting)
            assert match is not None, process.stderr and process.stderr.read()
            yield Served(process, match[0], greeting)
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_it_serves_keeps_what_arrives_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path) as (process, url, _):
        body = {"contact": {"email": "anna@example.com"}}
        assert requests.post(f"{url}/contacts", json=body, timeout=10).status_code == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=20)

    assert (process.returncode, err) == (0, "")
    assert out.endswith("1 request: 1 with 200\n")
    with closing(sqlite3.connect(tmp_path / ".etl" / "sandbox.db")) as database:
        assert database.execute("SELECT email FROM contacts").fetchall() == [("anna@example.com",)]


def test_it_fails_on_demand_and_counts_it(tmp_path: Path) -> None:
    with serving(tmp_path, "--fault", "503:first=1", "--database", "mine.db") as (process, url, _):
        assert requests.post(f"{url}/contacts", json={}, timeout=10).status_code == 503
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)

    assert out.endswith("1 request: 1 with 503\nfaults: 1 503\n")
    assert (tmp_path / "mine.db").exists()


def test_it_asks_for_signatures_by_the_keys_of_the_environment(tmp_path: Path) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-real-one"}
    with serving(tmp_path, "--auth", "sigv4", **keys) as (process, url, greeting):
        assert requests.post(f"{url}/contacts", json={}, timeout=10).status_code == 403
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)

    assert 'auth = "sigv4"' in greeting
    assert "not-a-real-one" not in greeting + out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--fault", "4299"], "unknown fault '4299'"),
        (["--fault", "429:rat=1"], "fault '429:rat=1': 'rat=1' is not understood"),
        (
            ["--auth", "api_key"],
            "etl sandbox: the environment variable SANDBOX_SECRET is not set or empty; --auth api_key needs it",
        ),
        (
            ["--port", "70000"],
            "etl sandbox: invalid value for '--port': '70000' is not a whole number from 0 to 65,535",
        ),
    ],
    ids=["kind", "parameter", "secret", "port"],
)
def test_what_cannot_be_is_refused(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SANDBOX_SECRET", raising=False)

    assert main(["sandbox", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(tmp_path) as (_, url, _):
        code = main(["sandbox", "--port", url.rpartition(":")[2], "--database", str(tmp_path / "other.db")])

    assert code == 2
    assert "give another port, or 0 for any free one" in capsys.readouterr().err


def test_it_says_how_a_run_finds_it(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, url, greeting):
        pass

    assert "To send to it, in etl.toml:\n" in greeting
    assert f'  [targets.local]\n  url = "{url}"\nand then: etl run MAPPING FILE --target local\n' in greeting


def test_off_a_terminal_each_thousand_requests_is_a_line_of_log() -> None:
    stream = io.StringIO()
    log = RequestLog(stream, lambda: datetime(2026, 1, 2, 12, 0, 0))  # noqa: DTZ001 - a wall clock
    for count in (1, 999, 1_000, 1_500, 4_200, 4_300):
        log.show(Stats(count, {200: count}, {}, 1))

    assert stream.getvalue() == ("12:00:00 1,000 requests: 1,000 with 200\n12:00:00 4,200 requests: 4,200 with 200\n")
