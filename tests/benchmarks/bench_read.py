"""Rows a second and peak memory of our readers beside pandas: the same files, all cells as text, in one run.

    python tests/benchmarks/bench_read.py [--csv-rows 1000000] [--xlsx-rows 300000] [--folder DIR]

Each reader runs in a process of its own; start-up is part of the time. `MB` is the peak of all its processes together,
where the system tells it (/proc). Ours also gives row numbers, error cells and hidden rows, and holds one chunk at a
time. `--folder` keeps the files for the next run. Prints a table, then JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from make_big import make

MEASURES_EACH_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Spent:
    """What one reader took: seconds by the clock, the peak of memory in MB, and the rows that it gave."""

    seconds: float
    peak_mb: float
    rows: int


def read_ours(path: str) -> int:
    """Read all columns of all rows, chunk by chunk."""
    from etl.sources import open_tables, take_in
    from etl.sources.base import SourceOptions

    (file,) = take_in([path])
    (table,) = open_tables(file, SourceOptions(), 0)
    return sum(len(chunk.cells) for chunk in table.chunks(range(len(table.header))))


def read_pandas_csv(path: str) -> int:
    """Read as text, blanks as blanks."""
    import pandas as pd

    return len(pd.read_csv(path, sep=";", dtype=str, keep_default_na=False, na_filter=False))


def read_pandas_openpyxl(path: str) -> int:
    """Read by the engine that pandas takes by itself."""
    import pandas as pd

    return len(pd.read_excel(path, dtype=str, keep_default_na=False, na_filter=False, engine="openpyxl"))


def read_pandas_calamine(path: str) -> int:
    """Read by the engine that ours is built on."""
    import pandas as pd

    return len(pd.read_excel(path, dtype=str, keep_default_na=False, na_filter=False, engine="calamine"))


READERS: dict[str, Callable[[str], int]] = {
    "ours": read_ours,
    "pandas read_csv": read_pandas_csv,
    "pandas openpyxl": read_pandas_openpyxl,
    "pandas calamine": read_pandas_calamine,
}
CONTESTS = {"csv": ("ours", "pandas read_csv"), "xlsx": ("ours", "pandas calamine", "pandas openpyxl")}


def write_workbook(table: Path, target: Path) -> None:
    """Write the rows of a text table as a workbook: the first column and the amounts as numbers."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Contacts")
    with table.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter=";")
        sheet.append(next(rows))
        for row in rows:
            amount = row[9].replace(",", ".")
            is_number = amount.replace(".", "", 1).isdecimal()
            sheet.append([int(row[0]), *row[1:9], float(amount) if is_number else row[9], *row[10:]])
    book.save(target)


def files_of(csv_rows: int, xlsx_rows: int, folder: Path) -> dict[str, Path]:
    """Return both files, written where they are not there yet."""
    found = {}
    text = folder / f"csv-{csv_rows}"
    found["csv"] = text / "contacts.csv" if text.exists() else make(csv_rows, text)[1]
    book = folder / f"contacts-{xlsx_rows}.xlsx"
    if not book.exists():
        write_workbook(make(xlsx_rows, folder / f"xlsx-{xlsx_rows}")[1], book)
    found["xlsx"] = book
    return found


def measure(reader: str, path: Path) -> Spent:
    """Run one reader in a process of its own."""
    command = [sys.executable, __file__, "--reader", reader, str(path)]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        peaks = [0.0]
        watcher = threading.Thread(target=_watch, args=(process, peaks))
        watcher.start()
        told, _ = process.communicate()
        seconds = time.perf_counter() - started
        watcher.join()
    if process.returncode:
        sys.exit(f"exit code {process.returncode}: {' '.join(command)}")
    return Spent(seconds, max(peaks), int(told))


def _watch(process: subprocess.Popen[str], peaks: list[float]) -> None:
    while process.poll() is None:
        peaks.append(_memory_mb(process.pid))
        time.sleep(MEASURES_EACH_SECONDS)


def _memory_mb(pid: int) -> float:
    """Return what a process and its children hold."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20) + sum(_memory_mb(int(child)) for child in children)


def show(kind: str, spent: dict[str, Spent]) -> dict[str, object]:
    """Print one contest as a table and return its figures. A ratio above 1: ours gives more rows a second."""
    ours = spent["ours"]
    sys.stdout.write(f"{kind:18}{'rows/s':>12}{'s':>9}{'MB':>9}{'ours is':>10}\n")
    figures: dict[str, object] = {}
    for name, one in spent.items():
        ratio = one.seconds / ours.seconds
        speed = round(one.rows / one.seconds)
        sys.stdout.write(f"{name:18}{speed:>12,}{one.seconds:>9.1f}{one.peak_mb:>9,.0f}{ratio:>9.2f}x\n")
        figures[name] = {
            "rows": one.rows,
            "rows_per_second": speed,
            "seconds": round(one.seconds, 2),
            "peak_mb": round(one.peak_mb),
            "ours_is": round(ratio, 2),
        }
    return figures


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csv-rows", type=int, default=1_000_000)
    parser.add_argument("--xlsx-rows", type=int, default=300_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--reader", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.reader:
        name, path = options.reader
        sys.stdout.write(f"{READERS[name](path)}\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        files = files_of(options.csv_rows, options.xlsx_rows, options.folder or Path(folder))
        result: dict[str, object] = {"python": platform.python_version(), "cores": os.cpu_count()}
        for kind, readers in CONTESTS.items():
            result[kind] = show(kind, {name: measure(name, files[kind]) for name in readers})
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
