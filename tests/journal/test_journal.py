"""What every journal promises, in SQLite and in PostgreSQL."""

from __future__ import annotations

import threading
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pytest
from conftest import Place
from made import START, delivery, identity, intent, new_run, outcome, run_end

from etl.errors import JournalError
from etl.journal import BY_PAYLOAD, SENDING, WAITING, Past, RunRecord, RunState
from etl.journal.store import Journal
from etl.pipeline import KEY_SEPARATOR
from etl.records import Intent, Outcome, Status

ANNA, BEN = "anna@example.com", "ben@example.com"


def write(journal: Journal, *entries: Intent | Outcome, run: str = "run-1", target: str = "production") -> None:
    with journal.writer(run, target) as writer:
        writer.write(entries)


def texts(*values: str | None) -> pa.Array:
    return pa.array(values, pa.string())


@pytest.fixture
def begun(journal: Journal) -> Journal:
    journal.begin(new_run())
    return journal


def test_the_separator_is_the_pipelines() -> None:
    assert identity("x") == KEY_SEPARATOR + "x"


def test_a_run_is_read_as_it_was_begun(begun: Journal) -> None:
    assert begun.run("run-1") == RunRecord(new_run(), RunState.RUNNING)


def test_a_path_that_is_no_utf_8_is_read_as_it_was_given(journal: Journal) -> None:
    journal.begin(new_run(given=("caf\udce9.csv",), out="/data/caf\udce9"))
    assert journal.run("run-1").new.given == ("caf\udce9.csv",)


@pytest.mark.parametrize("home", ["/in", "/in/100%_a/b", "/caf\udce9/in"])
def test_runs_are_found_by_the_folder_that_their_reports_are_in_the_newest_first(journal: Journal, home: str) -> None:
    for number, out in enumerate((f"{home}/a", f"{home}/b", f"{home}/a/deeper", f"{home}-too/a", f"/x{home}/a")):
        journal.begin(new_run(f"run-{number}", out=out))

    assert [record.id for record in journal.runs_below(home)] == ["run-1", "run-0"]


def test_a_run_whose_reports_and_file_were_moved_is_found_where_they_are(begun: Journal) -> None:
    begun.move("run-1", "/in/done/a", {"/data/a.csv": "/in/done/a/a.csv", "/data/other.csv": "/elsewhere"})

    moved = begun.run("run-1").new
    assert moved.out == "/in/done/a"
    assert [file["path"] for file in moved.files] == ["/in/done/a/a.csv"]
    assert moved.files[0]["sha256"] == new_run().files[0]["sha256"]


def test_a_run_that_is_not_known_cannot_be_moved(begun: Journal) -> None:
    with pytest.raises(JournalError) as raised:
        begun.move("run-2", "/in/done/a", {})

    assert raised.value.code == "unknown-run"


def test_an_ended_run_says_how_it_ended(begun: Journal) -> None:
    begun.end("run-1", run_end(state=RunState.STOPPED, exit_code=3, stop_code="down", stop_message="it is down"))
    record = begun.run("run-1")
    assert (record.state, record.exit_code, record.ended_at) == (RunState.STOPPED, 3, START + 60)
    assert (record.rows, record.counts, record.stop_code, record.stop_message) == (
        3,
        {"delivered": 3},
        "down",
        "it is down",
    )


def test_a_reopened_run_is_running_again_by_somebody_else(begun: Journal) -> None:
    begun.end("run-1", run_end(stop_code="down"))
    begun.reopen("run-1", who="ben@other", pid=42, at=START + 100)
    record = begun.run("run-1")
    assert (record.state, record.sittings, record.ended_at, record.exit_code, record.stop_code) == (
        RunState.RUNNING, 2, None, None, "",
    )  # fmt: skip
    assert (record.new.who, record.new.pid) == ("ben@other", 42)


def test_runs_are_listed_newest_first_and_by_target_and_mapping(journal: Journal) -> None:
    journal.begin(new_run("a"))
    journal.begin(new_run("b", target="sandbox"))
    journal.begin(new_run("c", mapping="orders"))
    assert [run.id for run in journal.runs()] == ["c", "b", "a"]
    assert [run.id for run in journal.runs(limit=1)] == ["c"]
    assert [run.id for run in journal.runs(target="sandbox")] == ["b"]
    assert [run.id for run in journal.runs(target="production", mapping="newsletter")] == ["a"]


def test_an_unknown_run_is_refused_with_the_nearest_ids(journal: Journal, place: Place) -> None:
    journal.begin(new_run("20261124-0300-abcd"))
    with pytest.raises(JournalError) as error:
        journal.run("20261124-0300-abce")
    assert str(error.value) == (
        f"{journal.name}: there is no run '20261124-0300-abce'\n"
        "  hint: did you mean 20261124-0300-abcd? `etl runs` lists all of them   [unknown-run]"
    )


def test_an_id_is_taken_once(begun: Journal) -> None:
    with pytest.raises(JournalError) as error:
        begun.begin(new_run())
    assert error.value.code == "run-exists"


def test_an_intent_is_found_as_sending(begun: Journal) -> None:
    one = delivery()
    write(begun, intent(one, attempt=2, at=START + 5))
    digest = sha256(one.body).digest()
    assert begun.past("run-1", 0, 10) == {(2, 1): Past(SENDING, digest, 2, None, "", "", "", START + 5, None)}


def test_an_outcome_that_is_not_final_is_found_as_waiting(begun: Journal) -> None:
    one = delivery()
    write(begun, intent(one), outcome(one, Status.FAILED, final=False, http_status=503, code="http-503"))
    past = begun.past("run-1", 2, 2)[2, 1]
    assert (past.state, past.http_status, past.code) == (WAITING, 503, "http-503")


def test_a_final_outcome_is_found_with_its_status(begun: Journal) -> None:
    one = delivery()
    write(begun, intent(one), outcome(one, Status.REJECTED, http_status=400, message="no", code="http-400"))
    assert begun.past("run-1", 2, 2)[2, 1] == Past(
        "rejected", sha256(one.body).digest(), 1, 400, "req-1", "http-400", "no", START, 12.5
    )


def test_the_past_is_asked_by_positions_both_ends_included(begun: Journal) -> None:
    write(begun, *[intent(delivery(position, record=record)) for position in (1, 2, 3, 4) for record in (1, 2)])
    assert sorted(begun.past("run-1", 2, 3)) == [(2, 1), (2, 2), (3, 1), (3, 2)]


def test_the_tally_counts_deliveries_by_state(begun: Journal) -> None:
    write(begun, intent(delivery(1)), intent(delivery(2)), outcome(delivery(2)), intent(delivery(3)))
    assert begun.tally("run-1") == {"sending": 2, "delivered": 1}
    assert begun.run("run-1", tally=True).deliveries == {"sending": 2, "delivered": 1}


def test_writing_the_same_twice_changes_nothing(begun: Journal) -> None:
    one = delivery()
    for _ in range(2):
        write(begun, intent(one), outcome(one))
    assert begun.tally("run-1") == {"delivered": 1}
    assert begun.memory("production").count("contact.upsert") == 1


def test_many_threads_write_at_once(begun: Journal) -> None:
    def work(start: int) -> None:
        for position in range(start, start + 20):
            one = delivery(position, f"p{position}@example.com")
            writer.write([intent(one)])
            writer.write([outcome(one)])

    with begun.writer("run-1", "production") as writer:
        threads = [threading.Thread(target=work, args=(number * 20,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert begun.tally("run-1") == {"delivered": 320}
    assert begun.memory("production").count("contact.upsert") == 320


def test_the_last_confirmed_payload_is_known(begun: Journal) -> None:
    first, second = delivery(2, body={"contact": {"email": ANNA}}), delivery(3)
    write(begun, outcome(first, at=START), outcome(second, at=START + 9), outcome(delivery(4, BEN), Status.REJECTED))
    keys = texts(identity(ANNA), identity(BEN), None)
    known = begun.memory("production").known("contact.upsert", keys, keys)
    assert known.payload.tolist() == np.array([sha256(second.body).digest(), b"", b""], "S32").tolist()
    assert known.confirmed_at.tolist()[0] == START + 9
    assert np.isnan(known.confirmed_at[1:]).all()
    assert np.isnan(known.erased_at).all()


@pytest.mark.parametrize(
    ("target", "action", "key"),
    [
        pytest.param("sandbox", "contact.upsert", identity(ANNA), id="another target"),
        pytest.param("production", "event.create", identity(ANNA), id="another action"),
        pytest.param("production", "contact.upsert", identity(ANNA, "other"), id="another group key"),
    ],
)
def test_what_was_confirmed_elsewhere_is_not_known(begun: Journal, target: str, action: str, key: str) -> None:
    write(begun, outcome(delivery()))
    known = begun.memory(target).known(action, texts(key), texts(key))
    assert known.payload.tolist() == [b""]


def test_a_million_rows_are_asked_in_pieces(begun: Journal) -> None:
    write(begun, *[outcome(delivery(n, f"p{n}@example.com")) for n in range(100)])
    keys = texts(*[identity(f"p{n}@example.com") for n in range(25_000)])
    known = begun.memory("production").known("contact.upsert", keys, keys)
    assert int((known.payload != b"").sum()) == 100


def test_an_event_without_a_key_is_known_by_its_payload(begun: Journal) -> None:
    event = delivery(action="event.create", key="", body={"email": ANNA, "contactExtEventType": "VISIT"})
    write(begun, outcome(event))
    keys = texts(BY_PAYLOAD + event.body.decode(), BY_PAYLOAD + "{}")
    known = begun.memory("production").known("event.create", keys, texts(None, None))
    assert known.payload.tolist() == np.array([sha256(event.body).digest(), b""], "S32").tolist()


def test_an_upsert_without_a_key_is_not_remembered(begun: Journal) -> None:
    write(begun, outcome(delivery(key="")))
    assert begun.memory("production").count("contact.upsert") == 0


def erase(position: int, at: float) -> Outcome:
    return outcome(delivery(position, action="contact.delete", body={"email": ANNA}), at=at)


def asked(journal: Journal, action: str = "contact.upsert") -> tuple[bool, float]:
    """Return whether Anna's payload is known, and when she was erased (0 for never)."""
    keys = texts(identity(ANNA))
    known = journal.memory("production").known(action, keys, keys)
    return bool(known.payload[0]), float(np.nan_to_num(known.erased_at)[0])


def test_a_deletion_makes_the_payload_count_for_nothing(begun: Journal) -> None:
    write(begun, outcome(delivery(), at=START), erase(3, START + 10))
    assert asked(begun) == (False, START + 10)
    assert asked(begun, "contact.delete") == (False, START + 10)
    assert begun.memory("production").count("contact.delete") == 1


def test_an_upsert_after_the_deletion_revives(begun: Journal) -> None:
    write(begun, outcome(delivery(), at=START), erase(3, START + 10), outcome(delivery(4), at=START + 20))
    assert asked(begun) == (True, 0.0)


def test_a_second_deletion_erases_again(begun: Journal) -> None:
    write(begun, erase(2, START), outcome(delivery(3), at=START + 10))
    write(begun, erase(4, START + 20))
    assert asked(begun) == (False, START + 20)


def test_a_clock_that_jumps_back_does_not_bring_the_deleted_back(begun: Journal) -> None:
    write(begun, outcome(delivery(), at=START))
    write(begun, erase(3, START - 3600))
    known, erased_at = asked(begun)
    assert (known, erased_at > START) == (False, True)
    write(begun, outcome(delivery(4), at=START - 7200))
    assert asked(begun) == (True, 0.0)


def test_an_event_stays_created_when_its_person_is_deleted(begun: Journal) -> None:
    event = delivery(action="event.create", key="order-1", body={"email": ANNA, "externalId": "order-1"})
    write(begun, outcome(event, at=START), erase(3, START + 10))
    keys, persons = texts(identity("order-1")), texts(identity(ANNA))
    known = begun.memory("production").known("event.create", keys, persons)
    assert (bool(known.payload[0]), known.erased_at.tolist()) == (True, [START + 10])


def test_confirmed_keys_come_in_ascending_order_and_match_the_hashes(begun: Journal) -> None:
    people = [f"p{n}@example.com" for n in range(50)]
    write(begun, *[outcome(delivery(n, who)) for n, who in enumerate(people)])
    memory = begun.memory("production")
    found = list(memory.confirmed_keys("contact.upsert"))
    hashes = memory.hash_keys(texts(*map(identity, people)))
    assert [one.key for one in found] == sorted(one.key for one in found)
    assert sorted(np.array([one.key for one in found], "S16").tolist()) == sorted(hashes.tolist())
    assert {(one.run, one.text) for one in found} == {("run-1", "")}


def test_confirmed_keys_come_in_pages(begun: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.journal.memory._PAGE", 7)
    write(begun, *[outcome(delivery(n, f"p{n}@example.com")) for n in range(21)])
    assert len({one.key for one in begun.memory("production").confirmed_keys("contact.upsert")}) == 21


def test_the_history_of_a_person_tells_what_was_sent_and_what_changed(begun: Journal) -> None:
    write(begun, outcome(delivery(2)), outcome(delivery(3)), outcome(delivery(9, BEN)))
    changed = {"contact": {"email": ANNA, "phone": "+48"}, "tags": ["VIP"], "properties": {"shoe": "42"}}
    write(begun, outcome(delivery(4, body=changed)))
    found = begun.history("Anna@Example.com ")
    assert [(one.position, one.action, one.past.state, one.changed) for one in found] == [
        (2, "contact.upsert", "delivered", None),
        (3, "contact.upsert", "delivered", ()),
        (4, "contact.upsert", "delivered", ("contact.phone", "properties.shoe")),
    ]


def test_a_field_that_is_no_longer_sent_has_changed(begun: Journal) -> None:
    write(begun, outcome(delivery(2)), outcome(delivery(3, body={"contact": {"email": ANNA}})))
    assert begun.history(ANNA)[1].changed == ("contact.phone", "tags")


def test_the_fields_of_an_envelope_are_named_without_it(begun: Journal) -> None:
    for position, phone in ((2, "1"), (3, "2")):
        write(begun, outcome(delivery(position, body={"data": {"email": ANNA, "phone": phone}, "group_key": "main"})))
    assert begun.history(ANNA)[1].changed == ("phone",)


def test_the_history_is_found_by_a_key_that_is_no_person_whatever_the_group(begun: Journal) -> None:
    write(begun, outcome(delivery(action="event.create", key="Order-1", group="main")))
    assert [one.key for one in begun.history("Order-1")] == [""]
    assert len(begun.history(ANNA)) == 1
    assert begun.history("order-1") == []


def test_forgetting_leaves_counts_and_no_person(begun: Journal) -> None:
    write(begun, outcome(delivery(2, key="crm-7", group="main")), outcome(delivery(3, BEN)), erase(4, START))
    assert begun.forget("ANNA@example.com") == {"deliveries": 2, "confirmed": 1, "erased": 0}
    assert begun.history(ANNA) == begun.history("crm-7") == []
    assert begun.tally("run-1") == {"delivered": 3}
    past = begun.past("run-1", 2, 2)[2, 1]
    assert (past.state, past.digest, past.request_id) == ("delivered", b"", "")
    assert begun.memory("production").count("contact.upsert") == 1
    assert asked(begun)[1] > 0


def test_forgetting_takes_the_erasure_too_if_asked(begun: Journal) -> None:
    write(begun, erase(2, START))
    assert begun.forget(ANNA, keep_erasure=False)["erased"] == 1
    assert asked(begun) == (False, 0.0)


def test_forgetting_somebody_unknown_touches_nothing(begun: Journal) -> None:
    write(begun, outcome(delivery()))
    assert begun.forget("nobody@example.com") == {"deliveries": 0, "confirmed": 0, "erased": 0}


def test_pruning_takes_old_runs_and_their_deliveries_and_leaves_what_was_confirmed(begun: Journal) -> None:
    write(begun, *[outcome(delivery(n, f"p{n}@example.com")) for n in range(30)])
    begun.end("run-1", run_end(ended_at=START))
    begun.begin(new_run("run-2", started_at=START + 100))
    assert begun.prune(START + 50) == {"runs": 0, "deliveries": 30}
    assert begun.tally("run-1") == {}
    memory = begun.memory("production")
    # Whose key it is, a run tells: it stays as long as what it confirmed.
    assert (memory.count("contact.upsert"), {one.run for one in memory.confirmed_keys("contact.upsert")}) == (
        30, {"run-1"},
    )  # fmt: skip


def test_pruning_goes_in_steps(begun: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.journal.forgetting._ROWS_AT_ONCE", 4)
    write(begun, *[intent(delivery(n, record=record)) for n in range(11) for record in (1, 2)])
    begun.end("run-1", run_end(ended_at=START))
    assert begun.prune(START + 50) == {"runs": 1, "deliveries": 22}


def test_pruning_leaves_a_run_that_may_still_be_running(begun: Journal) -> None:
    assert begun.prune(START + 100) == {"runs": 0, "deliveries": 0}
    assert begun.prune(START + 31 * 86_400)["runs"] == 1


def test_a_new_run_never_takes_the_number_of_a_pruned_one(begun: Journal) -> None:
    begun.end("run-1", run_end())
    assert begun.prune(START + 1000)["runs"] == 1
    begun.begin(new_run("run-2"))
    write(begun, outcome(delivery()), run="run-2")
    begun.begin(new_run("run-3"))
    assert [one.run for one in begun.memory("production").confirmed_keys("contact.upsert")] == ["run-2"]


def test_a_journal_is_found_again(place: Place) -> None:
    with place.open() as first:
        first.begin(new_run())
        write(first, outcome(delivery()))
    with place.open() as second:
        assert second.tally("run-1") == {"delivered": 1}
        assert asked(second)[0]


def test_two_programs_may_write_at_once(place: Place) -> None:
    with place.open() as one, place.open() as other:
        one.begin(new_run("a"))
        other.begin(new_run("b"))
        with one.writer("a", "production") as first, other.writer("b", "production") as second:
            for position in range(20):
                first.write([intent(delivery(position))])
                second.write([intent(delivery(position))])
        assert one.tally("a") == other.tally("b") == {"sending": 20}


def test_messages_are_kept_without_personal_data_and_short(begun: Journal) -> None:
    said = "anna@example.com has +48 601 234 567 " + "x" * 500
    write(begun, outcome(delivery(), Status.REJECTED, message=said, request_id=ANNA, code=ANNA))
    past = begun.past("run-1", 2, 2)[2, 1]
    assert past.message.startswith("(address) has (number) x")
    assert (len(past.message), past.request_id, past.code) == (200, "", "(address)")


def test_text_that_no_database_takes_is_kept_all_the_same(begun: Journal) -> None:
    strange = delivery(2, "a\0b\udce9@example.com", body={"properties": {"a\nb\x1f": "1"}})
    write(begun, outcome(strange, Status.DELIVERED, message="nul \0 and half \udce9"))
    assert begun.past("run-1", 2, 2)[2, 1].message == "nul  and half ?"


def test_a_doubt_of_an_earlier_run_outlives_the_request_of_a_later_one_that_is_resumed(begun: Journal) -> None:
    write(begun, intent(delivery(key=ANNA)))
    begun.begin(new_run("run-2"))
    write(begun, intent(delivery(key=ANNA)), run="run-2")
    asked = texts(identity(ANNA))
    known = begun.memory("production").known("contact.upsert", asked, asked, besides="run-2")
    assert known.unsettled_at.tolist() == [START]


def test_who_was_deleted_before_stays_deleted_for_a_run_that_deleted_them_again(begun: Journal) -> None:
    deletion = delivery(key=ANNA, action="contact.delete")
    write(begun, outcome(deletion))
    begun.begin(new_run("run-2"))
    write(begun, outcome(deletion), run="run-2")
    asked = texts(identity(ANNA))
    known = begun.memory("production").known("contact.upsert", asked, asked, besides="run-2")
    assert not np.isnan(known.erased_at).any()


def test_who_came_back_in_between_was_deleted_by_the_later_run_alone(begun: Journal) -> None:
    deletion = delivery(key=ANNA, action="contact.delete")
    write(begun, outcome(deletion), outcome(delivery(1, key=ANNA)))
    begun.begin(new_run("run-2"))
    write(begun, outcome(deletion), run="run-2")
    asked = texts(identity(ANNA))
    known = begun.memory("production").known("contact.upsert", asked, asked, besides="run-2")
    assert np.isnan(known.erased_at).all()
