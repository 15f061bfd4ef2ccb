"""Rows a second of `etl check`, beside a plain loop of csv.DictReader and json.dumps that checks nothing.

    python tests/benchmarks/bench_check.py [--rows 200000] [--bad 14] [--rounds 5]

Both read the same file, take turns, and run in a process of their own on one core; start-up is part of the time. The
processor's time stands beside the clock's: on a busy machine it is the one to compare. Prints a table, then JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from make_big import make

CHECK, LOOP = "etl check", "plain loop"


@dataclass(frozen=True, slots=True)
class Spent:
    """What one process took: seconds by the clock and of the processor, and its peak of memory in MB."""

    wall: float
    cpu: float
    peak: float


def run(command: Sequence[str]) -> Spent:
    """Run `command` to its end and return what it took. An exit code of 1 says that there are bad rows."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 1}:
        sys.exit(f"exit code {process.returncode}: {' '.join(command)}")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Spent(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


def plain_loop(table: str) -> None:
    """Do what a script does that trusts its data."""
    rows = size = 0
    with Path(table).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            size += len(json.dumps(dict(row)))
            rows += 1
    sys.stdout.write(f"{rows} rows, {size} characters\n")


def measure(rows: int, bad: int, rounds: int, folder: Path) -> dict[str, list[Spent]]:
    """Return what each of the two took in each round."""
    mapping, table = make(rows, folder, bad=bad)
    commands = {
        LOOP: [sys.executable, __file__, "--loop", str(table)],
        CHECK: [sys.executable, "-m", "etl", "check", str(mapping), str(table), "--out", str(folder / "out")],
    }
    spent: dict[str, list[Spent]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            spent[name].append(run(command))
    return spent


def summary(rows: int, spent: dict[str, list[Spent]]) -> dict[str, object]:
    """Return medians, spread and ratios (1.0: as fast as the loop)."""
    result: dict[str, object] = {"rows": rows, "python": platform.python_version(), "cores": os.cpu_count()}
    for name, runs in spent.items():
        walls, cpus = [one.wall for one in runs], [one.cpu for one in runs]
        result[name] = {
            "rows_per_second": round(rows / statistics.median(walls)),
            "rows_per_cpu_second": round(rows / statistics.median(cpus)),
            "seconds": round(statistics.median(walls), 2),
            "cpu_seconds": round(statistics.median(cpus), 2),
            "cpu_spread": round((max(cpus) - min(cpus)) / statistics.median(cpus), 2),
            "peak_mb": round(max(one.peak for one in runs)),
        }
    for unit in ("wall", "cpu"):
        ratios = [getattr(a, unit) / getattr(b, unit) for a, b in zip(spent[LOOP], spent[CHECK], strict=True)]
        result[f"ratio_{unit}"] = round(statistics.median(ratios), 2)
    return result


def show(result: dict[str, object]) -> None:
    """Print the table, then the JSON."""
    titles = ("rows/s", "rows/cpu-s", "s", "cpu-s", "spread", "MB")
    sys.stdout.write(f"{'':12}" + "".join(f"{title:>12}" for title in titles) + "\n")
    for name in (LOOP, CHECK):
        figures = result[name]
        assert isinstance(figures, dict)
        sys.stdout.write(f"{name:12}" + "".join(f"{figure:>12,}" for figure in figures.values()) + "\n")
    sys.stdout.write(f"etl check runs at {result['ratio_cpu']} of the loop (cpu), {result['ratio_wall']} (clock)\n")
    sys.stdout.write(json.dumps(result) + "\n")


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--bad", type=int, default=14, help="per cent of rows that cannot be sent")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--loop", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.loop:
        plain_loop(options.loop)
        return
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        show(summary(options.rows, measure(options.rows, options.bad, options.rounds, Path(folder))))


if __name__ == "__main__":
    main()
