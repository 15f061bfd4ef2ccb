"""`preview` and `init`, on small files and on the samples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sheets import write_contacts
from shell import ROOT

from etl.__main__ import main
from etl.mapping import load_mapping

SAMPLES = ROOT / "sample_data"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def test_a_preview_shows_cells_and_payload_side_by_side(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 1)

    assert main(["preview", str(mapping), str(file)]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "row 2  contact.upsert  planned"
    assert [line.split(maxsplit=1)[0] for line in lines[3:5]] == ["E-mail:", "Name:"]
    assert '"email": "person0@example.com"' in "\n".join(lines)


def test_a_row_that_would_not_be_sent_says_why(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 0, bad=1)

    main(["preview", str(mapping), str(file)])

    out = " ".join(capsys.readouterr().out.split())
    assert "none: it would not be sent" in out
    assert "error contact.email: 'not-an-address' is not an e-mail address: " in out
    assert "(correct the address)" in out


def test_a_preview_for_programs_holds_the_same(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 5)

    main(["preview", str(mapping), str(file), "-n", "2", "--json"])

    first, second = json.loads(capsys.readouterr().out)
    assert (first["row"], second["row"]) == (2, 3)
    assert first["payload"]["contact"]["email"] == "person0@example.com"
    assert first["cells"]["Name"] == "Anna Nowak"


def test_a_cell_cannot_steer_the_terminal(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 1)
    file.write_text(file.read_text("utf-8").replace("Anna", "\x1b[2JAnna"), "utf-8")

    main(["preview", str(mapping), str(file)])

    out = capsys.readouterr().out
    assert "\x1b[2J" not in out
    assert "\\x1b[2JAnna" in out


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("contacts.csv", "contact.upsert"),
        ("contacts_cp1250.csv", "contact.upsert"),
        ("contacts.xlsx", "contact.upsert"),
        ("opt_outs.csv", "contact.delete"),
        ("purchases.csv", "event.create"),
    ],
    ids=["csv", "cp1250", "xlsx", "opt-outs", "purchases"],
)
def test_a_draft_of_a_sample_checks_without_an_edit(
    here: Path, name: str, action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = here / "new" / "draft.yaml"

    assert main(["init", str(SAMPLES / name), "--out", str(draft)]) == 0
    assert load_mapping(draft).records[0].action.name == action
    capsys.readouterr()
    assert main(["check", str(draft), str(SAMPLES / name), "--json", "--quiet"]) in (0, 1)
    counts = json.loads(capsys.readouterr().out)["counts"]
    assert counts["planned"] > 0.6 * sum(counts.values())


def test_a_draft_goes_to_stdout_and_the_rest_to_stderr(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, file = write_contacts(here, 2)

    assert main(["init", file.name]) == 0

    shown = capsys.readouterr()
    assert shown.out.startswith("# A draft")
    assert "contact.email: {column: E-mail" in shown.out
    assert shown.err == (
        "contact.upsert; 3 of 3 columns are mapped\n"
        "keep it:  etl init people.csv --out mappings/people.yaml\n"
        "next:     etl check mappings/people.yaml people.csv\n"
    )


def test_a_file_is_not_overwritten_unless_forced(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, file = write_contacts(here, 2)
    out = here / "kept.yaml"
    out.write_text("mine", "utf-8")

    assert main(["init", file.name, "-o", "kept.yaml"]) == 2
    assert out.read_text("utf-8") == "mine"
    assert capsys.readouterr().err == (
        "kept.yaml: there is such a file already\n  hint: choose another name, or add --force   [exists]\n"
    )

    assert main(["init", file.name, "-o", "kept.yaml", "--force"]) == 0
    assert out.read_text("utf-8").startswith("# A draft")


def test_the_action_can_be_asked_for(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, file = write_contacts(here, 2)

    assert main(["init", file.name, "--action", "contact.delete"]) == 0

    assert "  - action: contact.delete\n" in capsys.readouterr().out


def test_an_unknown_action_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, file = write_contacts(here, 1)

    assert main(["init", file.name, "--action", "contact.remove"]) == 2
    assert "unknown action 'contact.remove'" in capsys.readouterr().err


def test_a_sheet_without_rows_gives_a_draft_by_its_names(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, file = write_contacts(here, 0)

    assert main(["init", file.name, "-o", "x.yaml"]) == 0
    assert "E-mail" in (here / "x.yaml").read_text("utf-8")


def test_what_is_missing_is_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "odd.csv").write_text("Shade,Weight\nred,3\n", "utf-8")

    assert main(["init", "odd.csv", "--action", "contact.upsert", "-o", "x.yaml"]) == 0
    assert "incomplete: no column serves as contact.email, which every record needs\n" in capsys.readouterr().err
