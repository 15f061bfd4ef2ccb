"""check and run as a library: guards, stops and interruptions; whatever happens, every row is accounted for."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import openpyxl
import pytest
from support import CONTACT, mapping_of, results_of, rig, write_csv

import etl
from etl.errors import SettingsError, SourceError
from etl.guards import Guards, parse_limit
from etl.interrupt import Interrupt
from etl.job import open_job
from etl.progress import Silent
from etl.records import Counts
from etl.reporting import Ending
from etl.sandbox import Credentials, FaultRule, Faults
from etl.session import Session

DELETE = """\
version: 1
name: opt-outs
records:
  - action: contact.delete
    fields:
      email: {column: E-mail, transform: [strip]}
"""

CLEAR = """\
version: 1
name: clears
records:
  - action: contact.upsert
    fields:
      contact.email: E-mail
      contact.phone: {column: Phone, blank: clear}
"""


def people(count: int, header: str = "E-mail;Phone") -> str:
    return header + "\n" + "".join(f"p{n}@example.com;\n" for n in range(count))


def statuses(report: etl.RunReport) -> Counter[str]:
    return Counter(line["status"] for line in results_of(report))


def test_a_run_whose_counts_do_not_add_up_is_a_fault_of_ours(tmp_path):
    file = write_csv(tmp_path / "s.csv", people(3))
    job = open_job(mapping_of(CONTACT, tmp_path), [file], None)
    with Session(job, etl.Options(out=tmp_path / "out")) as session:
        found = session.survey(keep_lines=False)
        one_lost = Counts(rows=3, by_status={etl.Status.PLANNED: 2})
        with pytest.raises(AssertionError, match="BUG: 3 rows of 1 records, 3 when they were checked, ended in 2"):
            session.report(found, Ending(one_lost, dry_run=True))


class TestGuards:
    def test_rows_refused_as_duplicates_count_as_invalid_ones(self, tmp_path):
        file = write_csv(tmp_path / "s.csv", people(8) + "p1@example.com;\n")
        strict = CONTACT.replace("    fields:", "    duplicates: error\n    fields:")
        with rig(tmp_path) as server:
            report = server.run(strict, file, guards=Guards(fail_over=parse_limit("1", "--fail-over")))
            assert server.requests() == []
        assert (report.exit_code, report.counts) == (3, {"invalid": 2, "blocked": 7})

    def test_too_many_invalid_rows_and_nothing_is_sent(self, tmp_path):
        file = write_csv(tmp_path / "s.csv", people(8) + "bad@@;\nworse;\n")
        with rig(tmp_path) as server:
            report = server.run(CONTACT, file, guards=Guards(fail_over=parse_limit("10%", "--fail-over")))
        assert report.exit_code == 3
        assert report.counts == {"blocked": 8, "invalid": 2}
        assert server.requests() == []
        assert report.stop.message == "2 rows are invalid (20.0% of 10 rows), and --fail-over allows 10%, which is 1"
        assert report.stop.hint == "mend them, or raise the limit"

    def test_as_many_invalid_rows_as_allowed_are_no_reason_to_stop(self, tmp_path):
        file = write_csv(tmp_path / "s.csv", people(8) + "bad@@;\nworse;\n")
        with rig(tmp_path) as server:
            report = server.run(CONTACT, file, guards=Guards(fail_over=parse_limit("2", "--fail-over")))
        assert (report.exit_code, report.counts) == (1, {"delivered": 8, "invalid": 2})

    def test_more_deletions_than_allowed_delete_nobody(self, tmp_path):
        with rig(tmp_path) as server:
            file = write_csv(tmp_path / "s.csv", people(5))
            report = server.run(DELETE, file, yes=True, guards=Guards(max_deletes=parse_limit("4", "--max-deletes")))
        assert (report.exit_code, report.counts, server.requests()) == (3, {"blocked": 5}, [])

    def test_deletions_are_counted_without_duplicates(self, tmp_path):
        with rig(tmp_path) as server:
            file = write_csv(tmp_path / "s.csv", people(4) + "P1@example.com;\n")
            report = server.run(DELETE, file, yes=True, guards=Guards(max_deletes=parse_limit("4", "--max-deletes")))
        assert (report.deletes, report.counts) == (4, {"delivered": 4, "duplicate": 1})

    def test_clears_are_counted_by_field_without_duplicates_and_bounded(self, tmp_path):
        with rig(tmp_path) as server:
            file = write_csv(tmp_path / "s.csv", people(5) + "p0@example.com;601\n")
            report = server.run(CLEAR, file, guards=Guards(max_clears=parse_limit("3", "--max-clears")))
        assert report.clears == {"contact.phone": 4}
        assert (report.exit_code, report.counts) == (3, {"blocked": 5, "duplicate": 1})

    def test_a_check_says_with_its_exit_code_what_the_guard_would_do(self, tmp_path):
        with rig(tmp_path) as server:
            file = write_csv(tmp_path / "s.csv", people(5))
            report = server.check(DELETE, file, guards=Guards(max_deletes=parse_limit("4", "--max-deletes")))
        assert (report.exit_code, report.counts) == (3, {"planned": 5})

    @pytest.mark.parametrize("text", ["", "x", "-1", "101%", "1.5", "5 rows"])
    def test_a_limit_that_is_none_is_refused(self, text):
        with pytest.raises(SettingsError, match="--fail-over"):
            parse_limit(text, "--fail-over")


class TestConfirmation:
    def test_without_anyone_to_ask_nothing_is_deleted(self, tmp_path):
        with rig(tmp_path) as server:
            report = server.run(DELETE, write_csv(tmp_path / "s.csv", people(3)))
        assert (report.exit_code, report.counts, server.requests()) == (3, {"blocked": 3}, [])
        assert report.stop.message == "3 contacts would be deleted, and nobody is here to confirm it"
        assert report.stop.hint == "add --yes if that is right"

    def test_who_is_asked_hears_how_many_and_where(self, tmp_path):
        asked = []
        with rig(tmp_path) as server:
            file = write_csv(tmp_path / "s.csv", people(3))
            report = server.run(DELETE, file, confirm=lambda count, target: asked.append((count, target)) or False)
        assert asked == [(3, "test")]
        assert report.counts == {"blocked": 3}

    def test_a_yes_deletes(self, tmp_path):
        with rig(tmp_path) as server:
            report = server.run(DELETE, write_csv(tmp_path / "s.csv", people(3)), confirm=lambda *_: True)
        assert report.counts == {"delivered": 3}

    def test_a_blank_or_path_like_key_never_reaches_delete(self, tmp_path):
        with rig(tmp_path) as server:
            file = write_csv(tmp_path / "s.csv", "E-mail;x\n;1\n  ;1\n..;1\n/;1\n../contacts;1\n?;1\n%2e%2e;1\n")
            report = server.run(DELETE, file, yes=True)
        assert (report.counts, server.requests()) == ({"invalid": 7}, [])


class TestAFileThatChanges:
    def test_between_the_two_passes_nothing_is_sent(self, tmp_path):
        file = write_csv(tmp_path / "s.csv", people(3))

        def change(*_):
            file.write_text(people(3).replace("p1@", "q1@"))
            return True

        with rig(tmp_path) as server:
            report = server.run(DELETE, file, confirm=change)
        assert (report.exit_code, report.stop.code, server.requests()) == (3, "file-changed", [])
        assert report.counts == {"blocked": 3}

    def test_while_it_is_sent_the_rest_is_not(self, tmp_path):
        file = write_csv(tmp_path / "s.csv", people(6_000))

        class Meddler(Silent):
            stage = ""

            def begin(self, stage, total):
                self.stage = stage

            def advance(self, rows, counts):
                if self.stage == "sending" and counts.get("delivered"):
                    os.utime(file, (1, 1))

            def end(self):
                pass

        with rig(tmp_path) as server:
            report = server.run(CONTACT, file, progress=Meddler())
        assert (report.exit_code, report.stop.code) == (3, "file-changed")
        assert report.counts["blocked"] > 0
        assert sum(report.counts.values()) == 6_000


class TestStops:
    def test_keys_that_are_not_known_stop_the_run_at_once_and_the_rest_is_blocked(self, tmp_path):
        with rig(tmp_path, auth="bearer", secret="right") as server:
            report = server.run(CONTACT, write_csv(tmp_path / "s.csv", people(500)))
        assert report.exit_code == 2
        assert report.counts["blocked"] >= 450
        assert len(server.requests()) <= 40

    def test_an_endpoint_that_is_down_is_not_hammered_and_its_rows_are_failed(self, tmp_path):
        with rig(tmp_path, target="patience = 1") as server:
            config, database = server.config, server.database
        report = etl.run(
            mapping_of(CONTACT, tmp_path), [write_csv(tmp_path / "s.csv", people(300))], target="test", config=config,
            options=etl.Options(out=tmp_path / "out", timing=etl_no_wait()),
        )  # fmt: skip
        assert database.exists()
        assert (report.exit_code, report.counts) == (3, {"failed": 300})
        assert report.stop.code == "endpoint-down"

    def test_a_record_after_one_that_was_rejected_is_failed_and_not_sent(self, tmp_path):
        text = CONTACT + "  - action: event.create\n    fields:\n      email: E-mail\n      description: Note\n"
        with rig(
            tmp_path, faults=Faults((FaultRule("400", route="POST /contacts", person="a@example.com"),))
        ) as server:
            file = write_csv(tmp_path / "s.csv", "E-mail;Note\na@example.com;x\nb@example.com;y\n")
            report = server.run(text, file)
        assert [(line["row"], line["record"], line["status"], line["code"]) for line in results_of(report)] == [
            ("2", "1", "rejected", "http-400"),
            ("2", "2", "failed", "earlier-record-failed"),
            ("3", "1", "delivered", ""),
            ("3", "2", "delivered", ""),
        ]

    def test_an_event_whose_answer_was_lost_is_unknown_and_sent_once(self, tmp_path):
        text = """\
version: 1
name: events
records:
  - action: event.create
    fields: {email: E-mail, externalId: Id}
"""
        with rig(tmp_path, faults=Faults((FaultRule("lost", nth=(1,)),))) as server:
            report = server.run(text, write_csv(tmp_path / "s.csv", "E-mail;Id\na@example.com;1\nb@example.com;2\n"))
        assert (report.exit_code, report.counts) == (1, {"delivered": 1, "unknown": 1})
        assert len(server.requests()) == 2


def etl_no_wait():
    from etl.load.loader import Timing

    return Timing(random=lambda: 0.0)


class TestTheReasons:
    def test_what_was_not_delivered_is_counted_by_status_and_code_with_an_example(self, tmp_path):
        rules = (FaultRule("400", person="p1@example.com"), FaultRule("400", person="p2@example.com"))
        with rig(tmp_path, faults=Faults(rules)) as server:
            report = server.run(CONTACT, write_csv(tmp_path / "s.csv", people(5)))
        ((status, code, example, count),) = report.outcomes
        assert (status, code, count) == ("rejected", "http-400", 2)
        assert example
        assert json.loads(report.summary_path.read_text())["outcomes"][0]["count"] == 2

    def test_a_few_rows_to_nobody_end_as_an_endpoint_that_is_down(self, tmp_path):
        with rig(tmp_path, target="patience = 1") as server:
            config = server.config
        report = etl.run(
            mapping_of(CONTACT, tmp_path), [write_csv(tmp_path / "s.csv", people(3))], target="test", config=config,
            options=etl.Options(out=tmp_path / "out", timing=etl_no_wait()),
        )  # fmt: skip
        assert (report.exit_code, report.counts) == (3, {"failed": 3})
        assert report.stop.code == "endpoint-down"


class TestTheFolderOfReports:
    def test_keeps_what_an_earlier_run_wrote_there(self, tmp_path):
        file = write_csv(tmp_path / "s.csv", people(3))
        with rig(tmp_path) as server:
            first = server.run(CONTACT, file, out=tmp_path / "reports")
            kept = first.results_path.read_bytes()
            second = server.check(CONTACT, file, out=tmp_path / "reports", limit=1)
        assert (tmp_path / "reports" / first.id / "results.csv").read_bytes() == kept
        assert len(results_of(second)) == 1

    def test_that_is_a_file_is_said_so(self, tmp_path):
        with rig(tmp_path) as server, pytest.raises(SettingsError, match="this is a file, not a folder"):
            server.check(CONTACT, write_csv(tmp_path / "s.csv", people(3)), out=tmp_path / "s.csv")


class TestInterruptions:
    def test_ctrl_c_finishes_what_is_in_flight_and_blocks_the_rest(self, tmp_path):
        interrupt = Interrupt()

        class Impatient(Silent):
            def begin(self, stage, total):
                pass

            def advance(self, rows, counts):
                if counts.get("delivered", 0) >= 100:
                    interrupt.request(signal.SIGINT)

            def end(self):
                pass

        with rig(tmp_path, latency_seconds=0.01) as server:
            file = write_csv(tmp_path / "s.csv", people(2_000))
            report = server.run(CONTACT, file, progress=Impatient(), interrupt=interrupt)
        assert report.exit_code == 130
        assert set(report.counts) == {"delivered", "blocked"}
        assert report.counts["delivered"] == len(server.requests())
        assert sum(report.counts.values()) == 2_000
        assert results_of(report)[-1]["message"] == "interrupted by Ctrl-C before it was sent"

    def test_a_killed_run_leaves_a_readable_file_of_what_is_known(self, tmp_path):
        with rig(tmp_path, latency_seconds=0.02, target="concurrency = 4") as server:
            file = write_csv(tmp_path / "s.csv", people(3_000) + "bad@@;\n")
            mapping = tmp_path / "m.yaml"
            mapping.write_text(CONTACT)
            code = (
                "import etl, pathlib, sys; etl.run(sys.argv[1], [sys.argv[2]], target='test', config=sys.argv[3], "
                "options=etl.Options(out=pathlib.Path(sys.argv[4])))"
            )
            out = tmp_path / "killed"
            process = subprocess.Popen([sys.executable, "-c", code, mapping, file, server.config, out])
            results = out / "results.csv"
            wait_until(lambda: results.exists() and results.read_bytes().count(b"delivered") > 50)
            process.send_signal(signal.SIGKILL)
            process.wait()
            text = results.read_bytes()
        whole = text[: text.rfind(b"\n") + 1].decode()
        lines = list(csv.DictReader(whole.splitlines()))
        delivered = {line["payload_sha256"] for line in lines if line["status"] == "delivered"}
        assert len(delivered) > 50
        assert delivered <= {sha for _, _, _, sha, _ in server.requests()}


def wait_until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


class TestTheResults:
    def test_stand_in_file_order_whatever_the_order_of_the_answers(self, tmp_path):
        with rig(
            tmp_path, target="concurrency = 32", faults=Faults((FaultRule("latency", rate=0.3, seconds=0.03),))
        ) as server:
            report = server.run(CONTACT, write_csv(tmp_path / "s.csv", people(400)))
        assert [int(line["row"]) for line in results_of(report)] == list(range(2, 402))
        assert report.counts == {"delivered": 400}

    def test_are_frames_in_the_report_and_counts_in_the_summary(self, tmp_path):
        with rig(tmp_path) as server:
            report = server.check(CONTACT, write_csv(tmp_path / "s.csv", "E-mail;x\na@example.com;\nbad@@;\n"))
        assert report.results[["row", "status"]].values.tolist() == [[2, "planned"], [3, "invalid"]]
        assert report.issues[["row", "cell", "field", "code"]].values.tolist() == [
            [3, "A3", "contact.email", "email-syntax"]
        ]
        summary = json.loads(report.summary_path.read_text())
        assert summary["counts"] == {"planned": 1, "invalid": 1}
        assert summary["exit_code"] == 1

    def test_hold_nothing_that_a_spreadsheet_takes_for_a_formula(self, tmp_path):
        text = CONTACT + "      contact.name: {column: Name, transform: [number]}\n"
        with rig(tmp_path) as server:
            report = server.check(text, write_csv(tmp_path / "s.csv", "E-mail;Name\na@example.com;=HYPERLINK(1)\n"))
        (issue,) = report.issues.to_dict("records")
        assert issue["value"] == "'=HYPERLINK(1)"

    def test_of_several_files_name_the_file_of_the_row_that_stands_for_another(self, tmp_path):
        first = write_csv(tmp_path / "one.csv", "E-mail;x\na@example.com;\n")
        second = write_csv(tmp_path / "two.csv", "E-mail;x\na@example.com;\n")
        report = etl.check(mapping_of(CONTACT, tmp_path), [first, second], options=etl.Options(out=tmp_path / "out"))
        assert [(line["status"], line["message"]) for line in results_of(report)] == [
            ("duplicate", "row 2 of two.csv of the same key stands for it"),
            ("planned", ""),
        ]

    def test_end_after_the_limit(self, tmp_path):
        with rig(tmp_path) as server:
            report = server.run(CONTACT, write_csv(tmp_path / "s.csv", people(50)), limit=7)
        assert (report.rows, report.counts) == (7, {"delivered": 7})


class TestTheWire:
    ENVELOPE = """\
version: 1
name: markets
group_key: Market
records:
  - action: contact.upsert
    fields:
      contact.email: {column: E-mail, as: epost}
      contact.address.city: City
    attributes:
      kundnr: No
"""

    def test_the_envelope_carries_agreed_names_and_the_group_key_of_the_row(self, tmp_path):
        sheet = "E-mail;City;No;Market\na@example.com;Malmö;007;se\na@example.com;Łódź;008;pl\nb@example.com;X;1;\n"
        with rig(tmp_path, target='wire = "envelope"', wire="envelope", names={"epost": "email"}) as server:
            report = server.run(self.ENVELOPE, write_csv(tmp_path / "s.csv", sheet))
        assert report.counts == {"delivered": 2, "invalid": 1}
        assert sorted(body.decode() for _, _, body, _, _ in server.requests()) == [
            '{"data":{"epost":"a@example.com","city":"Malmö","kundnr":"007"},"group_key":"se"}',
            '{"data":{"epost":"a@example.com","city":"Łódź","kundnr":"008"},"group_key":"pl"}',
        ]

    def test_sigv4_signs_what_the_sandbox_verifies_session_token_too(self, tmp_path, monkeypatch):
        keys = Credentials("AKIDEXAMPLE", "kanarek-secret", "kanarek-token")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys.access_key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys.secret_access_key)
        monkeypatch.setenv("AWS_SESSION_TOKEN", keys.session_token)
        with rig(tmp_path, target='auth = "sigv4"', auth="sigv4", credentials=(keys,)) as server:
            report = server.run(CONTACT, write_csv(tmp_path / "s.csv", people(20)))
            deleted = server.run(DELETE, write_csv(tmp_path / "d.csv", people(20)), yes=True, out=tmp_path / "del")
        assert report.counts == deleted.counts == {"delivered": 20}
        written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert b"kanarek" not in written

    def test_a_wrong_secret_stops_the_run_before_a_second_thought(self, tmp_path, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        keys = Credentials("AKIDEXAMPLE", "right")
        with rig(tmp_path, target='auth = "sigv4"', auth="sigv4", credentials=(keys,)) as server:
            report = server.run(CONTACT, write_csv(tmp_path / "s.csv", people(200)))
        assert report.exit_code == 2
        assert "delivered" not in report.counts

    def test_a_clock_that_is_off_is_corrected_by_the_endpoints_own(self, tmp_path, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "right")
        keys = Credentials("AKIDEXAMPLE", "right")
        options = {"auth": "sigv4", "credentials": (keys,), "clock_offset_seconds": 3_600.0}
        with rig(tmp_path, target='auth = "sigv4"\nconcurrency = 1', **options) as server:
            report = server.run(CONTACT, write_csv(tmp_path / "s.csv", people(20)))
        assert report.counts == {"delivered": 20}


class TestNotes:
    def test_near_misses_of_a_condition_are_told(self, tmp_path):
        text = CONTACT.replace("    fields:", "    when: \"Consent == 'yes'\"\n    fields:")
        sheet = "E-mail;Consent\na@example.com;yes\nb@example.com;Yes\nc@example.com;Yes\n"
        report = etl.check(
            mapping_of(text, tmp_path),
            [write_csv(tmp_path / "s.csv", sheet)],
            options=etl.Options(out=tmp_path / "out"),
        )
        assert report.notes == (
            "2 rows have 'Yes' in 'Consent' where the condition says 'yes'; the two are not the same",
        )

    def test_an_event_without_identifier_and_without_date_is_told(self, tmp_path):
        text = "version: 1\nname: e\nrecords:\n  - action: event.create\n    fields: {description: Note}\n"
        sheet = "Note;Order date\nx;2024-01-31\n"
        report = etl.check(
            mapping_of(text, tmp_path),
            [write_csv(tmp_path / "s.csv", sheet)],
            options=etl.Options(out=tmp_path / "out"),
        )
        assert any("whose event it is" in note for note in report.notes)
        assert any("Order date" in note for note in report.notes)
        assert report.exit_code == 0


def test_check_opens_no_connection(tmp_path):
    with rig(tmp_path) as server:
        server.check(CONTACT, write_csv(tmp_path / "s.csv", people(5)))
        assert server.sandbox.stats().connections == 0


def test_one_file_may_be_given_by_itself(tmp_path):
    file = write_csv(tmp_path / "s.csv", people(2))
    report = etl.check(mapping_of(CONTACT, tmp_path), str(file), options=etl.Options(out=tmp_path / "out"))
    assert report.counts == {"planned": 2}


def test_sheets_with_the_same_columns_that_are_not_read_are_told(tmp_path):
    book = openpyxl.Workbook()
    for name in ("May", "June"):
        sheet = book.create_sheet(name)
        sheet.append(["E-mail", "x"])
        sheet.append(["a@example.com", "y"])
    book.save(tmp_path / "months.xlsx")
    report = etl.check(
        mapping_of(CONTACT, tmp_path), [tmp_path / "months.xlsx"], options=etl.Options(out=tmp_path / "out")
    )
    assert report.notes == (
        "only sheet 'May' is read; with the same columns, and not read: 'June' (name one by --sheet)",
    )


def test_a_folder_that_cannot_be_written_to_is_said_before_anything_is_read(tmp_path):
    blocker = write_csv(tmp_path / "file", "x")
    with pytest.raises(SettingsError, match="the reports cannot be written"):
        etl.check(
            mapping_of(CONTACT, tmp_path), [write_csv(tmp_path / "s.csv", people(1))],
            options=etl.Options(out=blocker / "out"),
        )  # fmt: skip


def test_a_missing_column_stops_before_anything_is_read_on(tmp_path):
    with pytest.raises(etl.MappingError, match="E-mail"):
        etl.check(mapping_of(CONTACT, tmp_path), [write_csv(tmp_path / "s.csv", "Mail;x\na;b\n")])


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SourceError, match="there is no such file"):
        etl.check(mapping_of(CONTACT, tmp_path), [Path(tmp_path / "nothing.csv")])
