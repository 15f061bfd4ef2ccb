"""Who is missing from a full export: told, or deleted, and nobody whose row is there but could not be read."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nights import Night, Nights
from support import CONTACT, mapping_of

from etl.errors import SettingsError
from etl.missing import require_plain_keys
from etl.missing_deletes import MissingDeletes, Wiring
from etl.records import Delivery, Receipt, Status

REPORT = CONTACT.replace("    fields:", "    missing: report\n    fields:") + "      contact.name: Name\n"
DELETE = REPORT.replace("report", "delete")
BOTH = "E-mail;Name\nanna@example.com;Anna\njan@example.com;Jan\n"
ANNA = "E-mail;Name\nanna@example.com;Anna\n"


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[Nights]:
    made = Nights(tmp_path, keys="plain")
    yield made
    made.close()


@pytest.fixture
def hashed(tmp_path: Path) -> Iterator[Nights]:
    made = Nights(tmp_path, keys="hashed")
    yield made
    made.close()


def missing(night: Night) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(night.missing)))


def keys(night: Night) -> list[str]:
    return sorted(line["key"] for line in missing(night))


def notes(night: Night) -> list[str]:
    assert night.found.gone is not None
    return night.found.gone.notes


# ---- report


def test_who_is_missing_is_listed_with_when_and_by_which_row_they_were_last_delivered(nights):
    nights.run(REPORT, BOTH)
    night = nights.run(REPORT, ANNA)
    (line,) = missing(night)
    assert {name: value for name, value in line.items() if value} == {
        "key": "jan@example.com", "confirmed_at": "2023-11-14T22:13:20Z", "run": "run-1",
        "file": str(nights.folder / "sheet.csv"), "row": "3", "record": "1",
    }  # fmt: skip
    assert notes(night) == ["1 contact delivered before is missing from the file (missing.csv)"]
    assert night.found.missing_deletes == 0


def test_a_token_stands_for_a_key_of_which_only_the_hash_is_kept(hashed):
    hashed.run(REPORT, BOTH)
    (line,) = missing(hashed.run(REPORT, ANNA))
    assert len(line["key"]) == 32
    assert "example.com" not in line["key"]


def test_nobody_is_missing_from_the_same_file(nights):
    nights.run(REPORT, BOTH)
    night = nights.run(REPORT, BOTH, only_changed=True)
    assert missing(night) == []
    assert notes(night) == []


def test_who_comes_back_is_not_missing_any_more(nights):
    nights.run(REPORT, BOTH)
    nights.run(REPORT, ANNA)
    assert keys(nights.run(REPORT, BOTH, only_changed=True)) == []


def test_an_address_in_other_capitals_is_there(nights):
    nights.run(REPORT, BOTH)
    assert keys(nights.run(REPORT, BOTH.replace("jan@", "JAN@"))) == []


def test_only_what_was_last_delivered_by_this_mapping_can_be_missing(nights):
    nights.run(REPORT, BOTH)
    nights.run(REPORT.replace("name: test", "name: shop"), "E-mail;Name\njan@example.com;Jan\nola@example.com;Ola\n")
    assert keys(nights.run(REPORT, "E-mail;Name\nleo@example.com;Leo\n")) == ["anna@example.com"]


def test_what_a_run_that_is_not_remembered_delivered_is_left_alone(nights):
    nights.run(REPORT, BOTH)
    nights.run_of = lambda _: None
    assert keys(nights.run(REPORT, ANNA)) == []


def test_who_was_deleted_through_us_is_not_missing(nights):
    nights.run(REPORT, BOTH)
    nights.run("version: 1\nname: out\nrecords: [{action: contact.delete, fields: {email: E-mail}}]\n",
               "E-mail\njan@example.com\n")  # fmt: skip
    assert keys(nights.run(REPORT, ANNA)) == []


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("jan@example.com;Jan;no", id="of-a-row-that-is-skipped"),
        pytest.param("jan@example.com;Jan;yes;too many", id="of-a-row-that-is-blank-in-the-mapping"),
        pytest.param("jan@example.com;;yes", id="of-a-row-that-is-refused-for-another-cell"),
    ],
)
def test_a_key_that_can_be_told_is_in_the_file(nights, row):
    mapping = REPORT.replace("    fields:", "    when: \"Consent == 'yes'\"\n    fields:").replace(
        "contact.name: Name", "contact.name: {column: Name, required: true}"
    )
    nights.run(mapping, "E-mail;Name;Consent\nanna@example.com;Anna;yes\njan@example.com;Jan;yes\n")
    night = nights.run(mapping, f"E-mail;Name;Consent\nanna@example.com;Anna;yes\n{row}\n")
    assert keys(night) == []


def test_the_keys_of_all_records_of_a_mapping_are_there(nights):
    mapping = REPORT + "  - action: contact.upsert\n    fields: {contact.email: Partner}\n"
    nights.run(
        mapping, "E-mail;Name;Partner\nanna@example.com;Anna;ola@example.com\njan@example.com;Jan;leo@example.com\n"
    )
    night = nights.run(mapping, "E-mail;Name;Partner\nola@example.com;Ola;anna@example.com\n")
    assert keys(night) == ["jan@example.com", "leo@example.com"]


def test_with_a_limit_nobody_can_be_said_to_be_missing(nights):
    nights.run(DELETE, BOTH)
    night = nights.run(DELETE, BOTH, limit=1)
    assert missing(night) == []
    assert notes(night) == ["nobody is deleted for being missing: --limit reads a part of the file alone"]


# ---- delete


def test_who_is_missing_is_deleted_and_stays_away(nights):
    nights.run(DELETE, BOTH)
    night = nights.run(DELETE, ANNA, only_changed=True)
    assert night.sent == ['{"email":"jan@example.com"}']
    assert night.found.missing_deletes == 1
    (line,) = missing(night)
    assert (line["key"], line["status"], line["http_status"]) == ("jan@example.com", "delivered", "200")
    again = nights.run(DELETE, ANNA, only_changed=True)
    assert (again.sent, again.found.missing_deletes) == ([], 0)
    assert nights.run(DELETE, BOTH, only_changed=True).statuses == ["unchanged", "blocked"]


def test_many_are_deleted_each_once_whatever_their_hashes(nights):
    sheet = "E-mail;Name\n" + "".join(f"p{number}@example.com;P\n" for number in range(1500))
    nights.run(DELETE, sheet, rows_per_chunk=1000)
    night = nights.run(DELETE, "E-mail;Name\np7@example.com;P\n", only_changed=True)
    assert night.found.missing_deletes == 1499
    assert len(set(night.sent)) == 1499
    assert {line["status"] for line in missing(night)} == {"delivered"}


@pytest.mark.parametrize(
    ("sheet", "reason"),
    [
        pytest.param(ANNA + "jan@@example.com;Jan\n", "1 row has a key that cannot be read, and may be theirs", id="bad"),
        pytest.param(ANNA + ";Jan\n;Ola\n", "2 rows have keys that cannot be read, and may be theirs", id="blank"),
        pytest.param(ANNA + "a;jan@example.com;Jan\n", "1 row has a key that cannot be read, and may be theirs", id="ragged"),
        pytest.param("E-mail;Name\n", "no row of the file has a key", id="an-empty-file"),
    ],
)  # fmt: skip
def test_nobody_is_deleted_where_the_file_may_hold_them(nights, sheet, reason):
    nights.run(DELETE, BOTH)
    night = nights.run(DELETE, sheet, only_changed=True)
    assert night.sent == []
    assert night.found.missing_deletes == 0
    lines = missing(night)
    assert {(line["status"], line["code"], line["message"]) for line in lines} == {
        ("blocked", "missing-held-back", f"not deleted: {reason}")
    }
    assert notes(night)[0].endswith(f"(missing.csv); nobody is deleted: {reason}")


def test_a_skipped_row_whose_key_cannot_be_read_holds_the_deletions_back(nights):
    mapping = DELETE.replace("    fields:", "    when: \"Name != 'out'\"\n    fields:")
    nights.run(mapping, BOTH)
    night = nights.run(mapping, ANNA + "jan@@example.com;out\n", only_changed=True)
    assert (night.sent, night.found.missing_deletes) == ([], 0)


def test_a_skipped_row_without_a_key_holds_nothing_back(nights):
    mapping = DELETE.replace("    fields:", "    when: \"Name != 'out'\"\n    fields:")
    nights.run(mapping, BOTH)
    assert nights.run(mapping, ANNA + ";out\n", only_changed=True).found.missing_deletes == 1


def test_whose_key_was_kept_as_a_hash_alone_cannot_be_deleted(hashed, tmp_path):
    hashed.run(DELETE, BOTH)
    night = hashed.run(DELETE, ANNA, only_changed=True)
    (line,) = missing(night)
    assert (line["status"], line["code"]) == ("blocked", "key-unknown")
    assert line["message"] == "not deleted: only a hash of the key was kept at its delivery"
    assert notes(night)[0].endswith("; 1 cannot be deleted: only hashes were kept when they were delivered")


def test_deleting_needs_plain_keys_and_says_so_before_a_row_is_read(tmp_path):
    require_plain_keys(mapping_of(DELETE, tmp_path), plain=True)
    require_plain_keys(mapping_of(REPORT, tmp_path), plain=False)
    with pytest.raises(SettingsError) as raised:
        require_plain_keys(mapping_of(DELETE, tmp_path), plain=False)
    assert raised.value.exit_code == 2
    assert str(raised.value) == (
        "test.yaml:4: missing: delete needs the addresses of contacts, and the journal keeps only hashes of them\n"
        '  hint: set keys = "plain" under [journal] in etl.toml, or write missing: report   [keys-hashed]'
    )


def test_a_dry_run_says_who_would_be_deleted(nights):
    nights.run(DELETE, BOTH)
    night = nights.check(DELETE, ANNA, only_changed=True)
    assert night.found.missing_deletes == 1
    assert notes(night) == ["1 contact delivered before is missing from the file (missing.csv)"]


def test_the_fingerprint_of_what_is_sent_knows_who_is_deleted(nights):
    nights.run(DELETE, BOTH)
    found = {nights.check(m, ANNA, only_changed=True).found.planned_digest for m in (DELETE, REPORT)}
    assert len(found) == 2


# ---- missing.csv


def receipts_of(nights: Nights, sheet: str, answer: Callable[[Delivery], Receipt]) -> list[dict[str, str]]:
    """Return missing.csv where the deletions end as `answer` says, the last one first."""
    gone = nights.check(DELETE, sheet, only_changed=True).found.gone
    assert gone is not None
    path = nights.folder / "missing.csv"
    deletes = MissingDeletes(gone, path, Wiring("envelope", has_group_key=True))
    sent: list[Delivery] = []
    deletes.send(lambda unit: sent.extend(unit.deliveries))
    for delivery in reversed(sent):
        deletes.settle(answer(delivery))
    deletes.close()
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_each_deletion_that_did_not_happen_says_why(nights):
    nights.run(DELETE, BOTH)

    def refused(delivery: Delivery) -> Receipt:
        return Receipt(delivery, Status.REJECTED, 400, 2, "request-9", "http-400", "no such contact", 0.0, 1.5)

    (line,) = receipts_of(nights, ANNA, refused)
    assert {name: line[name] for name in ("key", "status", "http_status", "attempts", "request_id", "code")} == {
        "key": "jan@example.com", "status": "rejected", "http_status": "400", "attempts": "2",
        "request_id": "request-9", "code": "http-400",
    }  # fmt: skip
    assert (line["message"], line["sent_at"], line["duration_ms"]) == (
        "no such contact", "1970-01-01T00:00:00.000Z", "1.5"
    )  # fmt: skip


def test_deletions_are_written_in_the_form_and_under_the_group_key_of_the_target(nights):
    nights.run(DELETE, BOTH)
    bodies: list[bytes] = []

    def note(delivery: Delivery) -> Receipt:
        bodies.append(delivery.body)
        assert (delivery.action, delivery.lane, delivery.repeat_unknown) == ("contact.delete", delivery.key, True)
        return Receipt(delivery, Status.DELIVERED, 200, 1)

    receipts_of(nights, ANNA, note)
    assert bodies == [b'{"data":{"email":"jan@example.com"},"group_key":""}']


def test_a_dry_run_lists_who_would_be_deleted(nights):
    nights.run(DELETE, BOTH)
    gone = nights.check(DELETE, ANNA, only_changed=True).found.gone
    assert gone is not None
    path = nights.folder / "missing.csv"
    deletes = MissingDeletes(gone, path, Wiring(), dry_run=True)
    deletes.send(lambda unit: pytest.fail(f"{unit} was sent"))
    deletes.close()
    (line,) = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))
    assert (line["key"], line["status"]) == ("jan@example.com", "planned")
    assert len(line["payload_sha256"]) == 64
