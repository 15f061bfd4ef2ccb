"""The sandbox as a process of its own: signals, and what is left when it is killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from raw_client import UPSERT

SCRIPT = """
import sys
from pathlib import Path
from etl.sandbox import SandboxOptions, serve_forever
stats = serve_forever(SandboxOptions(database=Path(sys.argv[1])), lambda running: print(running.url, flush=True))
print(stats.requests, flush=True)
"""
ROOT = Path(__file__).parents[2]


@contextmanager
def serving(database: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(database)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path / "sandbox.db") as (process, url):
        assert requests.post(f"{url}/contacts", json=UPSERT, timeout=5).status_code == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "1\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["sandbox.db"]


def test_what_was_answered_is_stored_although_it_is_killed(tmp_path: Path) -> None:
    with serving(tmp_path / "sandbox.db") as (process, url), requests.Session() as session:
        for number in range(20):
            body = {"contact": {"email": f"p{number}@example.com"}}
            assert session.post(f"{url}/contacts", json=body, timeout=5).status_code == 200
        process.kill()
        process.wait(timeout=20)
    connection = sqlite3.connect(tmp_path / "sandbox.db")
    assert connection.execute("SELECT count(*) FROM contacts").fetchone() == (20,)
    connection.close()
