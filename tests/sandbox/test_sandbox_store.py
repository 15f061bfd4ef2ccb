from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from etl.errors import SettingsError
from etl.sandbox.store import Store
from etl.sandbox.wire import Record


class Shelf:
    """A store and a second connection that looks at it."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        self._eyes = sqlite3.connect(path)
        self._eyes.row_factory = sqlite3.Row

    def upsert(self, email: str = "anna@example.com", *, now: str = "now", new_email: str = "", **fields: Any) -> None:
        dynamic = {name: fields.pop(name) for name in ("properties", "attributes") if name in fields}
        group_key = fields.pop("group_key", "")
        self.store.upsert(Record("contact.upsert", email, group_key, new_email, fields, **dynamic), now)
        self.store.commit()

    def all(self, table: str = "contacts") -> list[dict[str, Any]]:
        return [dict(row) for row in self._eyes.execute(f"SELECT * FROM {table}")]

    def only(self) -> dict[str, Any]:
        (row,) = self.all()
        return row

    def close(self) -> None:
        self._eyes.close()
        self.store.close()


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path / "sandbox.db")
    yield shelf
    shelf.close()


def test_a_contact_is_one_whatever_the_case_of_its_address(shelf: Shelf) -> None:
    shelf.upsert("Anna@Example.com", name="A")
    shelf.upsert("anna@example.COM", phone="5")
    contact = shelf.only()
    assert (contact["email"], contact["name"], contact["phone"]) == ("anna@example.com", "A", "5")


def test_the_same_address_in_another_account_is_another_contact(shelf: Shelf) -> None:
    shelf.upsert(group_key="pl", name="A")
    shelf.upsert(group_key="de", name="B")
    assert {(row["group_key"], row["name"]) for row in shelf.all()} == {("pl", "A"), ("de", "B")}


def test_an_absent_field_keeps_its_value_and_an_empty_one_clears_it(shelf: Shelf) -> None:
    shelf.upsert(name="A", phone="5", streetAddress="Długa 1")
    shelf.upsert(phone="")
    contact = shelf.only()
    assert (contact["name"], contact["phone"], contact["street_address"]) == ("A", "", "Długa 1")


def test_tags_replace_the_list(shelf: Shelf) -> None:
    shelf.upsert(tags=["A", "B"])
    shelf.upsert(name="x")
    assert shelf.only()["tags"] == '["A","B"]'
    shelf.upsert(tags=[])
    assert shelf.only()["tags"] == "[]"


def test_properties_merge_by_key_and_an_empty_one_goes(shelf: Shelf) -> None:
    shelf.upsert(properties={"a": "1", "b": "2"})
    shelf.upsert(properties={"b": "", "c": "3"})
    assert orjson.loads(shelf.only()["properties"]) == {"a": "1", "c": "3"}


def test_created_stays_and_updated_moves(shelf: Shelf) -> None:
    shelf.upsert(now="first")
    shelf.upsert(now="second")
    assert (shelf.only()["created_at"], shelf.only()["updated_at"]) == ("first", "second")


def test_a_new_address_moves_the_contact_and_repeating_it_changes_nothing(shelf: Shelf) -> None:
    shelf.upsert(name="A", properties={"a": "1"})
    shelf.upsert(new_email="Anna.B@example.com", phone="5")
    moved = shelf.only()
    shelf.upsert(new_email="Anna.B@example.com", phone="5")
    assert (moved["email"], moved["name"], moved["phone"]) == ("anna.b@example.com", "A", "5")
    assert shelf.only() == moved


def test_a_new_address_that_has_a_contact_merges_the_two(shelf: Shelf) -> None:
    shelf.upsert("old@example.com", name="Old", properties={"a": "old"})
    shelf.upsert("new@example.com", name="New", phone="5", properties={"a": "new", "b": "new"})
    shelf.upsert("old@example.com", new_email="new@example.com")
    contact = shelf.only()
    assert (contact["email"], contact["name"], contact["phone"]) == ("new@example.com", "Old", "5")
    assert orjson.loads(contact["properties"]) == {"a": "old", "b": "new"}


def test_a_deletion_erases_and_leaves_a_line(shelf: Shelf) -> None:
    shelf.upsert()
    gone = Record("contact.delete", "ANNA@example.com")
    assert shelf.store.delete(gone, "now") is True
    assert shelf.store.delete(gone, "later") is False
    shelf.store.commit()
    assert shelf.all() == []
    assert [row["email"] for row in shelf.all("deletions")] == ["anna@example.com"]


def test_events_are_added_every_time(shelf: Shelf) -> None:
    event = Record("event.create", "", values={"contactExtEventType": "PURCHASE", "value": 2**70, "detail20": "x"})
    shelf.store.add_event(event, "now")
    shelf.store.add_event(event, "now")
    shelf.store.commit()
    first, second = shelf.all("events")
    assert (first["id"], second["id"]) == (1, 2)
    assert (first["type"], first["value"], first["detail20"], first["email"]) == ("PURCHASE", float(2**70), "x", "")


def test_only_what_is_committed_is_seen_and_kept(shelf: Shelf) -> None:
    shelf.store.upsert(Record("contact.upsert", "anna@example.com"), "now")
    assert shelf.all() == []
    shelf.store.rollback()
    shelf.store.commit()
    assert shelf.all() == []


def test_a_full_disk_undoes_what_was_not_committed(shelf: Shelf) -> None:
    shelf.upsert()
    shelf.store._connection.execute("PRAGMA max_page_count = 12")
    shelf.store.upsert(Record("contact.upsert", "bob@example.com"), "now")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        shelf.store.upsert(Record("contact.upsert", "cecil@example.com", values={"name": "x" * 100_000}), "now")
    shelf.store.rollback()
    shelf.store.commit()
    assert shelf.only()["email"] == "anna@example.com"


def test_the_file_is_readable_by_its_owner_alone(tmp_path: Path, shelf: Shelf) -> None:
    assert stat.S_IMODE((tmp_path / "sandbox.db").stat().st_mode) == 0o600


def test_a_database_is_gone_on_with(tmp_path: Path) -> None:
    for number in (1, 2):
        again = Shelf(tmp_path / "kept.db")
        again.upsert(f"person{number}@example.com")
        again.close()
    with sqlite3.connect(tmp_path / "kept.db") as connection:
        assert connection.execute("SELECT count(*) FROM contacts").fetchone() == (2,)
    connection.close()


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE precious (id)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(SettingsError) as refused:
        Store(path)
    assert str(refused.value) == (
        f"{path}: the sandbox cannot store here: it is another program's or another version's database\n"
        "  hint: give another file, or remove this one   [sandbox-database]"
    )
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary, this is no database at all" * 100)
    with pytest.raises(SettingsError, match="cannot store here: file is not a database"):
        Store(path)


def test_a_directory_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot store here: No such file or directory"):
        Store(tmp_path / "missing" / "sandbox.db")
