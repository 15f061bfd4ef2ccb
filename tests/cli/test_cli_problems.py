"""What a terminal says of problems: grouped by value, with what was meant, and never what may be somebody's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from shell import on_terminal

from etl.cli.verdict import MAX_LINES, verdict_lines
from etl.codes import CODES
from etl.report import Example, ProblemGroup, Remedy, RunReport
from etl.view import View
from etl.wording import TITLES, common_value, said_of

POLSKA = ProblemGroup(
    "not-in-map", "contact.address.country", "Country", "error", 3120, "mend the cell, or the mapping",
    values=(("Polska", 3000), ("Polen", 120)), distinct=2, suggestion="did you mean PL?", record=1,
)  # fmt: skip
DATES = ProblemGroup(
    "not-a-date", "properties.born", "Born", "error", 240, "correct it, or name its form in the mapping's `date`",
    values=(("01/02/1990", 2), ("02/02/1990", 1)), distinct=200, record=1,
    suggestion="this line of the mapping mends all 200: properties.born: Born",
)  # fmt: skip
RAGGED = ProblemGroup(
    "ragged-row", "", "", "error", 1, "look for a missing or an extra separator or quote in this line",
    examples=(Example("row 303", "", "the row has 18 cells where the header has 17"),),
)  # fmt: skip
TYPO = ProblemGroup(
    "email-typo", "contact.email", "E-mail", "warning", 24, "check the part after the @",
    values=(("@gmial.com", 24),), distinct=1, suggestion="did you mean gmail.com?", record=1,
)  # fmt: skip
LINE = "properties.born: {column: Born, transform: [{date: {formats: [DD/MM/YYYY]}}]}"
REMEDY = Remedy("mappings/people.yaml:10", LINE, 1, "properties.born", "not-a-date", 200, 200, 240)
REPORT = RunReport(
    id="20260102-030405-abcd",
    mapping="people",
    mapping_fingerprint="0" * 64,
    files=({"file": "people.csv", "tables": [{"sheet": "", "header_row": 1, "encoding": "utf-8", "format": "csv"}]},),
    target=None,
    wire="fields",
    dry_run=True,
    records=1,
    rows=12_000,
    spanned_rows=0,
    counts={"planned": 8_639, "invalid": 3_361},
    errors=3_361,
    warnings=24,
    deletes=0,
    clears={},
    problems=(("not-in-map", "contact.address.country", "error", 3120),),
    notes=("a note",),
    out=Path("etl-reports/20260102-030405-abcd"),
    groups=(POLSKA, DATES, TYPO, RAGGED),
    remedies=(REMEDY,),
    made=tuple(Path("etl-reports/20260102-030405-abcd") / n for n in ("to_fix.csv", "report.html", "annotated.xlsx")),
)

WIDE = """\
8,639 of 12,000 rows would be delivered; 3,361 are invalid.

  8,639 planned   3,361 invalid

  3,120 rows: Country "Polska" is not a two-letter code; did you mean PL?
    240 rows: Born is not a date; the line below mends all 200
     row 303: too few or too many cells; look for a missing or an extra separator or quote in this line
     24 rows: E-mail "@gmial.com" looks mistyped (warning); did you mean gmail.com?
Note: a note

Paste   mappings/people.yaml:10 mends all 200: not a date, in properties.born
        properties.born: {column: Born, transform: [{date: {formats: [DD/MM/YYYY]}}]}

Open    etl-reports/20260102-030405-abcd/report.html
Reports etl-reports/20260102-030405-abcd: annotated.xlsx, to_fix.csv, results.csv, issues.csv, summary.json
"""
NARROW = """\
8,639 of 12,000 rows would be delivered; 3,361 are invalid.

  8,639 planned   3,361 invalid

  3,120 rows: Country "Polska" is not a two-letter code; did you mean PL?
    240 rows: Born is not a date; the line below mends all 200
              and 2 more kinds: see report.html
Note: a note

Paste   mappings/people.yaml:10 mends all 200: not a date, in properties.born
        properties.born: {column: Born, transform: [{date: {formats: [DD/MM/YYYY]}}]}

Open    etl-reports/20260102-030405-abcd/report.html
Reports etl-reports/20260102-030405-abcd: annotated.xlsx, to_fix.csv, ...
"""


def text(report: RunReport, width: int, *, bar: bool = False) -> str:
    return "".join(f"{line.plain}\n" for line in verdict_lines(report, width, bar=bar))


@pytest.mark.parametrize(("width", "told"), [(120, WIDE), (80, NARROW)], ids=["120", "80"])
def test_the_whole_verdict(width: int, told: str) -> None:
    assert text(REPORT, width) == told


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("bar", [True, False], ids=["bar", "no bar"])
@pytest.mark.parametrize("remedies", [0, 1, 2, 9])
def test_with_lines_to_paste_too_it_is_fifteen_lines_of_the_terminal(width: int, bar: bool, remedies: int) -> None:
    groups = (POLSKA, DATES, TYPO, RAGGED) * 9
    report = replace(REPORT, groups=groups, remedies=(REMEDY,) * remedies)
    for crowded in (report, replace(report, groups=groups[:1], notes=())):
        lines = text(crowded, width, bar=bar).splitlines()
        beside_paths = [line for line in lines if not line.startswith(("Open ", "Reports "))]
        assert sum(-(-max(len(line), 1) // max(width, 60)) for line in beside_paths) + 2 <= MAX_LINES


def test_the_bar_has_a_piece_for_each_status_however_few_there_are() -> None:
    report = replace(REPORT, counts={"planned": 9_999, "skipped": 1, "invalid": 2_000}, remedies=())
    (line,) = [line for line in verdict_lines(report, 80, bar=True) if "━" in line.plain]
    assert [(len(line.plain[span.start : span.end]), span.style) for span in line.spans] == [
        (60, "green"), (12, "red"), (1, "bright_black"),
    ]  # fmt: skip


def test_there_is_no_bar_of_no_rows() -> None:
    assert "━" not in text(replace(REPORT, rows=0, counts={}, groups=(), problems=(), remedies=()), 80, bar=True)


@pytest.mark.parametrize("view", [View.PSEUDONYMOUS, View.AGGREGATE])
def test_other_views_quote_no_value_and_nothing_that_comes_of_one(view: View) -> None:
    mapped = replace(REMEDY, line="properties.born: {column: Born, transform: [{map: {values: {Polska: PL}}}]}")
    told = text(replace(REPORT, view=view, remedies=(mapped,)), 120)
    assert "  3,120 rows: Country is not in the list of values; mend the cell, or the mapping\n" in told
    assert "     24 rows: E-mail looks mistyped (warning); check the part after the @\n" in told
    assert "Polska" not in told
    assert "did you mean" not in told


def test_a_line_to_paste_without_words_of_the_table_is_shown_in_every_view() -> None:
    assert LINE in text(replace(REPORT, view=View.AGGREGATE), 120)


def test_of_several_values_each_is_told_with_what_was_meant() -> None:
    group = replace(
        POLSKA, count=90, values=(("Polska", 30), ("Niemcy", 30)),
        suggestion='did you mean PL for "Polska", DE for "Niemcy"?',
    )  # fmt: skip
    told = text(replace(REPORT, groups=(group,), remedies=()), 120)
    assert '  90 rows: Country is not in the list of values; did you mean PL for "Polska", DE for "Niemcy"?\n' in told


def test_a_problem_of_one_of_several_records_says_of_which() -> None:
    told = text(replace(REPORT, records=2, groups=(replace(TYPO, record=2),), remedies=()), 120)
    assert '  24 rows: record 2: E-mail "@gmial.com" looks mistyped (warning); did you mean gmail.com?\n' in told


@pytest.mark.parametrize(
    ("values", "count", "told"),
    [
        ([("Polska", 5), ("x", 5)], 10, "Polska"),
        ([("Polska", 4), ("x", 4)], 10, ""),
        ([("Polska", 2)], 2, ""),
        ([("anna@example.com", 900)], 900, ""),
        ([("@gmial.com", 3)], 3, "@gmial.com"),
        ([("n/a", 3)], 3, "n/a"),
        ([("600 000 123", 19)], 19, ""),
        ([("600 000 123", 20)], 20, "600 000 123"),
        ([("31.02.1985", 3)], 3, ""),
        ([("00-950", 3)], 3, "00-950"),
        ([], 3, ""),
    ],
    ids=[
        "half", "less", "twice", "address", "domain", "word", "phone", "many", "birthday", "postcode", "blank",
    ],
)  # fmt: skip
def test_a_value_is_quoted_only_where_it_stands_for_many_and_is_nobodys_own(
    values: list[tuple[str, int]], count: int, told: str
) -> None:
    assert common_value(replace(POLSKA, values=tuple(values), count=count)) == told


@pytest.mark.parametrize("code", CODES)
def test_every_code_makes_a_sentence_with_and_without_a_value(code: str) -> None:
    group = ProblemGroup(code, "contact.fax", "Fax", "error", 3)
    title = TITLES[code]
    assert said_of(group) == title or said_of(group).startswith("Fax ")
    assert said_of(group, "x") == title or said_of(group, "x").startswith('Fax "x" ')
    assert said_of(replace(group, column="", field="")) == title


@pytest.mark.parametrize(
    ("column", "field", "told"),
    [
        ("First name, Last name", "contact.name", "First name, Last name is blank, but required"),
        (", ".join(["Name"] * 20), "contact.name", "contact.name is blank, but required"),
        ("N" * 60, "properties." + "n" * 60, f"{'N' * 39}… is blank, but required"),
    ],
    ids=["two", "many", "endless"],
)
def test_a_name_that_is_too_long_gives_way(column: str, field: str, told: str) -> None:
    assert said_of(ProblemGroup("required", field, column, "error", 1)) == told


def test_what_does_not_print_in_a_value_is_shown_as_an_escape() -> None:
    group = replace(POLSKA, values=(("\x1b[2Jgone\nand on", 3000),), suggestion="")
    told = text(replace(REPORT, groups=(group,), remedies=()), 120)
    assert 'Country "\\x1b[2Jgone\\nand on" is not in the list of values' in told


def test_on_a_terminal_the_counts_are_a_bar_in_colours(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("E-mail;Land\n" + "a@example.com;Polsak\n" * 4 + "b@example.com;PL\n", "utf-8")
    (tmp_path / "m.yaml").write_text(
        "version: 1\nname: m\nrecords:\n  - action: contact.upsert\n    fields:\n      contact.email: E-mail\n"
        "      contact.address.country: {column: Land, transform: country}\n", "utf-8",
    )  # fmt: skip
    # An empty NO_COLOR is none (no-color.org).
    for no_color, is_drawn in ("", True), ("1", False):
        arguments = ("check", "m.yaml", "people.csv", "--reports", "csv")
        with on_terminal(*arguments, cwd=tmp_path, NO_COLOR=no_color) as terminal:
            assert terminal.exit_code() == 1
        assert ("━" in terminal.text) is is_drawn
        assert '  4 rows: Land "Polsak" is not a country; did you mean PL?\n' in terminal.text
