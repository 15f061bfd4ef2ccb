"""What is told of a row: results.csv and issues.csv read in step with the rows of its table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import etl
from etl.records import STATUSES, SourceRef, Status
from etl.report import RunReport
from etl.reports.row_notes import BlockNotes, RowNotes
from etl.sandbox.faults import FaultRule, Faults
from tests.support import CONTACT, mapping_of, rig, write_rows

NAMED = CONTACT + "      contact.name: {column: Name, required: true}\n"
TWO = """\
version: 1
name: two
records:
  - action: contact.upsert
    duplicates: error
    fields: {contact.email: E-mail}
  - action: event.create
    duplicates: error
    fields: {email: E-mail, externalId: Id}
"""


def _checked(folder: Path, mapping: str, rows: list[list[str]], **options: object) -> RunReport:
    file = write_rows(folder / "sheet.csv", rows)
    return etl.check(mapping_of(mapping, folder), [file], options=etl.Options(out=folder / "out", **options))


def _ref(report: RunReport) -> SourceRef:
    return SourceRef(0, report.results["file"].iloc[0])


def _notes(report: RunReport, *blocks: list[int]) -> list[BlockNotes]:
    ref = _ref(report)
    with RowNotes.of_run(report, [ref]) as notes:
        return [notes.of(ref, np.array(rows, dtype=np.int64)) for rows in blocks]


def test_a_row_has_its_status_its_result_and_its_issues_with_their_cells(tmp_path: Path) -> None:
    report = _checked(tmp_path, NAMED, [["Name", "E-mail"], ["Ann", "ann@example.com"], ["", "nope"]])
    (found,) = _notes(report, [2, 3])
    assert [STATUSES[number] for number in found.status] == [Status.PLANNED, Status.INVALID]
    assert found.open.tolist() == [False, True]
    (note,) = found.of.values()
    assert [(one.cells, one.place, one.code, one.severity) for one in note.issues] == [
        ((0,), "A3", "required", "error"),
        ((1,), "B3", "email-syntax", "error"),
    ]
    assert [(one.record, one.action, one.status) for one in note.results] == [(1, "contact.upsert", Status.INVALID)]
    assert "'nope'" in note.results[0].message


def test_blocks_may_be_cut_anywhere(tmp_path: Path) -> None:
    rows = [["Name", "E-mail"], *([f"n{n}", f"n{n}@example.com" if n % 3 else "bad"] for n in range(40))]
    report = _checked(tmp_path, NAMED, rows)
    numbers = list(range(2, 42))
    (whole,) = _notes(report, numbers)
    parts = _notes(report, numbers[:1], numbers[1:17], [], numbers[17:])
    assert np.concatenate([part.status for part in parts]).tolist() == whole.status.tolist()
    assert [note for part in parts for note in part.of.values()] == list(whole.of.values())


def test_rows_that_are_not_asked_for_are_passed_over(tmp_path: Path) -> None:
    report = _checked(tmp_path, NAMED, [["Name", "E-mail"], *([["", "bad"]] * 9)])
    (found,) = _notes(report, [4, 9, 12])
    assert found.status.tolist() == [5, 5, -1]
    assert [note.issues[1].place for note in found.of.values()] == ["B4", "B9"]


def test_duplicates_found_in_the_second_pass_stand_with_their_rows(tmp_path: Path) -> None:
    people = [["a@example.com", "1"], ["bad", "2"], ["b@example.com", "3"], ["a@example.com", "3"], ["bad", "4"]]
    report = _checked(tmp_path, TWO, [["E-mail", "Id"], *people], rows_per_chunk=2)
    first, second = _notes(report, [2, 3], [4, 5, 6])
    codes = [[issue.code for issue in note.issues] for note in (*first.of.values(), *second.of.values())]
    assert codes == [
        ["duplicate-key"],
        ["email-syntax", "email-syntax"],
        ["duplicate-key"],
        ["duplicate-key", "duplicate-key"],
        ["email-syntax", "email-syntax"],
    ]


def test_the_worst_of_a_rows_records_stands_for_it(tmp_path: Path) -> None:
    mapping = TWO.replace("action: event.create", "action: event.create\n    when: \"Id != '9'\"")
    report = _checked(tmp_path, mapping, [["E-mail", "Id"], ["a@example.com", "9"], ["b@example.com", "x" * 300]])
    (found,) = _notes(report, [2, 3])
    assert STATUSES[found.status[0]] is Status.PLANNED
    assert len(report.results) == 4


def test_a_text_that_could_be_a_formula_is_as_it_was(tmp_path: Path) -> None:
    report = _checked(tmp_path, NAMED, [["Name", "E-mail"], ["x", "=1+1"], ["x", "'=2"], ["x", "'plain"]])
    (found,) = _notes(report, [2, 3, 4])
    assert [note.issues[0].value for note in found.of.values()] == ["=1+1", "'=2", "'plain"]


def test_a_cell_larger_than_a_block_is_read_whole(tmp_path: Path) -> None:
    report = _checked(tmp_path, NAMED, [["Name", "E-mail"], ["x", 'say "hi",\n' * 90_000], ["", "b@example.com"]])
    (found,) = _notes(report, [2, 90_003])
    values = [[issue.value for issue in note.issues] for note in found.of.values()]
    assert len(values[0][0]) == 900_000
    assert values[1] == [""]


@pytest.mark.parametrize("rows", [[["E-mail"]], [["E-mail"], ["a@example.com"]]], ids=["no row", "no issue"])
def test_where_nothing_is_wrong_nothing_is_open(rows: list[list[str]], tmp_path: Path) -> None:
    report = _checked(tmp_path, CONTACT, rows)
    with RowNotes.of_run(report, [ref := SourceRef(0, str(tmp_path / "sheet.csv"))]) as notes:
        assert not notes.of(ref, np.array([2, 3])).open.any()


def test_what_the_endpoint_refused_is_told_with_its_answer(tmp_path: Path) -> None:
    refused = Faults(schedule=(FaultRule("400"),))
    with rig(tmp_path, faults=refused) as at:
        report = at.run(CONTACT, write_rows(tmp_path / "sheet.csv", [["E-mail"], ["ann@example.com"]]))
    (found,) = _notes(report, [2])
    assert [STATUSES[number] for number in found.status] == [Status.REJECTED]
    (result,) = found.of[0].results
    assert (result.status, result.http_status) == (Status.REJECTED, 400)
    assert result.message
