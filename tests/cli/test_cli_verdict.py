"""The verdict: its sentences, and that it never becomes a scroll."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from etl.cli.verdict import MAX_LINES, verdict_lines
from etl.codes import CODES
from etl.guards import Stop
from etl.report import RunReport
from etl.wording import TITLES, cost_sentences, sentence, stop_sentence

REPORT = RunReport(
    id="20260102-030405-abcd",
    mapping="people",
    mapping_fingerprint="0" * 64,
    files=(),
    target="production",
    wire="fields",
    dry_run=True,
    records=1,
    rows=1310,
    spanned_rows=0,
    counts={"planned": 1204, "invalid": 46, "skipped": 60},
    errors=46,
    warnings=0,
    deletes=0,
    clears={},
    problems=(),
    notes=(),
    out=Path("etl-reports/20260102-030405-abcd"),
)
CROWDED = replace(
    REPORT,
    dry_run=False,
    records=2,
    rows=1_000_000,
    counts=dict.fromkeys(
        ("delivered", "unchanged", "duplicate", "skipped", "invalid", "rejected", "failed", "unknown", "blocked"),
        222_222,
    ),
    problems=tuple(
        (code, f"dictionaryProperties.a_key_with_a_long_name_{place}", "error", 900_000 - place)
        for place, code in enumerate(CODES)
    ),
    notes=tuple(
        f"note {place}: something that is worth more than a line of eighty columns, told at length"
        for place in range(9)
    ),
    stop=Stop(
        "fail-over", "200,000 rows are invalid, and --fail-over 2% allows no more: mend them, or raise the limit"
    ),
    delivery={"requests": 5, "retries": 3, "throttled": 2, "latency_ms": {"p95": 12.0}, "sandbox_database": "s.db"},
    timings={"sending": 2.0},
)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "1,204 of 1,310 rows would be delivered; 46 are invalid."),
        ({"dry_run": False, "counts": {"delivered": 1310}}, "All 1,310 rows were delivered to production."),
        ({"counts": {"planned": 1, "invalid": 1}, "rows": 2}, "1 of 2 rows would be delivered; 1 is invalid."),
        (
            {
                "dry_run": False,
                "counts": {"delivered": 1, "rejected": 1, "failed": 2, "unknown": 1, "blocked": 1},
                "rows": 6,
            },
            "1 of 6 rows was delivered to production; 1 was rejected, 2 failed, 1 has an unknown outcome, 1 was held back.",
        ),
        (
            {"records": 2, "rows": 10, "counts": {"planned": 19, "skipped": 1}},
            "19 of 20 records (of 10 rows) would be delivered.",
        ),
        ({"rows": 1, "counts": {"planned": 1}}, "1 of 1 row would be delivered."),
        (
            {"rows": 6, "counts": {"planned": 2, "invalid": 3, "skipped": 1}, "deletes": 2},
            "2 contacts would be deleted; of 6 rows, 3 are invalid.",
        ),
        ({"rows": 2, "counts": {"planned": 2}, "deletes": 2}, "2 contacts would be deleted."),
        (
            {"dry_run": False, "rows": 2, "counts": {"delivered": 1, "unknown": 1}, "deletes": 2},
            "1 contact was deleted at production; of 2 rows, 1 has an unknown outcome.",
        ),
        (
            {"dry_run": False, "rows": 3, "counts": {"blocked": 3}, "deletes": 3},
            "No contact was deleted at production; of 3 rows, 3 were held back.",
        ),
        (
            {"records": 2, "rows": 2, "counts": {"planned": 3, "skipped": 1}, "deletes": 1},
            "3 of 4 records (of 2 rows) would be delivered.",
        ),
        ({"rows": 0, "counts": {}}, "There are no rows below the header: nothing to deliver."),
    ],
    ids=[
        "check",
        "all",
        "singular",
        "bad",
        "records",
        "one",
        "deletes",
        "only deletes",
        "deleted",
        "not deleted",
        "deletes beside others",
        "none",
    ],
)
def test_the_verdict_is_one_sentence(changes: dict[str, object], told: str) -> None:
    assert sentence(replace(REPORT, **changes)) == told  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_a_verdict_has_fifteen_lines_at_most_and_none_too_long(width: int) -> None:
    lines = [line.plain for line in verdict_lines(CROWDED, width)]

    assert len(lines) <= MAX_LINES
    beside_paths = [line for line in lines if not line.startswith(("Reports ", "Sending ", "Sandbox "))]
    assert max(map(len, beside_paths)) <= max(width, 60)


def test_what_is_left_out_is_said() -> None:
    report = replace(CROWDED, stop=None, counts={"delivered": 5, "invalid": 4})
    text = "\n".join(line.plain for line in verdict_lines(report, 80))

    assert f"and {len(CODES) - 2} more kinds: see issues.csv" in text
    assert "more notes: see summary.json" in text


def test_the_order_of_the_problems_is_kept_and_the_field_of_a_whole_row_is_named() -> None:
    report = replace(REPORT, problems=(("ragged-row", "", "error", 12), ("too-long", "description", "warning", 3)))

    text = "\n".join(line.plain for line in verdict_lines(report, 120))

    assert "  12 rows: too few or too many cells; look for a missing or an extra separator" in text
    assert "   3 rows: description is very long (warning); shorten it: the endpoint may cut it" in text


def test_what_the_endpoint_said_stands_before_the_problems() -> None:
    report = replace(
        REPORT,
        dry_run=False,
        counts={"delivered": 1, "invalid": 12, "unknown": 8, "rejected": 1},
        outcomes=(
            ("unknown", "connection-closed", "connection closed before an answer came", 8),
            ("rejected", "http-400", "HTTP 400: no such property", 1),
        ),
        problems=(("email-syntax", "contact.email", "error", 12),),
    )

    lines = [line.plain for line in verdict_lines(report, 80)]

    place = lines.index("    8  unknown   connection closed before an answer came")
    assert lines[place + 1] == "    1  rejected  HTTP 400: no such property"
    assert lines[place + 2] == "  12 rows: contact.email is not an e-mail address; correct the address"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_an_endpoint_that_sends_a_page_does_not_make_a_scroll(width: int) -> None:
    outcomes = tuple(("failed", f"http-{500 + n}", f"HTTP {500 + n}: " + "a long page " * 40, 9 - n) for n in range(6))
    lines = [line.plain for line in verdict_lines(replace(CROWDED, outcomes=outcomes), width)]

    assert len(lines) <= MAX_LINES
    alone = [line.plain for line in verdict_lines(replace(REPORT, dry_run=False, outcomes=outcomes), width)]
    assert len(alone) <= MAX_LINES
    assert "answers: see results.csv" in "\n".join(alone)
    assert max(len(line) for line in alone if not line.startswith("Reports ")) <= width


def table(**facts: object) -> dict[str, object]:
    return {"sheet": "", "header_row": 1, **facts}


CSV = table(format="csv", encoding="utf-8", delimiter="semicolon")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([("in/contacts.csv", CSV)], "contacts.csv: UTF-8, semicolons, header in row 1"),
        ([("people.xlsx", table(format="xlsx", sheet="Maj", header_row=3))], "people.xlsx: sheet Maj, header in row 3"),
        (
            [("a.txt", table(encoding="cp1250", delimiter="tab", header_row=0))],
            "a.txt: cp1250, tabs, no header",
        ),
        (
            [("a.csv", table(encoding="utf-16", delimiter="none (one column)"))],
            "a.csv: UTF-16, one column, header in row 1",
        ),
        ([("a.csv", table(encoding="utf-8-sig", delimiter="^"))], "a.csv: UTF-8, separated by '^', header in row 1"),
        ([("a.csv", CSV), ("b.csv", CSV)], "a.csv and 1 more file: UTF-8, semicolons, header in row 1"),
        (
            [("a.csv", CSV), ("b.csv", table(sheet="May")), ("c.csv", CSV)],
            "a.csv: UTF-8, semicolons, header in row 1; 2 more files: see summary.json",
        ),
    ],
    ids=["csv", "xlsx", "no header", "one column", "odd separator", "alike", "unlike"],
)
def test_the_verdict_says_how_the_file_was_read(files: list[tuple[str, dict[str, object]]], told: str) -> None:
    report = replace(REPORT, files=tuple({"file": name, "tables": [one]} for name, one in files))

    assert f"Read    {told}" in [line.plain for line in verdict_lines(report, 100)]


def test_a_name_that_is_too_long_for_the_line_is_cut() -> None:
    report = replace(REPORT, files=({"file": "a" * 200 + ".csv", "tables": [CSV]},))

    (line,) = [line.plain for line in verdict_lines(report, 80) if line.plain.startswith("Read ")]
    assert len(line) == 80
    assert line.endswith("…")


def test_one_more_kind_is_shown_and_not_merely_counted() -> None:
    codes = list(CODES)
    for shown in range(1, len(codes)):
        problems = tuple((code, "contact.email", "error", 100 - place) for place, code in enumerate(codes[:shown]))
        text = "\n".join(line.plain for line in verdict_lines(replace(REPORT, problems=problems), 80))
        assert "1 more kind:" not in text


def test_of_two_notes_in_little_room_each_is_told_once() -> None:
    notes = ("the first of two notes, and " * 6, "the second of two notes, and " * 6)
    delivery = {"requests": 5, "latency_ms": {"p95": 12.0}, "sandbox_database": "s.db"}
    lines = [line.plain for line in verdict_lines(replace(REPORT, notes=notes, delivery=delivery), 60)]
    told = [line[: len("Note: the second")] for line in lines if line.startswith("Note: ")]
    assert told == ["Note: the first ", "Note: the second"]


def test_errors_stand_before_warnings_however_many_there_are() -> None:
    problems = (("too-long", "description", "warning", 300), ("email-syntax", "contact.email", "error", 2))
    lines = [line.plain for line in verdict_lines(replace(REPORT, problems=problems), 100)]
    counts = [line.split()[0] for line in lines if " rows: " in line]
    assert counts == ["2", "300"]


def test_every_code_of_an_issue_has_its_words() -> None:
    assert set(TITLES) == set(CODES)


@pytest.mark.parametrize(
    ("clears", "told"),
    [
        ({"contact.phone": 312}, "This would clear contact.phone of 312 contacts."),
        ({"tags": 1, "contact.fax": 2}, "This would clear contact.fax of 2 contacts, tags of 1 contact."),
        ({"record 2: description": 4}, "This would clear record 2: description in 4 rows."),
    ],
    ids=["one", "several", "event"],
)
def test_a_dry_run_says_what_it_would_clear(clears: dict[str, int], told: str) -> None:
    assert cost_sentences(replace(REPORT, clears=clears)) == [told]


def test_a_dry_run_says_whom_it_would_delete() -> None:
    assert cost_sentences(replace(REPORT, records=2, deletes=1)) == ["This would delete 1 contact."]


def test_whom_it_would_delete_is_not_said_twice() -> None:
    assert cost_sentences(replace(REPORT, counts={"planned": 1}, deletes=1)) == []


def test_a_stop_is_told_with_what_to_do() -> None:
    stop = Stop("max-deletes", "2 contacts would be deleted, and --max-deletes allows 1", hint="check the file")

    assert stop_sentence(replace(REPORT, stop=stop)) == (
        "A run would stop: 2 contacts would be deleted, and --max-deletes allows 1: check the file   [max-deletes]"
    )


def test_an_interrupted_run_says_what_became_of_the_rest() -> None:
    report = replace(REPORT, dry_run=False, stop=Stop("interrupted", "interrupted by Ctrl-C before it was sent", 130))

    assert stop_sentence(report) == "Interrupted: what was in flight was finished, the rest was not sent."


def test_what_does_not_print_is_shown_as_an_escape() -> None:
    report = replace(REPORT, notes=("a sheet called \x1b[2Jgone",))

    assert "Note: a sheet called \\x1b[2Jgone" in [line.plain for line in verdict_lines(report, 80)]
