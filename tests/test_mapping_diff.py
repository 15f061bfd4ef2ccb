"""Two versions of a mapping on the same rows: what is counted, what is shown, and that chunks change nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import mapping_of, write_csv

from etl.errors import SourceError
from etl.mapping_diff import Change, ChangedRow, MappingDiff, compare_mappings

SHEET = """\
E-mail,Name,Phone,Consent
anna@example.com,Anna,601234567,yes
jan@example.com,Jan,,yes
not-an-address,Ola,,yes
ewa@example.com,Ewa,602234567,no
"""


def mapping(*lines: str, source: str = "", head: str = "") -> str:
    fields = "".join(f"      {line}\n" for line in lines)
    return f"version: 1\nname: test\n{source}records:\n  - action: contact.upsert\n{head}    fields:\n{fields}"


OLD = mapping("contact.email: E-mail", "contact.phone: Phone")


def compared(folder: Path, old: str, new: str, sheet: str = SHEET, **options: object) -> MappingDiff:
    file = write_csv(folder / "sheet.csv", sheet)
    return compare_mappings(mapping_of(old, folder), mapping_of(new, folder), [file], **options)  # type: ignore[arg-type]


def counts(found: MappingDiff) -> dict[str, int]:
    names = ("rows", "same", "changed", "only_old", "only_new", "unsent")
    return {name: getattr(found, name) for name in names if getattr(found, name)}


def test_the_same_mapping_changes_nothing(tmp_path: Path) -> None:
    found = compared(tmp_path, OLD, OLD)

    assert found.is_empty
    assert counts(found) == {"rows": 4, "same": 3, "unsent": 1}


def test_a_field_that_changes_is_counted_with_its_first_row(tmp_path: Path) -> None:
    found = compared(tmp_path, OLD, OLD.replace("Phone", "{column: Phone, transform: {phone: PL}}"))

    assert counts(found) == {"rows": 4, "same": 1, "changed": 2, "unsent": 1}
    (((action, path), field),) = found.fields.items()
    assert (action, path, field.rows) == ("contact.upsert", "contact.phone", 2)
    assert (field.row, field.before, field.after) == (2, "601234567", "+48601234567")


def test_the_rows_that_differ_are_shown_in_their_order_as_many_as_are_asked_for(tmp_path: Path) -> None:
    new = mapping("contact.email: E-mail", "contact.name: Name", head="    when: \"Consent == 'yes'\"\n")

    found = compared(tmp_path, OLD, new, shown=2)

    file = str(tmp_path / "sheet.csv")
    phone, name = Change("contact.phone", "601234567", None), Change("contact.name", None, "Anna")
    assert found.first == [
        ChangedRow(file, "", 2, "contact.upsert", "anna@example.com", "planned", "planned", (phone, name)),
        ChangedRow(
            file,
            "",
            3,
            "contact.upsert",
            "jan@example.com",
            "planned",
            "planned",
            (Change("contact.name", None, "Jan"),),
        ),
    ]


@pytest.mark.parametrize(
    ("old", "new", "statuses", "expected"),
    [
        (OLD, OLD.replace("    fields", "    when: \"Consent == 'yes'\"\n    fields"), {("planned", "skipped"): 1}, {"only_old": 1}),
        (OLD.replace("    fields", "    when: \"Consent == 'yes'\"\n    fields"), OLD, {("skipped", "planned"): 1}, {"only_new": 1}),
        (OLD, OLD.replace("Phone", "{column: Phone, required: true}"), {("planned", "invalid"): 1}, {"only_old": 1}),
    ],
    ids=["to skipped", "from skipped", "to invalid"],
)  # fmt: skip
def test_a_status_that_changes_is_counted(
    old: str, new: str, statuses: dict[tuple[str, str], int], expected: dict[str, int], tmp_path: Path
) -> None:
    found = compared(tmp_path, old, new)

    assert dict(found.statuses) == statuses
    assert {name: count for name, count in counts(found).items() if name.startswith("only")} == expected
    assert not found.is_empty


def test_another_order_of_the_same_members_is_no_change(tmp_path: Path) -> None:
    old = mapping("contact.email: E-mail", "properties.a: Name", "properties.b: Phone")
    new = mapping("contact.email: E-mail", "properties.b: Phone", "properties.a: Name")

    assert compared(tmp_path, old, new).is_empty


def test_a_record_that_only_one_has_is_not_there_in_the_other(tmp_path: Path) -> None:
    new = OLD + "  - action: event.create\n    fields:\n      description: Name\n"

    found = compared(tmp_path, OLD, new)

    assert dict(found.statuses) == {("not there", "planned"): 4}
    assert counts(found) == {"rows": 4, "same": 3, "only_new": 4, "unsent": 1}


def test_records_that_change_places_are_told_by_their_names(tmp_path: Path) -> None:
    first = "  - action: event.create\n    name: a\n    fields:\n      description: Name\n"
    second = "  - action: event.create\n    name: b\n    fields:\n      description: Phone\n"
    start = "version: 1\nname: test\nrecords:\n"

    assert compared(tmp_path, start + first + second, start + second + first).is_empty


def test_columns_that_only_the_new_mapping_reads_are_read_as_well(tmp_path: Path) -> None:
    found = compared(tmp_path, mapping("contact.email: E-mail"), mapping("contact.email: E-mail", "contact.name: Name"))

    assert found.changed == 3


def test_mappings_that_read_other_rows_are_compared_by_the_rows_numbers(tmp_path: Path) -> None:
    skipping = OLD.replace("records:", "source: {skip_rows: 2}\nrecords:")

    found = compared(tmp_path, OLD, skipping, rows_per_chunk=3)

    assert dict(found.statuses) == {("planned", "not there"): 2}
    assert counts(found) == {"rows": 4, "same": 1, "only_old": 2, "unsent": 1}


@pytest.mark.parametrize("rows_per_chunk", [1, 2, 3, 100])
@pytest.mark.parametrize("source", ["", "source: {skip_rows: 1}\n"], ids=["read once", "read twice"])
def test_the_size_of_chunks_changes_nothing(rows_per_chunk: int, source: str, tmp_path: Path) -> None:
    new = OLD.replace("Phone", "{column: Phone, transform: {phone: PL}}").replace("records:", f"{source}records:")

    found = compared(tmp_path, OLD, new, rows_per_chunk=rows_per_chunk)

    assert found == compared(tmp_path, OLD, new)


def test_a_limit_counts_rows_of_all_files(tmp_path: Path) -> None:
    files = [write_csv(tmp_path / name, SHEET) for name in ("a.csv", "b.csv")]

    found = compare_mappings(mapping_of(OLD, tmp_path), mapping_of(OLD, tmp_path), files, limit=6)

    assert found.rows == 6


def test_mappings_for_the_envelope_are_compared_by_path(tmp_path: Path) -> None:
    old = (
        mapping("contact.email: {column: E-mail, as: mail}", source="group_key: Consent\n")
        + "    attributes: {a: Name}\n"
    )

    found = compared(tmp_path, old, old.replace("a: Name", "a: Phone"))

    assert {path for _, path in found.fields} == {"attributes.a"}


def test_mappings_that_read_different_sheets_are_refused(tmp_path: Path) -> None:
    book = Path(__file__).parents[1] / "sample_data" / "contacts.xlsx"
    old = mapping("contact.email: E-mail", source="source: {sheet: Contacts}\n")
    new = mapping("contact.email: E-mail", source="source: {sheet: Info, header_row: 4}\n")

    with pytest.raises(SourceError) as caught:
        compare_mappings(mapping_of(old, tmp_path), mapping_of(new, tmp_path), [book])

    assert str(caught.value) == (
        f"{book}: the old mapping reads sheet 'Contacts', the new one does not\n"
        "  hint: name the sheet that both shall read: --sheet NAME   [sheets-differ]"
    )
