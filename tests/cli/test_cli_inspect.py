"""`inspect`: the picture of a file, at several widths, for programs, and for what is no table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.cells import cell_len
from shell import ROOT, etl, on_terminal

from etl.__main__ import main

SAMPLES = ROOT / "sample_data"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def write(folder: Path, text: str) -> str:
    (folder / "people.csv").write_text(text, "utf-8")
    return "people.csv"


def shown(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    assert main(["inspect", *map(str, words)]) == 0
    return capsys.readouterr().out


def test_a_file_is_shown_as_a_table_of_its_columns(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(here, "E-mail;Shoe size;Note\nanna@example.com;38,5;\njan@example.com;42;two words\n")

    assert shown(capsys, file) == (
        "people.csv: text table, 74 bytes\n"
        "UTF-8 (ASCII alone), semicolons, header in row 1; 2 rows, 3 columns\n"
        "\n"
        "     column     holds          filled  different  examples\n"
        "  ──────────────────────────────────────────────────────────────────────────────\n"
        "  A  E-mail •   e-mail          100 %          2  anna@example.com  jan@example…\n"
        "  B  Shoe size  number 1234,5   100 %          2  38,5  42\n"
        "  C  Note       text             50 %          1  two words\n"
        "\n"
        "• likely personal data\n"
        "  an e-mail address: E-mail (100 % of the values are e-mail addresses)\n"
    )


@pytest.mark.parametrize("columns", [80, 100, 120])
@pytest.mark.parametrize("file", ["contacts.csv", "contacts.xlsx"])
def test_no_line_is_wider_than_the_terminal(
    columns: int, file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))

    lines = shown(capsys, SAMPLES / file).splitlines()

    assert [line for line in lines if cell_len(line) > columns] == []


def test_every_sheet_has_a_table_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, SAMPLES / "contacts.xlsx")

    assert out.startswith("contacts.xlsx: Excel workbook, 10 kB, 2 sheets: Info, Contacts\n")
    assert "\nsheet Contacts: header in row 3; 60 rows, 13 columns\n" in out
    assert "\n! 2 cells: an error of the spreadsheet's, such as #N/A (first M12)   [error-" in out


def test_what_comes_next_is_said_beside_the_picture(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(here, "E-mail,Name\na@example.com,Anna\n")

    main(["inspect", file])

    assert capsys.readouterr().err == "next:  etl init people.csv\n"


def test_the_first_rows_alone_are_told_as_such(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(here, "E-mail,Name\n" + "a@example.com,Anna\n" * 5)

    assert "; the first 3 rows alone, 2 columns" in " ".join(shown(capsys, file, "--rows", "3").split())


def test_a_picture_for_programs_has_stable_keys(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(here, "E-mail,Name\na@example.com,Anna\n,\n")

    found = json.loads(shown(capsys, file, "--json"))

    (one,) = found["files"]
    (table,) = one["tables"]
    assert found["judged_by_sample"] == ["kind", "personal"]
    assert set(one) == {"file", "format", "size_bytes", "sheets", "tables"}
    assert set(table) == {
        "file", "sheet", "header_row", "rows", "blank_rows", "spanned_rows", "is_whole", "columns", "facts", "notes",
        "damage",
    }  # fmt: skip
    assert table["columns"][0] == {
        "letter": "A", "position": 0, "name": "E-mail", "kind": {"name": "email", "detail": "", "share": 1.0},
        "filled": 1, "fill": 1.0, "distinct": 1, "distinct_is_exact": True, "longest": 13, "judged_values": 1,
        "examples": ["a@example.com"],
        "personal": [{"kind": "an e-mail address", "why": "100 % of the values are e-mail addresses"}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "people.yaml",
            "people.yaml: this is a mapping, and no spreadsheet\n  hint: etl inspect FILE   [usage]\n",
        ),
    ],
    ids=["mapping"],
)
def test_what_is_no_table_is_refused(name: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", name]) == 2

    assert capsys.readouterr().err == message


def test_a_file_that_is_missing_is_refused_with_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "missing.csv"]) == 2

    assert capsys.readouterr().err.startswith("missing.csv: ")


def test_a_cell_cannot_steer_the_terminal(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(here, "E-\x1b[31mmail,Name\na@example.com,\x1b]0;x\x07Anna\n")

    assert "\x1b" not in shown(capsys, file)


def test_a_terminal_shows_bars_of_how_full_a_column_is(here: Path) -> None:
    file = write(here, "E-mail,Name\na@example.com,Anna\nb@example.com,\n")

    with on_terminal("inspect", file, cwd=here, columns=100) as terminal:
        assert terminal.exit_code() == 0

    assert "━━───  50 %" in terminal.text
    assert "━━━━━ 100 %" in terminal.text


def test_an_output_without_such_letters_gets_plain_ones(here: Path) -> None:
    file = write(here, "E-mail,Name\na@example.com,Anna\n")

    done = etl("inspect", file, cwd=here, PYTHONIOENCODING="ascii")

    assert done.returncode == 0
    assert "E-mail *" in done.stdout
