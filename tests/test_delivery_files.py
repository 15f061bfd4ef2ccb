"""The file changes under a run, or the disk is full: nothing is sent that was not checked or cannot be written down."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import CONTACT, mapping_of, results_of, rig, write_csv

import etl
from etl.progress import Silent

ROWS = 4_500


def people(count: int, header: str = "E-mail;Phone") -> str:
    return header + "\n" + "".join(f"p{n}@example.com;\n" for n in range(count))


def delete(file: Path) -> None:
    file.unlink()


def truncate(file: Path) -> None:
    os.truncate(file, 30_005)


def empty(file: Path) -> None:
    os.truncate(file, 0)


def append(file: Path) -> None:
    with file.open("a") as stream:
        stream.write("new@example.com;\n")


def overwrite(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00\x01\x02" * 2_000)


def rename_column(file: Path) -> None:
    file.write_text(people(ROWS, "Mail;Phone"))


class Meddler(Silent):
    """Changes the file once, when a stage begins or when the first rows of it were delivered."""

    def __init__(self, file, change, when):
        self.file, self.change, self.when, self.stage = file, change, when, ""

    def meddle(self, when):
        if when == self.when:
            self.when = None
            self.change(self.file)

    def begin(self, stage, total):
        self.stage = stage

    def advance(self, rows, counts):
        self.meddle("checking" if self.stage == "checking" else "sending" if counts.get("delivered") else "")

    def end(self):
        self.meddle("between" if self.stage == "checking" else "")


CHANGES = [delete, truncate, empty, append, overwrite, rename_column]


@pytest.mark.parametrize("when", ["checking", "between", "sending"])
@pytest.mark.parametrize("change", CHANGES, ids=[change.__name__ for change in CHANGES])
def test_a_file_that_changes_stops_the_run_and_what_is_known_is_accounted_for(tmp_path, change, when):
    file = write_csv(tmp_path / "s.csv", people(ROWS))
    with rig(tmp_path) as server:
        report = server.run(CONTACT, file, progress=Meddler(file, change, when), rows_per_chunk=750)
    assert (report.exit_code, report.stop.code) == (3, "file-changed")
    lines = results_of(report)
    assert len(lines) == sum(report.counts.values()) == report.rows
    assert report.counts.get("delivered", 0) == len(server.requests())
    assert (report.counts.get("delivered", 0) > 0) == (when == "sending")
    assert sorted(path.name for path in report.out.iterdir()) == ["issues.csv", "results.csv", "summary.json"]
    if report.rows < ROWS and when != "checking":
        assert any(f"{ROWS - report.rows:,} row" in note for note in report.notes)


def test_a_second_file_that_vanishes_while_the_first_is_sent_stops_the_run(tmp_path):
    first = write_csv(tmp_path / "one.csv", people(3_000))
    second = write_csv(tmp_path / "two.csv", people(10, "E-mail;Phone"))
    with rig(tmp_path) as server:
        report = etl.run(
            mapping_of(CONTACT, tmp_path), [first, second], target="test", config=server.config,
            options=etl.Options(out=tmp_path / "out", progress=Meddler(second, delete, "sending")),
        )  # fmt: skip
    assert (report.exit_code, report.stop.code) == (3, "file-changed")
    assert report.notes == ("10 rows that were checked could not be read again; not sent, and not in results.csv",)
    assert len(results_of(report)) == 3_000


LIMITED = """\
import pathlib, resource, sys
import etl
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[5]),) * 2)
try:
    report = etl.run(sys.argv[1], [sys.argv[2]], target="test", config=sys.argv[3],
                     options=etl.Options(out=pathlib.Path(sys.argv[4])))
    print(report.exit_code, report.counts)
except etl.EtlError as error:
    print(type(error).__name__, error.exit_code, error)
"""


def run_with_little_room(tmp_path, config, sheet, limit):
    (tmp_path / "m.yaml").write_text(CONTACT)
    arguments = [tmp_path / "m.yaml", write_csv(tmp_path / "s.csv", sheet), config, tmp_path / "out", limit]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *map(str, arguments)], capture_output=True, text=True, timeout=100, check=True
    )
    return done.stdout


def test_a_disk_that_is_full_before_anything_is_sent_is_said_and_nothing_is_sent(tmp_path):
    with rig(tmp_path) as server:
        told = run_with_little_room(tmp_path, server.config, people(100) + "bad@@;\n" * 6_000, 300_000)
    assert told.startswith("SettingsError 2")
    assert "the reports cannot be written: File too large" in told
    assert server.requests() == []
    assert not list((tmp_path / "out").glob(".work-*"))


def test_a_disk_that_fills_up_while_sending_ends_the_run_and_nothing_is_sent_that_cannot_be_recorded(tmp_path):
    with rig(tmp_path, target="concurrency = 8") as server:
        told = run_with_little_room(tmp_path, server.config, people(3_000), 200_000)
    sent = {sha for _, _, _, sha, _ in server.requests()}
    assert told.startswith("GuardError 3")
    assert f"nothing more was sent ({len(sent):,} delivered, {3_000 - len(sent):,} not sent)" in told
    text = (tmp_path / "out" / "results.csv").read_bytes()
    whole = list(csv.DictReader(text[: text.rfind(b"\n") + 1].decode().splitlines()))
    recorded = {line["payload_sha256"] for line in whole if line["status"] == "delivered"}
    # What was in flight on eight connections when the disk was full, no more; and each is named.
    assert recorded <= sent
    assert len(sent - recorded) <= 16
    assert bool(sent - recorded) == ("perhaps not in results.csv: row" in told)
    assert not (tmp_path / "out" / "results.csv.ordered").exists()
