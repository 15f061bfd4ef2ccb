"""Ghosts are read in the time and memory of the data; what would exhaust the machine is refused at once and in little."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from binary_books import ole
from table_files import open_one, read, replace_part, rows_of, sheet_xml, workbook

needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
SHEET = "xl/worksheets/sheet1.xml"
PROGRAM = """
import json, resource, sys, time
from etl.errors import SourceError
from etl.sources import open_tables, take_in
from etl.sources.base import SourceOptions
code, rows, started = "", 0, time.perf_counter()
try:
    for file in take_in([sys.argv[1]]):
        for table in open_tables(file, SourceOptions(), 0):
            rows += sum(len(chunk.cells) for chunk in table.chunks(range(len(table.header))))
except SourceError as error:
    code = error.code
seconds = time.perf_counter() - started
# The peak that getrusage tells of a process includes that of its parent before exec.
own = [line for line in open("/proc/self/status") if line.startswith("VmHWM")][0].split()[1]
print(json.dumps([code, rows, seconds, max(int(own), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024]))
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    code: str
    rows: int
    seconds: float
    peak_mb: float


def outcome_of(path: Path) -> Outcome:
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(path)], capture_output=True, check=True)
    return Outcome(*json.loads(done.stdout))


def crafted(folder: Path, rows: str, *, level: int = 6) -> Path:
    return replace_part(workbook(folder, {"S": {"A1": "x"}}), SHEET, sheet_xml(rows), level=level)


def rows_from(first: int, last: int, cells: str = '<c r="A{0}"><v>{0}</v></c><c r="L{0}"><v>1</v></c>') -> str:
    return "".join(f'<row r="{row}">{cells.format(row)}</row>' for row in range(first, last + 1))


def bomb_by_ratio(folder: Path) -> Path:
    return crafted(folder, rows_from(1, 2) + " " * (300 << 20), level=9)


def bomb_by_size(folder: Path) -> Path:
    path = crafted(folder, rows_from(1, 2))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/media/picture.png", b"")
    content = path.read_bytes()
    place = content.rindex(b"PK\x01\x02")
    return _written(path, content[: place + 24] + (1 << 31).to_bytes(4, "little") + content[place + 28 :])


def cell_of_hundreds_of_megabytes(folder: Path) -> Path:
    return crafted(folder, f'<row r="1"><c r="A1" t="inlineStr"><is><t>{"ab" * (120 << 20)}</t></is></c></row>')


def a_million_columns(folder: Path) -> Path:
    return crafted(folder, '<row r="1"><c r="A1"><v>1</v></c><c r="BDWGN1"><v>1</v></c></row>')


def entity(folder: Path) -> Path:
    text = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet><sheetData><row r="1"/></sheetData></worksheet>'
    return replace_part(workbook(folder, {"S": {"A1": "x"}}), SHEET, text.encode())


def outside_its_folder(folder: Path) -> Path:
    path = workbook(folder, {"S": {"A1": "x"}})
    links = zipfile.ZipFile(path).read("xl/_rels/workbook.xml.rels")
    return replace_part(path, "xl/_rels/workbook.xml.rels", links.replace(b"/xl/worksheets", b"../../../../etc"))


def cut_in_half(folder: Path) -> Path:
    path = crafted(folder, rows_from(1, 5_000))
    return _written(path, path.read_bytes()[: path.stat().st_size // 2])


def encrypted(folder: Path) -> Path:
    return _written(folder / "book.xlsx", ole(b"", "EncryptedPackage"))


def encrypted_part(folder: Path) -> Path:
    path = crafted(folder, rows_from(1, 5))
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\x01\x02")
    content[place + 8] |= 1
    return _written(path, bytes(content))


def device(folder: Path) -> Path:
    path = folder / "book.xlsx"
    path.symlink_to("/dev/zero")
    return path


def pipe(folder: Path) -> Path:
    path = folder / "book.xlsx"
    os.mkfifo(path)
    return path


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("build", "code"),
    [
        (bomb_by_ratio, "workbook-limits"),
        (bomb_by_size, "workbook-limits"),
        (cell_of_hundreds_of_megabytes, "workbook-limits"),
        (a_million_columns, "workbook-limits"),
        (entity, "workbook-limits"),
        (outside_its_folder, "workbook-damaged"),
        (cut_in_half, "workbook-damaged"),
        (encrypted, "workbook-encrypted"),
        (encrypted_part, "workbook-limits"),
        (device, "not-a-file"),
        (pipe, "not-a-file"),
    ],
    ids=lambda one: one.__name__ if callable(one) else one,
)
@needs_proc
def test_what_would_harm_is_refused_within_a_second_and_200_mb(
    tmp_path: Path, build: Callable[[Path], Path], code: str
) -> None:
    outcome = outcome_of(build(tmp_path))

    assert outcome.code == code
    assert outcome.seconds < 1
    assert outcome.peak_mb < 200


@needs_proc
def test_a_cell_in_the_last_row_costs_no_more_than_the_data(tmp_path: Path) -> None:
    path = crafted(tmp_path, rows_from(1, 100) + rows_from(1_048_576, 1_048_576))
    outcome = outcome_of(path)

    assert (outcome.code, outcome.rows) == ("", 100)
    assert outcome.seconds < 2
    assert outcome.peak_mb < 200


def test_no_row_after_a_gap_is_lost(tmp_path: Path) -> None:
    path = crafted(tmp_path, rows_from(1, 3) + rows_from(400_000, 400_001) + rows_from(1_048_576, 1_048_576))
    table = open_one(path, header_row=1)
    rows = rows_of(read(table))

    assert list(rows) == [2, 3, 400_000, 400_001, 1_048_576]
    assert [cells[0] for cells in rows.values()] == ["2", "3", "400000", "400001", "1048576"]
    assert table.spanned_rows == 1_048_576 - 1 - 5


def test_rows_beyond_a_gap_are_limited_skipped_and_cut_as_any_other(tmp_path: Path) -> None:
    path = crafted(tmp_path, rows_from(1, 3) + rows_from(1_048_000, 1_048_010))

    assert list(rows_of(read(open_one(path, header_row=1), limit=3))) == [2, 3, 1_048_000]
    assert list(rows_of(read(open_one(path, header_row=1_048_008), rows_per_chunk=1))) == [1_048_009, 1_048_010]


@needs_proc
def test_a_million_blank_styled_rows_cost_no_more_than_the_data(tmp_path: Path) -> None:
    blank = rows_from(101, 1_000_000, '<c r="A{0}" s="0"/>')
    path = crafted(tmp_path, rows_from(1, 100) + blank)
    outcome = outcome_of(path)

    assert (outcome.code, outcome.rows) == ("", 99)
    assert outcome.seconds < 10
    assert outcome.peak_mb < 200


@pytest.mark.parametrize("reference", ["A1", "A1:XFD1048576", "ZZ9:A1"])
def test_a_wrong_dimension_changes_nothing(tmp_path: Path, reference: str) -> None:
    sheet = sheet_xml(rows_from(1, 3)).replace(b"<sheetData>", f'<dimension ref="{reference}"/><sheetData>'.encode())
    path = replace_part(workbook(tmp_path, {"S": {"A1": "x"}}), SHEET, sheet)

    assert list(rows_of(read(open_one(path, header_row=1)))) == [2, 3]
