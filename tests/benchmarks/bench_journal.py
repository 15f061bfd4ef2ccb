"""Rows a second that the journal keeps, and microseconds a row that the comparison takes. Durable as in production.

    python tests/benchmarks/bench_journal.py [--rows 20000] [--threads 64] [--keys 1000000] [--url postgresql://...]

Required: 5,000 rows/s (intent and outcome each, from 64 threads, SQLite), and 5 us a row against a million keys.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import tempfile
import threading
import time
from hashlib import sha256
from pathlib import Path

import pyarrow as pa

from etl.endpoint import Endpoint
from etl.journal import NewRun, open_journal
from etl.journal.confirming import Confirmer
from etl.journal.encoding import UPSERT, Confirmation, Row
from etl.journal.keys import SEPARATOR
from etl.journal.store import Journal
from etl.records import Delivery, Intent, Outcome, Receipt, Status
from etl.settings import Settings
from etl.settings.journal import JournalSettings

REQUIRED_ROWS = 5_000
REQUIRED_MICROSECONDS = 5.0
CHUNK = 20_000


def delivery(number: int) -> Delivery:
    email = f"person{number}@example.com"
    body = {
        "contact": {"email": email, "name": "Zażółć Gęślą", "phone": "+48601234567", "company": "Example",
                    "address": {"streetAddress": "Długa 1", "zipCode": "00-950", "city": "Warszawa", "country": "PL"}},
        "tags": ["NEWSLETTER", "VIP"], "properties": {"shoe_size": "42"},
    }  # fmt: skip
    lane = SEPARATOR + email
    return Delivery(number, 1, Endpoint("POST", "contacts"), json.dumps(body).encode(), lane, True, UPSERT, lane)


def done(one: Delivery) -> Outcome:
    receipt = Receipt(one, Status.DELIVERED, 200, 1, "3f0c8a3e-6f8e-4b6f-9d51-0123456789ab", "", "", time.time(), 51.2)
    return Outcome(receipt, time.time(), is_final=True)


def begin(journal: Journal, run: str) -> None:
    journal.begin(
        NewRun(run, time.time(), "bench@host", os.getpid(), "bench", "", "", "bench", "", (), (), (), {}, "", "", "0")
    )


def writing(journal: Journal, rows: int, threads: int, *, joined: bool) -> float:
    """Return rows a second; `joined`: as the loader does, an outcome goes with the next row's intent."""
    run = f"run-{joined}-{time.time()}"
    begin(journal, run)
    made = [delivery(number) for number in range(rows)]
    with journal.writer(run, "bench") as recorder:

        def work(start: int) -> None:
            last: list[Outcome] = []
            for one in made[start::threads]:
                recorder.write([*last, Intent(one, 1, time.time())])
                last = [done(one)]
                if not joined:
                    recorder.write(last)
                    last = []
            recorder.write(last)

        workers = [threading.Thread(target=work, args=(start,)) for start in range(threads)]
        began = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        took = time.perf_counter() - began
    assert journal.tally(run) == {"delivered": rows}
    return rows / took


def fill(journal: Journal, keys: int) -> None:
    """Confirm `keys` keys, in big commits."""
    begin(journal, "fill")
    hasher = journal._hasher
    with journal._engine.begin() as connection:
        confirmer = Confirmer(connection, hasher, 1, "filled")
    fields = tuple((f"contact.field{n}", b"12345678") for n in range(10))
    for start in range(0, keys, 50_000):
        rows = []
        for number in range(start, min(start + 50_000, keys)):
            key = hasher.of(f"{SEPARATOR}person{number}@example.com")
            digest = sha256(b"%d" % number).digest()
            rows.append(Row((number, 1), (), 1.0, Confirmation(UPSERT, key, digest, key, None, key, fields, None)))
        with journal._engine.begin() as connection:
            confirmer.write(connection, rows)
        confirmer.committed()


def asking(journal: Journal, keys: int) -> float:
    """Return microseconds a row for a million rows in chunks; every key is known, and asked for in file order."""
    memory = journal.memory("filled")
    took = 0.0
    for start in range(0, keys, CHUNK):
        asked = pa.array(
            [f"{SEPARATOR}person{number}@example.com" for number in range(start, min(start + CHUNK, keys))]
        )
        began = time.perf_counter()
        known = memory.known(UPSERT, asked, asked)
        took += time.perf_counter() - began
        assert bytes(known.payload[0]) == sha256(b"%d" % start).digest().rstrip(b"\0")
    return took / keys * 1e6


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=20_000)
    options.add_argument("--threads", type=int, default=64)
    options.add_argument("--keys", type=int, default=1_000_000)
    options.add_argument("--url", help="a PostgreSQL database; PGPASSWORD holds its password")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        settings = Settings(Path(folder), environ=dict(os.environ), journal=JournalSettings(url=given.url))
        with open_journal(settings) as journal:
            print(f"SQLite {sqlite3.sqlite_version}" if given.url is None else "PostgreSQL", flush=True)
            for joined in (True, False):
                rate = writing(journal, given.rows, given.threads, joined=joined)
                print(
                    f"writing, {'joined' if joined else 'apart'}: {rate:,.0f} rows/s (required {REQUIRED_ROWS:,})",
                    flush=True,
                )
            if given.keys:
                began = time.perf_counter()
                fill(journal, given.keys)
                print(f"filled with {given.keys:,} keys in {time.perf_counter() - began:.0f} s", flush=True)
                for _ in range(2):
                    each = asking(journal, given.keys)
                    print(f"asking: {each:.2f} us a row (required {REQUIRED_MICROSECONDS})", flush=True)
                print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB at most")


if __name__ == "__main__":
    main()
