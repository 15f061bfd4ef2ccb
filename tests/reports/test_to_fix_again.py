"""The way there and back: what is to mend goes to a person, is mended, is sent in, and these rows go."""

from __future__ import annotations

import json
import shutil
import subprocess

import openpyxl
import pytest
from fix_runs import (
    FIX,
    MAPPING,
    book,
    fix_of,
    handed_over,
    json_lines,
    mend_book,
    mend_text,
    mend_whole,
    ods_book,
    sent,
    text_file,
    told,
)
from support import mapping_of, rig, write_csv

import etl

FORMATS = [
    pytest.param(text_file("a.csv", ";", "cp1250", "\r\n", "Our contacts;;;\r\n"), "cp1250", id="csv-semicolon-cp1250"),
    pytest.param(text_file("a.csv", ",", "utf-8-sig", "\n"), "utf-8-sig", id="csv-comma-utf8-with-mark"),
    pytest.param(text_file("a.tsv", "\t", "utf-16", "\r\n"), "utf-16", id="tsv-utf16"),
    pytest.param(json_lines, "utf-8", id="json-lines"),
    pytest.param(book, "", id="xlsx"),
    pytest.param(ods_book, "", id="ods"),
]


def mend(path, encoding):
    if path.suffix == ".xlsx":
        mend_book(path)
    else:
        mend_text(path, encoding)


@pytest.mark.parametrize(("write", "encoding"), FORMATS)
def test_mended_and_sent_in_again_the_bad_rows_alone_go_and_arrive_as_had_they_been_right_at_once(
    tmp_path, write, encoding
):
    with rig(tmp_path / "a") as running:
        first = running.run(MAPPING, write(tmp_path), reports=FIX)
        path = handed_over(first, tmp_path / "mended")
        mend(path, encoding)
        second = running.run(MAPPING, path, reports=FIX)
    assert (first.counts, second.counts, second.made) == ({"delivered": 2, "invalid": 2}, {"delivered": 2}, ())
    with rig(tmp_path / "b") as right:
        whole = write(tmp_path)
        mend_whole(whole, encoding)
        assert right.run(MAPPING, whole, reports=FIX).counts == {"delivered": 4}
    assert sent(running) == sent(right)


@pytest.mark.parametrize(("write", "encoding"), FORMATS)
def test_sent_in_as_it_is_it_says_of_its_rows_what_was_said_before_and_makes_the_same_file(tmp_path, write, encoding):
    with rig(tmp_path) as running:
        first = running.check(MAPPING, write(tmp_path), reports=FIX)
        path = handed_over(first, tmp_path / "as-it-is")
        again = running.check(MAPPING, path, reports=FIX)
    assert told(again) == told(first) != []
    if path.suffix != ".xlsx":
        assert fix_of(again).read_bytes() == path.read_bytes()
    else:
        assert _cells(fix_of(again)) == _cells(path)


def _cells(path):
    made = openpyxl.load_workbook(path)
    return {
        sheet.title: [[(cell.value, cell.number_format) for cell in row] for row in sheet.iter_rows()] for sheet in made
    }


@pytest.mark.soak
@pytest.mark.parametrize("name", ["to_fix.csv", "to_fix.xlsx"])
def test_saved_again_by_a_spreadsheet_program_it_is_read_as_before(tmp_path, name):
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not installed")
    write = book if name.endswith("xlsx") else text_file("a.csv", ",", "utf-8", "\n")
    with rig(tmp_path) as running:
        first = running.check(MAPPING, write(tmp_path), reports=FIX)
        path = handed_over(first, tmp_path / "again")
        for kind in ("csv", "xlsx"):
            subprocess.run(
                ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", kind,
                 "--outdir", str(tmp_path / f"as-{kind}"), str(path)],
                check=True, capture_output=True, timeout=180,
            )  # fmt: skip
            again = running.check(MAPPING, tmp_path / f"as-{kind}" / f"to_fix.{kind}", reports=FIX)
            assert (again.counts, told(again)) == ({"invalid": 2}, told(first))


def test_several_sheets_of_a_workbook_come_back_in_one_workbook(tmp_path):
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, mail in (("North", "first"), ("South", "second")):
        sheet = made.create_sheet(name)
        for row in (("E-mail", "Name", "Phone", "Zip"), (f"x{name}@example.com", "A", "", ""), (mail, "B", "", "")):
            sheet.append(row)
    made.save(tmp_path / "all.xlsx")
    mapping = MAPPING.replace("records:", "source: {sheet: all}\nrecords:", 1)
    with rig(tmp_path) as running:
        first = running.run(mapping, tmp_path / "all.xlsx", reports=FIX)
        path = handed_over(first, tmp_path / "mended")
        mend_book(path)
        second = running.run(mapping, path, reports=FIX)
    assert openpyxl.load_workbook(path).sheetnames == ["North", "South"]
    assert (first.counts, second.counts) == ({"delivered": 2, "invalid": 2}, {"delivered": 2})


def test_each_of_several_files_comes_back_in_a_file_of_its_own(tmp_path):
    write_csv(tmp_path / "north.csv", "E-mail;Name;Phone;Zip\nfirst;A;;\n")
    write_csv(tmp_path / "good.csv", "E-mail;Name;Phone;Zip\ng@example.com;A;;\n")
    write_csv(tmp_path / "south.tsv", "E-mail\tName\tPhone\tZip\nsecond\tB\t\t\n")
    with rig(tmp_path) as running:
        files = [tmp_path / name for name in ("north.csv", "good.csv", "south.tsv")]
        options = etl.Options(out=tmp_path / "out", reports=FIX)
        mapping = mapping_of(MAPPING, tmp_path)
        first = etl.run(mapping, files, target="test", config=running.config, options=options)
        (tmp_path / "mended").mkdir()
        paths = [tmp_path / "mended" / path.name for path in first.made]
        for path, made in zip(paths, first.made, strict=True):
            path.write_bytes(made.read_bytes())
            mend_text(path)
        second = etl.run(mapping, paths, target="test", config=running.config, options=options)
    assert [path.name for path in paths] == ["to_fix-north.csv", "to_fix-south.tsv"]
    assert (first.counts, second.counts) == ({"delivered": 1, "invalid": 2}, {"delivered": 2})


def test_a_row_of_which_one_record_had_arrived_makes_no_event_twice(tmp_path):
    mapping = """\
version: 1
name: both
records:
  - action: contact.upsert
    fields: {contact.email: E-mail, contact.phone: {column: Phone, transform: [{phone: PL}]}}
  - action: event.create
    fields: {email: E-mail, externalId: Id, contactExtEventType: {value: PURCHASE}}
"""
    write_csv(tmp_path / "a.csv", "E-mail;Phone;Id\na@example.com;12;7\n")
    with rig(tmp_path) as running:
        first = running.run(mapping, tmp_path / "a.csv", reports=FIX)
        path = handed_over(first, tmp_path / "mended")
        path.write_bytes(path.read_bytes().replace(b";12;", b";601234567;"))
        second = running.run(mapping, path, reports=FIX)
    assert first.counts == {"delivered": 1, "invalid": 1}
    assert second.counts == {"delivered": 1, "unchanged": 1}
    events = [json.loads(body) for method, path, body, _, _ in running.requests() if path.endswith("/events")]
    assert len(events) == 1


def test_a_file_to_fix_is_no_full_export_so_that_nobody_is_deleted_for_being_missing(tmp_path):
    mapping = MAPPING.replace("    fields:\n", "    missing: delete\n    fields:\n", 1)
    write_csv(tmp_path / "a.csv", "E-mail;Name;Phone;Zip\na@example.com;A;;\nfirst;B;;\n")
    with rig(tmp_path, target='[journal]\nkeys = "plain"') as running:
        path = handed_over(running.run(mapping, tmp_path / "a.csv", reports=FIX, yes=True), tmp_path / "mended")
        mend_text(path)
        second = running.run(mapping, path, reports=FIX, yes=True)
    assert second.counts == {"delivered": 1}
    assert second.notes == ("nobody is deleted for being missing: the file holds rows to mend alone",)


def test_what_a_nights_file_must_be_is_not_asked_of_a_file_to_fix_nor_is_the_next_one_held_against_it(tmp_path):
    mapping = MAPPING.replace("records:", "source:\n  expect: {size: 30%, new: true}\nrecords:", 1)
    rows = "".join(f"p{n}@example.com;A;;\n" for n in range(9))
    night = write_csv(tmp_path / "a.csv", f"E-mail;Name;Phone;Zip\n{rows}first;B;;\n")
    with rig(tmp_path) as running:
        path = handed_over(running.run(mapping, night, reports=FIX), tmp_path / "mended")
        mend_text(path)
        mended = running.run(mapping, path, reports=FIX)
        write_csv(night, f"E-mail;Name;Phone;Zip\n{rows}second@example.com;B;;\n")
        after = running.run(mapping, night, reports=FIX)
    note = "the file holds rows to mend alone, so what the mapping expects of a file is not judged"
    assert (mended.counts, mended.notes) == ({"delivered": 1}, (note,))
    assert (after.stop, after.counts) == (None, {"delivered": 10})
