"""How long annotated.xlsx takes beside what openpyxl needs for the same plain rows, and the memory of both; one run.

    python tests/benchmarks/bench_annotated.py [--rows 100000] [--columns 12]

A tenth of the rows is bad. Each writes in a process of its own, write_only and constant memory; the check before it is
not counted, reading the sheet again is. `MB` is the peak of the process, beside what it held before;
`cpu` its own seconds, which do not count what else the machine does (nor the process that reads the workbook).
"""

from __future__ import annotations

import argparse
import json
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

BAD_EACH = 10
MAPPING = """\
version: 1
name: bench
records:
  - action: contact.upsert
    fields: {contact.email: {column: E-mail, required: true}, contact.name: Name}
"""


def rows_of(rows: int, columns: int) -> Iterator[list[object]]:
    """Yield a header and rows: an address, a name, then texts and numbers by turns."""
    yield ["E-mail", "Name", *(f"Column {place}" for place in range(columns - 2))]
    for row in range(rows):
        address = f"person{row}{' at ' if row % BAD_EACH == 0 else '@'}example.com"
        rest = (row * place / 4 if place % 2 else f"text {row} {place}" for place in range(columns - 2))
        yield [address, f"Person {row}", *rest]


def write_plain(path: Path, rows: int, columns: int) -> None:
    """Write the rows as openpyxl does when it holds one at a time."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Contacts")
    for row in rows_of(rows, columns):
        sheet.append(row)
    book.save(path)


def check(folder: Path) -> None:
    """Check the sheet, and keep what came of it."""
    import etl
    from etl.mapping import parse_mapping

    options = etl.Options(out=folder / "out", reports=("csv",))
    report = etl.check(parse_mapping(MAPPING, "bench.yaml", folder), [folder / "sheet.xlsx"], options=options)
    (folder / "report").write_bytes(pickle.dumps(report))


def write_annotated(folder: Path) -> None:
    """Write annotated.xlsx of what was checked."""
    from etl.job import open_job
    from etl.mapping import parse_mapping
    from etl.own_tables import own_tables
    from etl.reports import annotated
    from etl.reports.material import Material

    job = open_job(parse_mapping(MAPPING, "bench.yaml", folder), [folder / "sheet.xlsx"], None)
    (folder / "work").mkdir()
    annotated.write(
        Material(
            report=pickle.loads((folder / "report").read_bytes()), tables=own_tables(job), work=folder / "work",
            shown=lambda texts: texts, begin=lambda *_: None, advance=lambda _: None, is_interrupted=lambda: False,
        )
    )  # fmt: skip


def measured(what: str, folder: Path, rows: int, columns: int) -> dict[str, float]:
    """Return seconds and MB of one of the two, done in this process."""
    import openpyxl  # noqa: F401 - as imports are no part of what is measured
    import xlsxwriter  # noqa: F401

    import etl.own_tables
    import etl.verbs  # noqa: F401

    before, started, used = _peak(), time.perf_counter(), time.process_time()
    if what == "plain":
        write_plain(folder / "plain.xlsx", rows, columns)
    else:
        write_annotated(folder)
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    return {"seconds": round(seconds, 2), "cpu": round(cpu, 2), "MB": _peak(), "MB before": before}


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Print a line for each of the two, and the ratio of their seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=12)
    parser.add_argument("--do", choices=("plain", "annotated", "check"))
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.do == "check":
        check(given.folder)
        return
    if given.do:
        print(json.dumps(measured(given.do, given.folder, given.rows, given.columns)))
        return
    with tempfile.TemporaryDirectory() as name:
        write_plain(Path(name) / "sheet.xlsx", given.rows, given.columns)
        base = [sys.executable, __file__, "--rows", str(given.rows), "--columns", str(given.columns), "--folder", name]
        subprocess.run([*base, "--do", "check"], check=True)
        told = {}
        for what in ("plain", "annotated"):
            done = subprocess.run([*base, "--do", what], check=True, capture_output=True, text=True)
            told[what] = json.loads(done.stdout)
            print(f"{what:10}", told[what])
        for clock in ("seconds", "cpu"):
            print(f"ratio of {clock}: {told['annotated'][clock] / told['plain'][clock]:.2f}")


if __name__ == "__main__":
    main()
