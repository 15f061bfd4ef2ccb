"""The log as flags of a command: on a terminal beside the bar, off it as JSON, and in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shell import at_home, on_terminal, run
from support import CONTACT, rig, write_csv

from etl.sandbox import FaultRule, Faults


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "m.yaml").write_text(CONTACT, "utf-8")
    write_csv(tmp_path / "s.csv", "E-mail\n" + "".join(f"p{number}@example.com\n" for number in range(12)))
    return at_home(tmp_path, monkeypatch)


def test_on_a_terminal_a_warning_stands_on_a_line_of_its_own_and_nothing_else_is_logged(here: Path) -> None:
    faults = Faults((FaultRule("429", nth=(5,), retry_after=0),))
    with (
        rig(here, faults=faults, latency_seconds=0.02),
        on_terminal("run", "m.yaml", "s.csv", "--target", "test", cwd=here, columns=120) as terminal,
    ):
        code = terminal.exit_code()
    lines = [part for line in terminal.text.split("\n") for part in line.split("\r")]
    (slowed,) = [line for line in lines if "slowed-down" in line]
    assert code == 0
    assert slowed[8:].startswith(" warning slowed-down run=20")
    assert "endpoint=/contacts refused=1 rate=" in slowed
    assert "run-began" not in terminal.text
    assert any(line.startswith("sending") for line in lines)


def test_on_a_terminal_info_is_shown_where_it_is_asked_for(here: Path) -> None:
    words = ("check", "m.yaml", "s.csv", "--log-level", "info")
    with on_terminal(*words, cwd=here, columns=200) as terminal:
        assert terminal.exit_code() == 0
    assert " run-began run=" in terminal.text
    assert " stage-ended run=" in terminal.text
    assert "counts=planned:12" in terminal.text


def test_a_file_takes_the_log_also_where_nothing_is_shown(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(["check", "m.yaml", "s.csv", "--quiet", "--log-file", "logs/etl.jsonl"], capsys)

    events = [json.loads(line) for line in (here / "logs" / "etl.jsonl").read_text("utf-8").splitlines()]
    assert (code, err) == (0, "")
    assert [event["event"] for event in events] == ["run-began", "stage-ended", "run-ended"]


def test_what_etl_toml_says_of_the_log_holds_where_no_flag_does(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "etl.toml").write_text('[log]\nlevel = "error"\nfile = "etl.jsonl"\n', "utf-8")

    code, _, err = run(["check", "m.yaml", "s.csv"], capsys)
    assert (code, err, (here / "etl.jsonl").read_text("utf-8")) == (0, "", "")

    run(["check", "m.yaml", "s.csv", "--log-level", "info"], capsys)
    assert len((here / "etl.jsonl").read_text("utf-8").splitlines()) == 3


def test_a_complaint_stays_a_sentence_and_is_in_the_file_as_an_event(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(["run", "m.yaml", "gone.csv", "--target", "sandbox", "--log-file", "etl.jsonl"], capsys)

    (event,) = map(json.loads, (here / "etl.jsonl").read_text("utf-8").splitlines())
    assert code == 2
    assert err.startswith("gone.csv: there is no such file\n")
    assert (event["event"], event["code"], event["exit_code"]) == ("run-refused", "file-missing", 2)


def test_a_level_that_there_is_not_is_told_with_those_there_are(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(["check", "m.yaml", "s.csv", "--log-level", "loud"], capsys)

    assert code == 2
    assert err == (
        "etl check: invalid value for '--log-level': 'loud' is not one of 'debug', 'info', 'warning', 'error'\n"
        '  hint: "etl check --help" shows how it is used   [usage]\n'
    )
