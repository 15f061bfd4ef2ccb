"""`runs`, `show` and `forget` as a person meets them: what they print, at several widths, and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from past_runs import ANNA, DAY, JAN, MONDAY, Past, Row, past_in
from rich.cells import cell_len
from shell import on_terminal
from support import CONTACT

from etl.__main__ import main
from etl.journal import RunState, locks
from etl.masking import Masker
from etl.records import Status

FIRST, SECOND, THIRD = "20261123-020000-aa01", "20261124-020000-bb02", "20261125-020000-cc03"


@pytest.fixture
def past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Past]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    made = past_in(tmp_path)
    with made.journal:
        yield made


def shown(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    assert main(list(words)) == code
    told = capsys.readouterr()
    return told.out, told.err


def as_json(capsys: pytest.CaptureFixture[str], *words: str):
    return json.loads(shown(capsys, *words, "--json")[0])


def three_nights(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA, fields={"phone": "+48601111111"}), Row(3, JAN)])
    past.run(
        SECOND,
        [Row(2, ANNA, fields={"phone": "+48602222222", "name": "Anna"}), Row(3, JAN, Status.UNCHANGED, http=None)],
        at=MONDAY + DAY,
    )
    past.run(
        THIRD,
        [Row(2, ANNA, Status.REJECTED, http=400, message="phone is not valid"), Row(3, JAN, Status.INVALID, http=None)],
        at=MONDAY + 2 * DAY,
        state=RunState.STOPPED,
    )


def test_runs_are_listed_the_newest_first(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    three_nights(past)

    assert shown(capsys, "runs") == (
        (
            "run                   mapping     target      ended     rows  delivered  bad\n"
            "────────────────────────────────────────────────────────────────────────────\n"
            "20261125-020000-cc03  newsletter  production  stopped      2          0    2\n"
            "20261124-020000-bb02  newsletter  production  finished     2          1    0\n"
            "20261123-020000-aa01  newsletter  production  finished     2          2    0\n"
        ),
        "next:  etl resume 20261125-020000-cc03    goes on with the run that was stopped\n",
    )


def test_the_time_is_shown_where_there_is_room(
    past: Past, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    three_nights(past)
    monkeypatch.setenv("COLUMNS", "120")

    out, _ = shown(capsys, "runs")

    assert "20261124-020000-bb02  24 Nov 02:00  newsletter  production  finished     2" in out


@pytest.mark.parametrize("columns", [80, 100, 120])
@pytest.mark.parametrize("words", [["runs"], ["show", "last"], ["show", "--key", ANNA], ["show", "--why", ANNA]])
def test_no_line_is_wider_than_the_terminal(
    words: list[str], columns: int, past: Past, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    three_nights(past)
    past.run("20261126-020000-dd04", [Row(2, ANNA)], mapping="a-mapping-with-a-long-name" * 2, target="a-target" * 4)
    monkeypatch.setenv("COLUMNS", str(columns))

    out, _ = shown(capsys, *words)

    assert [line for line in out.splitlines() if cell_len(line) > columns and str(past.folder) not in line] == []


def test_runs_are_chosen_by_target_mapping_and_number(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    three_nights(past)
    past.run("20261126-020000-dd04", [Row(2, ANNA)], mapping="opt-outs", target="test", at=MONDAY + 3 * DAY)

    assert [run["id"] for run in as_json(capsys, "runs", "--target", "test")] == ["20261126-020000-dd04"]
    assert [run["id"] for run in as_json(capsys, "runs", "--mapping", "newsletter", "--limit", "1")] == [THIRD]
    assert shown(capsys, "runs", "--target", "staging") == ("", "There is no such run.\n")


def test_a_run_as_json_has_what_a_program_needs(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    three_nights(past)

    newest = as_json(capsys, "runs")[0]

    assert (newest["id"], newest["state"], newest["resumable"], newest["retryable"]) == (THIRD, "stopped", True, False)
    assert newest["stopped"] == {"code": "endpoint-down", "message": "the endpoint is down"}
    assert newest["counts"] == {"rejected": 1, "invalid": 1}
    assert newest["started_at"].endswith("Z")
    assert newest["files"][0]["sha256"] == "9f86" * 16
    assert newest["reports"] == str(past.folder / "etl-reports" / THIRD)


def test_a_run_whose_process_is_gone_has_died(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    past.run(FIRST, [Row(2, ANNA), Row(3, JAN)], state=RunState.RUNNING)

    out, err = shown(capsys, "runs")

    assert "newsletter  production  died                 2    0\n" in out
    assert err == f"next:  etl resume {FIRST}    goes on with the run that died\n"


def test_a_run_whose_file_is_gone_cannot_be_resumed(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    past.run(FIRST, [Row(2, ANNA)], state=RunState.RUNNING)
    (past.folder / "contacts.csv").unlink()

    assert shown(capsys, "runs")[1] == f"The run {FIRST} died; it can be resumed when contacts.csv is back.\n"
    (run,) = as_json(capsys, "runs")
    assert (run["resumable"], run["missing_files"]) == (False, ["contacts.csv"])


def test_a_run_that_holds_its_lock_is_under_way(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    past.run(FIRST, [Row(2, ANNA)], state=RunState.RUNNING, sent=False)

    with locks.locked(past.settings, "production", "newsletter", FIRST):
        (run,) = as_json(capsys, "runs")
        out, err = shown(capsys, "show", FIRST)

    assert (run["state"], run["resumable"], run["counts"]) == ("running", False, {"sending": 1})
    assert out.startswith(f"{FIRST}: newsletter to production, under way\n")
    assert err == ""


@pytest.mark.parametrize(
    ("words", "out"),
    [(["runs"], ""), (["runs", "--json"], "[]\n"), (["show", "--key", ANNA], ""), (["show", "--why", ANNA], "")],
)
def test_where_no_run_was_made_yet_that_is_said(
    words: list[str], out: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    told = "" if "--json" in words else "There is no journal yet: it begins with the first `etl run`.\n"
    assert shown(capsys, *words) == (out, told)
    assert list(tmp_path.iterdir()) == []


def test_to_show_a_run_of_no_journal_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert shown(capsys, "show", "last", code=2) == (
        "",
        f"{tmp_path}: there is no journal yet\n  hint: it begins with the first run   [no-runs]\n",
    )


def test_a_run_is_shown_with_its_facts_and_what_comes_next(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    three_nights(past)

    assert shown(capsys, "show", "last") == (
        (
            f"{THIRD}: newsletter to production, was stopped\n"
            "\n"
            f"started   2026-11-25 02:00:00, by {locks.this_process()} (process 4711)\n"
            "ended     2026-11-25 02:01:30, after 1 min; exit code 3\n"
            "why       the endpoint is down   [endpoint-down]\n"
            "mapping   newsletter, version 3f2a3f2a3f2a (newsletter.yaml)\n"
            "file      contacts.csv, 1 kB, sha256 9f869f869f86\n"
            f"reports   etl-reports/{THIRD}\n"
            "rows      2\n"
            "\n"
            "          1  rejected\n"
            "          1  invalid\n"
        ),
        f"next:  etl resume {THIRD}    goes on where it stopped; what was delivered is not sent again\n",
    )


def test_a_finished_run_with_failed_rows_leads_to_retry(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    past.run(FIRST, [Row(2, ANNA, Status.FAILED, http=500), Row(3, JAN, Status.UNKNOWN, http=None)])

    _, err = shown(capsys, "show", "last")

    assert err == f"next:  etl retry {FIRST}    sends the 2 rows that failed or are unknown again\n"


def test_a_run_that_went_well_leads_to_nothing(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    past.run(FIRST, [Row(2, ANNA)])

    assert shown(capsys, "show", "last")[1] == ""


def test_files_and_reports_that_are_gone_are_told(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    past.run(FIRST, [Row(2, ANNA, Status.FAILED)], reports=False)
    (past.folder / "contacts.csv").unlink()

    out, err = shown(capsys, "show", FIRST)

    assert "file      contacts.csv, 1 kB, sha256 9f869f869f86; no longer there\n" in out
    assert f"reports   etl-reports/{FIRST}; no longer there\n" in out
    assert err == f"next:  put contacts.csv back, then: etl retry {FIRST}\n"


def test_the_beginning_of_an_id_is_enough_unless_several_begin_so(
    past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    three_nights(past)

    assert as_json(capsys, "show", "20261124")["id"] == SECOND
    assert shown(capsys, "show", "2026", code=2)[1] == (
        f"{past.journal.name}: 3 runs begin with '2026'\n"
        f"  hint: give more of the id: {THIRD}, {SECOND}, {FIRST}   [ambiguous-run]\n"
    )


def test_an_unknown_run_is_told_with_the_nearest_one(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    past.run(FIRST, [])

    assert (
        f"there is no run '20261123-020000-aa02'\n  hint: did you mean {FIRST}?"
        in shown(capsys, "show", "20261123-020000-aa02", code=2)[1]
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "etl show: give a run, --key, --why or --token"),
        (["last", "--key", ANNA], "etl show: a run and --key exclude each other"),
        (["last", "--target", "test"], "etl show: --target goes with --key, --why or --token: a run has one target"),
    ],
    ids=["nothing", "two", "target"],
)
def test_show_is_asked_for_one_thing(
    words: list[str], told: str, past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown(capsys, "show", *words, code=2)[1].splitlines()[0] == told


def test_what_was_sent_for_a_person_is_shown_the_newest_first(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    three_nights(past)

    assert shown(capsys, "show", "--key", "Anna@Example.com") == (
        (
            "2026-11-25 02:00:00  contact.upsert  rejected  production\n"
            f"    contacts.csv, row 2; run {THIRD}\n"
            "    HTTP 400, after 42 ms, request req-2\n"
            "    phone is not valid\n"
            "\n"
            "2026-11-24 02:00:00  contact.upsert  delivered  production\n"
            f"    contacts.csv, row 2; run {SECOND}\n"
            "    HTTP 200, after 42 ms, request req-2\n"
            "    changed since 2026-11-23 02:00:00: contact.name, contact.phone\n"
            "\n"
            "2026-11-23 02:00:00  contact.upsert  delivered  production\n"
            f"    contacts.csv, row 2; run {FIRST}\n"
            "    HTTP 200, after 42 ms, request req-2\n"
        ),
        f"In redacted reports: {Masker(past.journal.masks).key(ANNA)}\n",
    )


def test_what_was_sent_as_json_has_times_in_utc(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    three_nights(past)

    newest, second, first = as_json(capsys, "show", "--key", ANNA)

    assert (newest["status"], newest["http_status"], newest["row"], newest["message"]) == (
        "rejected", 400, 2, "phone is not valid",
    )  # fmt: skip
    assert second["changed"] == ["contact.name", "contact.phone"]
    assert second["confirmed_before"] == {"run": FIRST, "at": first["sent_at"]}
    assert first["sent_at"].endswith("Z")
    assert first["changed"] is None


def test_an_event_is_found_by_its_external_id(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    past.run(FIRST, [Row(2, ANNA, action="event.create", key="Order-17")])

    assert "event.create  delivered" in shown(capsys, "show", "--key", "Order-17")[0]


def test_a_key_of_which_nothing_is_known_is_no_error(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    three_nights(past)

    for words, told in ((["nobody@example.com"], ""), ([ANNA, "--target", "test"], " at test")):
        out, err = shown(capsys, "show", "--key", *words)
        assert (out, err.splitlines()[0]) == ("", f"Nothing is known of this key{told}.")
    assert as_json(capsys, "show", "--key", "nobody@example.com") == []


def one_line(out: str) -> list[str]:
    """Return the reasons, each on one line."""
    return re.sub(r"\n  ", " ", out).removesuffix("\n").split("\n\n")


def test_why_a_row_was_sent_names_the_fields_and_what_they_differ_from(
    past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    three_nights(past)

    assert one_line(shown(capsys, "show", "--why", ANNA)[0]) == [
        (
            f"sent (rejected) in {THIRD} on 2026-11-25 02:00:00 (contacts.csv, row 2, contact.upsert), after what was "
            f"confirmed on 2026-11-24 02:00:00 in {SECOND}; in which fields they differ is kept of delivered rows alone"
        ),
        (
            f"sent in {SECOND} on 2026-11-24 02:00:00 (contacts.csv, row 2, contact.upsert), because contact.name and "
            f"contact.phone differ from what was confirmed on 2026-11-23 02:00:00 in {FIRST}"
        ),
        (
            f"sent in {FIRST} on 2026-11-23 02:00:00 (contacts.csv, row 2, contact.upsert), because nothing was confirmed of "
            "it before"
        ),
    ]


def test_why_a_row_was_left_alone_is_read_from_the_kept_reports(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    three_nights(past)

    assert one_line(shown(capsys, "show", "--why", JAN)[0]) == [
        f"left alone in {THIRD} on 2026-11-25 02:00:00 (contacts.csv, row 3, contact.upsert): invalid",
        (
            f"left alone in {SECOND} on 2026-11-24 02:00:00 (contacts.csv, row 3, contact.upsert): every field is as "
            f"confirmed on 2026-11-23 02:00:00 in {FIRST}"
        ),
        (
            f"sent in {FIRST} on 2026-11-23 02:00:00 (contacts.csv, row 3, contact.upsert), because nothing was confirmed of "
            "it before"
        ),
    ]


def test_a_run_that_sends_everything_gives_no_change_as_its_reason(
    past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    past.run(FIRST, [Row(2, ANNA)], options={})
    past.run(SECOND, [Row(2, ANNA)], at=MONDAY + DAY, options={})

    assert one_line(shown(capsys, "show", "--why", ANNA)[0])[0] == (
        f"sent in {SECOND} on 2026-11-24 02:00:00 (contacts.csv, row 2, contact.upsert), as every row of that run; nothing "
        f"differs from what was confirmed on 2026-11-23 02:00:00 in {FIRST}"
    )


def test_after_a_deletion_nothing_counts_as_confirmed(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    past.run(FIRST, [Row(2, ANNA)])
    past.run(SECOND, [Row(2, ANNA, action="contact.delete")], at=MONDAY + DAY)
    past.run(THIRD, [Row(2, ANNA)], at=MONDAY + 2 * DAY)

    assert one_line(shown(capsys, "show", "--why", ANNA)[0])[:2] == [
        (
            f"sent in {THIRD} on 2026-11-25 02:00:00 (contacts.csv, row 2, contact.upsert), because nothing was confirmed "
            "of it since it was deleted on 2026-11-24 02:00:00"
        ),
        f"deleted in {SECOND} on 2026-11-24 02:00:00 (contacts.csv, row 2, contact.delete), as the row asks for it",
    ]


def test_reports_that_are_gone_are_told_as_such(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    past.run(FIRST, [Row(2, ANNA)], reports=False)
    past.run(SECOND, [Row(2, ANNA)], at=MONDAY + DAY)

    assert shown(capsys, "show", "--why", ANNA)[1] == (
        "Note: the reports of 1 of the last 2 runs are gone; what they left alone is not known\n"
    )
    assert as_json(capsys, "show", "--why", ANNA)["reports_gone"] == 1


def test_why_as_json_gives_each_reason_with_its_facts(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    three_nights(past)

    found = as_json(capsys, "show", "--why", JAN)

    assert [(one["sent"], one["status"]) for one in found["reasons"]] == [
        (False, "invalid"), (False, "unchanged"), (True, "delivered"),
    ]  # fmt: skip
    assert found["reasons"][1]["confirmed_before"]["run"] == FIRST


def test_to_forget_somebody_unasked_needs_a_yes(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    three_nights(past)

    assert shown(capsys, "forget", ANNA, code=3) == (
        "",
        (
            "etl forget: a person would be removed for good, and nobody is here to confirm it\n"
            "  hint: add --yes if that is right   [not-confirmed]\n"
        ),
    )
    assert len(past.journal.history(ANNA)) == 3


def test_what_was_forgotten_is_told_and_where(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    three_nights(past)

    assert shown(capsys, "forget", ANNA, "--yes") == (
        (
            "Journal: 3 deliveries made anonymous, 1 confirmed state removed.\n"
            "Reports: 3 lines in 3 files changed; 3 folders looked through.\n"
            f"        1  etl-reports/{FIRST}/results.csv\n"
            f"        1  etl-reports/{SECOND}/results.csv\n"
            f"        1  etl-reports/{THIRD}/results.csv\n"
            "Kept: the note of a deletion through us, if there was one (--entirely removes it too).\n"
        ),
        "",
    )
    assert shown(capsys, "forget", ANNA, "--yes", "--entirely")[0] == (
        "Nothing was known of this key, neither in the journal nor in the reports.\n"
        "The note of a deletion: there was none.\n"
    )


def test_on_a_terminal_forgetting_is_asked_about(past: Past) -> None:
    three_nights(past)

    with on_terminal("forget", ANNA, cwd=past.folder) as terminal:
        terminal.wait_for("for good? [y/N] ")
        terminal.type("n\n")
        assert terminal.exit_code() == 3
        assert (
            "The journal knows 3 deliveries of this key; 3 folders of reports will be looked through.\n"
            "Remove this person there, for good? [y/N] n\n"
            "etl forget: nothing was removed: it was not confirmed   [not-confirmed]\n"
        ) in terminal.text
    with on_terminal("forget", ANNA, cwd=past.folder) as terminal:
        terminal.wait_for("for good? [y/N] ")
        terminal.type("y\n")
        assert terminal.exit_code() == 0
    assert past.journal.history(ANNA) == []


def test_nobody_is_forgotten_while_a_run_is_under_way(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    three_nights(past)

    with locks.locked(past.settings, "production", "newsletter", FIRST):
        _, err = shown(capsys, "forget", ANNA, "--yes", code=3)

    assert err.startswith(
        "a run is under way, and would write down what is to be forgotten (newsletter to production: "
    )
    assert err.endswith("\n  hint: try again when it has ended; nothing was removed   [run-under-way]\n")


def test_a_blank_key_is_refused(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "forget", " ", "--yes", code=2)[1] == (
        "etl forget: the key is blank\n  hint: etl forget someone@example.com   [usage]\n"
    )


def test_what_was_forgotten_as_json(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    three_nights(past)

    done = as_json(capsys, "forget", ANNA, "--yes")

    assert done["journal"] == {"deliveries": 3, "confirmed": 1, "erased": 0}
    assert done["deletion_note"] == "kept"
    assert list(done["reports"].values()) == [1, 1, 1]


def test_a_run_is_refused_while_another_one_sends_the_same(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    (past.folder / "newsletter.yaml").write_text(CONTACT.replace("name: test", "name: newsletter"), "utf-8")
    (past.folder / "contacts.csv").write_text(f"E-mail\n{ANNA}\n", "utf-8")

    with locks.locked(past.settings, "sandbox", "newsletter", FIRST):
        out, err = shown(capsys, "run", "newsletter.yaml", "contacts.csv", "--target", "sandbox", code=3)

    assert out == ""
    assert err.startswith(
        f"another run of 'newsletter' to 'sandbox' is under way: {FIRST}, by {locks.this_process()} ("
    )
    assert not (past.folder / "etl-reports").exists()
    shown(capsys, "run", "newsletter.yaml", "contacts.csv", "--target", "sandbox")
