"""`run` and `check`: exit codes, what goes to stdout and what to stderr, and the flags."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sheets import write_contacts, write_deletes
from shell import at_home, etl, run

from etl.sandbox import Sandbox


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return at_home(tmp_path, monkeypatch)


def test_a_check_says_what_would_happen(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 3, bad=1)

    code, out, _ = run(["check", mapping, file, "--out", "r", "--reports", "csv"], capsys)

    assert code == 1
    assert out == (
        "3 of 4 rows would be delivered; 1 is invalid.\n"
        "\n"
        "  3 planned   1 invalid\n"
        "\n"
        "  row 5: E-mail is not an e-mail address; correct the address\n"
        "This would clear contact.phone of 3 contacts.\n"
        "\n"
        "Read    people.csv: UTF-8, commas, header in row 1\n"
        "Reports r: results.csv, issues.csv, summary.json\n"
    )


def test_a_check_without_bad_rows_ends_with_0(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 3)

    code, out, _ = run(["check", mapping, file], capsys)

    assert (code, out.splitlines()[0]) == (0, "All 3 rows would be delivered.")


def test_a_run_delivers_to_the_embedded_sandbox_and_says_where(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 3, bad=1)

    code, out, _ = run(["run", mapping, file, "--target", "sandbox", "--out", "r"], capsys)

    assert code == 1
    assert out.startswith("3 of 4 rows were delivered to sandbox; 1 is invalid.\n")
    assert "Sandbox .etl/sandbox.db  (sqlite3 .etl/sandbox.db '.tables')\n" in out
    with closing(sqlite3.connect(here / ".etl" / "sandbox.db")) as database:
        assert database.execute("SELECT count(*) FROM contacts").fetchone() == (3,)


def test_a_dry_run_is_a_check(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 2)

    code, out, _ = run(["run", mapping, file, "--target", "sandbox", "--dry-run"], capsys)

    assert (code, out.splitlines()[0]) == (0, "All 2 rows would be delivered.")
    assert not (here / ".etl").exists()


@pytest.mark.parametrize("verb", ["run", "check"])
def test_json_is_the_summary_alone_on_stdout(here: Path, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 2, bad=1)

    code, out, err = run([verb, mapping, file, "--target", "sandbox", "--out", "r", "--json"], capsys)

    assert json.loads(out) == json.loads((here / "r" / "summary.json").read_text("utf-8"))
    assert json.loads(out)["exit_code"] == code == 1
    assert "2 of 3 rows" in err


def test_quiet_leaves_the_paths_alone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 2)

    code, out, err = run(["check", mapping, file, "--out", "r", "--quiet"], capsys)

    assert (code, out, err) == (0, "r/results.csv\nr/issues.csv\nr/summary.json\n", "")


def test_a_guard_that_stops_is_told_even_when_quiet(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 8, bad=2)

    code, _, err = run(
        ["run", mapping, file, "--target", "sandbox", "--fail-over", "10%", "--out", "r", "--quiet"], capsys
    )

    assert code == 3
    assert err == (
        "Stopped: 2 rows are invalid (20.0% of 10 rows), and --fail-over allows 10%, which is 1: "
        "mend them, or raise the limit   [fail-over]\n"
    )


def test_a_check_tells_of_the_guard_that_a_run_would_meet(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 2)

    code, out, _ = run(["check", mapping, file, "--max-clears", "1"], capsys)

    assert code == 3
    assert "A run would stop: 2 fields would be cleared, and --max-clears allows 1: " in out


def test_limit_takes_the_first_rows(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 5)

    _, out, _ = run(["check", mapping, file, "--limit", "2"], capsys)

    assert out.startswith("All 2 rows would be delivered.\n")


def test_a_file_without_rows_is_no_error(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 0)

    code, out, _ = run(["check", mapping, file], capsys)

    assert (code, out.splitlines()[0]) == (0, "There are no rows below the header: nothing to deliver.")


def test_deletes_without_a_terminal_need_yes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_deletes(here, 2)

    code, out, _ = run(["run", mapping, file, "--target", "sandbox"], capsys)

    assert code == 3
    assert (
        "Stopped: 2 contacts would be deleted, and nobody is here to confirm it: add --yes if that is right"
        in " ".join(out.split())
    )


def test_with_yes_they_are_deleted(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_deletes(here, 2)

    code, out, _ = run(["run", mapping, file, "--target", "sandbox", "--yes"], capsys)

    assert (code, out.splitlines()[0]) == (0, "2 contacts were deleted at sandbox.")


def test_a_check_of_deletions_says_so(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_deletes(here, 2)

    code, out, _ = run(["check", mapping, file], capsys)

    assert (code, out.splitlines()[0]) == (0, "2 contacts would be deleted.")


def test_a_target_of_the_settings_is_used(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 2)
    with Sandbox() as sandbox:
        (here / "mine.toml").write_text(f'[targets.local]\nurl = "{sandbox.url}"\n', "utf-8")
        code, out, _ = run(
            ["run", mapping, file, "--target", "local", "--config", "mine.toml", "--rate", "500"], capsys
        )
        stored = sandbox.rows("SELECT email FROM contacts")

    assert (code, len(stored)) == (0, 2)
    assert out.startswith("All 2 rows were delivered to local.\n")


def test_without_a_target_a_run_names_those_there_are(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 1)

    code, out, err = run(["run", mapping, file], capsys)

    assert (code, out) == (2, "")
    assert err == (
        "no target is given, and there is no default_target\n"
        "  hint: add --target NAME; the targets are: sandbox   [no-target]\n"
    )


def test_all_mistakes_of_a_mapping_are_shown_and_nothing_else(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 1)
    mapping.write_text(
        mapping.read_text("utf-8").replace("contact.name", "contact.nam").replace("strip", "strp"), "utf-8"
    )

    code, out, err = run(["check", mapping.name, file], capsys)

    assert (code, out) == (2, "")
    assert [line.split(": ")[0] for line in err.splitlines() if not line.startswith("  ")] == [
        "people.yaml:7:51",
        "people.yaml:8:7",
    ]
    assert "Traceback" not in err


def test_off_a_terminal_the_log_is_json_and_says_how_far_the_run_is_without_colour(here: Path) -> None:
    mapping, file = write_contacts(here, 3)

    done = etl("run", mapping, file, "--target", "sandbox", cwd=here, fresh=True)

    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    lines = done.stderr.splitlines()
    assert lines.pop(2) == "3 requests, at most 5,000 a second: under a second at that rate"
    events = [json.loads(line) for line in lines]
    assert [(event["event"], event.get("stage"), event.get("counts")) for event in events] == [
        ("run-began", None, None),
        ("stage-ended", "checking", {"planned": 3}),
        ("stage-began", "sending", None),
        ("stage-ended", "sending", {"delivered": 3}),
        ("run-ended", None, {"delivered": 3}),
    ]
    assert len({event["run"] for event in events}) == 1


def test_a_fault_of_ours_is_one_line_with_the_path_of_a_log(here: Path) -> None:
    # A library that breaks when it is loaded, and quotes somebody's cell.
    mapping, file = write_contacts(here, 1)
    (here / "broken").mkdir()
    (here / "broken" / "pandera.py").write_text(
        "raise RuntimeError('of ' + '@'.join(['person0', 'example.com']))\n", "utf-8"
    )

    done = etl("check", mapping, file, cwd=here, PYTHONPATH=str(here / "broken"))

    assert (done.returncode, done.stdout) == (4, "")
    (line,) = [line for line in done.stderr.splitlines() if "a fault of the program" in line]
    (log,) = (here / ".etl" / "faults").iterdir()
    assert line == (
        "a fault of the program, not of your files (RuntimeError); the details are in "
        f".etl/faults/{log.name}   [internal-error]"
    )
    text = log.read_text("utf-8")
    assert "Traceback (most recent call last):" in text
    assert "command: etl check" in text
    assert "pandas: " in text
    assert "RuntimeError: of (address)" in text
    assert "person0@example.com" not in text
    assert log.stat().st_mode & 0o077 == 0
