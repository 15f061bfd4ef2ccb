"""One person's rows keep their order over all actions, and memory stays flat however slow the endpoint is."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, defaultdict

import pytest
from support import CONTACT, results_of, rig, write_csv, write_rows

from etl.load.loader import Timing
from etl.sandbox import FaultRule, Faults

MIXED = """\
version: 1
name: mixed
{group}records:
  - action: contact.upsert
    when: "What != 'gone'"
    key: contact.email
    duplicates: all
    fields:
      contact.email: E-mail
      properties.row: Row
  - action: event.create
    when: "What == 'bought'"
    fields: {{email: E-mail, detail1: Row}}
  - action: contact.delete
    when: "What == 'gone'"
    key: email
    duplicates: all
    fields: {{email: E-mail}}
"""
FAULTS = (
    *(FaultRule(kind, rate=0.08) for kind in ("503", "500", "lost", "reset", "truncated")),
    FaultRule("latency", rate=0.3, seconds=0.0, to=0.02),
)


def sheet(folder, count, people):
    what = ["bought", "kept", "gone", "bought"]
    rows = [
        (f"{'P' if n % 2 else 'p'}{n * 7 % people}@example.com", what[n // people % 4], str(n), f"m{n % 2}")
        for n in range(count)
    ]
    return write_rows(folder / "s.csv", [("E-mail", "What", "Row", "Market"), *rows])


@pytest.mark.parametrize("seed", [1, 2])
def test_order_holds_over_actions_and_records_with_32_connections_and_faults(tmp_path, seed):
    with rig(tmp_path, target="concurrency = 32", faults=Faults(FAULTS), seed=seed) as server:
        report = server.run(
            MIXED.format(group=""), sheet(tmp_path, 600, 9), yes=True, timing=Timing(random=lambda: 0.0)
        )
    lines = results_of(report)
    assert len(lines) == sum(report.counts.values()) == 3 * 600
    # A body that two rows of one person have in common stands for the first of them that has not been seen yet.
    places = defaultdict(list)
    for line in lines:
        if line["attempts"]:
            key = (line["payload_sha256"], line["key"].casefold() if line["action"] == "contact.delete" else "")
            places[key].append((int(line["row"]), int(line["record"]), int(line["attempts"])))
    arrived = defaultdict(list)
    for _, _, _, sha, _ in server.requests():
        arrived[sha].append(sha)
    assert sum(map(len, arrived.values())) == sum(int(line["attempts"] or 0) for line in lines)
    order = defaultdict(list)
    left = {sha: [place for (other, _), found in places.items() if other == sha for place in found] for sha in arrived}
    for sha, person in server.rows("SELECT sha256, person FROM requests ORDER BY seq"):
        row, record, attempts = left[sha][0]
        left[sha][0] = (row, record, attempts - 1)
        if attempts == 1:
            left[sha].pop(0)
        order[person.casefold()].append((row, record))
    assert len(order) == 9
    for places_of_one in order.values():
        assert places_of_one == sorted(places_of_one)


def test_events_that_may_have_arrived_are_never_sent_again(tmp_path):
    text = """\
version: 1
name: events
records:
  - action: event.create
    fields: {email: E-mail, externalId: Row}
"""
    kinds = ("lost", "reset", "500", "502", "504", "truncated", "hang", "not-json", "reset-mid-body")
    rules = tuple(FaultRule(kind, rate=0.04) for kind in kinds)
    certain = (FaultRule("429", nth=(450,)), FaultRule("503", rate=0.1))
    with rig(tmp_path, target="concurrency = 32\ndeadline = 0.5", faults=Faults(rules + certain), seed=5) as server:
        report = server.run(text, sheet(tmp_path, 500, 50), timing=Timing(random=lambda: 0.0))
    seen = defaultdict(list)
    for sha, fault in server.rows("SELECT sha256, fault FROM requests ORDER BY seq"):
        seen[sha].append(fault)
    for line in results_of(report):
        faults = seen[line["payload_sha256"]]
        # Before the last try stands only what certainly did not arrive.
        assert set(faults[:-1]) <= {"429", "503"}
        assert line["status"] == ("delivered" if faults[-1] is None else "unknown")
        assert int(line["attempts"]) == len(faults)
    acted = Counter(sha for (sha,) in server.rows("SELECT sha256 FROM requests WHERE acted = 1"))
    assert set(acted.values()) == {1}


MEASURED = """\
import pathlib, sys, threading
import etl
from etl.interrupt import Interrupt
from etl.progress import Silent

interrupt, peak = Interrupt(), 0

class Watch(Silent):
    stage = ""
    def begin(self, stage, total):
        self.stage = stage
        if stage == "sending":
            threading.Timer(float(sys.argv[5]), interrupt.request, [2]).start()
    def advance(self, rows, counts):
        global peak
        if self.stage == "sending" and sum(counts.values()) % 500 == 0:
            status = pathlib.Path("/proc/self/status").read_text()
            peak = max(peak, int(status.split("VmRSS:")[1].split()[0]))
    def end(self):
        pass

options = etl.Options(out=pathlib.Path(sys.argv[4]), interrupt=interrupt, progress=Watch(), reports=("csv",))
report = etl.run(sys.argv[1], [sys.argv[2]], target="test", config=sys.argv[3], options=options)
print(peak // 1024, sum(report.counts.values()), report.exit_code)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_stays_flat_while_the_first_row_waits_and_the_others_go_on(tmp_path):
    def measured(rows):
        folder = tmp_path / str(rows)
        faults = Faults((FaultRule("hang", person="p0@example.com"),))
        with rig(folder, target="concurrency = 16\ndeadline = 60.0", faults=faults) as server:
            (folder / "m.yaml").write_text(CONTACT)
            text = "E-mail;x\n" + "".join(f"p{n}@example.com;\n" for n in range(rows))
            arguments = [folder / "m.yaml", write_csv(folder / "s.csv", text), server.config, folder / "out", 2]
            process = subprocess.Popen(
                [sys.executable, "-c", MEASURED, *map(str, arguments)], stdout=subprocess.PIPE, text=True
            )
            # What hangs is let go when the server is gone.
            try:
                process.wait(7)
            except subprocess.TimeoutExpired:
                server.sandbox.stop()
            out, _ = process.communicate(timeout=60)
        peak, accounted, code = map(int, out.split())
        assert (accounted, code) == (rows, 130)
        return peak

    assert measured(200_000) < measured(20_000) + 60


def test_of_a_file_of_markets_a_person_has_a_lane_in_each(tmp_path):
    with rig(tmp_path, target='wire = "envelope"\nconcurrency = 32', wire="envelope", faults=Faults(FAULTS)) as server:
        report = server.run(
            MIXED.format(group="group_key: Market\n"), sheet(tmp_path, 200, 4), yes=True,
            timing=Timing(random=lambda: 0.0),
        )  # fmt: skip
    assert sum(report.counts.values()) == 600
    row_of = {line["payload_sha256"]: int(line["row"]) for line in results_of(report) if line["record"] == "1"}
    order = defaultdict(list)
    for body, sha in server.rows("SELECT body, sha256 FROM requests WHERE method = 'POST' ORDER BY seq"):
        if sha in row_of:
            market = bytes(body).decode().rsplit('"group_key":"', 1)[1][:2]
            person = bytes(body).decode().split('"email":"')[1].split('"')[0].casefold()
            order[person, market].append(row_of[sha])
    assert all(rows == sorted(rows) for rows in order.values())
    assert len(order) in {4, 8}
