"""The promises as laws: for generated sheets, mappings and faults, over real HTTP with 32 connections.

Every row in exactly one status per record; what check plans is what arrives, byte for byte; order per person; nothing sent
twice that must not be.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import Rig, few, results_of, rig, write_rows

import etl
from etl.load.loader import Timing
from etl.sandbox import FaultRule, Faults

PEOPLE = ["a@example.com", "A@example.com", "b@example.com", "ż@example.com", "c@example.com", " d@example.com "]
BAD = ["bad@@", "", "   ", "x" * 65 + "@example.com", "nobody"]
NO_WAIT = Timing(random=lambda: 0.0)

ROW = st.tuples(
    st.sampled_from(PEOPLE * 3 + BAD),
    st.sampled_from(["Anna", "", 'quo"te', "semi;colon", "line\nbreak", "=1+1", "Łódź"]),
    st.sampled_from(["1.50", "", "12", "many", "0.125"]),
    st.sampled_from(["yes", "yes", "yes", "no", "Yes"]),
)
ROWS = st.lists(st.one_of(ROW, ROW, ROW, st.just(("", "", "", "")), st.just(("a@example.com", "short"))), max_size=40)

RECORD = st.fixed_dictionaries(
    {
        "action": st.sampled_from(["contact.upsert", "event.create", "contact.delete"]),
        "when": st.sampled_from(["", "Consent == 'yes'", "Total > 1 or Consent == 'no'"]),
        "duplicates": st.sampled_from(["last", "first", "all", "error"]),
        "unknown": st.sampled_from(["retry", "hold"]),
    }
)
RULE = st.sampled_from(
    [
        FaultRule("503", rate=0.1),
        FaultRule("500", rate=0.1),
        FaultRule("lost", rate=0.1),
        FaultRule("reset", rate=0.1),
        FaultRule("truncated", rate=0.1),
        FaultRule("not-json", rate=0.05),
        FaultRule("400", rate=0.1),
        FaultRule("429", first=2),
        FaultRule("success-false", rate=0.1),
        FaultRule("504", rate=0.1, acted=True),
    ]
)

FIELDS = {
    "contact.upsert": """\
      contact.email: {column: E-mail, transform: [strip]}
      contact.name: Name
      properties.total: {column: Total, transform: [number]}
      properties.row: Row
""",
    "event.create": """\
      email: {column: E-mail, transform: [strip], blank: skip}
      description: Name
      value: {column: Total, transform: [number]}
      detail1: Row
""",
    "contact.delete": """\
      email: {column: E-mail, transform: [strip]}
""",
}


def mapping_text(records: list[dict[str, str]]) -> str:
    text = "version: 1\nname: generated\nrecords:\n"
    for record in records:
        text += f"  - action: {record['action']}\n"
        text += f'    when: "{record["when"]}"\n' if record["when"] else ""
        key = {"contact.upsert": "contact.email", "event.create": "detail1", "contact.delete": "email"}[
            record["action"]
        ]
        text += f"    key: {key}\n    duplicates: {record['duplicates']}\n    unknown: {record['unknown']}\n"
        text += "    fields:\n" + FIELDS[record["action"]]
    return text


def sheet(folder: Path, rows: list[tuple[str, ...]]) -> Path:
    numbered = [(*row, str(number)) if len(row) == 4 and any(row) else row for number, row in enumerate(rows)]
    header = ("E-mail", "Name", "Total", "Consent", "Row")
    return write_rows(folder / "sheet.csv", [header, *[(*row, "") if len(row) == 4 else row for row in numbered]])


def identity(line: dict[str, str]) -> tuple[int, int]:
    return int(line["row"]), int(line["record"])


def check_laws(server: Rig, checked: etl.RunReport, ran: etl.RunReport, rows: int, records: int) -> None:
    planned, results = results_of(checked), results_of(ran)
    assert sum(ran.counts.values()) == sum(checked.counts.values()) == ran.rows * records == rows * records
    assert [identity(line) for line in results] == sorted({identity(line) for line in results})
    assert [identity(line) for line in planned] == [identity(line) for line in results]
    for before, after in zip(planned, results, strict=True):
        if before["status"] != "planned":
            assert before == after
        else:
            assert after["payload_sha256"] == before["payload_sha256"]


sheets = given(ROWS, st.lists(RECORD, min_size=1, max_size=3))


@few(12)
@sheets
def test_what_check_plans_is_byte_for_byte_what_run_sends(rows, records):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with rig(folder, target="concurrency = 32") as server:
            file, text = sheet(folder, rows), mapping_text(records)
            checked = server.check(text, file)
            ran = server.run(text, file, yes=True, timing=NO_WAIT)
        check_laws(server, checked, ran, len(rows), len(records))
        planned = Counter(line["payload_sha256"] for line in results_of(checked) if line["status"] == "planned")
        arrived = Counter(hashlib.sha256(body).hexdigest() for _, _, body, _, _ in server.requests())
        # Deleting nobody counts as delivered, so without faults no record waits for an earlier one in vain.
        assert arrived == planned


@few(15)
@given(ROWS, st.lists(RECORD, min_size=1, max_size=3), st.lists(RULE, max_size=3), st.integers(0, 2**16))
def test_every_row_is_accounted_for_whatever_the_endpoint_does(rows, records, rules, seed):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with rig(folder, target="concurrency = 32", faults=Faults(tuple(rules)), seed=seed) as server:
            file, text = sheet(folder, rows), mapping_text(records)
            checked = server.check(text, file)
            ran = server.run(text, file, yes=True, timing=NO_WAIT)
        check_laws(server, checked, ran, len(rows), len(records))
        acted = server.rows("SELECT sha256, method, path FROM requests WHERE acted = 1")
        on_server = {sha for sha, _, _ in acted}
        for line in results_of(ran):
            if line["status"] == "delivered" and line["http_status"] != "404":
                assert line["payload_sha256"] in on_server
            if line["status"] in {"skipped", "invalid", "duplicate", "blocked"}:
                assert not line["attempts"]
        # Two records of a row may have the same bytes; those that may be repeated say nothing of those that may not.
        events = [line for line in results_of(ran) if line["action"] == "event.create"]
        lines_of = Counter(line["payload_sha256"] for line in events)
        repeated = {e["payload_sha256"] for e in events if records[int(e["record"]) - 1]["unknown"] == "retry"}
        arrived = Counter(sha for sha, _, path in acted if path.endswith("/events"))
        assert all(count <= lines_of[sha] for sha, count in arrived.items() if sha not in repeated)


@few(10)
@given(
    st.lists(st.sampled_from(PEOPLE[:4]), min_size=5, max_size=60), st.lists(RULE, max_size=2), st.integers(0, 2**16)
)
def test_one_persons_rows_arrive_in_the_order_of_the_file(people, rules, seed):
    records = [{"action": "contact.upsert", "when": "", "duplicates": "all", "unknown": "retry"}]
    rows = [(person, "x", "1", "yes") for person in people]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with rig(folder, target="concurrency = 32", faults=Faults(tuple(rules)), seed=seed) as server:
            server.run(mapping_text(records), sheet(folder, rows), timing=NO_WAIT)
        row_of = {line["payload_sha256"]: int(line["row"]) for line in results_of_run(folder)}
        arrived: dict[str, list[int]] = defaultdict(list)
        for sha, person in server.rows("SELECT sha256, person FROM requests ORDER BY seq"):
            arrived[person.casefold()].append(row_of[sha])
        assert all(order == sorted(order) for order in arrived.values())


def results_of_run(folder: Path) -> list[dict[str, str]]:
    import csv

    with (folder / "out-run" / "results.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_the_size_of_a_chunk_never_changes_the_result(tmp_path, size):
    rows = [(PEOPLE[n % 6], f"n{n}", "1.5" if n % 5 else "many", "yes" if n % 3 else "no") for n in range(40)]
    records = [{"action": "contact.upsert", "when": "Consent == 'yes'", "duplicates": "last", "unknown": "retry"}]
    with rig(tmp_path) as server:
        file = sheet(tmp_path, rows)
        whole = server.check(mapping_text(records), file)
        cut = server.check(mapping_text(records), file, out=tmp_path / "cut", rows_per_chunk=size)
    assert cut.results_path.read_bytes() == whole.results_path.read_bytes()
    assert cut.issues_path.read_bytes() == whole.issues_path.read_bytes()
