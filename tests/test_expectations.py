"""What a mapping expects of its file: late, old, half, another one; and what a run and a check make of it."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support import CONTACT, Rig, mapping_of, rig, write_csv

import etl
from etl.errors import MappingError
from etl.expectations import FileSeen, LastRun, TableSeen, judge, span
from etl.load.loader import Timing
from etl.mapping.model import ExpectSpec
from etl.sandbox import FaultRule, Faults

NOW = datetime(2026, 11, 24, 2, 15, tzinfo=UTC)
FILE = FileSeen("a.csv", "new", NOW - timedelta(minutes=30), (TableSeen("a.csv", ("E-mail", "Phone"), "END"),))
LAST = LastRun("run-1", NOW - timedelta(days=1), 1_000, frozenset({"old"}))


@pytest.mark.parametrize(
    ("expect", "file", "rows", "told"),
    [
        (ExpectSpec(by=120), FILE, 1, ()),
        (ExpectSpec(by=105), FILE, 1, ()),
        (ExpectSpec(by=104), FILE, 1, ("a.csv changed last at 01:45:00 (2026-11-24), and by 01:44 is expected",)),
        (ExpectSpec(by=120), replace(FILE, changed_at=None), 1, ("when a.csv changed last is not known, since it is no file here",)),
        (ExpectSpec(max_age=3_600), FILE, 1, ()),
        (ExpectSpec(max_age=1_200), FILE, 1, ("a.csv is 30m old, and at most 20m is expected",)),
        (ExpectSpec(is_new=True), FILE, 1, ()),
        (ExpectSpec(is_new=True), replace(FILE, sha256="old"), 1,
         ("a.csv is the same as in the last run (run-1, 2026-11-23 02:15), and a new one is expected",)),
        (ExpectSpec(size=30), FILE, 1_300, ()),
        (ExpectSpec(size=30), FILE, None, ()),
        (ExpectSpec(size=30), FILE, 1_301, ("1,301 rows are 30% more than the 1,000 of the last run (run-1), and at most 30% is expected",)),
        (ExpectSpec(size=2.5), FILE, 1, ("1 row is 100% fewer than the 1,000 of the last run (run-1), and at most 2.5% is expected",)),
        (ExpectSpec(columns=("Phone", "E-mail")), FILE, 1, ()),
        (ExpectSpec(columns=("Phone", "Fax", "Name")), FILE, 1,
         ("2 columns missing in a.csv: 'Fax', 'Name'", "column not expected in a.csv: 'E-mail'")),
        (ExpectSpec(is_complete=True), FILE, 1, ()),
        (ExpectSpec(is_complete=True), replace(FILE, is_growing=True, ending="its last line does not end"), 1,
         ("a.csv is still being written", "a.csv is cut off: its last line does not end")),
        (ExpectSpec(is_complete=True, last_cell="END"), FILE, 1, ()),
        (ExpectSpec(is_complete=True, last_cell="Sum"), FILE, 1, ("the last row of a.csv does not begin with 'Sum'",)),
    ],
    ids=["in time", "to the minute", "late", "unknown time", "young", "old", "new", "the same", "as large", "limited",
         "larger", "smaller", "columns", "other columns", "complete", "cut off", "marked", "other mark"],
)  # fmt: skip
def test_what_is_expected_is_judged(
    expect: ExpectSpec, file: FileSeen, rows: int | None, told: tuple[str, ...]
) -> None:
    assert judge(expect, [file], rows, LAST, NOW) == told


def test_without_an_earlier_run_all_is_new_and_of_the_right_size() -> None:
    assert judge(ExpectSpec(is_new=True, size=1), [replace(FILE, sha256="old")], 5, None, NOW) == ()


def test_a_header_that_is_somebodys_row_is_not_quoted() -> None:
    file = replace(FILE, tables=(TableSeen("a.csv", ("anna@example.com",)),))
    (told, _) = judge(ExpectSpec(columns=("E-mail",)), [file], 1, None, NOW)[::-1]
    assert told == "column not expected in a.csv: '(address)'"


@pytest.mark.parametrize(
    ("seconds", "text"), [(60, "1m"), (7_199, "119m"), (93_600, "26h"), (180_000, "2d 2h"), (7_260, "2h 1m")], ids=str
)
def test_a_span_is_said_in_its_largest_unit(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("by: 25:00", "'by': a time of day is expected here, not '25:00'\n  hint: write it like 02:00"),
        ("new: yes", "'new': true or false is expected here, not 'yes'\n  hint: write true"),
        ("max_age: 3", "'max_age': a time span is expected here, not '3'\n  hint: write it like 26h, 90m or 2d"),
        ("size: 30", "'size': a share is expected here, not '30'\n  hint: write it like 30%"),
        ("columns: []", "'columns': an empty list\n  hint: write a name, or remove the line"),
        ("complete: yes", "'complete': 'yes' could be a word of the file\n  hint: write true, or what the last row's first cell is"),
        ("fresh: true", "unknown key 'fresh'"),
        ("new: false", "'expect' expects nothing\n  hint: write such as new: true below it"),
    ],
    ids=lambda value: value.partition(":")[0] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_wrong_expectation_is_refused_with_its_place(tmp_path: Path, line: str, told: str) -> None:
    text = CONTACT.replace("records:", f"source:\n  expect:\n    {line}\nrecords:")
    with pytest.raises(MappingError) as error:
        mapping_of(text, tmp_path)
    assert told in str(error.value)
    assert str(error.value).startswith("test.yaml:5:" if "expects nothing" not in told else "test.yaml:4:")


def expecting(words: str, **more: str) -> str:
    lines = "".join(f"\n  {key}: {value}" for key, value in more.items())
    return CONTACT.replace("records:", f"source:\n  expect: {{{words}}}{lines}\nrecords:")


GOOD = "E-mail;Phone\na@example.com;1\nb@example.com;2\nc@example.com;3\n"


class Job:
    """A mapping and a sheet, night after night. Each file has a name of its own, and is a minute old."""

    def __init__(self, running: Rig, mapping: str) -> None:
        self.rig = running
        self.path = running.folder / "mapping.yaml"
        self.path.write_text(mapping, encoding="utf-8")
        self.told: list[str] = []
        self.count = 0

    def run(
        self, sheet: str, verb: Any = etl.run, name: str = "sheet.csv", age: float = 60, **options: Any
    ) -> etl.RunReport:
        file = write_csv(self.rig.folder / name, sheet)
        now = time.time()
        os.utime(file, (now - age, now - age))
        self.count += 1
        options.setdefault("out", self.rig.folder / f"out-{self.count}")
        wanted = etl.Options(
            reports=("csv",), tell=self.told.append, timing=replace(Timing(), wall=lambda: now), **options
        )
        return verb(self.path, [file], target="test", config=self.rig.config, options=wanted)


def test_a_file_that_is_as_expected_is_sent(tmp_path: Path) -> None:
    with rig(tmp_path) as running:
        job = Job(running, expecting("new: true, max_age: 1h, size: 50%, columns: [E-mail, Phone], complete: true"))
        first = job.run(GOOD)
        second = job.run(GOOD + "d@example.com;4\n")
    assert [one.exit_code for one in (first, second)] == [0, 0]


def test_a_file_that_is_not_stops_the_run_before_anything_is_sent_and_names_all(tmp_path: Path) -> None:
    with rig(tmp_path) as running:
        job = Job(running, expecting("new: true, max_age: 1h, size: 50%, columns: [E-mail, Phone], complete: true"))
        good = job.run(GOOD)
        bad = job.run("E-mail;Fax\na@example.com;", age=7_300)
        same = job.run(GOOD)
    assert (bad.exit_code, bad.counts["blocked"], len(running.requests())) == (3, 1, 3)
    assert bad.stop is not None
    assert bad.stop.message == (
        "the file is not what the mapping expects: sheet.csv is 2h 1m old, and at most 60m is expected; "
        f"1 row is 67% fewer than the 3 of the last run ({good.id}), and at most 50% is expected; "
        "column missing in sheet.csv: 'Phone'; column not expected in sheet.csv: 'Fax'; "
        "sheet.csv is cut off: its last line does not end"
    )
    assert bad.stop.hint == "get the file that is meant, and run it; --accept-file takes this one all the same"
    # The run that was stopped is none to be compared with.
    assert same.stop is not None
    assert "the same as in the last run" in same.stop.message


def test_a_check_says_what_would_stop_a_run(tmp_path: Path) -> None:
    with rig(tmp_path) as running:
        job = Job(running, expecting("new: true"))
        first = job.run(GOOD, etl.check)
        assert job.told[-1].startswith("no earlier run is known")
        job.run(GOOD)
        again = job.run(GOOD, etl.check)
    assert (first.stop, again.exit_code) == (None, 3)
    assert again.stop is not None
    assert again.stop.code == "unexpected-file"


def test_somebody_may_take_the_file_all_the_same(tmp_path: Path) -> None:
    with rig(tmp_path) as running:
        job = Job(running, expecting("complete: true"))
        report = job.run(GOOD.rstrip(), accept_file=True)
    note = "taken by --accept-file, though it is not what the mapping expects: sheet.csv is cut off: its last line does not end"
    assert (report.exit_code, report.counts["delivered"]) == (0, 3)
    assert note in report.notes
    assert note in job.told


def test_a_run_that_was_stopped_so_goes_on_only_where_somebody_takes_the_file(tmp_path: Path) -> None:
    with rig(tmp_path) as running:
        job = Job(running, expecting("complete: true"))
        stopped = job.run(GOOD.rstrip())
        again = etl.resume(stopped.id, config=running.config)
        taken = etl.resume(stopped.id, config=running.config, options=etl.Options(accept_file=True))
    assert [one.exit_code for one in (stopped, again, taken)] == [3, 3, 0]


def test_a_run_that_has_sent_something_is_not_stopped_when_it_goes_on(tmp_path: Path) -> None:
    with rig(tmp_path, faults=Faults([FaultRule("lost", person="b@example.com", count=1)])) as running:
        mapping = expecting("max_age: 1h").replace("    fields:", "    unknown: hold\n    fields:")
        first = Job(running, mapping).run(GOOD)
        os.utime(tmp_path / "sheet.csv", (1, 1))
        again = etl.retry(first.id, config=running.config, options=etl.Options(yes=True))
    assert (first.exit_code, again.stop, again.exit_code) == (1, None, 0)


@pytest.mark.parametrize(
    ("sheet", "told"),
    [
        (GOOD, ""),
        (GOOD.replace("\n", "\r\n"), ""),
        (GOOD + "\n\n", ""),
        (GOOD + "d@example.com\n", "its last row has 1 of 2 cells"),
        (GOOD + 'd@example.com;"two\nlines"\n', ""),
        (GOOD.rstrip(), "its last line does not end"),
        ("E-mail,Phone\na@example.com,1\nb@example.com,2\nc@exam", "its last line does not end"),
        ("E-mail\tPhone\na@example.com\t1\nb@example.com\t2\nc@exam\n", "its last row has 1 of 2 cells"),
    ],
    ids=["whole", "windows", "blank lines", "short row", "several lines", "no line end", "commas", "tabs"],
)  # fmt: skip
def test_a_text_file_that_was_cut_off_is_found(tmp_path: Path, sheet: str, told: str) -> None:
    with rig(tmp_path) as running:
        report = Job(running, expecting("complete: true")).run(sheet, etl.check)
    assert (report.stop.message.rpartition("cut off: ")[2] if report.stop else "") == told


def test_utf_16_has_line_ends_too(tmp_path: Path) -> None:
    with rig(tmp_path) as running:
        job = Job(running, expecting("complete: true"))
        for text, stops in ((GOOD, False), (GOOD.rstrip(), True)):
            (tmp_path / "wide.csv").write_bytes(b"\xff\xfe" + text.encode("utf-16-le"))
            report = etl.check(
                job.path, [tmp_path / "wide.csv"], options=etl.Options(out=tmp_path / "o", reports=("csv",))
            )
            assert (report.stop is not None) is stops


def test_a_last_row_may_be_asked_for(tmp_path: Path) -> None:
    with rig(tmp_path) as running:
        job = Job(running, expecting("complete: END", comment="END"))
        whole, cut = job.run(GOOD + "END;3\n", etl.check), job.run(GOOD, etl.check)
    assert (whole.exit_code, whole.counts["skipped"]) == (0, 1)
    assert cut.stop is not None
    assert cut.stop.message.endswith("the last row of sheet.csv does not begin with 'END'")


def test_a_file_that_is_still_written_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from etl import expected_files

    def write_on(_: float) -> None:
        with (tmp_path / "sheet.csv").open("a", encoding="utf-8") as file:
            file.write("d@example.com;4\n")

    monkeypatch.setattr(expected_files.time, "sleep", write_on)
    with rig(tmp_path) as running:
        report = Job(running, expecting("complete: true")).run(GOOD)
    assert report.stop is not None
    assert report.stop.message.endswith("sheet.csv is still being written")
    assert running.requests() == []
