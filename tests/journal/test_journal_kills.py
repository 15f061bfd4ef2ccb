"""Whatever `write` returned for is in the journal, though the process was killed at any instant."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from journal_child import THREADS
from made import identity, settings_in

from etl.journal import open_journal
from etl.journal.store import Journal

HERE = Path(__file__).parent


def killed(folder: Path, run: str, first: int, seconds: float) -> list[tuple[str, int]]:
    """Return what a process printed that was killed `seconds` after it had begun to write."""
    path = os.pathsep.join([str(HERE), str(HERE.parent), str(HERE.parent.parent)])
    command = [sys.executable, HERE / "journal_child.py", folder, run, str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}) as child:
        assert child.stdout is not None
        assert child.stdout.readline()
        time.sleep(seconds)
        child.kill()
        lines = child.stdout.read().splitlines()
    whole = [line.split() for line in lines if line.startswith((b"i ", b"o "))]
    return [(kind.decode(), int(position)) for kind, position in whole]


def check(journal: Journal, run: str, printed: list[tuple[str, int]]) -> None:
    past = journal.past(run, 0, 1 << 50)
    assert {position for _, position in printed} <= {position for position, _ in past}
    done = [position for kind, position in printed if kind == "o"]
    assert {past[position, 1].state for position in done} <= {"delivered"}
    keys = pa.array([identity(f"p{position}@example.com") for position in done], pa.string())
    assert (journal.memory("production").known("contact.upsert", keys, keys).payload != b"").all()
    # What is there and was not printed was on its way at the moment of the kill.
    assert len(past) - len({position for _, position in printed}) <= THREADS


def survive(folder: Path, kills: int, seed: int) -> None:
    instants = random.Random(seed)
    for number in range(kills):
        run = f"run-{number}"
        printed = killed(folder, run, 1_000_000 * number, instants.uniform(0.0, 0.4))
        journal = open_journal(settings_in(folder))
        assert journal is not None
        with journal:
            check(journal, run, printed)


def test_nothing_that_was_written_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    survive(tmp_path, 3, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_nothing_is_lost_over_many_kills(tmp_path: Path) -> None:
    survive(tmp_path, 100, seed=2)
