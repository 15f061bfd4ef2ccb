"""What journal and reports tell of runs: how they ended, where their reports are, and what becomes too old."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from past_runs import ANNA, DAY, JAN, MONDAY, Past, Row, past_in, write_reports

from etl import history
from etl.errors import JournalError
from etl.history import Fate, Left, Sent
from etl.journal import RunState, locks
from etl.journal.model import RunRecord
from etl.kept_reports import folder_of, folders_of, lines_of, place_of
from etl.records import POSITION_BITS, Status
from etl.reports.person import Person
from etl.retention import COPIES, Pruned, prune
from etl.settings.journal import KEEP_DAYS

FIRST, SECOND, THIRD = "20261123-020000-aa01", "20261124-020000-bb02", "20261125-020000-cc03"


@pytest.fixture
def past(tmp_path: Path) -> Iterator[Past]:
    made = past_in(tmp_path)
    with made.journal:
        yield made


def fate_of(past: Past, run: str = FIRST) -> Fate:
    return history.told(past.journal, past.settings, past.journal.run(run)).fate


@pytest.mark.parametrize(
    ("state", "fate"),
    [
        (RunState.FINISHED, Fate.FINISHED),
        (RunState.STOPPED, Fate.STOPPED),
        (RunState.INTERRUPTED, Fate.INTERRUPTED),
        (RunState.RUNNING, Fate.DIED),
    ],
    ids=str,
)
def test_a_run_is_told_as_the_journal_knows_it(state: RunState, fate: Fate, past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA)], state=state)

    assert fate_of(past) is fate


def test_a_run_is_under_way_as_long_as_it_holds_its_lock(past: Past) -> None:
    past.run(FIRST, [], state=RunState.RUNNING)

    with locks.locked(past.settings, "production", "newsletter", FIRST):
        assert fate_of(past) is Fate.RUNNING
    assert fate_of(past) is Fate.DIED


def test_a_run_whose_lock_another_one_holds_has_died(past: Past) -> None:
    past.run(FIRST, [], state=RunState.RUNNING)

    with locks.locked(past.settings, "production", "newsletter", SECOND):
        assert fate_of(past) is Fate.DIED


def test_a_run_that_died_is_counted_by_its_deliveries(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA), Row(3, JAN, Status.REJECTED)], state=RunState.RUNNING)

    told = history.told(past.journal, past.settings, past.journal.run(FIRST))

    assert (told.delivered, told.bad, told.can_resume, told.can_retry) == (1, 1, True, False)


def test_only_a_finished_run_with_something_left_is_retried(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA, Status.FAILED)])
    past.run(SECOND, [Row(2, ANNA)])

    told = [history.told(past.journal, past.settings, past.journal.run(run)) for run in (FIRST, SECOND)]

    assert [(one.can_resume, one.can_retry) for one in told] == [(False, True), (False, False)]


def test_last_is_the_newest_run(past: Past) -> None:
    with pytest.raises(JournalError, match="no run is in the journal"):
        history.find(past.journal, "last")
    past.run(FIRST, [])
    past.run(SECOND, [])

    assert history.find(past.journal, "last").id == SECOND


def test_an_id_that_others_begin_with_is_itself(past: Past) -> None:
    past.run("20261123", [])
    past.run("20261123-2", [])

    assert history.find(past.journal, "20261123").id == "20261123"
    assert history.find(past.journal, "20261123-").id == "20261123-2"


def test_a_position_is_told_as_file_sheet_and_row(past: Past) -> None:
    past.run(FIRST, [], tables=(("a.csv", ""), ("b.xlsx", "May")))
    record = past.journal.run(FIRST)

    assert place_of(record, 17) == ("a.csv", "", 17)
    assert place_of(record, (1 << POSITION_BITS) | 4) == ("b.xlsx", "May", 4)
    # Behind the last table stands who was missing from all of them.
    assert place_of(record, (2 << POSITION_BITS) | 4) == ("missing.csv", "", 0)


def record_of(past: Past, run: str, out: Path) -> RunRecord:
    past.run(run, [], out=str(out), reports=False)
    return past.journal.run(run)


def test_reports_that_a_later_run_moved_aside_are_found(past: Past) -> None:
    out = past.folder / "reports"
    earlier, later = record_of(past, FIRST, out), record_of(past, SECOND, out)
    assert folder_of(earlier) is None
    write_reports(out, SECOND, [])
    assert (folder_of(earlier), folder_of(later)) == (None, out)

    write_reports(out / FIRST, FIRST, [])

    assert (folder_of(earlier), folder_of(later)) == (out / FIRST, out)


def test_reports_of_the_last_sitting_are_those_of_the_run(past: Past) -> None:
    out = past.folder / "reports"
    record = record_of(past, FIRST, out)
    write_reports(out, FIRST, [])
    write_reports(out / FIRST, FIRST, [])

    assert folder_of(record) == out
    assert folders_of(record, shared=True) == [out, out / FIRST]


def test_lines_of_a_killed_sitting_count_as_the_runs_unless_others_used_the_folder(past: Past) -> None:
    out = past.folder / "reports"
    record = record_of(past, FIRST, out)
    write_reports(out, FIRST, [])
    write_reports(out / "20261123-020130", FIRST, [Row(2, ANNA)], with_summary=False)

    assert folders_of(record, shared=False) == [out, out / "20261123-020130"]
    assert folders_of(record, shared=True) == [out]


def test_reports_of_a_killed_run_have_no_summary(past: Past) -> None:
    out = past.folder / "reports"
    record = record_of(past, FIRST, out)
    write_reports(out, FIRST, [Row(2, ANNA)], with_summary=False)

    assert folder_of(record) == out


def test_a_persons_lines_are_found_in_any_case_and_behind_an_apostrophe(tmp_path: Path) -> None:
    write_reports(tmp_path / "out", FIRST, [Row(2, "ANNA@example.com"), Row(3, JAN), Row(4, "'+anna@example.com")])
    path = tmp_path / "out" / "results.csv"

    assert [line.row for line in lines_of(path, Person(ANNA))] == ["2"]
    assert [line.row for line in lines_of(path, Person("+Anna@example.com"))] == ["4"]


def test_what_was_confirmed_before_is_the_last_that_was_delivered(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA)])
    past.run(SECOND, [Row(2, ANNA, Status.FAILED)], at=MONDAY + DAY)
    past.run(THIRD, [Row(2, ANNA, fields={"name": "Anna"})], at=MONDAY + 2 * DAY)

    newest = history.sent_for(past.journal, ANNA)[0]

    assert newest.before is not None
    assert (newest.before.entry.run, newest.entry.changed) == (FIRST, ("contact.name",))


def test_nothing_is_confirmed_over_a_deletion(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA)])
    past.run(SECOND, [Row(2, ANNA, action="contact.delete")], at=MONDAY + DAY)
    past.run(THIRD, [Row(2, ANNA)], at=MONDAY + 2 * DAY)

    newest = history.sent_for(past.journal, ANNA)[0]

    assert newest.before is None
    assert newest.deleted is not None
    assert newest.deleted.entry.run == SECOND


def test_rows_left_alone_are_looked_for_in_the_last_runs_of_each_target(past: Past) -> None:
    for number in range(7):
        past.run(f"run-{number}", [Row(2, ANNA, Status.UNCHANGED)], at=MONDAY + number * DAY)
    past.run("test-1", [Row(2, ANNA, Status.BLOCKED, message="deleted")], at=MONDAY, target="test")

    found = history.why(past.journal, ANNA)

    assert [one.run.id for one in found.found if isinstance(one, Left)] == [
        "run-6", "run-5", "run-4", "run-3", "run-2", "test-1",
    ]  # fmt: skip
    assert (found.looked_into, found.unread) == (6, 0)
    assert [one.run.id for one in history.why(past.journal, ANNA, "test").found] == ["test-1"]


def test_what_was_sent_and_what_was_left_alone_stand_in_one_order(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA)])
    past.run(SECOND, [Row(2, ANNA, Status.UNCHANGED)], at=MONDAY + DAY)
    past.run(THIRD, [Row(2, ANNA, fields={"name": "Anna"})], at=MONDAY + 2 * DAY)

    found = history.why(past.journal, ANNA).found

    assert [isinstance(one, Sent) for one in found] == [True, False, True]


def copy_for(past: Past, name: str, *, age: float = 0.0) -> Path:
    folder = past.folder / COPIES / name
    folder.mkdir(parents=True)
    (folder / "1").write_text("E-mail\n", "utf-8")
    os.utime(folder, (MONDAY - age, MONDAY - age))
    return folder / "1"


def of(path: Path) -> dict[str, object]:
    return {"files": ({"name": "-", "path": str(path), "bytes": 7, "sha256": "0" * 64, "kept": True},)}


def test_runs_that_are_too_old_are_removed_with_their_deliveries(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA), Row(3, JAN)], at=MONDAY - (KEEP_DAYS + 1) * DAY)
    past.run(SECOND, [Row(2, ANNA)], at=MONDAY)

    # FIRST confirmed what is still remembered of Jan, and stays to tell whose it is.
    assert prune(past.journal, past.settings, MONDAY) == Pruned(0, 2, 0)
    assert [run.id for run in past.journal.runs()] == [SECOND, FIRST]
    assert len(past.journal.history(ANNA)) == 1


def test_what_was_confirmed_outlives_its_run(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA)], at=MONDAY - (KEEP_DAYS + 1) * DAY)

    prune(past.journal, past.settings, MONDAY)

    assert past.journal.memory("production").count("contact.upsert") == 1


def test_copies_are_kept_while_a_run_may_read_them_again(past: Past) -> None:
    stopped, failed, died = (copy_for(past, name) for name in ("etl-a", "etl-b", "etl-c"))
    past.run("a", [], state=RunState.STOPPED, **of(stopped))
    past.run("b", [Row(2, ANNA, Status.FAILED)], **of(failed))
    past.run("c", [], state=RunState.RUNNING, **of(died))

    assert prune(past.journal, past.settings, MONDAY).copies == 0
    assert all(path.exists() for path in (stopped, failed, died))


def test_copies_go_with_the_last_run_that_may_read_them(past: Past) -> None:
    finished, old = copy_for(past, "etl-a"), copy_for(past, "etl-b", age=(KEEP_DAYS + 1) * DAY)
    past.run("a", [Row(2, ANNA)], **of(finished))
    past.run("b", [], state=RunState.STOPPED, at=MONDAY - (KEEP_DAYS + 1) * DAY, **of(old))

    assert prune(past.journal, past.settings, MONDAY).copies == 2
    assert list((past.folder / COPIES).iterdir()) == []


def test_a_copy_of_no_run_is_kept_for_a_day(past: Past) -> None:
    young, old = copy_for(past, "etl-a"), copy_for(past, "etl-b", age=2 * DAY)

    assert prune(past.journal, past.settings, MONDAY).copies == 1
    assert young.exists()
    assert not old.parent.exists()
