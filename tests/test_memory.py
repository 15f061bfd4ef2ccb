"""Memory does not grow with the file: peaks of whole processes, measured by the kernel."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from benchmarks.make_big import make
from support import rig

LIMIT_MB = 400
FULL = 1.2
"""A run's memory grows until the allocator of each of its threads is full (30,000 rows: 1.12), and then no more."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")

# Of this process alone: the `ru_maxrss` of a child begins with what its parent held when it was started.
PEAK = """
import re
from pathlib import Path
print(report.rows, int(re.search(r"VmHWM:\\s+([0-9]+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""
CHECK = """
import sys, etl
from pathlib import Path
mapping, file, out = map(Path, sys.argv[1:])
report = etl.check(mapping, [file], options=etl.Options(out=out, reports=("csv",)))
"""
RUN = """
import sys, etl
from pathlib import Path
mapping, file, out, config = map(Path, sys.argv[1:])
# What is measured is memory: no need to wait for the disk.
import etl.journal.sqlite_file
etl.journal.sqlite_file.SYNCHRONOUS = "OFF"
options = etl.Options(out=out, rows_per_chunk=1_000, concurrency=32, reports=("csv",))
report = etl.run(mapping, [file], target="test", config=config, options=options)
assert report.counts["delivered"] > report.rows / 2, report.counts
"""


def peak_of(code: str, rows: int, *arguments: Path) -> int:
    """Return the peak of memory, in MB, of a process that runs `code` over a file of `rows` rows."""
    command: Sequence[str] = [sys.executable, "-c", code + PEAK, *map(str, arguments)]
    # The allocator that the command chooses (etl/__main__.py); a program that uses the library has its own.
    settings = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=settings)
    read, peak = done.stdout.split()
    assert int(read) == rows
    return int(peak)


def peak_of_check(rows: int, folder: Path) -> int:
    mapping, file = make(rows, folder)
    peak = peak_of(CHECK, rows, mapping, file, folder / "out")
    file.unlink()
    return peak


def peak_of_run(rows: int, folder: Path) -> int:
    mapping, file = make(rows, folder)
    with rig(folder) as server:
        return peak_of(RUN, rows, mapping, file, folder / "out", server.config)


def test_checking_200_000_rows_takes_less_than_400_mb(tmp_path):
    assert peak_of_check(200_000, tmp_path) < LIMIT_MB


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_ten_million_rows_are_checked_in_the_memory_of_a_million(tmp_path):
    million, ten_million = (peak_of_check(rows, tmp_path / str(rows)) for rows in (1_000_000, 10_000_000))
    assert million < LIMIT_MB
    assert ten_million <= 1.1 * million


def test_sending_takes_no_more_memory_for_three_times_the_rows(tmp_path):
    few, many = (peak_of_run(rows, tmp_path / str(rows)) for rows in (2_000, 6_000))
    assert many <= FULL * few


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_sending_takes_no_more_memory_for_ten_times_the_rows(tmp_path):
    few, many = (peak_of_run(rows, tmp_path / str(rows)) for rows in (3_000, 30_000))
    assert many <= FULL * few
