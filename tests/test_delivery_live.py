"""The live results.csv, and what the embedded sandbox leaves behind."""

from __future__ import annotations

import csv
import threading
import time

import pyarrow as pa
import pytest
from support import CONTACT, mapping_of, write_csv

import etl
from etl.reports.results_csv import COLUMNS, ResultsCsv

TEXTS = ["", "a", "=1+1", "+48 600", "-x", "@a", " =x", "'=x", "\t", "\rx", "Łódź", "\uff1dx", '"=x', "7", "/tmp/-x"]


@pytest.mark.parametrize("name", ["file", "sheet", "key", "field", "message"])
def test_a_killed_run_leaves_no_formula_either(tmp_path, name):
    columns = {column: pa.array([""] * len(TEXTS), pa.string()) for column in COLUMNS}
    columns[name] = pa.array(TEXTS, pa.string())
    results = ResultsCsv(tmp_path / "results.csv", live=True)
    results.write_live_lines([[text if column == name else "" for column in COLUMNS] for text in TEXTS])
    live = results.path.read_bytes()
    results.write_ordered(columns)
    results.finish()
    with results.path.open(newline="", encoding="utf-8") as stream:
        ordered = [line[name] for line in csv.DictReader(stream)]
    assert [line[name] for line in csv.DictReader(live.decode().splitlines(keepends=True))] == ordered
    assert "'=1+1" in ordered


def test_a_run_at_the_sandbox_leaves_no_thread_and_no_work_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = set(threading.enumerate())
    file = write_csv(tmp_path / "s.csv", "E-mail;x\na@example.com;\nb@example.com;\n")
    for number in range(3):
        options = etl.Options(out=tmp_path / f"out-{number}")
        report = etl.run(mapping_of(CONTACT, tmp_path), [file], target="sandbox", options=options)
        assert report.counts == {"delivered": 2}
    end = time.monotonic() + 2
    while set(threading.enumerate()) - before and time.monotonic() < end:
        time.sleep(0.01)
    assert set(threading.enumerate()) - before == set()
    assert sorted(path.name for path in (tmp_path / "out-2").iterdir()) == ["issues.csv", "results.csv", "summary.json"]


def test_rows_that_are_blocked_at_once_keep_their_warnings_and_lose_no_line(tmp_path):
    text = CONTACT + "      tags: {column: Tags, transform: [{split: ','}]}\n"
    rows = "".join(f"p{n}@example.com;{'a b,A_B' if n == 1 else 'x'}\n" for n in range(5_000))
    file = write_csv(tmp_path / "s.csv", "E-mail;Tags\n" + rows)
    guards = etl.Guards(fail_over=etl.parse_limit("0", "--fail-over"))
    bad = write_csv(tmp_path / "bad.csv", "E-mail;Tags\nbad@@;x\n")
    report = etl.run(
        mapping_of(text, tmp_path), [file, bad], target="sandbox",
        options=etl.Options(out=tmp_path / "out", guards=guards),
    )  # fmt: skip
    assert report.counts == {"blocked": 5_000, "invalid": 1}
    frame = report.results
    assert len(frame) == 5_001
    assert set(frame["code"]) == {"fail-over", "email-syntax"}
    (warned,) = frame[frame["row"] == 3].to_dict("records")[:1]
    assert warned["message"].startswith("1 rows are invalid")
    assert "tags: " in warned["message"]
    assert frame["attempts"].isna().all()
