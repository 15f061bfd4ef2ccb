"""Going on with a run: resume and retry against a real sandbox and a real journal."""

from __future__ import annotations

import io
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest
from support import Rig, results_of, rig, write_csv

import etl
from etl.errors import JournalError
from etl.interrupt import Interrupt
from etl.progress import Silent
from etl.sandbox import FaultRule, Faults

CONTACT = """\
version: 1
name: people
records:
  - action: contact.upsert
    fields:
      contact.email: {column: E-mail, transform: [strip], required: true}
      contact.phone: Phone
"""

EVENT = """\
version: 1
name: purchases
records:
  - action: event.create
    fields:
      externalId: {column: Order}
      email: E-mail
      contactExtEventType: {value: PURCHASE}
"""

BOTH = """\
version: 1
name: both
records:
  - action: contact.upsert
    fields:
      contact.email: E-mail
  - action: event.create
    fields:
      externalId: {column: Order}
      email: E-mail
      contactExtEventType: {value: PURCHASE}
"""


class StopAfter(Silent):
    """Asks a run to stop, as Ctrl-C does, once so many rows were delivered."""

    def __init__(self, delivered: int) -> None:
        self.interrupt = Interrupt()
        self._delivered = delivered

    def advance(self, rows, counts):
        if counts.get("delivered", 0) >= self._delivered:
            self.interrupt.request(signal.SIGINT)


def people(count: int) -> str:
    return "E-mail;Phone\n" + "".join(f"p{n}@example.com;\n" for n in range(count))


def orders(count: int) -> str:
    return "E-mail;Order\n" + "".join(f"p{n}@example.com;A-{n}\n" for n in range(count))


def run(server: Rig, mapping: str, file: Path | str, **options) -> etl.RunReport:
    """Run a mapping that is a file, as whoever resumes a run needs it."""
    path = server.folder / "mapping.yaml"
    path.write_text(mapping)
    return server.run(etl.load_mapping(path), file, **options)


def interrupted(server: Rig, mapping: str, file: Path, *, after: int = 40, **options) -> etl.RunReport:
    progress = StopAfter(after)
    report = run(server, mapping, file, progress=progress, interrupt=progress.interrupt, **options)
    assert report.exit_code == 130
    return report


def resume(server: Rig, run_id: str, **options) -> etl.RunReport:
    return etl.resume(run_id, config=server.config, options=etl.Options(**options))


def retry(server: Rig, run_id: str, **options) -> etl.RunReport:
    return etl.retry(run_id, config=server.config, options=etl.Options(**options))


def statuses(report: etl.RunReport) -> Counter[str]:
    return Counter(line["status"] for line in results_of(report))


class TestResume:
    def test_what_was_confirmed_is_not_sent_again_and_the_rest_is(self, tmp_path):
        with rig(tmp_path, latency_seconds=0.005) as server:
            first = interrupted(server, CONTACT, write_csv(tmp_path / "s.csv", people(300)))
            report = resume(server, first.id)
        assert report.exit_code == 0
        assert statuses(report) == {"delivered": 300}
        assert len({body for _, _, body, _, _ in server.requests()}) == len(server.requests()) == 300

    def test_the_reports_are_complete_and_in_the_folder_of_the_run(self, tmp_path):
        with rig(tmp_path, latency_seconds=0.005) as server:
            file = write_csv(tmp_path / "s.csv", people(300) + "no address;\n")
            first = interrupted(server, CONTACT, file)
            before = {line["row"]: line for line in results_of(first) if line["status"] == "delivered"}
            report = resume(server, first.id)
        assert report.id == first.id
        assert report.out == first.out
        lines = results_of(report)
        assert [line["row"] for line in lines] == [str(row) for row in range(2, 303)]
        assert [line for line in lines if line["row"] in before] == list(before.values())

    def test_the_reports_of_the_earlier_sitting_are_kept_beside_them(self, tmp_path):
        with rig(tmp_path, latency_seconds=0.005) as server:
            first = interrupted(server, CONTACT, write_csv(tmp_path / "s.csv", people(300)))
            delivered = first.counts["delivered"]
            resume(server, first.id)
        kept = first.out / first.id / "results.csv"
        assert kept.read_text().count(",delivered,") == delivered

    def test_a_run_may_be_interrupted_many_times(self, tmp_path):
        with rig(tmp_path, latency_seconds=0.005) as server:
            first = interrupted(server, CONTACT, write_csv(tmp_path / "s.csv", people(300)))
            for after in (100, 160, 220):
                progress = StopAfter(after)
                again = resume(server, first.id, progress=progress, interrupt=progress.interrupt)
                assert again.exit_code == 130
            assert resume(server, first.id).exit_code == 0
        assert len(server.requests()) == 300

    def test_a_rejected_row_stays_rejected_and_so_do_the_later_records_of_it(self, tmp_path):
        faults = Faults([FaultRule("400", person="p3@example.com", route="POST /contacts")])
        with rig(tmp_path, latency_seconds=0.005, faults=faults) as server:
            first = interrupted(server, BOTH, write_csv(tmp_path / "s.csv", orders(200)))
            report = resume(server, first.id)
        told = [(line["action"], line["status"], line["code"]) for line in results_of(report) if line["row"] == "5"]
        assert told == [
            ("contact.upsert", "rejected", "http-400"),
            ("event.create", "failed", "earlier-record-failed"),
        ]
        assert sum(b"p3@example.com" in body for _, _, body, _, _ in server.requests()) == 1

    def test_a_run_that_was_interrupted_while_it_read_is_resumed_from_the_start(self, tmp_path):
        with rig(tmp_path) as server:
            file = write_csv(tmp_path / "s.csv", people(20))
            interrupt = Interrupt()
            interrupt.request(signal.SIGTERM)
            with pytest.raises(etl.survey.InterruptedRun):
                run(server, CONTACT, file, interrupt=interrupt)
            (record,) = journal_runs(server)
            assert resume(server, record.id).counts == {"delivered": 20}

    def test_flags_of_the_run_hold_for_its_resumption(self, tmp_path):
        with rig(tmp_path, latency_seconds=0.005) as server:
            first = interrupted(server, CONTACT, write_csv(tmp_path / "s.csv", people(300)), limit=120)
            report = resume(server, first.id)
        assert report.counts == {"delivered": 120}

    def test_standard_input_is_kept_until_the_run_is_finished(self, tmp_path, monkeypatch):
        with rig(tmp_path, latency_seconds=0.005) as server:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(people(300).encode())))
            first = interrupted(server, CONTACT, "-")
            assert len(list((tmp_path / ".etl" / "spool").iterdir())) == 1
            report = resume(server, first.id)
        assert report.counts == {"delivered": 300}
        assert list((tmp_path / ".etl" / "spool").iterdir()) == []


class TestEventsOfUnknownOutcome:
    def test_they_are_held_when_the_run_is_resumed(self, tmp_path):
        with rig(tmp_path, faults=lost_answer("p1@example.com")) as server:
            first = run(server, EVENT, write_csv(tmp_path / "s.csv", orders(4)))
            assert statuses(first) == {"delivered": 3, "unknown": 1}
            with pytest.raises(JournalError, match="is finished, with exit code 1"):
                resume(server, first.id)

    def test_retry_sends_them_again_since_a_person_asked(self, tmp_path):
        with rig(tmp_path, faults=lost_answer("p1@example.com")) as server:
            first = run(server, EVENT, write_csv(tmp_path / "s.csv", orders(4)))
            report = retry(server, first.id, yes=True)
        assert statuses(report) == {"delivered": 4}
        assert len(server.requests()) == 5

    def test_retry_sends_nothing_before_a_person_has_said_that_they_did_not_arrive(self, tmp_path):
        with rig(tmp_path, faults=lost_answer("p1@example.com")) as server:
            first = run(server, EVENT, write_csv(tmp_path / "s.csv", orders(4)))
            report = retry(server, first.id)
        assert (report.exit_code, report.stop.code) == (3, "not-confirmed")
        assert report.stop.message == "1 event of unknown outcome would be sent again, and may be there twice then"
        assert statuses(report) == {"delivered": 3, "unknown": 1}
        assert len(server.requests()) == 4

    def test_another_run_of_the_same_file_does_not_send_them_either(self, tmp_path):
        with rig(tmp_path, faults=lost_answer("p1@example.com")) as server:
            file = write_csv(tmp_path / "s.csv", orders(4))
            run(server, EVENT, file)
            report = run(server, EVENT, file)
        assert statuses(report) == {"unchanged": 3, "unknown": 1}
        (held,) = [line for line in results_of(report) if line["status"] == "unknown"]
        assert held["code"] == "unsettled"
        assert len(server.requests()) == 4


class TestRetry:
    def test_the_failed_rows_of_a_finished_run_are_sent_again(self, tmp_path):
        faults = Faults([FaultRule("503", person="p1@example.com", count=1)])
        with rig(tmp_path, faults=faults, target="retries = 0") as server:
            first = run(server, CONTACT, write_csv(tmp_path / "s.csv", people(5)))
            assert first.counts == {"delivered": 4, "failed": 1}
            report = retry(server, first.id)
        assert (report.exit_code, report.counts) == (0, {"delivered": 5})
        assert len(server.requests()) == 6

    def test_what_is_rejected_is_not_sent_again(self, tmp_path):
        faults = Faults([FaultRule("400", person="p1@example.com"), FaultRule("503", person="p2@example.com", count=1)])
        with rig(tmp_path, faults=faults, target="retries = 0") as server:
            first = run(server, CONTACT, write_csv(tmp_path / "s.csv", people(5)))
            report = retry(server, first.id)
        assert report.counts == {"delivered": 4, "rejected": 1}
        assert len(server.requests()) == 6

    def test_where_nothing_is_left_it_says_so_with_the_exit_code_of_the_run(self, tmp_path):
        with rig(tmp_path) as server:
            first = run(server, CONTACT, write_csv(tmp_path / "s.csv", people(3)))
            with pytest.raises(JournalError) as caught:
                retry(server, first.id)
        assert str(caught.value) == (
            f"run {first.id} is finished, with exit code 0: no row of it is failed or unknown   [nothing-to-retry]"
        )
        assert caught.value.exit_code == 0


class TestRefusals:
    def test_a_file_that_changed_since(self, tmp_path):
        with rig(tmp_path, latency_seconds=0.005) as server:
            file = write_csv(tmp_path / "s.csv", people(300))
            first = interrupted(server, CONTACT, file)
            write_csv(file, people(299) + "x@example.com;1\n")
            with pytest.raises(JournalError) as caught:
                resume(server, first.id)
        assert str(caught.value) == (
            f"{file}: this is not the file that run {first.id} had read: its content has changed since\n"
            "  hint: put the file back as it was, or run it anew   [file-changed]"
        )

    def test_a_mapping_that_changed_since(self, tmp_path):
        with rig(tmp_path, latency_seconds=0.005) as server:
            first = interrupted(server, CONTACT, write_csv(tmp_path / "s.csv", people(300)))
            mapping = tmp_path / "mapping.yaml"
            mapping.write_text(CONTACT.replace("[strip]", "[strip, lower]"))
            with pytest.raises(JournalError) as caught:
                resume(server, first.id)
        assert str(caught.value) == (
            f"{mapping}: this is not the mapping of run {first.id}: it, or a file that it names, has changed since\n"
            "  hint: put it back as it was, or run it anew   [mapping-changed]"
        )

    def test_a_target_whose_settings_changed_since(self, tmp_path):
        with rig(tmp_path, latency_seconds=0.005) as server:
            first = interrupted(server, CONTACT, write_csv(tmp_path / "s.csv", people(300)))
            server.config.write_text(server.config.read_text() + 'wire = "envelope"\ngroup_key = "PL"\n')
            with pytest.raises(JournalError) as caught:
                resume(server, first.id)
        assert str(caught.value) == (
            f"the settings of target 'test' are not those of run {first.id}: url, wire, group_key or auth\n"
            "  hint: put them back as they were, or run it anew   [settings-changed]"
        )

    def test_a_run_that_is_finished_says_how_it_ended(self, tmp_path):
        with rig(tmp_path) as server:
            first = run(server, CONTACT, write_csv(tmp_path / "s.csv", people(3)))
            with pytest.raises(JournalError) as caught:
                resume(server, first.id)
        assert str(caught.value) == (
            f"run {first.id} is finished, with exit code 0: nothing is left of it   [run-finished]"
        )

    def test_where_there_is_no_journal_no_run_is_known(self, tmp_path):
        config = tmp_path / "etl.toml"
        config.touch()
        with pytest.raises(JournalError, match="there is no journal here, so no run is known"):
            etl.resume("20261124-000000-abcd", config=config)


def lost_answer(person: str) -> Faults:
    """The server acts, and its first answer for that person is lost."""
    return Faults([FaultRule("lost", person=person, count=1)])


def journal_runs(server: Rig):
    from etl.journal import open_journal
    from etl.settings import load_settings

    with open_journal(load_settings(server.config, {}, server.folder)) as journal:
        return journal.runs()


def test_the_connections_that_a_run_was_given_hold_for_its_resumption(tmp_path):
    with rig(tmp_path, latency_seconds=0.005) as server:
        first = interrupted(server, CONTACT, write_csv(tmp_path / "s.csv", people(120)), concurrency=2)
        report = resume(server, first.id)
    assert report.counts == {"delivered": 120}
    assert report.delivery["endpoints"]["/contacts"]["concurrency"] == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_journal_knows_by_which_signal_a_run_was_ended_while_it_read(tmp_path, number):
    with rig(tmp_path) as server:
        interrupt = Interrupt()
        interrupt.request(number)
        with pytest.raises(etl.survey.InterruptedRun):
            run(server, CONTACT, write_csv(tmp_path / "s.csv", people(20)), interrupt=interrupt)
        (record,) = journal_runs(server)
    assert record.exit_code == 128 + number
