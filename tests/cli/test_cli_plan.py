"""`etl plan`: the verdict of a check, and where the plan is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sheets import write_contacts, write_deletes
from shell import at_home, run

from etl.cli.planned import planned_call
from etl.errors import SettingsError
from etl.plan_file import read_plan


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return at_home(tmp_path, monkeypatch)


def test_a_plan_shows_the_verdict_of_a_check_and_where_it_is(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 3, bad=1)

    code, out, _ = run(["plan", mapping, file, "--target", "sandbox", "--out", "r", "--reports", "csv"], capsys)

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
        "Plan    r/plan.json  (3 requests, at most 5,000 a second: under a second at that rate)\n"
        "Next    etl run --plan r/plan.json\n"
    )
    assert read_plan(here / "r" / "plan.json").counts == {"planned": 3, "invalid": 1}


def test_a_name_that_ends_in_json_is_the_plans_own(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 3)

    code, out, _ = run(["plan", mapping, file, "--target", "sandbox", "--out", "tonight.json"], capsys)

    assert code == 0
    assert "\nReports etl-reports/" in out
    assert "\nPlan    tonight.json  (3 requests, " in out
    assert read_plan(here / "tonight.json").mapping.name == "people"


def test_a_plan_opens_no_connection_and_leaves_no_journal(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 3)
    run(["plan", mapping, file, "--target", "sandbox"], capsys)
    assert not (here / ".etl").exists()


def test_no_plan_is_kept_where_a_run_would_stop(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_deletes(here, 3)

    code, out, err = run(
        ["plan", mapping, file, "--target", "sandbox", "--out", "plan.json", "--max-deletes", "1"], capsys
    )

    assert code == 3
    assert "A run would stop: 3 contacts would be deleted" in out
    assert "no plan was kept: a run would stop   [no-plan]" in err
    assert not (here / "plan.json").exists()


def test_a_plan_without_a_target_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 1)

    code, _, err = run(["plan", mapping, file], capsys)

    assert code == 2
    assert err == (
        "no target is given, and there is no default_target\n"
        "  hint: add --target NAME; the targets are: sandbox   [no-target]\n"
    )


def test_json_says_where_the_plan_is(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 1)

    _, out, _ = run(["plan", mapping, file, "--target", "sandbox", "--out", "p.json", "--json", "--quiet"], capsys)

    assert json.loads(out)["reports"]["plan"] == "p.json"
    assert json.loads(out)["estimate"]["text"] == "1 request, at most 5,000 a second: under a second at that rate"


def test_quiet_leaves_the_paths_alone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping, file = write_contacts(here, 1)

    _, out, err = run(["plan", mapping, file, "--target", "sandbox", "--out", "r", "--quiet"], capsys)

    assert (out, err) == ("r/results.csv\nr/issues.csv\nr/summary.json\nr/plan.json\n", "")


class TestPlannedCall:
    @pytest.fixture
    def path(self, here: Path, capsys: pytest.CaptureFixture[str]) -> Path:
        write_contacts(here, 2)
        run(["plan", "people.yaml", "people.csv", "--target", "sandbox", "--out", "plan.json"], capsys)
        return here / "plan.json"

    def test_what_is_not_given_is_the_plans(self, path: Path) -> None:
        flags = {"target": None, "config": None}
        _, mapping, files = planned_call(path, None, (), flags)
        assert (mapping, files) == (Path("people.yaml"), ("people.csv",))
        assert flags == {"target": "sandbox", "config": None}

    def test_from_another_folder_the_files_are_found_as_well(
        self, here: Path, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (here / "elsewhere").mkdir()
        monkeypatch.chdir(here / "elsewhere")
        _, mapping, files = planned_call(path, None, (), {"target": None, "config": None})
        assert (mapping, files) == (here / "people.yaml", (str(here / "people.csv"),))

    def test_what_is_given_is_kept(self, path: Path) -> None:
        flags = {"target": "other", "config": Path("x.toml")}
        _, mapping, files = planned_call(path, Path("m.yaml"), ("a.csv", "b.csv"), flags)
        assert (mapping, files) == (Path("m.yaml"), ("a.csv", "b.csv"))
        assert flags == {"target": "other", "config": Path("x.toml")}

    def test_what_is_no_plan_is_refused(self, here: Path) -> None:
        with pytest.raises(SettingsError, match="this is no plan"):
            planned_call(write_contacts(here, 1)[0], None, (), {"target": None, "config": None})
