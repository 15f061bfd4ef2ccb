"""Every gate for bad input that concerns reading, and the test that shows it. A name without a file stands in this one.

    B1   test_what_would_harm_is_refused_at_once_and_nothing_is_sent, sources/test_workbook_gates.py::test_what_would_harm_is_refused_within_a_second_and_200_mb, sources/test_archives.py::test_a_bomb_is_refused_within_a_second_and_200_mb
    B2   test_what_would_harm_is_refused_at_once_and_nothing_is_sent, test_ghosts_cost_nothing_and_hide_no_row, sources/test_workbook_gates.py::test_a_cell_in_the_last_row_costs_no_more_than_the_data, sources/test_workbook_gates.py::test_a_million_blank_styled_rows_cost_no_more_than_the_data, sources/test_workbook_process.py::test_an_abort_of_the_reader_is_one_refusal
    B3   test_what_would_harm_is_refused_at_once_and_nothing_is_sent, sources/test_workbook_scan.py::test_a_document_type_is_refused, sources/test_ods_scan.py::test_a_document_type_is_refused, sources/test_xlsb_scan.py::test_a_document_type_is_refused
    B4   test_macros_and_links_of_a_workbook_are_not_run_and_its_cells_are_read
    B5   test_what_would_harm_is_refused_at_once_and_nothing_is_sent, sources/test_kinds.py::test_a_protected_workbook_is_told_from_an_old_one, sources/test_ods_scan.py::test_a_protected_workbook_says_so, sources/test_xls_scan.py::test_a_protected_workbook_says_so
    B6   sources/test_kinds.py::test_a_workbook_is_known_by_its_content, sources/test_kinds.py::test_the_name_of_a_file_says_nothing
    B7   test_a_file_that_is_no_table_is_refused, sources/test_kinds.py::test_what_is_no_table_is_called_by_its_true_name
    B8   test_a_file_that_is_no_table_is_refused, sources/test_kinds.py::test_what_is_no_table_is_called_by_its_true_name
    B9   test_a_file_that_is_no_table_is_refused, test_a_bad_cell_is_an_issue_of_its_row, sources/test_encoding.py::test_a_nul_is_a_fault_of_its_row_and_goes
    B10  test_text_arrives_as_it_stands, sources/test_encoding.py::test_the_encoding_is_found_by_the_text
    B11  test_text_arrives_as_it_stands, sources/test_encoding.py::test_a_byte_order_mark_never_becomes_part_of_the_header
    B12  test_a_file_that_is_no_table_is_refused, sources/test_encoding.py::test_two_encodings_in_one_file_are_refused_with_the_line
    B13  test_text_arrives_as_it_stands, sources/test_csv_file.py::test_rows_carry_the_line_on_which_their_record_starts
    B14  test_a_bad_cell_is_an_issue_of_its_row, sources/test_csv_file.py::test_a_short_row_and_a_long_one_do_not_make_up_for_each_other
    B15  test_a_file_that_is_no_table_is_refused, sources/test_csv_file.py::test_a_quote_that_is_never_closed_is_named_with_its_line, sources/test_csv_file.py::test_a_cell_beyond_a_million_characters_is_named_with_its_line
    B16  test_text_arrives_as_it_stands, sources/test_dialect.py::test_the_delimiter_is_the_sign_on_which_the_records_agree
    B17  test_a_file_that_is_no_table_is_refused, test_a_bad_cell_is_an_issue_of_its_row, test_a_header_alone_is_no_row, sources/test_totals.py::test_a_total_is_a_fault_of_its_row
    B18  test_a_file_that_is_no_table_is_refused, test_text_arrives_as_it_stands, sources/test_csv_file.py::test_title_lines_above_the_header_are_passed_over
    B19  test_a_bad_cell_is_an_issue_of_its_row, test_damage_cells.py::test_what_is_told_of_a_text_that_was_cut, test_damage_columns.py::test_a_file_that_ends_where_a_sheet_ends_was_probably_cut
    B20  test_a_formula_without_a_result_and_an_error_are_issues_of_their_rows
    B21  test_a_formula_without_a_result_and_an_error_are_issues_of_their_rows, sources/test_excel_file.py::test_error_cells_are_faults_not_blanks
    B22  sources/test_excel_file.py::test_dates_of_the_1904_calendar_are_right, sources/test_serial_dates.py::test_a_serial_is_the_day_that_excel_shows, test_damage_columns.py::test_day_numbers_among_dates
    B23  test_proof.py::test_a_column_in_one_order_is_never_read_in_the_other
    B24  test_text_arrives_as_it_stands, test_damage_cells.py::test_a_shortened_number_is_an_error_of_its_own, test_damage_columns.py::test_numbers_whose_digits_end_in_zeros_after_the_15th
    B25  test_text_arrives_as_it_stands, test_what_is_no_number_is_an_issue
    B26  test_what_is_no_number_is_an_issue
    B27  test_text_arrives_as_it_stands, test_a_bad_cell_is_an_issue_of_its_row
    B28  test_text_arrives_as_it_stands
    B29  test_a_bad_cell_is_an_issue_of_its_row, test_text_arrives_as_it_stands, sources/test_json_lines.py::test_half_a_character_and_a_nul_are_faults_of_the_row
    B37  test_what_would_harm_is_refused_at_once_and_nothing_is_sent, test_an_odd_name_is_one_refusal, sources/test_archives.py::test_a_name_that_leads_out_of_the_archive_is_refused
    B39  test_a_private_address_is_never_contacted, sources/test_remote.py::test_a_redirect_is_checked_before_it_is_followed

B30 to B33 are rules for addresses (schemas/), B34 to B36 for reports (reports/), B40, B43 to B46 for sending.
B38 waits for the web page; B41: mapping/; B42: no template language is read.
"""

from __future__ import annotations

import ast
import functools
import re
import socket
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import hostile_files as files
import pytest
from hostile_files import put, rows_from, sparse, xlsx
from hostile_runs import command_on, is_untouched, run_on
from sources.binary_books import ole
from support import CONTACT, mapping_of

import etl
from etl.__main__ import main
from etl.errors import SourceError

HERE = Path(__file__).parent
MAPPING = CONTACT + "      contact.name: Name\n"
AMOUNT = """\
version: 1
name: test
records:
  - action: event.create
    fields:
      email: E-mail
      contactExtEventType: {value: PURCHASE}
      value: {column: Name, transform: [number]}
"""
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is counted as Linux does")


@pytest.fixture
def endpoint() -> Iterator[socket.socket]:
    """Listen where the target says that the endpoint is."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@functools.cache
def cpu_of_start_up(folder: Path) -> float:
    """What it costs to find that a file is not there: the processor's seconds of everything but the file."""
    return run_on(folder, "missing.csv", 9).cpu_seconds


HOSTILE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "B1-bomb by ratio": (files.bomb_by_ratio, "workbook-limits"),
    "B1-bomb by claimed size": (files.bomb_by_claim, "workbook-limits"),
    "B1-bomb that lies": (files.bomb_that_lies, "workbook-limits"),
    "B1-cell of 240 MB": (files.huge_cell, "workbook-limits"),
    "B1-cell of 60 MB within the ratio": (files.dense_cell, "workbook-limits"),
    "B1-cell of 60 MB in pieces": (functools.partial(files.dense_cell, pieces=30), "workbook-limits"),
    "B1-shared text of 60 MB": (files.dense_shared_text, "workbook-limits"),
    "B1-shared text of 60 MB in pieces": (functools.partial(files.dense_shared_text, pieces=30), "workbook-limits"),
    "B1-cell of 60 MB of an ods": (files.dense_ods, "workbook-limits"),
    "B1-cell of 60 MB of an ods in pieces": (functools.partial(files.dense_ods, pieces=30), "workbook-limits"),
    "B1-value of 240 MB of a Parquet file": (files.huge_parquet, "parquet-too-large"),
    "B1-gz bomb": (files.gzip_bomb, "archive-bomb"),
    "B1-zst bomb": (files.zstd_bomb, "archive-bomb"),
    "B1-zip bomb": (files.zip_bomb, "archive-bomb"),
    "B1-zip bomb that lies": (lambda folder: files.zip_bomb(folder, claims=1_000), "archive-damaged"),
    "B1-zip in a zip": (
        lambda folder: files.zip_of(folder, "inner.zip", files.zip_of(folder, "a.csv").read_bytes()),
        "archive-nested",
    ),
    "B2-a million columns": (lambda folder: xlsx(folder, sparse("BDWGN2")), "workbook-limits"),
    "B2-far corner": (lambda folder: xlsx(folder, sparse("XFD1048576")), "workbook-limits"),
    "B2-far corner within the columns": (lambda folder: xlsx(folder, sparse("ALL1048576")), "workbook-limits"),
    "B2-row beyond the last": (lambda folder: xlsx(folder, sparse("A1048577")), "workbook-limits"),
    "B2-ods of repeated cells": (files.ods_of_repeated_cells, "workbook-limits"),
    "B2-xlsb far apart": (files.xlsb_far_apart, "workbook-limits"),
    "B2-xls that claims rows": (files.xls_that_claims, "workbook-limits"),
    **{
        f"B3-{what} in {part}": (functools.partial(files.entities, part=part, declared=declared), "workbook-limits")
        for part in (files.SHEET, files.STRINGS, files.WORKBOOK)
        for what, declared in {"laughs": files.LAUGHS, "external": files.EXTERNAL}.items()
    },
    "B5-encrypted workbook": (
        lambda folder: put(folder / "book.xlsx", ole(b"", "EncryptedPackage")),
        "workbook-encrypted",
    ),
    "B5-xls with a password": (files.xls_with_a_password, "workbook-encrypted"),
    "B37-member above": (lambda folder: files.zip_of(folder, "../../may.csv"), "archive-member"),
    "B37-member from the root": (lambda folder: files.zip_of(folder, "/etc/may.csv"), "archive-member"),
    "B37-member of a drive": (lambda folder: files.zip_of(folder, "C:\\may.csv"), "archive-member"),
    "B37-member that is a link": (files.zip_of_a_link, "archive-member"),
    "B37-symbolic link": (lambda folder: files.link(folder, "mapping.yaml"), "not-a-file"),
    "B37-link to a device": (lambda folder: files.link(folder, "/dev/zero"), "not-a-file"),
    "B37-device": (lambda folder: Path("/dev/zero"), "not-a-file"),
    "B37-pipe": (files.pipe, "not-a-file"),
    "B37-folder": (lambda folder: folder, "not-a-file"),
}


WEIGHED = {
    "B1-bomb by ratio", "B1-value of 240 MB of a Parquet file", "B1-gz bomb", "B1-cell of 60 MB in pieces",
    "B2-far corner", f"B3-laughs in {files.SHEET}",
}  # fmt: skip
"""One of each kind is weighed, in a process of its own; `make soak` weighs them all."""


@pytest.mark.parametrize(("build", "code"), HOSTILE.values(), ids=HOSTILE)
def test_what_would_harm_is_refused_at_once_and_nothing_is_sent(
    tmp_path: Path,
    endpoint: socket.socket,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    build: Callable[[Path], Path],
    code: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    exit_code = main(command_on(tmp_path, build(tmp_path), endpoint.getsockname()[1]))
    said = "".join(capsys.readouterr())

    assert exit_code == 2
    assert re.findall(r"\[([a-z-]+)\]\n", said) == [code]
    assert "Traceback" not in said
    assert len(said.splitlines()) <= 2
    assert is_untouched(endpoint)
    assert not (tmp_path / "out").exists()


@on_linux
@pytest.mark.parametrize(
    ("build", "code"),
    [pytest.param(*case, id=name, marks=() if name in WEIGHED else pytest.mark.soak) for name, case in HOSTILE.items()],
)
def test_what_would_harm_is_refused_within_a_second_and_200_mb(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    endpoint: socket.socket,
    build: Callable[[Path], Path],
    code: str,
) -> None:
    outcome = run_on(tmp_path, build(tmp_path), endpoint.getsockname()[1])

    assert outcome.code == 2
    assert re.findall(r"\[([a-z-]+)\]\n", outcome.said) == [code]
    assert "Traceback" not in outcome.said
    assert is_untouched(endpoint)
    assert outcome.reports == ()
    assert outcome.peak_mb < 200
    # A second, and as much again as start-up varies where several processes share the processor.
    assert outcome.cpu_seconds < 1.5 * cpu_of_start_up(tmp_path_factory.getbasetemp()) + 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"])
def test_a_private_address_is_never_contacted(tmp_path: Path, endpoint: socket.socket, host: str) -> None:
    with pytest.raises(SourceError) as caught:
        etl.check(mapping_of(CONTACT, tmp_path), [f"https://{host}:{endpoint.getsockname()[1]}/may.csv"])

    assert caught.value.code == "address-private"
    assert is_untouched(endpoint)


def test_the_address_of_a_clouds_secrets_is_refused_before_a_socket_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda *given: made.append(given))
    with pytest.raises(SourceError) as caught:
        etl.check(mapping_of(CONTACT, tmp_path), ["https://169.254.169.254/latest/meta-data"])

    assert caught.value.code == "address-private"
    assert made == []


def blank_styled(folder: Path) -> Path:
    """A million rows of a blank styled cell below the data."""
    return xlsx(folder, rows_from(2, 3) + rows_from(4, 1_000_000, '<c r="A{0}" s="0"/>'))


GHOSTS: dict[str, tuple[Callable[[Path], Path], list[int]]] = {
    "B2-ghost in the last row": (
        lambda folder: xlsx(folder, rows_from(2, 3) + rows_from(1_048_576, 1_048_576)),
        [2, 3, 1_048_576],
    ),
    "B2-a million blank styled rows": (blank_styled, [2, 3]),
    "B2-dimension that says too little": (
        lambda folder: xlsx(folder, rows_from(2, 3), more='<dimension ref="A1"/>'),
        [2, 3],
    ),
    "B2-dimension that says too much": (
        lambda folder: xlsx(folder, rows_from(2, 3), more='<dimension ref="A1:XFD1048576"/>'),
        [2, 3],
    ),
}


@pytest.mark.parametrize(("build", "rows"), GHOSTS.values(), ids=GHOSTS)
def test_ghosts_cost_nothing_and_hide_no_row(tmp_path: Path, build: Callable[[Path], Path], rows: list[int]) -> None:
    found = etl.preview(mapping_of(CONTACT, tmp_path), build(tmp_path), limit=10)

    assert [(one.row, one.key) for one in found if one.status == "planned"] == [
        (row, f"a{row}@example.com") for row in rows
    ]


def test_macros_and_links_of_a_workbook_are_not_run_and_its_cells_are_read(tmp_path: Path) -> None:
    path = xlsx(tmp_path, rows_from(2, 2))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", ole(b"", "VBA"))
        archive.writestr("xl/embeddings/oleObject1.bin", ole(b"", "Package"))
        archive.writestr("xl/externalLinks/externalLink1.xml", "<externalLink/>")

    found = etl.preview(mapping_of(CONTACT, tmp_path), path.rename(tmp_path / "book.xlsm"))

    assert [one.key for one in found] == ["a2@example.com"]


def test_a_formula_without_a_result_and_an_error_are_issues_of_their_rows(tmp_path: Path) -> None:
    rows = '<row r="2"><c r="A2"><f>B2</f></c></row><row r="3"><c r="A3" t="e"><v>#N/A</v></c></row>'

    assert issues(tmp_path, xlsx(tmp_path, rows), CONTACT) == {(2, "formula-without-value"), (3, "error-cell")}


NO_TABLES = {
    "B7-web page named .xls": (b"<html><body><table><tr><td>E-mail</td></tr></table></body></html>", "format-unknown"),
    "B7-web archive": (b"MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n", "format-unknown"),
    "B7-XML of Excel 2003": (b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>', "format-unknown"),
    "B8-PDF": (b"%PDF-1.7\n", "format-unknown"),
    "B9-NUL bytes throughout": (b"E-mail;Name\n" + bytes(500), "nul-character"),
    "B12-UTF-8, then CP1250": (
        "E-mail;Name\na@example.com;Łódź Gdańsk\n".encode() + b"b@example.com;Krak\xf3w\n",
        "encoding-mixed",
    ),
    "B12-UTF-8 once, then much CP1250": (
        "E-mail;Name\na@example.com;Łucja\n".encode() + b"b@example.com;\xa3ucja\n" * 3,
        "encoding",
    ),
    "B15-quote never closed": (b'E-mail;Name\na@example.com;"A\nb@example.com;B\n', "quote-unclosed"),
    "B15-cell of two million characters": (
        b'E-mail;Name\na@example.com;"' + b"x\n" * (1 << 20) + b'"\n',
        "quote-unclosed",
    ),
    "B17-no bytes": (b"", "file-empty"),
    "B17-blank lines alone": (b"\n\n\n", "file-empty"),
    "B18-column that occurs twice": (b"E-mail;E-mail;Name\na@example.com;b@example.com;A\n", "mapping"),
}


@pytest.mark.parametrize(("content", "code"), NO_TABLES.values(), ids=NO_TABLES)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    with pytest.raises(etl.EtlError) as caught:
        check(tmp_path, put(tmp_path / "table.xls", content))

    assert caught.value.code == code
    assert caught.value.exit_code == 2
    assert not (tmp_path / "out").exists()


TEXTS = {
    "B10-UTF-16 without a mark": ("E-mail;Name\na@example.com;Łucja\n".encode("utf-16-le"), 2, "Łucja"),
    "B10-UTF-16 with a mark": ("\ufeffE-mail;Name\na@example.com;Łucja\n".encode("utf-16-be"), 2, "Łucja"),
    "B10-UTF-32": ("E-mail;Name\na@example.com;Łucja\n".encode("utf-32"), 2, "Łucja"),
    "B11-UTF-8 with a mark": ("\ufeffE-mail;Name\na@example.com;Łucja\n".encode(), 2, "Łucja"),
    "B13-line break in a cell": (b'E-mail;Name\n\n"a@example.com";"A\nB"\n', 3, "A\nB"),
    "B16-sep line": (b"sep=;\nE-mail;Name\na@example.com;A, B\n", 3, "A, B"),
    "B16-pipes": (b"E-mail|Name\na@example.com|A, B; C\n", 2, "A, B; C"),
    "B18-header in other letters": ("E-MAIL\u00a0;  name\na@example.com;A\n".encode(), 2, "A"),
    "B18-column that is not used twice": (b"E-mail;X;X;;Name\na@example.com;1;2;3;A\n", 2, "A"),
    "B24-twenty digits": (b"E-mail;Name\na@example.com;12345678901234567890\n", 2, "12345678901234567890"),
    "B24-leading zeros": (b"E-mail;Name\na@example.com;00123\n", 2, "00123"),
    "B25-1E5": (b"E-mail;Name\na@example.com;1E5\n", 2, "1E5"),
    "B25-2-3": (b"E-mail;Name\na@example.com;2-3\n", 2, "2-3"),
    "B27-NBSP at the edge": ("E-mail;Name\na@example.com;\u00a0A\u200b\n".encode(), 2, "A"),
    "B28-NA": (b"E-mail;Name\na@example.com;NA\n", 2, "NA"),
    "B28-null": (b"E-mail;Name\na@example.com;null\n", 2, "null"),
    "B28-None": (b"E-mail;Name\na@example.com;None\n", 2, "None"),
    "B28-nan": (b"E-mail;Name\na@example.com;nan\n", 2, "nan"),
    "B29-emoji": ("E-mail;Name\na@example.com;A 👩‍🚀\n".encode(), 2, "A 👩‍🚀"),
}


@pytest.mark.parametrize(("content", "row", "name"), TEXTS.values(), ids=TEXTS)
def test_text_arrives_as_it_stands(tmp_path: Path, content: bytes, row: int, name: str) -> None:
    mapping = MAPPING.replace("contact.name: Name", "contact.name: {column: Name, transform: [strip]}")
    found = etl.preview(mapping_of(mapping, tmp_path), put(tmp_path / "table.csv", content))

    assert [(one.row, one.key, one.payload["contact"]["name"]) for one in found if one.status == "planned"] == [
        (row, "a@example.com", name)
    ]


CELLS = {
    "B9-NUL in a cell": (
        b"E-mail;Name\n" + b"x@example.com;X\n" * 200 + b"a@example.com;A\0\n",
        {(202, "nul-character")},
    ),
    "B14-long and short": (
        b"E-mail;Name;X\na@example.com;A;1;2\nb@example.com;B\n",
        {(2, "ragged-row"), (3, "ragged-row")},
    ),
    "B17-total row": (b"E-mail;Name;X\na@example.com;A;1\nTotal;;1\n", {(3, "total-row")}),
    "B19-32,767 characters": (b"E-mail;Name\na@example.com;" + b"x" * 32_767 + b"\n", {(2, "text-cut")}),
    "B27-zero-width in an address": ("E-mail;Name\na\u200bb@example.com;A\n".encode(), {(2, "email-syntax")}),
    "B27-override in an address": ("E-mail;Name\na\u202eb@example.com;A\n".encode(), {(2, "email-syntax")}),
    "B29-half a character": (b'{"E-mail": "a@example.com", "Name": "\\ud800"}\n', {(1, "half-character")}),
}


@pytest.mark.parametrize(("content", "expected"), CELLS.values(), ids=CELLS)
def test_a_bad_cell_is_an_issue_of_its_row(tmp_path: Path, content: bytes, expected: set[tuple[int, str]]) -> None:
    assert issues(tmp_path, put(tmp_path / "table.csv", content), MAPPING) == expected


@pytest.mark.parametrize(
    "cell",
    ["1e5", "inf", "-Infinity", "NaN", "1_000", "0x10", "٣", "１２", "1.2.3"],
    ids=["B25-exponent", "B25-inf", "B25-infinity", "B25-nan", "B25-underscore", "B25-hex", "B26-Arabic", "B26-wide", "B25-two points"],
)  # fmt: skip
def test_what_is_no_number_is_an_issue(tmp_path: Path, cell: str) -> None:
    path = put(tmp_path / "table.csv", f"E-mail;Name\na@example.com;{cell}\n".encode())

    assert [row for row, _ in issues(tmp_path, path, AMOUNT)] == [2]


def test_a_header_alone_is_no_row(tmp_path: Path) -> None:
    assert check(tmp_path, put(tmp_path / "table.csv", b"E-mail;Name\n")).rows == 0


@pytest.mark.parametrize(
    ("name", "code"),
    [("a\0.csv", "file-unreadable"), (f"{'x' * 300}.csv", "file-unreadable"), ("CON.csv", "file-missing"),
     ("\udcff.csv", "file-missing"), ("../../../nowhere.csv", "file-missing")],
    ids=["B37-NUL", "B37-300 characters", "B37-device of Windows", "B37-no text", "B37-above"],
)  # fmt: skip
def test_an_odd_name_is_one_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError) as caught:
        check(tmp_path, Path(name))

    assert caught.value.code == code
    assert not (tmp_path / "out").exists()


def named() -> Iterator[tuple[str, str]]:
    """Yield (file, function) of each name in the table."""
    for line in re.findall(r"^    B[0-9]+ +(.*)$", __doc__ or "", re.MULTILINE):
        for name in line.split(", "):
            file, _, function = name.rpartition("::")
            yield file or Path(__file__).name, function


@pytest.mark.parametrize(("file", "function"), sorted(set(named())))
def test_every_test_of_the_table_exists(file: str, function: str) -> None:
    tree = ast.parse((HERE / file).read_text(encoding="utf-8"))

    assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)} | classes_of(tree)


def classes_of(tree: ast.Module) -> set[str]:
    return {node.name for node in tree.body if isinstance(node, ast.ClassDef)}


def test_the_table_holds_every_gate_of_reading() -> None:
    gates = [int(number) for number in re.findall(r"^    B([0-9]+) ", __doc__ or "", re.MULTILINE)]

    assert gates == [*range(1, 30), 37, 39]


def check(folder: Path, path: Path, mapping: str = MAPPING) -> etl.RunReport:
    """Check a file, with the reports in `out`."""
    return etl.check(mapping_of(mapping, folder), [path], options=etl.Options(out=folder / "out"))


def issues(folder: Path, path: Path, mapping: str) -> set[tuple[int, str]]:
    """Return (row, code) of every issue of a check."""
    found = check(folder, path, mapping).issues
    return set(zip(found["row"].tolist(), found["code"].tolist(), strict=True))
