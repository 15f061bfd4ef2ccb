"""Runs whose rows tell apart what arrived: a sheet of people, three mappings, and the invariants that hold for any run.

I1  what is `delivered` was carried out.          I4  an event is carried out once at most, without being told unknown.
I2  what was carried out is not told as unsent.   I6  every row has one line, and the counts add up.
"""

from __future__ import annotations

import csv
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import CONTACT, mapping_of, results_of, write_csv

import etl
from etl.load.loader import Timing
from etl.report import RunReport

NO_WAIT = Timing(random=lambda: 0.0)
UNSENT = {"planned", "blocked", "invalid", "skipped", "duplicate", "unchanged"}


def people(count: int) -> str:
    """Return a sheet of `count` rows, each of another person."""
    return "E-mail;Id\n" + "".join(f"p{n}@example.com;{n}\n" for n in range(count))


def send(
    folder: Path, url: str, mapping: str = CONTACT, *, rows: int = 12, target: str = "", **options: Any
) -> RunReport:
    """Run `rows` people against `url` on four connections with short limits, unless `target` (lines) says otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = target if "deadline" in target else f"{target}\ndeadline = 0.5"
    lines = lines if "concurrency" in lines else f"{lines}\nconcurrency = 4"
    config = folder / "etl.toml"
    config.write_text(f'[targets.test]\nurl = "{url}"\nrate = 10000\nconnect_timeout = 2\n{lines}\n', encoding="utf-8")
    file = write_csv(folder / "s.csv", people(rows))
    chosen = etl.Options(out=folder / "out", yes=True, **{"timing": NO_WAIT, **options})
    return etl.run(mapping_of(mapping, folder), [file], target="test", config=config, options=chosen)


@dataclass(frozen=True)
class Arrived:
    """What a sandbox's database says: requests and deeds by the SHA-256 of their body."""

    seen: Counter[str]
    acted: Counter[str]

    @classmethod
    def of(cls, database: Path, actions: Iterable[str] = ()) -> Arrived:
        """Read the database of a sandbox, which may still run: all requests, or those of some actions."""
        chosen = set(actions)
        with closing(sqlite3.connect(database)) as connection:
            found = connection.execute("SELECT sha256, acted, action FROM requests").fetchall()
        rows = [(sha, acted) for sha, acted, action in found if not chosen or action in chosen]
        return cls(Counter(sha for sha, _ in rows), Counter(sha for sha, acted in rows if acted))


def hold_to_the_invariants(lines: Iterable[Mapping[str, str]], arrived: Arrived, rows: int) -> None:
    """Fail where a line of results.csv and the server's database contradict each other. Each row's body is its own."""
    told = list(lines)
    assert len(told) == rows
    by_sha = {line["payload_sha256"]: line for line in told}
    assert len(by_sha) == rows
    lost = [line["row"] for line in told if line["status"] == "delivered" and not arrived.acted[line["payload_sha256"]]]
    assert lost == [], "told as delivered, and not there"
    for sha, times in arrived.acted.items():
        line = by_sha[sha]
        assert line["status"] not in UNSENT, f"row {line['row']} was carried out, and is told as {line['status']}"
        assert line["status"] != "rejected"
        if line["action"] == "event.create":
            assert times == 1, f"row {line['row']}: the event was created {times} times"
            assert line["status"] in {"delivered", "unknown"}
    for sha, line in by_sha.items():
        assert arrived.seen[sha] <= int(line["attempts"] or 0), f"row {line['row']} was sent more often than it says"


def read_lines(path: Path) -> list[dict[str, str]]:
    """Return the whole lines of a results.csv, also of one whose last line was cut off."""
    text = path.read_bytes()
    return list(csv.DictReader(text[: text.rfind(b"\n") + 1].decode().splitlines()))


def hold(report: RunReport, database: Path, rows: int) -> Counter[str]:
    """Hold a report to the invariants and to its own counts; return the counts."""
    lines = results_of(report)
    hold_to_the_invariants(lines, Arrived.of(database, {line["action"] for line in lines}), rows)
    counts = Counter(line["status"] for line in lines)
    assert dict(counts) == report.counts
    return counts


def state_of(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return what a sandbox holds in the end, without times and numbers: contacts, events, who was deleted."""
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        found = {}
        for table in ("contacts", "events", "deletions"):
            rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
            for row in rows:
                for name in ("id", "created_at", "updated_at", "received_at", "deleted_at"):
                    row.pop(name, None)
            found[table] = sorted((tuple(row.values()) for row in rows), key=repr)
    return found
