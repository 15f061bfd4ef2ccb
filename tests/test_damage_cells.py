"""What Excel has spoiled, cell by cell: recognised, named, and told once."""

from __future__ import annotations

import pytest
from support import issues_of, job_of, prepared_of

from etl.damage import ERROR_WORDS, spoiled_in
from etl.damage.text import unmangled
from etl.pipeline import prepare
from etl.records import STATUSES, text_series

MAPPING = """\
version: 1
name: test
records:
  - action: contact.upsert
{checks}    fields:
      contact.email: E-mail
      properties.x: {spec}
"""


def issues(folder, cell: str, spec: str = "X", checks: str = "", header: str = "X"):
    text = MAPPING.format(spec=spec, checks=f"    checks: {{{checks}}}\n" if checks else "")
    return issues_of(prepared_of(folder, text, f"E-mail;{header}\na@example.com;{cell}\n"))


def codes_of(values: list[str]) -> dict[str, list[int]]:
    return {damage.code: damage.places.tolist() for damage in spoiled_in(text_series(values))}


@pytest.mark.parametrize("cell", ["4.86E+10", "4,86E+10", "-1.2E+15", "5E+100", " 4.86E+10 "])
def test_a_shortened_number_is_an_error_of_its_own(cell):
    assert codes_of([cell]) == {"scientific-number": [0]}


def test_a_letter_that_was_lost_is_told(tmp_path):
    assert codes_of(["Pozna\ufffd", "Poznań"]) == {"letters-lost": [0]}
    (told,) = issues(tmp_path, "Pozna\ufffd")
    assert (told.code, told.severity) == ("letters-lost", "warning")
    assert told.message == "'Pozna\ufffd' holds a sign (\ufffd) that stands for a letter that was lost"


@pytest.mark.parametrize("cell", ["1e5", "1E5", "4.86e+10", "E+1", "12.5E+10", "AE+10", "4.86E-10"])
def test_what_excel_does_not_write_is_no_shortened_number(cell):
    assert codes_of([cell]) == {}


@pytest.mark.parametrize("cell", ERROR_WORDS)
def test_an_error_word_of_any_language_is_recognised(cell):
    assert codes_of([cell, cell.lower(), f" {cell} "]) == {"error-text": [0, 1, 2]}


@pytest.mark.parametrize("cell", ["#5", "#vip", "Flat #N/A", "#REF", "#", "C#"])
def test_a_number_sign_alone_is_no_error(cell):
    assert codes_of([cell]) == {}


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("JosÃ©", "José"),
        ("ZaÅ¼Ã³Å‚Ä‡", "Zażółć"),
        ("ZaĹĽĂłĹ‚Ä‡", "Zażółć"),
        ("Itâ€™s", "It’s"),
        ("â‚¬ 5", "€ 5"),
        ("Å»ary", "Żary"),
        ("Å\x81Ã³dÅº", "Łódź"),
        ("KÃ¶ln – ok", "Köln – ok"),
        ("naÃƒÂ¯ve", "naïve"),
        ("ðŸ˜€", "😀"),
    ],
    ids=["spanish", "polish 1252", "polish 1250", "apostrophe", "euro", "capital", "control", "dash", "twice", "emoji"],
)
def test_text_in_the_wrong_encoding_is_shown_as_it_was_meant(cell, meant):
    assert unmangled(cell) == meant
    (damage,) = spoiled_in(text_series([cell]))
    assert (damage.code, damage.details) == ("mojibake", [meant])


@pytest.mark.parametrize(
    "cell",
    [
        "José",
        "RÓŻA",
        "OGÓŁEM",
        "CZĘŚĆ",
        "GÖTEBORG Å, Ä",
        "PÅ…",
        "Å–Ö",
        "«Ä»",
        "Łódź",
        "Ελλάδα",
        "Київ",
        "Þórr",
        "Ă",
        "ÅÄÖ",
    ],
)
def test_sound_letters_are_left_alone(cell):
    assert codes_of([cell]) == {}


@pytest.mark.parametrize(
    "cell", ["1-Mar", "01-mar", "mar-01", "3-maj", "2.Mär", "12. sept.", "5 may", "10-paź", "1-août"]
)
def test_a_day_and_a_month_may_have_been_a_size(cell):
    assert codes_of([cell]) == {"month-for-size": [0]}


@pytest.mark.parametrize(
    "cell", ["12A", "10 kg", "1-Mar-2024", "news1", "vip 2", "S-1", "00-950", "1-mark", "3.14", "M-10"]
)
def test_a_size_or_a_whole_date_is_no_day_and_month(cell):
    assert codes_of([cell]) == {}


def test_only_a_text_as_long_as_a_cell_can_hold_was_cut():
    assert codes_of(["x" * 32_766, "x" * 32_767, "😀" + "x" * 32_765, "x" * 32_768]) == {"text-cut": [1, 2]}


@pytest.mark.parametrize(
    ("cell", "code", "severity", "message", "hint"),
    [
        (
            "4.86E+10", "scientific-number", "error",
            "'4.86E+10' is what Excel showed of a longer number: its last digits are gone",
            ("format the column as Text before pasting, or import the CSV by Data > From Text/CSV with this column as "
            "Text, and save again"),
        ),
        (
            "#REF!", "error-text", "error", "the cell holds '#REF!', an error of the spreadsheet's",
            "mend the formula and save again, or name the word in the mapping's `blank_if`",
        ),
        (
            "JosÃ©", "mojibake", "warning", "'JosÃ©' was read in the wrong encoding (it was probably 'José')",
            "import the CSV by Data > From Text/CSV with File origin 65001 (UTF-8), and save again",
        ),
        (
            "1-Mar", "month-for-size", "warning", "'1-Mar' looks like a size or a code that Excel took for a date",
            ("format the column as Text before pasting or importing, and enter it again; a date is read by the mapping's "
            "`date`"),
        ),
    ],
    ids=["shortened", "error", "encoding", "month"],
)  # fmt: skip
def test_what_is_told_of_a_spoiled_cell(tmp_path, cell, code, severity, message, hint):
    text = MAPPING.format(spec="X", checks="")
    prepared = prepared_of(tmp_path, text, f"E-mail;X\na@example.com;{cell}\n")
    (batch,) = prepared.issues
    (told,) = issues_of(prepared)
    assert (told.field, told.code, told.severity, told.message) == ("properties.x", code, severity, message)
    assert (batch.columns, batch.hint) == ((1,), hint)


def test_what_is_told_of_a_text_that_was_cut(tmp_path):
    told = issues(tmp_path, "x" * 32_767)
    message = "the text has 32,767 characters, the most that a cell of Excel holds: its end is probably gone"
    assert message in [one.message for one in told]


def test_a_spoiled_cell_is_not_told_again_by_its_transform(tmp_path):
    (told,) = issues(tmp_path, "4.86E+10", "{column: X, transform: [number]}")
    assert told.code == "scientific-number"


def test_a_word_that_the_mapping_names_is_no_surprise(tmp_path):
    assert issues(tmp_path, "#N/A", '{column: X, transform: [{blank_if: ["#n/a"]}]}') == []
    assert issues(tmp_path, "1-Mar", "{column: X, transform: [{map: {values: {1-Mar: 1-3}}}]}") == []


def test_another_word_than_the_named_one_is_told(tmp_path):
    (told,) = issues(tmp_path, "#REF!", '{column: X, transform: [{blank_if: ["#N/A"]}]}')
    assert told.code == "error-text"


@pytest.mark.parametrize(
    ("spec", "header"),
    [
        ("{column: X, transform: [{date: {formats: [D-MMM-YYYY]}}]}", "X"),
        ("Urodziny", "Urodziny"),
        ("Name day", "Name day"),
    ],
    ids=["transform", "one word", "two words"],
)
def test_a_day_in_a_column_of_days_is_no_size(tmp_path, spec, header):
    assert "month-for-size" not in {told.code for told in issues(tmp_path, "1-Mar", spec, header=header)}


def test_checks_make_a_warning_of_an_error_and_the_field_is_left_out(tmp_path):
    text = MAPPING.format(spec="X", checks="    checks: {error-text: warning}\n")
    prepared = prepared_of(tmp_path, text, "E-mail;X\na@example.com;#REF!\n")
    assert [told.severity for told in issues_of(prepared)] == ["warning"]
    (record,) = prepared.records
    assert record.bodies.to_pylist() == ['{"contact":{"email":"a@example.com"}}']


def test_checks_make_an_error_of_a_warning(tmp_path):
    text = MAPPING.format(spec="X", checks="    checks: {month-for-size: error}\n")
    (record,) = prepared_of(tmp_path, text, "E-mail;X\na@example.com;1-Mar\n").records
    assert [STATUSES[number].value for number in record.status] == ["invalid"]


def test_each_field_that_uses_the_cell_is_told(tmp_path):
    text = MAPPING.format(spec="X", checks="") + "      properties.y: {column: X, transform: [upper]}\n"
    found = issues_of(prepared_of(tmp_path, text, "E-mail;X\na@example.com;#REF!\n"))
    assert [(told.field, told.code) for told in found] == [
        ("properties.x", "error-text"),
        ("properties.y", "error-text"),
    ]


def test_a_column_that_the_mapping_does_not_use_is_not_judged(tmp_path):
    text = MAPPING.format(spec="X", checks="")
    assert issues_of(prepared_of(tmp_path, text, "E-mail;X;Y\na@example.com;1;#REF!\n")) == []


def test_rows_that_are_passed_over_shift_nothing(tmp_path):
    text = MAPPING.format(spec="X", checks="    when: \"Send == 'yes'\"\n")
    sheet = "E-mail;X;Send\na@example.com;#REF!;no\n;;\nb@example.com;JosÃ©;yes\nc@example.com;#REF!;yes\n"
    found = issues_of(prepared_of(tmp_path, text, sheet))
    assert [(told.row, told.code, told.value) for told in found] == [
        (4, "mojibake", "JosÃ©"),
        (5, "error-text", "#REF!"),
    ]


def test_the_size_of_a_chunk_changes_nothing(tmp_path):
    cells = ["1-Mar", "S", "#REF!", "4.86E+10", "JosÃ©", "M", "2-Apr"] * 3
    sheet = "E-mail;X\n" + "".join(f"a{place}@example.com;{cell}\n" for place, cell in enumerate(cells))
    job = job_of(tmp_path, MAPPING.format(spec="X", checks=""), sheet)
    found = {}
    for size in (1, 4, 100):
        chunks = job.chunks(size)
        found[size] = [t for bound, chunk in chunks for t in issues_of(prepare(chunk, job.plan, bound.binding))]
    assert found[1] == found[4] == found[100]
    assert len(found[1]) == 15
