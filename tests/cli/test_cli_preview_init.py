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
    assert lines[:3] == ["Read people.csv: UTF-8, commas, header in row 1", "", "row 2  contact.upsert  planned"]
    assert [line.split(maxsplit=1)[0] for line in lines[5:7]] == ["E-mail:", "Name:"]
    assert '"email": "person0@example.com"' in "\n".join(lines)


@pytest.mark.parametrize(("policy", "is_said"), [("last", True), ("error", True), ("all", False)], ids=str)
def test_a_preview_says_who_judges_duplicates_where_they_matter(
    here: Path, policy: str, is_said: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping, file = write_contacts(here, 2)
    mapping.write_text(
        mapping.read_text("utf-8").replace("    fields:", f"    duplicates: {policy}\n    fields:"), "utf-8"
    )

    assert main(["preview", str(mapping), str(file)]) == 0
    assert ("Duplicates are judged by `etl check` alone." in capsys.readouterr().out) is is_said


@pytest.mark.parametrize(
    ("tags", "told"),
    [("new customer; Żółty", "tags will be stored as: NEW_CUSTOMER, ZOLTY"), ("VIP;NEW", None)],
    ids=["other", "same"],
)
def test_a_preview_shows_tags_as_they_will_be_stored_where_that_differs(
    here: Path, tags: str, told: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping, file = write_contacts(here, 0)
    mapping.write_text(mapping.read_text("utf-8") + '      tags: {column: Tags, transform: [{split: ";"}]}\n', "utf-8")
    file.write_text(f"E-mail,Name,Phone,Tags\nanna@example.com,Anna,,{tags}\n", "utf-8")

    assert main(["preview", str(mapping), str(file)]) == 0

    out = capsys.readouterr().out
    assert "Żółty" in out or told is None
    assert (told in out) if told else ("will be stored as" not in out)


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
        "Read people.csv: UTF-8, commas, header in row 1\n"
        "contact.upsert; 3 of 3 columns are mapped\n"
        "keep it:  etl init people.csv --out mappings/people.yaml\n"
        "next:     etl check mappings/people.yaml people.csv\n"
    )


def test_a_draft_that_cannot_be_written_is_told_and_leaves_nothing(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, file = write_contacts(here, 2)

    assert main(["init", file.name, "-o", f"{file.name}/draft.yaml"]) == 2
    assert capsys.readouterr().err.startswith(f"{file.name}/draft.yaml: the draft cannot be written: ")


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
    err = capsys.readouterr().err
    assert err.splitlines()[-1] == (
        "incomplete: no column serves as contact.email, which every record needs: add it under `fields`"
    )
    assert "next:" not in err


@pytest.mark.parametrize(
    ("sheet", "told"),
    [
        (
            "E-mail,Newsletter\na@example.com,yes\nb@example.com,no\nc@example.com,\n",
            (
                "Note: 'Newsletter' looks like consent; 2 rows of the sample do not say yes and would be sent: "
                "uncomment `when:` in line 8"
            ),
        ),
        (
            "E-mail,Newsletter\na@example.com,yes\nb@example.com,no\n",
            (
                "Note: 'Newsletter' looks like consent; 1 row of the sample does not say yes and would be sent: "
                "uncomment `when:` in line 8"
            ),
        ),
        (
            "E-mail,Unsubscribed,City\na@example.com,yes,Kiel\nb@example.com,no,Bonn\n",
            (
                "Note: 'Unsubscribed' looks like a list of people who left; 1 row of the sample says so and would be sent: "
                "uncomment `when:` in line 8"
            ),
        ),
    ],
    ids=["consent", "one row", "opt-out"],
)
def test_a_draft_that_would_send_those_who_did_not_agree_ends_with_a_note(
    here: Path, sheet: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "people.csv").write_text(sheet, "utf-8")

    assert main(["init", "people.csv", "-o", "x.yaml"]) == 0

    assert capsys.readouterr().err.splitlines()[-1] == told
    lines = (here / "x.yaml").read_text("utf-8").splitlines()
    assert lines[7].startswith("    #when: ")
    lines[7] = lines[7].replace("#", "", 1)
    (here / "x.yaml").write_text("\n".join(lines), "utf-8")
    assert load_mapping(here / "x.yaml").records[0].when is not None


def test_where_everybody_agreed_there_is_nothing_to_note(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "people.csv").write_text("E-mail,Newsletter\na@example.com,yes\nb@example.com,Yes\n", "utf-8")

    assert main(["init", "people.csv"]) == 0
    assert "Note:" not in capsys.readouterr().err


def test_a_header_that_looks_like_data_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "odd.csv").write_text("anna@example.com,Anna\nben@example.com,Ben\n", "utf-8")

    assert main(["init", "odd.csv", "-o", "x.yaml"]) == 0
    assert (
        "Note: row 1 looks like data: no header? write `source: {header_row: none}` in the mapping\n"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    "command", [["check"], ["run", "--target", "sandbox"], ["preview"]], ids=lambda words: words[0]
)
def test_a_mapping_that_is_not_there_is_looked_for_nearby(
    here: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    mapping, file = write_contacts(here, 1)
    (here / "mappings").mkdir()
    mapping.rename(here / "mappings" / "people.yaml")

    assert main([command[0], "poeple.yaml", file.name, *command[1:]]) == 2
    assert capsys.readouterr().err == (
        "poeple.yaml: the mapping can't be read: no such file or directory\n"
        "  hint: did you mean 'mappings/people.yaml'?   [unreadable-mapping]\n"
    )


@pytest.mark.parametrize(
    ("there", "hint"),
    [
        ([], "check the name, or draft one: etl init FILE --out MAPPING"),
        (["people.yaml", "orders.yml"], "check the name; there are orders.yml, people.yaml"),
        (
            [f"a{n}.yaml" for n in range(7)],
            "check the name; there are a0.yaml, a1.yaml, a2.yaml, a3.yaml, a4.yaml and 2 more",
        ),
    ],
    ids=["none", "others", "many"],
)
def test_where_no_mapping_is_near_those_there_are_are_named(
    here: Path, there: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in there:
        (here / name).write_text("", "utf-8")

    assert main(["check", "zzzzzz.yaml", "people.csv"]) == 2
    assert f"  hint: {hint}   [unreadable-mapping]\n" in capsys.readouterr().err


def test_a_draft_as_json_says_of_each_column_what_it_is_how_sure_and_why(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "people.csv").write_text("Adres e-mail;Kod pocztowy\nanna@example.com;00-950\n", encoding="utf-8")

    assert main(["init", "people.csv", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert (told["action"], told["file"]["delimiter"], told["file"]["header_row"]) == ("contact.upsert", "semicolon", 1)
    assert [(one["column"], one["path"]) for one in told["columns"]] == [
        ("Adres e-mail", "contact.email"),
        ("Kod pocztowy", "contact.address.zipCode"),
    ]
    assert all(one["confidence"] > 0.8 and one["reasons"] for one in told["columns"])
    (here / "draft.yaml").write_text(told["mapping"], encoding="utf-8")
    assert [spec.path for spec in load_mapping(Path("draft.yaml")).records[0].fields] == [
        "contact.email",
        "contact.address.zipCode",
    ]
