"""Deleting who is missing from a full export, as whole runs against a real sandbox and a real journal."""

from __future__ import annotations

import csv
import signal
from collections import Counter
from pathlib import Path

from support import Rig, rig, write_csv

import etl
from etl.interrupt import Interrupt
from etl.progress import Silent
from etl.sandbox import FaultRule, Faults

FULL = """\
version: 1
name: everybody
records:
  - action: contact.upsert
    missing: delete
    fields: {contact.email: E-mail}
"""
PLAIN_KEYS = '[journal]\nkeys = "plain"'
ROUTE = "DELETE /contacts"


def export(folder: Path, first: int, last: int) -> Path:
    return write_csv(folder / "all.csv", "E-mail\n" + "".join(f"p{n}@example.com\n" for n in range(first, last)))


def run(server: Rig, file: Path, **options) -> etl.RunReport:
    path = server.folder / "mapping.yaml"
    path.write_text(FULL)
    return server.run(etl.load_mapping(path), file, yes=True, only_changed=True, **options)


def again(server: Rig, verb, report: etl.RunReport) -> etl.RunReport:
    return verb(report.id, config=server.config, options=etl.Options(yes=True))


def listed(report: etl.RunReport) -> Counter[str]:
    with (report.out / "missing.csv").open(encoding="utf-8", newline="") as stream:
        return Counter(line["status"] for line in csv.DictReader(stream))


def deleted(server: Rig) -> list[bytes]:
    return [body for method, _, body, _, status in server.requests() if method == "DELETE" and status == 200]


def test_who_is_missing_is_deleted_once_and_counted_apart_from_the_rows(tmp_path):
    with rig(tmp_path, target=PLAIN_KEYS) as server:
        run(server, export(tmp_path, 0, 5))
        report = run(server, export(tmp_path, 2, 6))
    assert (report.exit_code, report.counts) == (0, {"delivered": 1, "unchanged": 3})
    assert report.missing == {"keys": 2, "to_delete": 2, "delivered": 2}
    assert report.delivery["requests"] == 3
    assert listed(report) == {"delivered": 2}
    assert sorted(deleted(server)) == [b'{"email":"p0@example.com"}', b'{"email":"p1@example.com"}']


def test_an_endpoint_that_refuses_the_deletions_stops_the_run(tmp_path):
    with rig(tmp_path, target=PLAIN_KEYS, faults=Faults([FaultRule("401", route=ROUTE)])) as server:
        run(server, export(tmp_path, 0, 5))
        report = run(server, export(tmp_path, 4, 6))
    assert (report.exit_code, report.stop.code) == (3, "unauthorized")
    assert report.missing["to_delete"] == 4
    assert not deleted(server)


def test_deletions_that_an_interruption_left_are_made_when_the_run_is_resumed(tmp_path):
    class AtTheEnd(Silent):
        """Asks to stop when the last row is delivered: the deletions come after it."""

        interrupt = Interrupt()

        def advance(self, rows, counts):
            if counts.get("delivered") == 1:
                self.interrupt.request(signal.SIGINT)

    slow = Faults([FaultRule("latency", seconds=0.05, route=ROUTE)])
    with rig(tmp_path, target=f"concurrency = 2\n{PLAIN_KEYS}", faults=slow) as server:
        run(server, export(tmp_path, 0, 60))
        stopped = run(server, export(tmp_path, 59, 61), progress=AtTheEnd(), interrupt=AtTheEnd.interrupt)
        assert stopped.exit_code == 130
        assert stopped.missing["blocked"] > 0
        report = again(server, etl.resume, stopped)
    assert report.exit_code == 0
    assert len(deleted(server)) == len(set(deleted(server))) == 59


def test_a_deletion_that_failed_is_made_again_by_retry(tmp_path):
    failing = Faults([FaultRule("503", route=ROUTE, count=1)])
    with rig(tmp_path, target=f"retries = 0\n{PLAIN_KEYS}", faults=failing) as server:
        run(server, export(tmp_path, 0, 3))
        first = run(server, export(tmp_path, 1, 4))
        assert (first.exit_code, first.missing["failed"]) == (1, 1)
        report = again(server, etl.retry, first)
    assert (report.exit_code, report.missing["delivered"]) == (0, 1)
    assert deleted(server) == [b'{"email":"p0@example.com"}']
