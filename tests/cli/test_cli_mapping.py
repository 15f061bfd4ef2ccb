"""`mapping test` and `mapping diff`: what they say, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sheets import CONTACTS, write_contacts
from shell import ROOT

from etl.__main__ import main

EXAMPLES = """\
examples:
  - {row: {E-mail: A@example.com, Name: Anna}, gives: {contact: {email: a@example.com, name: Anna, phone: ''}}}
  - {row: {E-mail: A@example.com}, gives: {contact: {email: A@example.com, name: Jan, phone: ''}}}
  - {row: {E-mail: A@example.com}, skipped: true}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def write_mapping(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, "utf-8")
    return name


def test_the_examples_of_the_repository_are_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mapping", "test", *map(str, sorted((ROOT / "mappings").glob("*.yaml")))]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert all(line.endswith(": all right") for line in lines)
    assert len(lines) == 4


def test_a_wrong_example_is_told_with_its_place_and_fields(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = write_mapping(here, "people.yaml", CONTACTS.lstrip() + EXAMPLES)

    assert main(["mapping", "test", name]) == 1

    assert capsys.readouterr().out == (
        "people.yaml:11:5: example 2: 2 fields differ\n"
        "  contact.email  expected 'A@example.com', got 'a@example.com'\n"
        "  contact.name   expected 'Jan', got nothing\n"
        "people.yaml:12:5: example 3: expected the row to be skipped, but contact.upsert would be sent\n"
        "3 examples of people.yaml: 1 right, 2 wrong\n"
    )


def test_examples_for_programs_hold_the_same(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = write_mapping(here, "people.yaml", CONTACTS.lstrip() + EXAMPLES)

    assert main(["mapping", "test", name, "--json"]) == 1

    (found,) = json.loads(capsys.readouterr().out)
    assert (found["mapping"], found["right"], found["wrong"]) == ("people.yaml", 1, 2)
    assert found["examples"][1]["differences"][1] == {
        "record": 1, "path": "contact.name", "expected": "Jan", "got": None,
    }  # fmt: skip


def test_a_mapping_without_examples_is_noted_and_not_wrong(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = write_mapping(here, "people.yaml", CONTACTS.lstrip())

    assert main(["mapping", "test", name]) == 0

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == ("Note: people.yaml has no examples: write some under `examples:` (etl mapping test --help)\n")


def test_a_broken_mapping_keeps_no_other_from_being_tried(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = write_mapping(here, "broken.yaml", "version: 1\n")
    good = write_mapping(here, "good.yaml", CONTACTS.lstrip() + "".join(EXAMPLES.splitlines(keepends=True)[:2]))

    assert main(["mapping", "test", broken, good]) == 2

    shown = capsys.readouterr()
    assert shown.out == "1 example of good.yaml: right\n"
    assert "broken.yaml:1:1: the mapping has no name" in shown.err


def test_a_spreadsheet_is_no_mapping_to_test(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mapping", "test", "contacts.csv"]) == 2

    assert capsys.readouterr().err == (
        "contacts.csv: this is a spreadsheet, and no mapping\n  hint: etl mapping test MAPPING   [usage]\n"
    )


def test_what_changes_is_shown_by_field_and_row(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 2, bad=1)
    new = write_mapping(here, "new.yaml", CONTACTS.replace("Name: Name", "Name").replace("name: Name", "company: Name"))

    assert main(["mapping", "diff", mapping.name, new, file.name, "--rows", "1"]) == 1

    assert capsys.readouterr().out == (
        "With new.yaml instead of people.yaml, 2 of 3 rows change.\n"
        "\n"
        "  2  sent by both, and not alike\n"
        "  1  sent by neither\n"
        "\n"
        "  field             rows   for example   before         after\n"
        "  ──────────────────────────────────────────────────────────────────\n"
        "  contact.name         2   row 2         'Anna Nowak'   (not sent)\n"
        "  contact.company      2   row 2         (not sent)     'Anna Nowak'\n"
        "\n"
        "  row   key                   field             before         after\n"
        "  ─────────────────────────────────────────────────────────────────────────\n"
        "  2     person0@example.com   contact.name      'Anna Nowak'   (not sent)\n"
        "                              contact.company   (not sent)     'Anna Nowak'\n"
    )


def test_a_status_that_changes_is_shown(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 2)
    new = write_mapping(here, "new.yaml", CONTACTS.replace("    fields", "    when: Name == 'x'\n    fields"))

    assert main(["mapping", "diff", mapping.name, new, file.name]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "With new.yaml instead of people.yaml, all 2 rows change."
    assert [" ".join(line.split()) for line in lines[2:4]] == [
        "2 sent by the old mapping alone",
        "2 planned -> skipped",
    ]
    assert "2 person0@example.com contact.upsert planned skipped" in [" ".join(line.split()) for line in lines]


def test_no_difference_is_said_and_the_code_is_0(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 2)

    assert main(["mapping", "diff", mapping.name, mapping.name, file.name]) == 0

    assert capsys.readouterr().out == "people.yaml and people.yaml send the same for 2 rows.\n"


def test_a_difference_for_programs_holds_counts_fields_and_rows(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 3)
    new = write_mapping(here, "new.yaml", CONTACTS.replace("name: Name", "company: Name"))

    assert main(["mapping", "diff", mapping.name, new, file.name, "--json", "--limit", "2", "--rows", "1"]) == 1

    found = json.loads(capsys.readouterr().out)
    assert {name: found[name] for name in ("rows", "same", "changed", "only_old", "only_new", "unsent")} == {
        "rows": 2, "same": 0, "changed": 2, "only_old": 0, "only_new": 0, "unsent": 0,
    }  # fmt: skip
    assert [(one["path"], one["rows"], one["example"]["row"]) for one in found["fields"]] == [
        ("contact.name", 2, 2), ("contact.company", 2, 2),
    ]  # fmt: skip
    assert [(row["row"], row["key"], len(row["changes"])) for row in found["first"]] == [(2, "person0@example.com", 2)]
    assert (found["statuses"], found["notes"]) == ([], [])


def test_files_in_the_place_of_mappings_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mapping", "diff", "a.csv", "b.yaml", "c.yaml"]) == 2

    assert capsys.readouterr().err == (
        "etl mapping diff: two mappings come first, then the files\n  hint: etl mapping diff OLD NEW FILE   [usage]\n"
    )


def test_a_cell_cannot_steer_the_terminal(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 0)
    file.write_text("E-mail,Name,Phone\na@example.com,\x1b[31mred,\n", "utf-8")
    new = write_mapping(here, "new.yaml", CONTACTS.replace("name: Name", "company: Name"))

    main(["mapping", "diff", mapping.name, new, file.name])

    assert "\x1b" not in capsys.readouterr().out
