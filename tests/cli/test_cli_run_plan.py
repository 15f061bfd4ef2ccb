"""`etl run --plan`: exactly what was agreed on, or nothing; and what is said before a run starts."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sheets import HEADER, write_contacts
from shell import at_home, run

from etl.plan_file import checksum


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return at_home(tmp_path, monkeypatch)


def planned(here: Path, capsys: pytest.CaptureFixture[str], *flags: str, rows: int = 3) -> None:
    mapping, file = write_contacts(here, rows)
    run(["plan", mapping, file, "--target", "sandbox", "--out", "plan.json", "--quiet", *flags], capsys)


def contacts(here: Path) -> int:
    if not (here / ".etl" / "sandbox.db").exists():
        return 0
    with closing(sqlite3.connect(here / ".etl" / "sandbox.db")) as database:
        return int(database.execute("SELECT count(*) FROM contacts").fetchone()[0])


def test_a_plan_is_carried_out(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planned(here, capsys)

    code, out, err = run(["run", "--plan", "plan.json", "--out", "r"], capsys)

    assert (code, out.splitlines()[0]) == (0, "All 3 rows were delivered to sandbox.")
    assert contacts(here) == 3
    assert "3 requests, at most 5,000 a second: under a second at that rate\n" in err


def test_a_changed_file_is_refused_before_anything_is_written_or_sent(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned(here, capsys)
    (here / "people.csv").write_text(HEADER + "eve@example.com,Eve,\n", "utf-8")

    code, out, err = run(["run", "--plan", "plan.json", "--out", "r"], capsys)

    assert (code, out, contacts(here)) == (2, "", 0)
    assert err.startswith("plan.json: people.csv has changed: sha256 ")
    assert not (here / "r").exists()


def test_a_given_file_of_the_same_content_agrees(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planned(here, capsys)
    (here / "people.csv").rename(here / "moved.csv")

    code, _, _ = run(["run", "people.yaml", "moved.csv", "--plan", "plan.json", "--quiet"], capsys)

    assert (code, contacts(here)) == (0, 3)


def test_where_another_run_has_delivered_since_nothing_is_sent(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planned(here, capsys, "--only-changed")
    (here / "two.csv").write_text(
        "".join((here / "people.csv").read_text("utf-8").splitlines(keepends=True)[:3]), "utf-8"
    )
    run(["run", "people.yaml", "two.csv", "--target", "sandbox", "--quiet"], capsys)

    code, out, _ = run(["run", "--plan", "plan.json", "--out", "r"], capsys)

    assert (code, contacts(here)) == (3, 2)
    stop = json.loads((here / "r" / "summary.json").read_text("utf-8"))["stopped"]
    assert (stop["code"], stop["message"]) == (
        "plan-differs", "what would be sent is not what was planned: planned 1 (was 3), unchanged 2 (was 0)",
    )  # fmt: skip
    assert "etl resume" not in out


def test_a_dry_run_of_a_plan_makes_no_sense(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planned(here, capsys)
    code, _, err = run(["run", "--plan", "plan.json", "--dry-run"], capsys)
    assert code == 2
    assert "--plan and --dry-run exclude each other" in err


def test_a_run_that_cannot_finish_says_so_goes_on_and_leaves_the_rest_blocked(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping, file = write_contacts(here, 30)

    code, _, err = run(
        ["run", mapping, file, "--target", "sandbox", "--rate", "5", "--deadline", "2s", "--out", "r"], capsys
    )

    summary = json.loads((here / "r" / "summary.json").read_text("utf-8"))
    assert code == 3
    assert "30 requests, at most 5 a second: at least 6 s; at least 2" in err
    assert summary["stopped"]["code"] == "deadline"
    assert 0 < summary["counts"]["delivered"] < 15
    assert summary["counts"]["delivered"] + summary["counts"]["blocked"] == 30


def test_a_deadline_that_is_past_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 3)
    code, _, err = run(["run", mapping, file, "--target", "sandbox", "--deadline", "2020-01-01T06:00"], capsys)
    assert (code, contacts(here)) == (2, 0)
    assert err.startswith("--deadline: '2020-01-01T06:00' is past: it is ")


def test_a_run_that_was_stopped_by_its_plan_is_not_gone_on_with(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planned(here, capsys)
    table = json.loads((here / "plan.json").read_text("utf-8"))
    table["planned_sha256"] = "0" * 64
    (here / "plan.json").write_text(json.dumps(table | {"sha256": checksum(table)}), "utf-8")
    run(["run", "--plan", "plan.json", "--out", "r", "--quiet"], capsys)

    code, _, err = run(["resume", json.loads((here / "r" / "summary.json").read_text("utf-8"))["id"]], capsys)

    assert (code, contacts(here)) == (2, 0)
    assert "was stopped because it would have sent what was not planned\n  hint: make a new plan, and run that" in err
