"""`etl report`: what is kept of a run, shown again with less of people in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from canaries import Place, as_text, lines_of, there
from support import summary_of

from etl.masking import TOKEN
from etl.other_view import Kept, other_view
from etl.settings import Settings
from etl.view import View

FULL = ("--target", "test", "--reports", "csv,html,fix,xlsx,parquet", "--out", "full")


@pytest.fixture
def run_there(tmp_path, monkeypatch, capsys):
    """A full run of all canaries; what it left and said is no leak."""
    with there(tmp_path, monkeypatch, capsys) as made:
        made.etl("run", "map.yaml", made.made.write(made.folder), *FULL)
        made.said.clear()
        yield made


def leaks(where: Place, folder: str) -> dict[str, list[str]]:
    return {name: found for name, found in where.leaks().items() if name.startswith((f"{folder}/", "said"))}


@pytest.mark.parametrize("view", ["pseudonymous", "aggregate"])
def test_reports_of_a_full_run_are_made_again_without_a_cell_of_it(run_there, view):
    run_there.etl("report", "last", "--view", view, "--out", "other", "--reports", "html,xlsx,parquet")
    assert leaks(run_there, "other") == {}
    results = lines_of(run_there.folder / "other" / "results.csv")
    full = lines_of(run_there.folder / "full" / "results.csv")
    kept = ("row", "action", "status", "http_status", "code", "sent_at")
    assert [[line[name] for name in kept] for line in results] == [[line[name] for name in kept] for line in full]
    has_tokens = {name.name: bool(TOKEN.search(as_text(name))) for name in (run_there.folder / "other").iterdir()}
    assert has_tokens["results.csv"] is (view == "pseudonymous")
    assert view == "pseudonymous" or not any(has_tokens.values()), has_tokens


def test_a_view_of_kept_reports_is_the_one_that_a_redacted_run_has(run_there):
    run_there.etl("check", "map.yaml", "everybody.csv", "--target", "test", "--redact", "--out", "one", "--all")
    run_there.etl("check", "map.yaml", "everybody.csv", "--target", "test", "--out", "two", "--all")
    run_there.etl("report", "two", "--view", "pseudonymous", "--out", "three")
    for name in ("results.csv", "issues.csv"):
        assert lines_of(run_there.folder / "three" / name) == lines_of(run_there.folder / "one" / name)


def test_the_annotated_workbook_is_left_out_where_the_file_has_changed(run_there):
    (run_there.folder / "everybody.csv").write_text("E-mail\n")
    said = run_there.etl("report", "last", "--view", "pseudonymous", "--out", "other", "--reports", "xlsx")
    assert "annotated.xlsx is not made: this is not the file that run" in said
    assert not (run_there.folder / "other" / "annotated.xlsx").exists()


def test_a_view_is_never_loosened(run_there):
    run_there.etl("report", "last", "--view", "aggregate", "--out", "less")
    said = run_there.etl("report", "less", "--view", "pseudonymous", "--out", "more", codes=(2,))
    assert said == (
        "less: these reports were made with the view aggregate, which says less of people than pseudonymous\n"
        "  hint: make the reports anew from the file   [view-loosened]\n"
    )
    assert not (run_there.folder / "more").exists()


def test_tokens_are_not_masked_a_second_time(run_there):
    run_there.etl("report", "last", "--view", "pseudonymous", "--out", "one")
    run_there.etl("report", "one", "--view", "pseudonymous", "--out", "two")
    assert lines_of(run_there.folder / "two" / "results.csv") == lines_of(run_there.folder / "one" / "results.csv")
    run_there.etl("report", "one", "--view", "aggregate", "--out", "three")
    assert not TOKEN.search((run_there.folder / "three" / "results.csv").read_text())


def test_another_view_has_a_summary_that_conforms(run_there):
    report = other_view(Kept(Path("full")), Settings(run_there.folder), View.AGGREGATE, Path("other"))
    assert summary_of(report)["view"] == "aggregate"
    full = json.loads(Path("full/summary.json").read_text())
    assert summary_of(report)["counts"] == full["counts"]


@pytest.mark.parametrize(("run", "out", "code"), [("nothing-here", "other", "unknown-run"), (".", "other", "no-report"), ("full", "full", "out")])  # fmt: skip
def test_what_cannot_be_shown_is_refused(run_there, run, out, code):
    assert f"[{code}]" in run_there.etl("report", run, "--view", "aggregate", "--out", out, codes=(2,))
