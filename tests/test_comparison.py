"""Only what changed is sent, nobody is brought back, no event is created twice: nights with a real journal between them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from nights import Nights, Told
from support import CONTACT, rig, write_csv

from etl.records import Status

UPSERT = CONTACT + "      contact.name: Name\n"
DELETE = """\
version: 1
name: opt-outs
records:
  - action: contact.delete
    fields: {email: E-mail}
"""
BOTH = """\
version: 1
name: both
records:
  - action: contact.upsert
    when: "Do == 'keep'"
    fields: {contact.email: E-mail, contact.name: Name}
  - action: contact.delete
    when: "Do == 'drop'"
    fields: {email: E-mail}
"""
EVENT = """\
version: 1
name: orders
records:
  - action: event.create
    fields: {email: E-mail, externalId: Order, description: Note}
"""
KEYLESS = EVENT.replace("externalId: Order, ", "")
ANNA = "E-mail;Name\nanna@example.com;Anna\n"
ORDER = "E-mail;Order;Note\nanna@example.com;1;shoes\n"


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[Nights]:
    made = Nights(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    """One journal for all examples of a property: each begins at a target of its own."""
    made = Nights(tmp_path_factory.mktemp("nights"))
    yield made
    made.close()


def people(*names: str) -> str:
    rows = (f"p{place}@example.com;{name}\n" for place, name in enumerate(names))
    return "E-mail;Name\n" + "".join(rows)


# ---- only what changed


def test_what_was_confirmed_before_is_unchanged(nights):
    nights.run(UPSERT, people("Anna", "Jan"))
    night = nights.run(UPSERT, people("Anna", "Jan Nowak"), only_changed=True)
    assert night.statuses == ["unchanged", "planned"]


def test_an_unchanged_row_says_when_it_was_confirmed(nights):
    first = nights.run(UPSERT, ANNA)
    told = nights.run(UPSERT, ANNA, only_changed=True).lines[2, 1]
    assert told == Told("unchanged", "unchanged", "as confirmed on 2023-11-14", first.lines[2, 1].digest)


def test_an_unchanged_row_keeps_its_warnings(nights):
    sheet = ANNA.replace("example.com", "gmial.com")
    nights.run(UPSERT, sheet)
    message = nights.run(UPSERT, sheet, only_changed=True).lines[2, 1].message
    assert message.startswith("as confirmed on 2023-11-14; contact.email: 'anna@gmial.com' looks mistyped")


def test_without_only_changed_everything_is_sent(nights):
    nights.run(UPSERT, ANNA)
    assert nights.run(UPSERT, ANNA).statuses == ["planned"]


@pytest.mark.parametrize(
    ("options", "status"),
    [
        pytest.param({}, "unchanged", id="the-mapping-alone"),
        pytest.param({"only_changed": False}, "planned", id="a-flag-overrides-it"),
        pytest.param({"all_again": True}, "planned", id="all-overrides-it"),
    ],
)
def test_a_mapping_may_say_only_changed_for_itself(nights, options, status):
    mapping = UPSERT.replace("records:", "only_changed: true\nrecords:")
    nights.run(mapping, ANNA)
    assert nights.run(mapping, ANNA, **options).statuses == [status]


def test_a_value_that_changes_and_changes_back_is_sent_twice(nights):
    nights.run(UPSERT, people("Anna"))
    assert nights.run(UPSERT, people("Ann"), only_changed=True).statuses == ["planned"]
    assert nights.run(UPSERT, people("Anna"), only_changed=True).statuses == ["planned"]


def test_an_address_in_other_capitals_is_a_change_and_the_same_key(nights):
    nights.run(UPSERT, ANNA)
    sheet = ANNA.replace("anna@", "Anna@")
    assert nights.run(UPSERT, sheet, only_changed=True).statuses == ["planned"]
    assert nights.run(UPSERT, sheet, only_changed=True).statuses == ["unchanged"]


def test_a_payload_confirmed_before_a_deletion_counts_for_nothing(nights):
    nights.run(UPSERT, ANNA)
    nights.run(DELETE, "E-mail\nanna@example.com\n")
    assert nights.run(UPSERT, ANNA, only_changed=True, revive=True).statuses == ["planned"]


def test_the_row_that_stands_for_a_key_is_compared_and_the_others_stay_duplicates(nights):
    nights.run(UPSERT, ANNA)
    sheet = "E-mail;Name\nanna@example.com;Other\nanna@example.com;Anna\n"
    assert nights.run(UPSERT, sheet, only_changed=True).statuses == ["duplicate", "unchanged"]


def test_a_row_that_loses_is_no_reason_to_leave_the_key_alone(nights):
    nights.run(UPSERT, ANNA)
    sheet = "E-mail;Name\nanna@example.com;Anna\nanna@example.com;Other\n"
    assert nights.run(UPSERT, sheet, only_changed=True).statuses == ["duplicate", "planned"]


def test_an_unchanged_row_clears_nothing_anew(nights):
    mapping = CONTACT + "      contact.name: {column: Name, blank: clear}\n"
    sheet = people("", "", "Jan")
    assert nights.check(mapping, sheet).found.clears == {(1, "contact.name"): 2}
    nights.run(mapping, people("", "Ola", "Jan"))
    assert nights.check(mapping, sheet, only_changed=True).found.clears == {(1, "contact.name"): 1}


def test_unchanged_and_blocked_rows_are_not_planned(nights):
    nights.run(BOTH, "E-mail;Name;Do\na@example.com;A;keep\nb@example.com;;drop\nc@example.com;;drop\n")
    sheet = "E-mail;Name;Do\na@example.com;A;keep\nb@example.com;B;keep\nc@example.com;;drop\nd@example.com;;drop\n"
    found = nights.check(BOTH, sheet, only_changed=True).found
    assert dict(found.planned) == {1: 0, 2: 1}
    assert found.held_back == 1


# ---- more than one request for one person


def test_a_key_that_all_its_rows_are_sent_of_is_never_unchanged(nights):
    mapping = UPSERT.replace("    fields:", "    duplicates: all\n    fields:")
    sheet = "E-mail;Name\nanna@example.com;Anna\nanna@example.com;Ann\njan@example.com;Jan\n"
    nights.run(mapping, sheet)
    assert nights.run(mapping, sheet, only_changed=True).statuses == ["planned", "planned", "unchanged"]


def test_an_upsert_after_a_deletion_in_the_same_file_is_sent_though_it_was_confirmed_before(nights):
    nights.run(BOTH, "E-mail;Name;Do\nanna@example.com;Anna;keep\n")
    night = nights.run(BOTH, "E-mail;Name;Do\nanna@example.com;;drop\nanna@example.com;Anna;keep\n", only_changed=True)
    assert (night.status(2, 2), night.status(3, 1)) == ("planned", "planned")


def test_two_records_of_one_person_are_both_sent_again(nights):
    mapping = UPSERT + "  - action: contact.upsert\n    fields: {contact.email: E-mail, contact.phone: Phone}\n"
    sheet = "E-mail;Name;Phone\nanna@example.com;Anna;1\n"
    nights.run(mapping, sheet)
    assert nights.run(mapping, sheet, only_changed=True).statuses == ["planned", "planned"]


def test_two_keys_of_one_address_are_both_sent_again(nights):
    mapping = CONTACT.replace("    fields:", "    key: properties.id\n    fields:") + "      properties.id: Id\n"
    nights.run(mapping, "E-mail;Id\nanna@example.com;1\nanna@example.com;2\njan@example.com;3\n")
    again = "E-mail;Id\nanna@example.com;1\nanna@example.com;2\njan@example.com;3\n"
    assert nights.run(mapping, again, only_changed=True).statuses == ["planned", "planned", "unchanged"]


# ---- nobody is brought back


def test_an_old_file_does_not_bring_back_who_was_deleted(nights):
    nights.run(DELETE, "E-mail\nanna@example.com\n")
    told = nights.run(UPSERT, ANNA).lines[2, 1]
    assert (told.status, told.code) == ("blocked", "erased")
    assert told.message == (
        "deleted through us on 2023-11-14; an old file does not bring it back "
        "(revive: true in the mapping, or --revive, does)"
    )


@pytest.mark.parametrize(
    ("mapping", "options"),
    [
        pytest.param(UPSERT.replace("    fields:", "    revive: true\n    fields:"), {}, id="the-record"),
        pytest.param(UPSERT, {"revive": True}, id="the-flag"),
    ],
)
def test_who_was_deleted_comes_back_where_somebody_says_so(nights, mapping, options):
    nights.run(DELETE, "E-mail\nanna@example.com\n")
    assert nights.run(mapping, ANNA, **options).statuses == ["planned"]
    assert nights.run(UPSERT, ANNA).statuses == ["planned"]


def test_all_again_brings_nobody_back(nights):
    nights.run(DELETE, "E-mail\nanna@example.com\n")
    assert nights.run(UPSERT, ANNA, all_again=True).statuses == ["blocked"]


def test_a_deletion_before_an_upsert_of_the_same_file_holds_nothing_back(nights):
    night = nights.run(BOTH, "E-mail;Name;Do\nanna@example.com;;drop\nanna@example.com;Anna;keep\n")
    assert (night.status(2, 2), night.status(3, 1)) == ("planned", "planned")


def test_a_deletion_is_sent_again_unless_only_what_changed_is_asked_for(nights):
    sheet = "E-mail\nanna@example.com\n"
    nights.run(DELETE, sheet)
    assert nights.run(DELETE, sheet).statuses == ["planned"]
    told = nights.run(DELETE, sheet, only_changed=True).lines[2, 1]
    assert (told.status, told.message) == ("unchanged", "deleted through us on 2023-11-15")


# ---- no event twice


@pytest.mark.parametrize("mapping", [EVENT, KEYLESS], ids=["by-its-id", "by-its-fields"])
def test_the_same_event_is_not_created_twice(nights, mapping):
    nights.run(mapping, ORDER)
    told = nights.run(mapping, ORDER).lines[2, 1]
    assert (told.status, told.code) == ("unchanged", "unchanged")
    assert told.message == "created on 2023-11-14; no event is created twice"


def test_an_event_of_the_same_id_with_other_fields_is_a_duplicate(nights):
    nights.run(EVENT, ORDER)
    told = nights.run(EVENT, ORDER.replace("shoes", "boots")).lines[2, 1]
    assert (told.status, told.code) == ("duplicate", "event-created-before")
    assert told.message == (
        "an event of this key was created on 2023-11-14, with other values; it is not created again"
    )


def test_an_event_without_a_key_is_another_one_with_other_fields(nights):
    nights.run(KEYLESS, ORDER)
    assert nights.run(KEYLESS, ORDER.replace("shoes", "boots")).statuses == ["planned"]


def test_a_row_whose_key_is_blank_is_known_by_its_fields(nights):
    sheet = "E-mail;Order;Note\nanna@example.com;;shoes\njan@example.com;;shoes\n"
    nights.run(EVENT, sheet)
    again = sheet + "anna@example.com;;boots\n"
    assert nights.run(EVENT, again).statuses == ["unchanged", "unchanged", "planned"]


def test_events_of_one_file_are_all_created(nights):
    assert nights.run(EVENT, ORDER + "anna@example.com;1;shoes\n").statuses == ["planned", "planned"]


def test_events_that_are_created_again_are_counted_for_a_confirmation(nights):
    nights.run(EVENT, ORDER)
    night = nights.run(EVENT, ORDER + "anna@example.com;2;boots\n", all_again=True)
    assert night.statuses == ["planned", "planned"]
    assert night.found.events_again == 1


def test_an_event_that_loses_to_another_row_is_not_counted_as_created_again(nights):
    mapping = EVENT.replace("    fields:", "    duplicates: last\n    fields:")
    nights.run(mapping, ORDER)
    found = nights.check(mapping, ORDER + "anna@example.com;1;boots\n", all_again=True).found
    assert found.events_again == 1


# ---- what is not known of an earlier request


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param(Status.UNKNOWN, "planned", id="no-answer"),
        pytest.param(Status.FAILED, "planned", id="out-of-retries"),
        pytest.param(None, "planned", id="the-run-died"),
        pytest.param(Status.REJECTED, "planned", id="refused"),
        pytest.param(Status.DELIVERED, "planned", id="delivered"),
    ],
)
def test_a_payload_counts_for_nothing_once_another_may_have_come_after_it(nights, answer, status):
    nights.run(UPSERT, ANNA)
    nights.run(UPSERT, ANNA.replace("Anna", "Ann"), answers={2: answer})
    assert nights.run(UPSERT, ANNA, only_changed=True).statuses == [status]
    assert nights.run(UPSERT, ANNA, only_changed=True).statuses == ["unchanged"]


def test_a_payload_counts_for_nothing_once_a_deletion_may_have_come_after_it(nights):
    nights.run(UPSERT, ANNA)
    nights.run(DELETE, "E-mail\nanna@example.com\n", answers={2: Status.UNKNOWN})
    assert nights.run(UPSERT, ANNA, only_changed=True).statuses == ["planned"]


@pytest.mark.parametrize("mapping", [EVENT, KEYLESS], ids=["by-its-id", "by-its-fields"])
@pytest.mark.parametrize("answer", [Status.UNKNOWN, None], ids=["no-answer", "the-run-died"])
def test_an_event_that_may_have_been_created_is_not_sent_by_the_next_run(nights, mapping, answer):
    nights.run(mapping, ORDER, answers={2: answer})
    told = nights.run(mapping, ORDER).lines[2, 1]
    assert (told.status, told.code) == ("unknown", "unsettled")
    assert told.message == (
        "an event of this key was sent on 2023-11-14, and no answer came; it is not sent again "
        "(etl retry of that run, or unknown: retry in the mapping, does)"
    )


@pytest.mark.parametrize("answer", [Status.FAILED, Status.REJECTED])
def test_an_event_that_certainly_was_not_created_is_sent_by_the_next_run(nights, answer):
    nights.run(EVENT, ORDER, answers={2: answer})
    assert nights.run(EVENT, ORDER).statuses == ["planned"]


def test_an_event_that_may_be_repeated_is_sent_by_the_next_run(nights):
    mapping = EVENT.replace("    fields:", "    unknown: retry\n    fields:")
    nights.run(mapping, ORDER, answers={2: Status.UNKNOWN})
    assert nights.run(mapping, ORDER).statuses == ["planned"]
    assert nights.run(mapping, ORDER).statuses == ["unchanged"]


def test_what_a_run_did_itself_does_not_count_when_it_goes_on(nights):
    sheet = "E-mail;Name;Do\nanna@example.com;;drop\nanna@example.com;Anna;keep\n"
    nights.run(BOTH, sheet, answers={3: None})
    assert nights.check(BOTH, sheet).status(3, 1) == "blocked"
    assert nights.check(BOTH, sheet, run="run-1").status(3, 1) == "planned"
    nights.run(DELETE, "E-mail\njan@example.com\n")
    again = "E-mail;Name\njan@example.com;Jan\n"
    assert nights.check(UPSERT, again).statuses == ["blocked"]
    assert nights.check(UPSERT, again, run="run-2").statuses == ["planned"]
    nights.run(EVENT, ORDER)
    assert nights.check(EVENT, ORDER, run="run-3").statuses == ["planned"]


# ---- the fingerprint of what is sent


def test_what_is_sent_has_one_fingerprint_whatever_the_chunks(nights):
    nights.run(UPSERT, people("A", "B", "C"))
    sheet = people("A", "b", "C", "D", "D")
    found = [
        nights.check(UPSERT, sheet, only_changed=True, rows_per_chunk=size).found.planned_digest for size in (1, 2, 100)
    ]
    assert len(set(found)) == 1
    assert len(found[0]) == 64


@pytest.mark.parametrize(
    ("sheet", "options"),
    [
        pytest.param(people("A", "B"), {}, id="another-row"),
        pytest.param(people("a"), {}, id="another-value"),
        pytest.param("Name;E-mail\n\nA;p0@example.com\n", {}, id="another-line"),
        pytest.param(people("A"), {"only_changed": True}, id="confirmed-since"),
    ],
)
def test_the_fingerprint_changes_with_what_is_sent(nights, sheet, options):
    nights.run(UPSERT, people("A"))
    before = nights.check(UPSERT, people("A")).found.planned_digest
    assert nights.check(UPSERT, sheet, **options).found.planned_digest != before


# ---- the property


SHEETS = st.lists(
    st.tuples(st.integers(0, 8), st.sampled_from("ABC"), st.sampled_from(("keep", "keep", "drop", ""))), max_size=14
)
FEW = settings(max_examples=max(8, settings.default.max_examples // 6), phases=(Phase.explicit, Phase.generate))
"""Each example is some nights, with a journal on disk; shrinking would take minutes."""
POLICIES = st.sampled_from(("last", "first", "all", "error"))


def written(rows: list[tuple[int, str, str]]) -> str:
    return "E-mail;Name;Do\n" + "".join(f"p{who}@example.com;{name};{do}\n" for who, name, do in rows)


@given(SHEETS, SHEETS, POLICIES, st.booleans(), st.booleans())
@FEW
def test_check_and_run_agree_and_every_row_is_accounted_for(many, first, second, policy, only_changed, all_again):
    mapping = BOTH.replace("contact.upsert", f"contact.upsert\n    duplicates: {policy}")
    many.elsewhere()
    for sheet in (first, second, first):  # `run` holds itself to what `check` said
        many.run(mapping, written(sheet), only_changed=only_changed, all_again=all_again)


@given(st.lists(st.sampled_from("ABC"), min_size=1, max_size=20), st.data())
@FEW
def test_after_k_rows_changed_exactly_k_are_sent(many, names, data):
    changed = data.draw(st.sets(st.integers(0, len(names) - 1)))
    many.elsewhere()
    many.run(UPSERT, people(*names), only_changed=True)
    assert many.run(UPSERT, people(*names), only_changed=True).sent == []
    others = [name + "x" if place in changed else name for place, name in enumerate(names)]
    night = many.run(UPSERT, people(*others), only_changed=True)
    assert [place for place, status in enumerate(night.statuses) if status == "planned"] == sorted(changed)


@given(SHEETS, SHEETS, POLICIES)
@FEW
def test_leaving_rows_alone_leaves_everybody_as_sending_all_would(many, first, second, policy):
    """The endpoint's contacts are the last upsert of each person, nobody after a deletion; the same either way."""
    mapping = BOTH.replace("contact.upsert", f"contact.upsert\n    duplicates: {policy}\n    revive: true")
    ends = []
    for only_changed in (True, False):
        many.elsewhere()
        contacts: dict[str, str] = {}
        for sheet in (first, second, first):
            for action, who, body in many.run(
                mapping, written(sheet), check_first=False, only_changed=only_changed
            ).requests:
                contacts[who] = body if action == "contact.upsert" else ""
        ends.append({who: body for who, body in contacts.items() if body})
    assert ends[0] == ends[1]


# ---- the whole way, against the sandbox


def test_of_a_night_only_what_changed_and_who_is_missing_reaches_the_endpoint(tmp_path):
    mapping = UPSERT.replace("records:", "only_changed: true\nrecords:").replace(
        "    fields:", "    missing: delete\n    fields:"
    )
    with rig(tmp_path) as server:
        with server.config.open("a", encoding="utf-8") as config:
            config.write('[journal]\nkeys = "plain"\n')
        first = server.run(mapping, write_csv(tmp_path / "s.csv", people("Anna", "Jan", "Ola")))
        again = server.run(mapping, tmp_path / "s.csv")
        file = write_csv(tmp_path / "s.csv", people("Anna", "Jan Nowak"))
        told = server.check(mapping, file)
        stopped = server.run(mapping, file)
        last = server.run(mapping, file, yes=True)
    assert [report.counts for report in (first, again)] == [{"delivered": 3}, {"unchanged": 3}]
    assert (told.counts, told.deletes) == ({"planned": 1, "unchanged": 1}, 1)
    assert stopped.stop is not None
    assert stopped.stop.message == "1 contact would be deleted, and nobody is here to confirm it"
    assert last.counts == {"delivered": 1, "unchanged": 1}
    sent = [(method, body) for method, _, body, _, _ in server.requests()][3:]
    assert sent == [
        ("POST", b'{"contact":{"email":"p1@example.com","name":"Jan Nowak"}}'),
        ("DELETE", b'{"email":"p2@example.com"}'),
    ]
    (line,) = csv.DictReader(io.StringIO((last.out / "missing.csv").read_text(encoding="utf-8")))
    assert (line["key"], line["status"]) == ("p2@example.com", "delivered")


def test_rows_that_are_held_back_make_the_exit_code_1(tmp_path):
    with rig(tmp_path) as server:
        server.run(DELETE, write_csv(tmp_path / "out.csv", "E-mail\nanna@example.com\n"), yes=True)
        file = write_csv(tmp_path / "s.csv", ANNA)
        told, held, back = server.check(UPSERT, file), server.run(UPSERT, file), server.run(UPSERT, file, revive=True)
    assert [(report.counts, report.exit_code) for report in (told, held, back)] == [
        ({"blocked": 1}, 1), ({"blocked": 1}, 1), ({"delivered": 1}, 0)
    ]  # fmt: skip
