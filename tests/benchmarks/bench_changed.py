"""What `etl check --only-changed` costs beside `etl check`: the same file, in which 1 row of 100 has changed.

    python tests/benchmarks/bench_changed.py [--rows 1000000] [--every 100] [--rounds 1] [--keep FOLDER]

First a journal is filled as if the whole file had been delivered the night before (by the journal's own writer, without
an endpoint); then one row of `--every` gets another city. Both checks read that file, take turns, each in a process of
its own on one core. Prints what each took, the ratio (1.5: the comparison costs half of the check), then JSON.
`--keep` leaves file and journal in a folder, and takes those that are there: `--profile` says where the time goes.
"""

from __future__ import annotations

import argparse
import cProfile
import csv
import json
import os
import pstats
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bench_check import Spent, run
from make_big import make

import etl
from etl.job import Job, open_job
from etl.journal import open_journal
from etl.journal.model import NewRun
from etl.mapping import load_mapping
from etl.pipeline import prepare
from etl.records import Delivery, Outcome, Receipt, Status
from etl.settings import load_settings

ALONE, CHANGED = "etl check", "etl check --only-changed"
TARGET = "endpoint"
RUN = "20260101-000000-0000"
SETTINGS = f"""\
[targets.{TARGET}]
url = "http://127.0.0.1:9"
auth = "none"
"""


def prepare_folder(rows: int, every: int, folder: Path) -> tuple[Path, Path]:
    """Write the files and the journal where they are not there yet; return mapping and table."""
    mapping, table = folder / "contacts.yaml", folder / "contacts.csv"
    if table.exists():
        return mapping, table
    make(rows, folder, bad=0)
    (folder / "etl.toml").write_text(SETTINGS, encoding="utf-8")
    started = time.perf_counter()
    fill(mapping, table, folder)
    sys.stdout.write(f"the journal was filled in {time.perf_counter() - started:.0f} s\n")
    changed = folder / "changed.csv"
    with table.open(encoding="utf-8", newline="") as source, changed.open("w", encoding="utf-8", newline="") as out:
        reader, writer = csv.reader(source, delimiter=";"), csv.writer(out, delimiter=";", lineterminator="\n")
        header = next(reader)
        city = header.index("City")
        writer.writerow(header)
        for number, row in enumerate(reader):
            if number % every == 0:
                row[city] = "Radom"
            writer.writerow(row)
    changed.replace(table)
    return mapping, table


def fill(mapping: Path, table: Path, folder: Path) -> None:
    """Write down that every row of the table was delivered."""
    settings = load_settings(folder / "etl.toml", {}, folder)
    journal = open_journal(settings)
    job = open_job(load_mapping(mapping), [table], settings.target(TARGET))
    if journal is None:
        raise AssertionError("BUG: no journal was made")
    with journal:
        new = NewRun(
            RUN, time.time(), "bench@here", os.getpid(), job.plan.mapping.name, str(mapping), "", TARGET, "", (),
            ((str(table), ""),), (str(table),), {}, "", str(folder), "0",
        )  # fmt: skip
        journal.begin(new)
        with journal.writer(RUN, TARGET) as writer:
            told = outcomes(job)
            while some := list(islice(told, 10_000)):
                writer.write(some)


def outcomes(job: Job) -> Iterator[Outcome]:
    """Yield the outcome of every row that can be sent."""
    now = time.time()
    for bound, chunk in job.chunks(20_000):
        prepared = prepare(chunk, bound.plan, bound.binding)
        for record in prepared.records:
            positions = chunk.positions[record.places].tolist()
            texts = (record.bodies.to_pylist(), record.lanes.to_pylist(), record.identities.to_pylist())
            for position, body, lane, key in zip(positions, *texts, strict=True):
                action = record.spec.action
                delivery = Delivery(position, 1, action.endpoint, body.encode(), lane, True, action.name, key)
                yield Outcome(Receipt(delivery, Status.DELIVERED, 200, 1, sent_at=now), now, is_final=True)


def measure(mapping: Path, table: Path, rounds: int, folder: Path) -> dict[str, list[Spent]]:
    """Return what each of the two took in each round."""
    command = [sys.executable, "-m", "etl", "check", str(mapping), str(table), "--config", str(folder / "etl.toml")]
    # Without a target nothing at all is looked up.
    alone = [*command, "--out", str(folder / "a")]
    commands = {ALONE: alone, CHANGED: [*command, "--out", str(folder / "b"), "--target", TARGET, "--only-changed"]}
    spent: dict[str, list[Spent]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, one in commands.items():
            spent[name].append(run(one))
    return spent


def show(rows: int, folder: Path, spent: dict[str, list[Spent]]) -> None:
    """Print both, the ratio, and the JSON."""
    result: dict[str, object] = {"rows": rows}
    for name, runs in spent.items():
        best = min(runs, key=lambda one: one.cpu)
        result[name] = {"cpu_seconds": round(best.cpu, 1), "seconds": round(best.wall, 1), "peak_mb": round(best.peak)}
        sys.stdout.write(f"{name:26} {best.cpu:7.1f} s cpu {best.wall:7.1f} s {best.peak:6.0f} MB\n")
    for unit in ("cpu", "wall"):
        alone, changed = (min(getattr(one, unit) for one in spent[name]) for name in (ALONE, CHANGED))
        result[f"ratio_{unit}"] = round(changed / alone, 2)
    result["counts"] = json.loads((folder / "b" / "summary.json").read_text(encoding="utf-8"))["counts"]
    sys.stdout.write(f"ratio {result['ratio_cpu']} (cpu), {result['ratio_wall']} (clock); {result['counts']}\n")
    sys.stdout.write(json.dumps(result) + "\n")


def profile(mapping: Path, table: Path, folder: Path) -> None:
    """Print where the time of the check goes."""
    watcher = cProfile.Profile()
    options = etl.Options(out=folder / "c", only_changed=True)
    watcher.runcall(etl.check, mapping, [table], target=TARGET, config=folder / "etl.toml", options=options)
    pstats.Stats(watcher).sort_stats("cumulative").print_stats(45)


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--every", type=int, default=100, help="one row of so many has changed")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for file and journal, to measure them again")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        mapping, table = prepare_folder(options.rows, options.every, folder)
        if options.profile:
            profile(mapping, table, folder)
            return
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        show(options.rows, folder, measure(mapping, table, options.rounds, folder))


if __name__ == "__main__":
    main()
