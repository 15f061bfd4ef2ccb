"""What is left when the process in which the sandbox serves is killed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

SCRIPT = """
import sys
import threading
from pathlib import Path
from etl.sandbox import Sandbox, SandboxOptions
with Sandbox(SandboxOptions(database=Path(sys.argv[1]))) as sandbox:
    print(sandbox.url, flush=True)
    threading.Event().wait()
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
