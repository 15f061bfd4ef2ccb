"""to_fix: which rows are in it, and how it is written."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fault_runs import NO_WAIT
from fault_server import FaultServer, reply
from fix_runs import FIX, MAPPING, book, fix_of, handed_over, told
from support import mapping_of, rig, write_csv

import etl
from etl.errors import SourceError
from etl.inspection import inspect_files
from etl.job import open_job
from etl.mapping.usual_names import usual_names_score
from etl.own_tables import own_tables
from etl.reports.material import Interrupted, Material
from etl.reports.to_fix import write
from etl.sent_back import REASON_COLUMN
from etl.sources import open_tables, take_in
from etl.sources.base import SourceOptions
from etl.sources.copies import copy_rows
from etl.view import View

BAD = "E-mail: 'bad' is not an e-mail address: an email address must have an @-sign. Correct the address."
ONE = """\
version: 1
name: one
records:
  - action: contact.upsert
    fields: {contact.email: E-mail}
"""


def copied(tmp_path, text, reasons, mapping=MAPPING, name="a.csv", encoding="utf-8", **options):
    """Return the text of a copy, and the table that it is read as."""
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    chosen = SourceOptions(header_score=usual_names_score(), **options)
    (file,) = take_in([path])
    (table,) = open_tables(file, chosen, 0)
    target = tmp_path / f"fix-{name}"
    copy_rows(table, target, reasons, chosen)
    (again,) = take_in([target])
    return target.read_bytes(), open_tables(again, chosen, 0)[0], table


def cells_of(table):
    return [
        list(row) for chunk in table.chunks(range(len(table.header))) for row in chunk.cells.itertuples(index=False)
    ]


def faults_of(table):
    return [(one.code, one.detail, one.value) for chunk in table.chunks((0,)) for one in chunk.faults]


def test_a_row_of_which_every_record_is_fine_is_not_in_it_and_the_others_are_as_they_stand(tmp_path):
    write_csv(tmp_path / "a.csv", 'E-mail;Name;Phone;Zip\na@example.com;A;;\n"bad";"Zoë ""Z""";+48601234567;00-950\n')
    with rig(tmp_path) as running:
        report = running.check(MAPPING, tmp_path / "a.csv", reports=FIX)
    assert fix_of(report).read_bytes().decode() == (
        f'{REASON_COLUMN};E-mail;Name;Phone;Zip\n"{BAD}";"bad";"Zoë ""Z""";\'+48601234567;00-950\n'
    )


def test_a_rejected_row_has_the_endpoints_word_for_it(tmp_path):
    with FaultServer(lambda _: reply(422, {"success": False, "message": ["no such company"]})) as server:
        config = tmp_path / "etl.toml"
        config.write_text(f'[targets.test]\nurl = "{server.url}"\nrate = 10000\nretries = 0\n')
        options = etl.Options(out=tmp_path / "out", timing=NO_WAIT, canary=0, reports=FIX)
        report = etl.run(
            mapping_of(ONE, tmp_path), [write_csv(tmp_path / "a.csv", "E-mail;Name\na@example.com;A\n")],
            target="test", config=config, options=options,
        )  # fmt: skip
    assert report.counts == {"rejected": 1}
    reason = "The endpoint refused it (HTTP 422): no such company. Mend the row, and send it again."
    assert fix_of(report).read_text().splitlines()[1:] == [f'"{reason}";a@example.com;A']


@pytest.mark.parametrize("view", [View.PSEUDONYMOUS, View.AGGREGATE])
def test_where_values_are_masked_there_is_no_file_since_masks_would_be_sent(tmp_path, view):
    write_csv(tmp_path / "a.csv", "E-mail;Name;Phone;Zip\nbad;A;;\n")
    with rig(tmp_path) as running:
        report = running.check(MAPPING, tmp_path / "a.csv", reports=FIX, view=view)
    assert not list(report.out.glob("to_fix*"))


def test_where_no_row_is_to_be_mended_there_is_no_file(tmp_path):
    write_csv(tmp_path / "a.csv", "E-mail;Name;Phone;Zip\na@example.com;A;;\n")
    with rig(tmp_path) as running:
        assert running.check(MAPPING, tmp_path / "a.csv", reports=FIX).made == ()


def test_with_a_limit_it_holds_no_row_that_was_not_read(tmp_path):
    rows = "E-mail;Name;Phone;Zip\nbad;A;;\n"
    paths = [write_csv(tmp_path / name, rows + "bad;B;;\n") for name in ("a.csv", "b.csv")]
    with rig(tmp_path) as running:
        options = etl.Options(out=tmp_path / "out", reports=FIX, limit=3)
        mapping = mapping_of(MAPPING, tmp_path)
        report = etl.check(mapping, paths, target="test", config=running.config, options=options)
    assert [len(path.read_text().splitlines()) for path in report.made] == [3, 2]


def test_a_workbook_keeps_title_types_number_formats_and_widths(tmp_path):
    with rig(tmp_path) as running:
        report = running.check(MAPPING, book(tmp_path), reports=FIX)
    sheet = openpyxl.load_workbook(fix_of(report))["Contacts"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0] == [None, "Our contacts", None, None, None, None, None]
    assert rows[2] == [REASON_COLUMN, "E-mail", "Name", "Phone", "Zip", "Born", "Total"]
    assert [row[1:4] for row in rows[3:]] == [["first", "=Jan", "+48601234562"], ["second", "-Zoë, ż", "+48601234564"]]
    assert [(cell.value, cell.number_format) for cell in sheet[4][4:]] == [
        (950, "00000"), (sheet["F4"].value, "dd.mm.yyyy"), (1234.5, "#,##0.00"),
    ]  # fmt: skip
    assert f"{sheet['F4'].value:%Y-%m-%d}" == "1990-01-05"
    assert {cell.data_type for row in sheet.iter_rows(min_col=2, max_col=4) for cell in row} <= {"s", "n"}
    assert sheet.column_dimensions["B"].width == pytest.approx(31.5, abs=0.1)


def test_json_lines_keep_their_objects_with_the_reason_as_first_key(tmp_path):
    line = '{"E-mail": "bad", "Name": "=Z", "Phone": null, "Zip": 1.50, "more": {"a": [1]}}'
    (tmp_path / "a.jsonl").write_text(f"{line}\n")
    with rig(tmp_path) as running:
        first = running.check(MAPPING, tmp_path / "a.jsonl", reports=FIX)
        path = handed_over(first, tmp_path / "again")
        again = running.check(MAPPING, path, reports=FIX)
    assert path.read_text() == f"{{{json.dumps(REASON_COLUMN)}: {json.dumps(BAD)}, {line[1:]}\n"
    assert fix_of(again).read_text() == path.read_text()


def test_rows_too_short_and_too_long_stay_so_and_are_told_of_again_in_the_same_words(tmp_path):
    text = (
        "Email;Name;City\na@example.com;A\nb@example.com;B;C;D\nc@example.com;C;X;\nd@example.com;D;X\ne;E;X\nf;F;X\n"
    )
    data, again, table = copied(tmp_path, text, [(2, "short"), (3, "long"), (4, "one too many")])
    assert data.decode().splitlines()[1:] == [
        '"short";a@example.com;A', '"long";b@example.com;B;C;D', '"one too many";c@example.com;C;X;',
    ]  # fmt: skip
    assert faults_of(again) == faults_of(table)
    assert [code for code, _, _ in faults_of(again)] == ["ragged-row"] * 3


def test_what_is_too_much_stays_so_though_a_spreadsheet_program_made_all_rows_as_long(tmp_path):
    (tmp_path / "a.csv").write_text(f"{REASON_COLUMN};Email;Name;\nwhy;a@example.com;A;B\nwhy;b@example.com;B;\n")
    (table,) = open_tables(take_in([tmp_path / "a.csv"])[0], SourceOptions(), 0)
    assert (table.header, faults_of(table)) == (
        ("Email", "Name"), [("ragged-row", "3 cells where the header has 2", "")],
    )  # fmt: skip


def test_separators_at_the_ends_of_all_lines_make_no_row_too_long(tmp_path):
    text = "Email;Name\na@example.com;A;\nbad;B;\n"
    data, again, _ = copied(tmp_path, text, [(3, "why")])
    assert data.decode() == f'{REASON_COLUMN};Email;Name;\n"why";bad;B;\n'
    assert (again.header, faults_of(again), cells_of(again)) == (("Email", "Name"), [], [["bad", "B"]])


def test_columns_without_names_are_the_persons_own_where_the_reasons_say_so(tmp_path):
    data, again, _ = copied(tmp_path, "Email;Name;\na@example.com;A;x\nbad;B;y\n", [(3, "why")])
    assert data.decode().splitlines()[0] == f"{REASON_COLUMN} (3 columns);Email;Name;"
    assert (again.header, cells_of(again)) == (("Email", "Name", ""), [["bad", "B", "y"]])


def test_without_a_header_the_columns_keep_their_letters(tmp_path):
    text = "a@example.com;A\nbad;B\nshort\n"
    data, again, table = copied(tmp_path, text, [(2, "why"), (3, "too short")], header_row=0)
    assert data.decode().splitlines() == [
        f'"{REASON_COLUMN} (2 columns): why";bad;B', f'"{REASON_COLUMN} (2 columns): too short";short',
    ]  # fmt: skip
    assert (again.header, cells_of(again)) == (("A", "B"), [["bad", "B"], ["short", ""]])
    assert faults_of(again) == faults_of(table)


def test_a_workbook_without_a_header_keeps_the_letters_too(tmp_path):
    made = openpyxl.Workbook()
    for row in ((None, "a@example.com", "A"), (None, "bad", "B")):
        made.active.append(row)
    made.save(tmp_path / "a.xlsx")
    mapping = ONE.replace("records:", "source: {header_row: none}\nrecords:").replace("E-mail", "B")
    with rig(tmp_path) as running:
        first = running.check(mapping, tmp_path / "a.xlsx", reports=FIX)
        again = running.check(mapping, handed_over(first, tmp_path / "again"), reports=FIX)
    assert (told(again), again.counts) == (told(first), {"invalid": 1})


@pytest.mark.parametrize(
    ("text", "pinned"),
    [
        pytest.param("sep=;\r\nEmail;Name\r\n\"bad\";A\r\n", {}, id="a line that names the separator"),
        pytest.param("x;y;z\nEmail;Name\nunit;text\nbad;A\n", {"header_row": 2, "skip_rows": 1}, id="rows passed over"),
        pytest.param("Email\nbad\nc;d, e\n", {}, id="one column"),
        pytest.param("'Email','Name'\n'bad','it''s'\n'c@example.com','b'\n", {}, id="single quotes"),
        pytest.param('"Email","Name"\n"bad","a \\"b\\" c"\n"c","d"\n', {}, id="escaped quotes"),
        pytest.param("=Email;+Name\nbad;=1\n", {}, id="names like formulas"),
        pytest.param("Email;Name\nbad;\"two\nlines\"\n", {}, id="a cell of two lines"),
        pytest.param("Email^Name\nbad^A\n", {"delimiter": "^"}, id="a separator that is told"),
    ],
)  # fmt: skip
def test_however_a_text_is_written_all_its_rows_come_back_cell_for_cell(tmp_path, text, pinned):
    _, again, table = copied(tmp_path, text, [(line, "why; 'not', \"so\"") for line in range(1, 9)], **pinned)
    assert (again.header, cells_of(again)) == (table.header, cells_of(table))
    assert (again.header_row, again.facts["delimiter"] != "") == (table.header_row, True)


def test_where_a_few_rows_would_be_read_in_another_encoding_they_are_written_in_utf8(tmp_path):
    many = "".join(f"p{n}@example.com;Łódź żółć\n" for n in range(50))
    data, again, _ = copied(tmp_path, f"Email;Name\n{many}bad;Šárka\n", [(52, "why")], encoding="cp1250")
    assert cells_of(again) == [["bad", "Šárka"]]
    assert data.startswith((b"\xef\xbb\xbf", b"etl"))


def test_where_the_rows_alone_cannot_be_read_it_says_what_to_pin(tmp_path):
    text = "Email;Name\n" + "".join(f"p{n}@example.com;A\n" for n in range(9_000)) + "bad;\0\0\0\0\n"
    with pytest.raises(SourceError) as told_:
        copied(tmp_path, text, [(9_002, "why")])
    assert (told_.value.message, told_.value.hint) == (
        "of the rows to mend alone it cannot be told how they are written",
        "name `encoding` and `delimiter` in the mapping's `source`",
    )


def test_totals_and_remarks_are_told_by_the_persons_own_cells(tmp_path):
    text = f"{REASON_COLUMN};Email;Sum;City\nwhy;Total;12;\nwhy;# note;;\nwhy;;;\n"
    (tmp_path / "a.csv").write_text(text)
    (table,) = open_tables(take_in([tmp_path / "a.csv"])[0], SourceOptions(comment="#"), 0)
    (chunk,) = table.chunks((0, 1, 2))
    assert [fault.code for fault in chunk.faults] == ["total-row"]
    assert (chunk.blank.tolist(), chunk.left_out["comment-row"].tolist()) == (
        [False, False, True],
        [False, True, False],
    )


def test_totals_blanks_and_remarks_of_a_workbook_are_told_by_the_persons_own_cells(tmp_path):
    made = openpyxl.Workbook()
    for row in ((REASON_COLUMN, "Email", "Sum", "City"), ("why", "Total", 12, None), ("why", "# x"), ("why",)):
        made.active.append(row)
    made.save(tmp_path / "a.xlsx")
    (table,) = open_tables(take_in([tmp_path / "a.xlsx"])[0], SourceOptions(comment="#"), 0)
    (chunk,) = table.chunks((0, 1, 2))
    assert (chunk.rows.tolist(), [fault.code for fault in chunk.faults]) == ([2, 3], ["total-row"])
    assert table.sheet_columns == (1, 2, 3)


def test_a_column_that_was_moved_is_found_where_it_is(tmp_path):
    (tmp_path / "a.csv").write_text(f"Email;{REASON_COLUMN};Phone\na@example.com;why;'+48601234567\n")
    (table,) = open_tables(take_in([tmp_path / "a.csv"])[0], SourceOptions(), 0)
    assert (table.header, cells_of(table)) == (("Email", "Phone"), [["a@example.com", "+48601234567"]])


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.jsonl"])
def test_nobody_who_looks_at_the_file_sees_the_column(tmp_path, name):
    path = tmp_path / name
    if name == "a.csv":
        path.write_text(f"{REASON_COLUMN};Email\nwhy;a@example.com\n")
    elif name == "a.jsonl":
        path.write_text(f'{{"{REASON_COLUMN}": "why", "Email": "a@example.com"}}\n')
    else:
        made = openpyxl.Workbook()
        made.active.append((REASON_COLUMN, "Email"))
        made.active.append(("why", "a@example.com"))
        made.save(path)
    (facts,) = inspect_files([path])
    assert [column.name for column in facts.tables[0].columns] == ["Email"]


def test_parquet_comes_back_as_a_workbook_in_which_texts_and_types_are_what_they_were(tmp_path):
    names = [
        "=1", "a\rb", "a\r\nb", "a\nb", "_x0041_", " x ", "'=1", "''+1", "\t=1", "x;=1", "00950", "1e5", "TRUE", "<&>",
        "https://example.com", "{=1}", "tail\n",
    ]  # fmt: skip
    count = len(names)
    cells = {
        "E-mail": ["bad"] * count, "Name": names, "n": [1.5] * count, "big": [2**53 + 1] * count,
        "day": [date(2020, 1, 2)] * count, "yes": [True] * count,
    }  # fmt: skip
    pq.write_table(pa.table(cells), tmp_path / "a.parquet")
    with rig(tmp_path) as running:
        report = running.check(ONE, tmp_path / "a.parquet", reports=FIX)
    first, again = (
        open_tables(take_in([path])[0], SourceOptions(), 0)[0] for path in (tmp_path / "a.parquet", fix_of(report))
    )
    assert (again.header, cells_of(again)) == (first.header, cells_of(first))
    (chunk,) = again.chunks(range(6))
    assert sorted(chunk.typed) == [2, 4, 5]  # a workbook has no number for 2**53 + 1


def materials(tmp_path, report, **changes):
    job = open_job(mapping_of(MAPPING, tmp_path), [tmp_path / "a.csv"], None)
    made = Material(
        report=report, tables=own_tables(job), work=tmp_path, shown=lambda texts: texts, begin=lambda *_: None,
        advance=lambda _: None, is_interrupted=lambda: False,
    )  # fmt: skip
    return replace(made, **changes)


def test_interrupted_it_leaves_no_half_of_a_file(tmp_path):
    write_csv(tmp_path / "a.csv", "E-mail;Name;Phone;Zip\nbad;A;;\n")
    with rig(tmp_path) as running:
        report = running.check(MAPPING, tmp_path / "a.csv", reports=("csv",))
    with pytest.raises(Interrupted):
        write(materials(tmp_path, report, is_interrupted=lambda: True))
    assert not list(report.out.glob("to_fix*"))


def test_of_a_file_that_has_changed_no_row_is_handed_back(tmp_path):
    path = write_csv(tmp_path / "a.csv", "E-mail;Name;Phone;Zip\nbad;A;;\n")
    with rig(tmp_path) as running:
        report = running.check(MAPPING, path, reports=("csv",))
    material = materials(tmp_path, report)
    write_csv(path, "E-mail;Name;Phone;Zip\nx@example.com;B;;\nbad;A;;\n")
    with pytest.raises(SourceError, match="the file changed since it was read, so its rows are not shown"):
        write(material)
    assert not list(report.out.glob("to_fix*"))
