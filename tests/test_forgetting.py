"""`etl forget`: what it removes from journal and reports, what it leaves byte for byte, and when it refuses."""

from __future__ import annotations

import contextlib
import csv
import errno
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from past_runs import ANNA, DAY, JAN, MONDAY, Past, Row, past_in, write_reports
from support import CONTACT, rig, write_csv

from etl.errors import GuardError, JournalError, SettingsError
from etl.forgetting import Forgotten, forget
from etl.journal import RunState, locks, open_journal
from etl.records import Status
from etl.reports import erasure
from etl.reports.csv_records import blocks, field_of, fields_of, joined, records_in, text_of
from etl.reports.person import Person
from etl.settings import load_settings

FIRST, SECOND = "20261123-020000-aa01", "20261124-020000-bb02"
REFUSED = Row(2, ANNA, Status.REJECTED, message="anna@example.com: the phone is not valid", http=400, issue="phone 7")


@pytest.fixture
def past(tmp_path: Path) -> Iterator[Past]:
    made = past_in(tmp_path)
    with made.journal:
        yield made


def forgotten(past: Past, key: str = ANNA, *, entirely: bool = False) -> Forgotten:
    return forget(past.journal, past.settings, key, entirely=entirely)


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def report(past: Past, run: str = FIRST, name: str = "results.csv") -> Path:
    return past.folder / "etl-reports" / run / name


def occurs(folder: Path, key: str) -> list[str]:
    """Return the files below `folder` in whose bytes the key occurs."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(str(path.relative_to(folder)) for path in files if key.encode() in path.read_bytes().lower())


def test_nothing_of_the_person_is_left_anywhere(past: Past) -> None:
    past.run(FIRST, [REFUSED, Row(3, JAN)])
    past.run(SECOND, [Row(2, "Anna@Example.COM"), Row(3, JAN)], at=MONDAY + DAY, state=RunState.RUNNING)
    assert occurs(past.folder, ANNA) != []

    forgotten(past)

    assert occurs(past.folder, ANNA) == []
    assert past.journal.history(ANNA) == []
    assert len(past.journal.history(JAN)) == 2


def test_lines_stay_and_only_the_persons_words_go(past: Past) -> None:
    past.run(FIRST, [REFUSED, Row(3, JAN, message="a warning")])

    forgotten(past)

    anna, jan = lines(report(past))
    assert {name: anna[name] for name in ("row", "key", "status", "message", "payload_sha256", "request_id")} == {
        "row": "2", "key": "(forgotten)", "status": "rejected", "message": "(forgotten)", "payload_sha256": "",
        "request_id": "",
    }  # fmt: skip
    assert (jan["key"], jan["message"], jan["request_id"]) == (JAN, "a warning", "req-3")
    (issue,) = lines(report(past, name="issues.csv"))
    assert (issue["value"], issue["message"], issue["hint"]) == (
        "(forgotten)", "(forgotten)", "write it like +48 601 234 567",
    )  # fmt: skip


def test_a_message_that_was_empty_stays_empty(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA)])

    forgotten(past)

    assert lines(report(past))[0]["message"] == ""


def test_other_bytes_are_kept_as_they_are(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA), Row(3, JAN, message='said "no", twice\nand went')])
    before = report(past).read_bytes().splitlines(keepends=True)

    forgotten(past)

    after = report(past).read_bytes().splitlines(keepends=True)
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True, True]


def test_a_report_without_the_person_is_not_touched(past: Past) -> None:
    past.run(FIRST, [Row(3, JAN)])
    before = report(past).stat()

    assert forgotten(past).files == {}
    after = report(past).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_the_rights_of_a_rewritten_report_stay(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA)])
    report(past).chmod(0o640)

    forgotten(past)

    assert report(past).stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("other", ["joann.anna@example.com", "anna@example.com.pl", "x-anna@example.com"])
def test_an_address_that_holds_the_key_is_another_persons(other: str, past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA), Row(3, other, message=f"{other} is odd")])

    forgotten(past)

    assert lines(report(past))[1]["key"] == other
    assert lines(report(past))[1]["message"] == f"{other} is odd"


def test_an_address_in_somebody_elses_line_is_replaced_alone(past: Past) -> None:
    past.run(FIRST, [Row(3, JAN, message='not "Anna@example.com", please')])

    forgotten(past)

    assert lines(report(past))[0]["message"] == 'not "(forgotten)", please'
    assert lines(report(past))[0]["key"] == JAN


def test_an_event_is_forgotten_by_its_id_and_numbers_in_messages_stay(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA, action="event.create", key="42"), Row(3, JAN, message="42 is too long")])

    forgotten(past, "42")

    assert [line["key"] for line in lines(report(past))] == ["(forgotten)", JAN]
    assert lines(report(past))[1]["message"] == "42 is too long"


def test_rows_that_the_journal_knows_to_be_the_persons_go_too(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA, action="event.create", key="Order-17", message="shipped to 7 High Street")])

    forgotten(past)

    (line,) = lines(report(past))
    assert (line["key"], line["message"]) == ("(forgotten)", "(forgotten)")


def test_rows_of_another_run_at_the_same_place_stay(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA)])
    past.run(SECOND, [Row(2, JAN, issue="phone 8")], at=MONDAY + DAY)

    forgotten(past)

    assert lines(report(past, SECOND))[0]["key"] == JAN
    assert lines(report(past, SECOND, "issues.csv"))[0]["value"] == "phone 8"


def test_reports_of_earlier_runs_and_of_checks_are_looked_through(past: Past) -> None:
    out = past.folder / "reports"
    write_reports(out / FIRST, FIRST, [Row(2, ANNA)])
    past.run(SECOND, [Row(2, ANNA)], out=str(out))
    write_reports(past.folder / "etl-reports" / "a-check", "a-check", [Row(2, ANNA)])

    assert sorted(str(path.relative_to(past.folder)) for path in forgotten(past).files) == [
        "etl-reports/a-check/results.csv", f"reports/{FIRST}/results.csv", "reports/results.csv",
    ]  # fmt: skip


def test_the_lines_that_a_killed_run_left_are_rewritten_up_to_the_torn_one(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA), Row(3, JAN)], state=RunState.RUNNING)
    ordered = report(past).with_name("results.csv.ordered")
    shutil.copy(report(past), ordered)
    with ordered.open("ab") as stream:
        stream.write(b'contacts.csv,,4,contact.upsert,anna@example.com,invalid,,,,,,"the val')
    (report(past).parent / ".work-x1").mkdir()
    (report(past).parent / ".work-x1" / "lines").write_text(ANNA, "utf-8")

    forgotten(past)

    assert occurs(past.folder, ANNA) == []
    assert ordered.read_bytes().endswith(b"\ncontacts.csv,,4,contact.upsert,(forgotten),invalid,,,,,,(forgotten)")


def test_files_that_are_none_of_ours_are_not_touched(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA)], out=str(past.folder / "work"))
    own = past.folder / "work" / "contacts.csv"
    own.write_text("E-mail\nanna@example.com\n", "utf-8")

    forgotten(past)

    assert own.read_text("utf-8") == "E-mail\nanna@example.com\n"


def test_reports_that_are_made_of_others_are_removed_where_the_person_stands_in_the_folder(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA)])
    past.run(SECOND, [Row(2, JAN)], at=MONDAY + DAY)
    made = [report(past, FIRST, name) for name in ("annotated.xlsx", "report.html", "results.parquet", "to_fix.csv")]
    others = report(past, SECOND, "report.html")
    for path in [*made, others]:
        path.write_bytes(b"made of others")

    assert forgotten(past).removed == made
    assert others.exists()


def test_a_workbook_that_holds_the_person_in_a_row_that_has_no_key_is_removed(past: Past) -> None:
    past.run(FIRST, [Row(2, JAN)])
    annotated = report(past, name="annotated.xlsx")
    with zipfile.ZipFile(annotated, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", "<c><is><t>Anna@example.com</t></is></c>")

    assert forgotten(past).removed == [annotated]
    assert not annotated.exists()


def test_what_no_rule_rewrites_is_named(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA)])
    database = past.folder / ".etl" / "sandbox.db"
    database.write_bytes(b"... Anna@example.com ...")

    assert forgotten(past).left == [database]


def test_a_plan_is_named_where_it_holds_the_person(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA)])
    plan = report(past, name="plan.json")
    plan.write_text('{"values": {"contact.email": "Anna@example.com"}}', "utf-8")

    assert forgotten(past).left == [plan]
    assert forgotten(past, JAN).left == []


def test_who_is_missing_is_told_by_key_and_not_by_place(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA)])
    missing = report(past, name="missing.csv")
    missing.write_text(f"key,run,file,sheet,row\n{JAN},x,contacts.csv,,2\n{ANNA},x,contacts.csv,,7\n", "utf-8")

    forgotten(past)

    assert [line["key"] for line in lines(missing)] == [JAN, "(forgotten)"]


def test_a_real_run_is_forgotten_to_the_last_byte(tmp_path: Path) -> None:
    sheet = f"E-mail;Phone\n{ANNA};7\n{JAN};8\nAnna@Example.com;9\n"
    with rig(tmp_path / "rig") as place:
        write_csv(tmp_path / "sheet.csv", sheet)
        made = place.run(CONTACT, tmp_path / "sheet.csv", out=place.folder / "out")
    settings = load_settings(place.config, {}, place.folder)
    assert occurs(place.folder, ANNA) == ["out/results.csv", "sandbox.db"]
    with contextlib.closing(open_journal(settings, create=False)) as journal:
        assert journal is not None
        done = forget(journal, settings, ANNA)

    assert (done.journal["deliveries"], list(done.files.values())) == (1, [2])
    assert occurs(place.folder, ANNA) == ["sandbox.db"]
    assert [line["status"] for line in lines(made.results_path)] == ["duplicate", "delivered", "delivered"]


def test_a_check_that_may_be_under_way_is_left_alone_and_named(past: Past) -> None:
    check = past.folder / "etl-reports" / "a-check"
    write_reports(check, "a-check", [Row(2, ANNA)])
    (check / ".work-x1").mkdir()

    assert forgotten(past).busy == [check]
    assert lines(check / "results.csv")[0]["key"] == ANNA

    yesterday = time.time() - 2 * DAY
    os.utime(check / ".work-x1", (yesterday, yesterday))
    assert forgotten(past).busy == []
    assert occurs(check, ANNA) == []


def test_copies_of_spreadsheets_and_reports_on_other_machines_are_named(past: Past) -> None:
    copy = past.folder / ".etl" / "spool" / "etl-1" / "1"
    copy.parent.mkdir(parents=True)
    copy.write_text(ANNA, "utf-8")
    kept = {"name": "https://example.com/c.csv", "path": str(copy), "bytes": 1, "sha256": "0" * 64, "kept": True}
    past.run(FIRST, [Row(2, ANNA)], files=(kept,), who="ola@elsewhere", out="/srv/etl-reports/x", reports=False)

    done = forgotten(past)

    assert done.copies == [copy]
    assert done.away == ["elsewhere:/srv/etl-reports/x"]


def test_the_note_of_a_deletion_is_kept_unless_entirely(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA, action="contact.delete")])

    assert forgotten(past).journal["erased"] == 0
    assert forgotten(past, entirely=True).journal["erased"] == 1


def test_what_was_cut_off_can_be_done_again(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    past.run(FIRST, [REFUSED])
    real, calls = erasure._rewritten, []

    def full_at_the_second(path, changed):
        calls.append(path.name)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, changed)

    monkeypatch.setattr(erasure, "_rewritten", full_at_the_second)
    with pytest.raises(JournalError) as caught:
        forgotten(past)
    monkeypatch.undo()

    path = report(past, name=calls[-1])
    assert str(caught.value) == (
        f"{path}: the person could not be removed from here: No space left on device; the journal was not touched\n"
        "  hint: make room, or see that you may write there; the same command again removes the rest   [not-forgotten]"
    )
    assert len(past.journal.history(ANNA)) == 1
    forgotten(past)
    assert occurs(past.folder, ANNA) == []
    assert lines(report(past, name="issues.csv"))[0]["value"] == "(forgotten)"


def test_issues_are_rewritten_before_the_lines_that_tell_whose_they_are(past: Past) -> None:
    past.run(FIRST, [REFUSED])

    assert [path.name for path in erasure.reports_in(report(past).parent)] == [
        "issues.csv",
        "summary.json",
        "results.csv",
    ]


def test_a_folder_without_a_journal_is_searched_all_the_same(tmp_path: Path) -> None:
    made = past_in(tmp_path)
    made.journal.close()
    write_reports(tmp_path / "etl-reports" / "a-check", "a-check", [Row(2, ANNA)])

    assert len(forget(None, made.settings, ANNA).files) == 1


def test_the_summary_loses_the_address_too(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA)])
    report(past, name="summary.json").write_text(json.dumps({"id": FIRST, "notes": ["see anna@example.com"]}), "utf-8")

    forgotten(past)

    assert json.loads(report(past, name="summary.json").read_text("utf-8"))["notes"] == ["see (forgotten)"]


def test_nothing_is_forgotten_while_a_run_is_under_way(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA)])

    with locks.locked(past.settings, "production", "newsletter", FIRST), pytest.raises(GuardError, match="under way"):
        forgotten(past)

    assert lines(report(past))[0]["key"] == ANNA


def test_a_blank_key_is_refused(past: Past) -> None:
    with pytest.raises(SettingsError, match="the key is blank"):
        forgotten(past, " ")


KILLED = """
import sys
from pathlib import Path
from etl.reports import erasure
from etl.reports.person import Person
erasure.rewrite(Path(sys.argv[1]), Person(sys.argv[2]), set())
"""


def test_a_report_is_whole_however_its_rewriting_ends(past: Past) -> None:
    past.run(FIRST, [Row(2, ANNA), *(Row(row, JAN, Status.UNCHANGED, http=None) for row in range(3, 40_000))])
    path = report(past)
    before = path.read_bytes()
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path), ANNA], cwd=Path(__file__).parents[1])
    while process.poll() is None and not list(path.parent.glob(f"{erasure.STARTED}*")):
        time.sleep(0.0005)
    process.kill()
    process.wait()
    assert len(path.read_bytes().splitlines()) == len(before.splitlines())

    forgotten(past)

    assert sorted(file.name for file in path.parent.iterdir()) == ["issues.csv", "results.csv", "summary.json"]
    after = path.read_bytes()
    assert after.splitlines()[2:] == before.splitlines()[2:]
    assert occurs(past.folder, ANNA) == []


CELLS = st.text(st.sampled_from("ab@.,;\"\n\r é'="), max_size=12)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=8), st.integers(1, 40))
def test_records_and_fields_put_together_again_are_the_file(table: list[list[str]], size: int) -> None:
    import io

    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    # As our reports are written: a lone CR stands in quotes too.
    raw = "".join(",".join(field_of(cell).decode() for cell in row) + "\n" for row in table).encode()

    found = [record for block in blocks(io.BytesIO(raw), size) for record in records_in(block)]

    assert b"".join(found) == raw
    split = [fields_of(record) for record in found]
    assert [[text_of(field) for field in one[0]] for one in split if one] == table
    assert [joined(*one) for one in split if one] == found


@given(st.text(max_size=30), st.text(max_size=30))
def test_what_is_replaced_no_longer_holds_the_address(before: str, after: str) -> None:
    person = Person(ANNA)

    assert not person.occurs_in(person.without(f"{before} {ANNA} {after}"))


def test_many_lines_are_looked_through_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    head = "file,sheet,row,action,key,status,message,payload_sha256\n"
    body = "".join(f"c.csv,,{n},contact.upsert,p{n}@example.com,delivered,,{'ab' * 32}\n" for n in range(200_000))
    path.write_text(head + body, "utf-8")
    started = time.perf_counter()

    assert erasure.rewrite(path, Person("p123456@example.com"), set()) == 1

    # 0.1 s here; a loop over the lines of every block would take ten times as long.
    assert time.perf_counter() - started < 5
