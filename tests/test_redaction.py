"""Under --redact no cell and no key is anywhere: each is a canary here, and all files and words are searched for it."""

from __future__ import annotations

import json
import re

import pyarrow as pa
import pytest
from canaries import as_text, lines_of, there
from fault_runs import NO_WAIT
from hypothesis import given
from hypothesis import strategies as st

import etl
from etl.cli.faults import write_fault
from etl.masking import LETTERS, TOKEN, Masker
from etl.redaction import discreet
from etl.view import View


@pytest.fixture
def place(tmp_path, monkeypatch, capsys):
    with there(tmp_path, monkeypatch, capsys) as made:
        yield made


EVERYTHING = ("--reports", "csv,html,xlsx,fix,parquet")


def test_no_cell_and_no_key_is_shown_by_a_redacted_check_plan_run_or_resume(place):
    file = place.made.write(place.folder)
    to = ("--target", "test", "--redact", *EVERYTHING)
    place.etl("check", "map.yaml", file, *to, "--out", "checked")
    place.etl("plan", "map.yaml", file, *to, "--with-values", "--out", "planned")
    place.etl("run", "map.yaml", file, *to, "--out", "sent", "--json")
    place.etl("retry", "last", "--yes")
    fewer = place.made.rows
    place.made.rows = fewer[3:]
    place.etl("run", "map.yaml", place.made.write(place.folder, "everybody-else.csv"), *to, "--out", "fewer", "--quiet")
    place.etl("run", "map.yaml", file, *to, "--out", "stopped", "--fail-over", "1", "--all")
    place.etl("resume", "last", "--fail-over", "99%")
    place.etl("runs")
    place.etl("show", "last")
    assert place.leaks() == {}
    results = lines_of(place.folder / "sent" / "results.csv")
    assert {line["status"] for line in results} == {"delivered", "rejected", "invalid", "duplicate"}
    assert [line["key"] for line in lines_of(place.folder / "fewer" / "missing.csv")]
    assert json.loads((place.folder / "planned" / "plan.json").read_text())["samples"][0]["values"]


def test_all_canaries_would_be_found(place):
    file = place.made.write(place.folder)
    place.etl("run", "map.yaml", file, "--target", "test", "--reports", "csv", "--out", "sent")
    leaks = place.leaks()
    keys = {one for one in place.made.canaries if "@" in one}
    assert keys <= {one.strip() for one in leaks["sent/results.csv"]} | {"QUILL100@fjord100.EXAMPLE"}
    for name, told in (("summary.json", "NOBODY"), ("issues.csv", "umpteen-meerkat"), ("results.csv", "wombat106")):
        assert told in leaks[f"sent/{name}"]


@pytest.mark.parametrize(("view", "is_told"), [(View.PSEUDONYMOUS, False), (View.AGGREGATE, False), (View.FULL, True)])
def test_a_fault_of_ours_is_logged_without_its_words_where_the_run_was_redacted(tmp_path, monkeypatch, view, is_told):
    monkeypatch.chdir(tmp_path)
    words = " ".join(("Zebulon", "Quagmire"))
    with pytest.raises(ValueError, match=words) as caught, discreet(view):
        raise ValueError(words)
    assert (words in write_fault(caught.value, "run").read_text()) is is_told


def test_the_same_person_has_the_same_token_in_every_report_and_every_run(place):
    file = place.made.write(place.folder)
    for verb, out in (("check", "one"), ("run", "two"), ("check", "three")):
        place.etl(verb, "map.yaml", file, "--target", "test", "--redact", "--out", out)
    by_row = {line["row"]: line["key"] for line in lines_of(place.folder / "two" / "results.csv")}
    assert by_row == {line["row"]: line["key"] for line in lines_of(place.folder / "three" / "results.csv")}
    assert by_row["2"] == by_row["10"]
    assert len(set(by_row.values())) == len(by_row) - 1
    assert all(TOKEN.fullmatch(token) for token in by_row.values())
    issue = next(i for i in lines_of(place.folder / "two" / "issues.csv") if i["code"] == "email-typo")
    assert issue["value"] == by_row[issue["row"]]
    told = next(i for i in lines_of(place.folder / "two" / "results.csv") if i["row"] == issue["row"])
    assert told["message"] == "contact.email: an e-mail address that looks mistyped"


def test_an_aggregate_view_has_neither_values_nor_tokens_and_accounts_for_every_row(place):
    file = place.made.write(place.folder)
    place.etl("run", "map.yaml", file, "--target", "test", "--view", "aggregate", *EVERYTHING, "--out", "sent")
    assert place.leaks() == {}
    for path in (place.folder / "sent").iterdir():
        assert not TOKEN.search(as_text(path)), path
    assert not TOKEN.search("".join(place.said))
    results = lines_of(place.folder / "sent" / "results.csv")
    assert [line["row"] for line in results] == [str(row) for row in range(2, len(place.made.rows) + 2)]
    assert all(line["status"] and not line["key"] and not line["message"] for line in results)
    issues = lines_of(place.folder / "sent" / "issues.csv")
    assert all(line["code"] and line["row"] and line["column"] and not line["value"] for line in issues)
    assert not (place.folder / "sent" / "results.parquet").exists()


def test_dates_that_can_be_read_in_two_ways_are_refused_without_a_quotation(place):
    place.made.rows, place.made.canaries = [], set()
    for number in range(3):
        place.made.add(Birthday=f"0{number + 1}/02/1987")
    place.made.canaries = {"/1987", "February 1987", "February"}
    said = place.etl("check", "map.yaml", place.made.write(place.folder), "--redact", codes=(2,))
    assert place.leaks() == {}
    assert "G2 is day first or month first" in said


def test_sentences_that_would_quote_cells_name_them_instead(place):
    place.etl("check", "map.yaml", place.made.write(place.folder), "--redact", "--out", "out", "--reports", "csv,fix")
    assert json.loads((place.folder / "out" / "summary.json").read_text())["notes"] == [
        "the dates of 'Birthday' are read day first: G2 rules out month first",
        "1 row has something much like it in 'Segment' where the condition says 'nobody'; the two are not the same",
        "the report fix is not written in the view pseudonymous",
    ]


def test_lines_to_paste_that_hold_cells_are_left_out_and_counted(place):
    for number in range(4):
        place.made.add(Phone=f"n/a{number}"[:3])
    place.etl("check", "map.yaml", place.made.write(place.folder), "--redact", "--out", "out", "--reports", "csv")
    summary = json.loads((place.folder / "out" / "summary.json").read_text())
    assert summary["remedies"] == []
    assert "1 line to paste into the mapping quotes cells, and can be had in the full view" in summary["notes"]


def test_redact_true_in_the_settings_does_what_the_flag_does(place):
    settings = place.folder / "etl.toml"
    settings.write_text(settings.read_text() + "[report]\nredact = true\n")
    place.etl("run", "map.yaml", place.made.write(place.folder), "--target", "test", *EVERYTHING, "--out", "sent")
    assert place.leaks() == {}


def test_a_redacted_run_is_not_gone_on_with_in_a_view_that_shows_more(place):
    file = place.made.write(place.folder)
    place.etl("run", "map.yaml", file, "--target", "test", "--redact", "--out", "sent")
    said = place.etl("retry", "last", "--view", "full", codes=(2,))
    run_id = json.loads((place.folder / "sent" / "summary.json").read_text())["id"]
    assert said.endswith(
        f"--view full: run {run_id} was made with the view pseudonymous, and cannot go on with one that shows "
        "more of people\n  hint: leave the flag out   [view-loosened]\n"
    )


# ---- tokens


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.one_of(st.none(), TEXT), max_size=20))
def test_columns_have_the_tokens_that_their_texts_have_one_by_one(texts):
    masker = Masker(b"key")
    for column, one in ((masker.keys, masker.key), (masker.values, masker.value)):
        found = column(pa.array(texts, pa.string())).to_pylist()
        assert found == [None if text is None else one(text) for text in texts]


@pytest.mark.parametrize(
    ("one", "other"),
    [("anna@example.com", "ANNA@Example.com"), ("anna@example.com", " anna@example.com"), ("X1", "X1 ")],
)
def test_what_is_one_key_to_the_program_has_one_token(one, other):
    masker = Masker(b"key")
    assert masker.key(one) == masker.key(other) != ""


def test_a_key_that_is_no_address_is_another_in_capital_letters():
    masker = Masker(b"key")
    assert masker.key("x1") != masker.key("X1")


def test_a_token_is_short_keyed_and_says_nothing():
    token = Masker(b"key").key("anna@example.com")
    assert re.fullmatch(rf"p-[a-z2-7]{{{LETTERS}}}", token)
    assert token == Masker(b"key").value("Anna@example.com")
    assert token != Masker(b"other").key("anna@example.com")
    assert Masker().key("anna@example.com") != Masker().key("anna@example.com")
    assert Masker(b"key").value("Anna").startswith("v-")
    assert Masker(b"key").value("  ") == ""


def test_a_hundred_thousand_people_have_as_many_tokens():
    tokens = Masker(b"key").keys(pa.array([f"p{n}@example.com" for n in range(100_000)]))
    assert len(tokens.unique()) == 100_000


@pytest.mark.parametrize(("view", "other", "more"), [
    (View.FULL, View.PSEUDONYMOUS, True), (View.AGGREGATE, View.PSEUDONYMOUS, False), (View.FULL, View.FULL, False),
])  # fmt: skip
def test_views_are_ordered_by_what_they_show(view, other, more):
    assert view.shows_more_than(other) is more


def test_the_library_shows_no_values_where_it_is_told_so(place):
    file = place.made.write(place.folder)
    report = etl.check(
        place.folder / "map.yaml", file, config=place.folder / "etl.toml",
        options=etl.Options(out=place.folder / "out", view=View.PSEUDONYMOUS, timing=NO_WAIT),
    )  # fmt: skip
    place.said += [repr(report), str(report.results.to_dict()), str(report.issues.to_dict())]
    assert place.leaks() == {}


# ---- the owner finds a person again


def test_whoever_has_the_journal_finds_the_row_behind_a_token_and_the_token_of_a_key(place):
    file = place.made.write(place.folder)
    for out, more in (("tokens", ["--redact"]), ("all", ["--all"])):
        place.etl("run", "map.yaml", file, "--target", "test", "--out", out, "--reports", "csv", *more)
    lines = lines_of(place.folder / "tokens" / "results.csv")
    token = lines[3]["key"]
    place.said.clear()
    assert place.etl("show", "--key", " Quill103@fjord103.example").endswith(f"In redacted reports: {token}\n")
    place.said.clear()
    place.etl("show", "--token", token.upper())
    shown = place.said[0].splitlines()
    assert [line.split("  ")[1:] for line in shown] == [["everybody.csv, row 5", "contact.upsert", "delivered"]] * 2
    place.etl("show", "--token", token.replace("p-", "v-"), "--json")
    assert [(one["row"], one["status"]) for one in json.loads(place.said[2])] == [(5, "delivered")] * 2


def test_what_is_no_token_is_refused(place):
    place.etl("run", "map.yaml", place.made.write(place.folder), "--target", "test", "--out", "o", "--reports", "csv")
    assert place.etl("show", "--token", "p-1234", codes=(2,)) == (
        "p-1234: this is no token of a report\n  hint: one looks like p-7f3a2cqkd5mx   [no-token]\n"
    )


def test_somebody_who_is_forgotten_is_gone_from_redacted_reports_too(place):
    file = place.made.write(place.folder)
    place.etl("check", "map.yaml", file, "--target", "test", "--redact", "--out", "etl-reports/before")
    place.etl("run", "map.yaml", file, "--target", "test", "--redact", "--out", "etl-reports/one", "--reports", "csv")
    place.etl("check", "map.yaml", file, "--target", "test", "--redact", "--out", "etl-reports/after")
    token = lines_of(place.folder / "etl-reports" / "one" / "results.csv")[9]["key"]
    place.etl("forget", "axolotl@gmial.com", "--yes")
    for folder in ("one", "after"):
        for path in (place.folder / "etl-reports" / folder).iterdir():
            assert token not in as_text(path), path


@pytest.mark.parametrize("how", [["--redact"], []], ids=["by a flag", "by the settings"])
def test_a_full_run_may_be_gone_on_with_in_a_view_that_shows_less_and_keeps_it_from_then_on(place, how):
    place.etl(
        "run", "map.yaml", place.made.write(place.folder), "--target", "test", "--fail-over", "1", "--out", "sent"
    )
    place.said.clear()
    if not how:
        settings = place.folder / "etl.toml"
        settings.write_text(settings.read_text() + "[report]\nredact = true\n")
    place.etl("resume", "last", "--fail-over", "99%", *how)
    for path in [path for path in (place.folder / "sent").iterdir() if path.is_file()]:
        assert place.found_in(as_text(path)) == [], path
    assert place.found_in("".join(place.said)) == []
    assert {line["status"] for line in lines_of(place.folder / "sent" / "results.csv")} > {"delivered", "rejected"}
    assert "[view-loosened]" in place.etl("retry", "last", "--view", "full", codes=(2,))
