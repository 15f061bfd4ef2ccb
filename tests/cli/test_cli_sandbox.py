"""`sandbox` as a process of its own."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests
from shell import environment

from etl.__main__ import main


@contextmanager
def serving(folder: Path, *words: str, **extra: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
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
            match = re.search(r"http://\S+[0-9]", process.stdout.readline())
            assert match is not None, process.stderr and process.stderr.read()
            yield process, match[0]
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_it_serves_keeps_what_arrives_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path) as (process, url):
        body = {"contact": {"email": "anna@example.com"}}
        assert requests.post(f"{url}/contacts", json=body, timeout=10).status_code == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=20)

    assert (process.returncode, err) == (0, "")
    assert out.endswith("1 requests: 1 with 200\n")
    with closing(sqlite3.connect(tmp_path / ".etl" / "sandbox.db")) as database:
        assert database.execute("SELECT email FROM contacts").fetchall() == [("anna@example.com",)]


def test_it_fails_on_demand_and_counts_it(tmp_path: Path) -> None:
    with serving(tmp_path, "--fault", "503:first=1", "--database", "mine.db") as (process, url):
        assert requests.post(f"{url}/contacts", json={}, timeout=10).status_code == 503
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)

    assert out.endswith("1 requests: 1 with 503\nfaults: 1 503\n")
    assert (tmp_path / "mine.db").exists()


def test_it_asks_for_signatures_by_the_keys_of_the_environment(tmp_path: Path) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-real-one"}
    with serving(tmp_path, "--auth", "sigv4", **keys) as (process, url):
        assert requests.post(f"{url}/contacts", json={}, timeout=10).status_code == 403
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)

    assert 'auth = "sigv4"' in out
    assert "not-a-real-one" not in out


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
    with serving(tmp_path) as (_, url):
        code = main(["sandbox", "--port", url.rpartition(":")[2], "--database", str(tmp_path / "other.db")])

    assert code == 2
    assert "give another port, or 0 for any free one" in capsys.readouterr().err
