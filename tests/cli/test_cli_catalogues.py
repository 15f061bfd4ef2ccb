"""`fields` and `transforms`: what they list is what there is, and their examples hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from etl.__main__ import main
from etl.cli.commands.fields import EXAMPLES
from etl.cli.commands.transforms import written
from etl.contract import ACTIONS
from etl.mapping import parse_mapping
from etl.transforms import CATALOGUE


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(words) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("action", ACTIONS)
def test_every_field_of_the_contract_is_listed(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = json.loads(shown(capsys, "fields", action, "--json"))

    assert [field["path"] for field in found["fields"]] == [field.path for field in ACTIONS[action].fields]


def test_alike_fields_stand_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    lines = shown(capsys, "fields", "event.create").splitlines()

    (first, second) = [" ".join(line.split()) for line in lines if "detail" in line]
    assert first == "detail1 ... detail10 String 255 free detail"
    assert second == "detail11 ... detail20 String 255 free detail; extension: sent only when mapped"


@pytest.mark.parametrize("action", ACTIONS)
def test_the_lines_for_a_mapping_load(action: str) -> None:
    fields = "\n".join(f"      {line}" for line in EXAMPLES[action])
    text = f"version: 1\nname: x\nrecords:\n  - action: {action}\n    fields:\n{fields}\n"

    assert len(parse_mapping(text, "x.yaml", Path()).records) == 1


def test_an_unknown_action_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fields", "contact.upser"]) == 2

    assert capsys.readouterr().err == (
        "unknown action 'contact.upser'\n"
        "  hint: did you mean 'contact.upsert'? the actions are: contact.upsert, contact.delete, event.create   "
        "[unknown-action]\n"
    )


def test_every_transform_is_listed_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(shown(capsys, "transforms", "--json"))

    assert [one["name"] for one in found] == sorted(CATALOGUE)
    assert all(one["examples"] for one in found)


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_example_is_written_as_a_mapping_takes_it(name: str, tmp_path: Path) -> None:
    for example in CATALOGUE[name].examples:
        transform = written(name, example)
        before = '{split: ";"}, ' if CATALOGUE[name].takes == "list" else ""
        field = "tags" if CATALOGUE[name].gives == "list" else "contact.name"
        text = (
            "version: 1\nname: x\nrecords:\n  - action: contact.upsert\n    fields:\n"
            f"      contact.email: E-mail\n      {field}: {{column: X, transform: [{before}{transform}]}}\n"
        )
        assert parse_mapping(text, "x.yaml", tmp_path)


def test_a_transform_tells_its_arguments_and_what_its_examples_give(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "transforms", "number")

    assert "decimals     a whole number from 0 to 30" in text
    assert "{number: {decimal: \",\", thousands: \".\"}}\n  '1.234,50' → '1234.5'\n" in text
    assert text.endswith("A cell that it cannot convert becomes an issue with the code not-a-number.\n")


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_transform_can_be_shown(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "transforms", name)

    assert text.startswith(name)
    assert "typing." not in text
    assert "<class" not in text


def test_an_unknown_transform_is_refused_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transforms", "squeze"]) == 2

    assert capsys.readouterr().err == (
        "unknown transform 'squeze'\n"
        "  hint: did you mean 'squeeze'? \"etl transforms\" lists all of them   [unknown-transform]\n"
    )
