"""The examples of a mapping: what makes one right, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import mapping_of

from etl.errors import MappingError
from etl.mapping import load_mapping
from etl.trial import Difference, Trial, try_examples

MAPPINGS = Path(__file__).parents[1] / "mappings"
FIELDS = """\
version: 1
name: test
records:
  - action: contact.upsert
    when: "Consent != 'no'"
    fields:
      contact.email: {column: [E-mail, Email address], required: true}
      contact.phone: {column: Phone, blank: clear}
      tags: {column: Tags, transform: [{split: ";"}]}
      properties: {columns_like: "p_*", keys: "*"}
"""
BOTH = """\
version: 1
name: test
records:
  - action: contact.upsert
    fields:
      contact.email: E-mail
  - action: event.create
    when: "Total is not blank"
    fields:
      value: {column: Total, transform: {number: {decimal: ","}}}
"""
ENVELOPE = """\
version: 1
name: test
group_key: Shop
records:
  - action: contact.upsert
    fields:
      contact.email: {column: E-mail, as: mail}
      properties: {columns_like: "p_*"}
    attributes: {level: Level}
"""


def tried(folder: Path, mapping: str, *examples: str) -> tuple[Trial, ...]:
    lines = "".join(f"  - {example}\n" for example in examples)
    return try_examples(mapping_of(f"{mapping}examples:\n{lines}", folder))


def one(folder: Path, mapping: str, example: str) -> Trial:
    (trial,) = tried(folder, mapping, example)
    return trial


@pytest.mark.parametrize(
    ("mapping", "example"),
    [
        (FIELDS, "{row: {E-mail: a@example.com, Phone: '1'}, gives: {contact.email: a@example.com, contact.phone: '1'}}"),
        (FIELDS, "{row: {E-mail: a@example.com}, gives: {contact.email: a@example.com, contact.phone: ''}}"),
        (FIELDS, "{row: {Email address: a@example.com}, gives: {contact: {email: a@example.com, phone: ''}}}"),
        (FIELDS, "{row: {EMAIL: a@example.com}, gives: {contact.email: a@example.com, contact.phone: ''}}"),
        (
            FIELDS,
            ("{row: {E-mail: a@b.pl, Tags: a;b, p_x.y: 1}, gives: "
            "{contact.email: a@b.pl, contact.phone: '', tags: [a, b], properties.x.y: 1}}"),
        ),
        (FIELDS, "{row: {E-mail: a@b.pl, Tags: a}, gives: {contact: {email: a@b.pl, phone: ''}, tags: a}}"),
        (FIELDS, "{row: {Phone: '1'}, issue: required}"),
        (FIELDS, "{row: {E-mail: a@b.pl, Consent: 'no'}, skipped: true}"),
        (FIELDS, "{row: {}, skipped: true}"),
        (BOTH, "{row: {E-mail: a@b.pl}, gives: [{contact.email: a@b.pl}]}"),
        (BOTH, "{row: {E-mail: a@b.pl, Total: '12,50'}, gives: [{contact.email: a@b.pl}, {value: 12.5}]}"),
        (
            ENVELOPE,
            ("{row: {E-mail: a@b.pl, Shop: s, Level: '3', p_a: x}, gives: "
            "{contact.email: a@b.pl, properties.p_a: x, attributes.level: 3, group_key: s}}"),
        ),
    ],
    ids=[
        "whole", "cleared", "second alternative", "other spelling", "dynamic key", "one tag", "issue", "skipped",
        "blank row", "one of two records", "two records, a number as it is", "envelope",
    ],
)  # fmt: skip
def test_an_example_is_right_where_all_that_is_sent_is_named(mapping: str, example: str, tmp_path: Path) -> None:
    trial = one(tmp_path, mapping, example)

    assert (trial.reasons, trial.differences) == ((), ())
    assert trial.is_right


def test_missing_extra_and_different_fields_are_named(tmp_path: Path) -> None:
    example = "{row: {E-mail: a@b.pl, Tags: x}, gives: {contact.email: b@b.pl, contact.name: A, contact.phone: ''}}"

    trial = one(tmp_path, FIELDS, example)

    assert trial.differences == (
        Difference(1, "contact.email", "b@b.pl", "a@b.pl"),
        Difference(1, "contact.name", "A", None),
        Difference(1, "tags", None, ("x",)),
    )


def test_a_text_that_only_counts_the_same_is_not_the_same(tmp_path: Path) -> None:
    trial = one(tmp_path, FIELDS, "{row: {E-mail: a@b.pl, Phone: '01'}, gives: {contact: {email: a@b.pl, phone: '1'}}}")

    assert trial.differences == (Difference(1, "contact.phone", "1", "01"),)


@pytest.mark.parametrize(
    ("mapping", "example", "reason"),
    [
        (
            FIELDS,
            "{row: {Phone: '1'}, gives: {contact.email: a@b.pl}}",
            "expected a record, got none: contact.upsert is invalid: contact.email: a value is required and the cell is blank",
        ),
        (
            BOTH,
            "{row: {E-mail: a@b.pl}, gives: [{contact.email: a@b.pl}, {value: 1}]}",
            (
                "expected 2 records, got 1: contact.upsert would be sent; "
                "event.create is skipped: the mapping's condition is false"
            ),
        ),
        (
            FIELDS,
            "{row: {Phone: '1'}, issue: email-syntax}",
            "expected the issue email-syntax, got required (a value is required and the cell is blank)",
        ),
        (
            FIELDS,
            "{row: {E-mail: a@b.pl}, issue: email-syntax}",
            "expected the issue email-syntax, got contact.upsert would be sent",
        ),
        (
            FIELDS,
            "{row: {E-mail: a@b.pl}, skipped: true}",
            "expected the row to be skipped, but contact.upsert would be sent",
        ),
    ],
    ids=["invalid", "too few", "another issue", "no issue", "not skipped"],
)
def test_what_no_field_shows_is_said_in_a_sentence(mapping: str, example: str, reason: str, tmp_path: Path) -> None:
    assert one(tmp_path, mapping, example).reasons == (reason,)


DATES = FIELDS + "      properties.day: {column: Day, transform: date}\n"


@pytest.mark.parametrize(
    ("cell", "end"),
    [
        ("23/04/2026", "gives: {contact: {email: a@b.pl, phone: ''}, properties.day: 2026-04-23}"),
        ("04/23/2026", "gives: {contact: {email: a@b.pl, phone: ''}, properties.day: 2026-04-23}"),
        ("04/05/2026", "issue: not-a-date"),
    ],
    ids=["day first", "month first", "either"],
)
def test_a_date_is_read_as_its_one_cell_proves(cell: str, end: str, tmp_path: Path) -> None:
    assert one(tmp_path, DATES, f"{{row: {{E-mail: a@b.pl, Day: {cell}}}, {end}}}").reasons == ()


def test_an_example_knows_where_it_stands(tmp_path: Path) -> None:
    first, second = tried(tmp_path, FIELDS, "{row: {}, skipped: true}", "{row: {}, issue: required}")

    assert [(trial.number, trial.line, trial.column) for trial in (first, second)] == [(1, 12, 5), (2, 13, 5)]


def test_a_row_with_one_column_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MappingError) as caught:
        tried(tmp_path, FIELDS, "{row: {EMAIL: a@b.pl, e mail: b@b.pl}, skipped: true}")

    assert str(caught.value) == (
        "test.yaml:7:31: column 'E-mail' is there twice in the example in line 12: 'EMAIL' (A) and 'e mail' (B)\n"
        "  hint: rename one of them in the file, or write the exact name in the mapping   [ambiguous-column]"
    )


@pytest.mark.parametrize(
    ("example", "message"),
    [
        ("{row: {Emial: x}, skipped: true}", "test.yaml:12:12: no field takes the column 'Emial'\n  hint: did you mean 'E-mail'?   [unknown-column]"),
        ("{row: {Qqq: x}, skipped: true}", "test.yaml:12:12: no field takes the column 'Qqq'\n  hint: write a column that it takes   [unknown-column]"),
        ("{row: {}, gives: {contact.emial: x}}", "test.yaml:12:23: contact.upsert has no field 'contact.emial'\n  hint: did you mean 'contact.email'?   [unknown-field]"),
        ("{row: {}, gives: {contact: {emial: x}}}", "test.yaml:12:33: contact.upsert has no field 'contact.emial'\n  hint: did you mean 'contact.email'?   [unknown-field]"),
        ("{row: {}, gives: {qqq: x}}", 'test.yaml:12:23: contact.upsert has no field \'qqq\'\n  hint: "etl fields contact.upsert" lists its fields   [unknown-field]'),
        ("{row: {}, gives: {properties: x}}", "test.yaml:12:23: 'properties' holds values by key\n  hint: write properties.KEY   [unknown-field]"),
        ("{row: {}, gives: {contact.email: x, contact: {email: y}}}", "test.yaml:12:51: 'contact.email' is given twice\n  hint: keep one of them   [duplicate-key]"),
        ("{row: {}, gives: {tags: [[x]]}}", "test.yaml:12:29: 'tags' must be text, or a list of texts   [wrong-form]"),
        ("{row: {}, gives: []}", "test.yaml:12:22: the example gives no record\n  hint: write skipped: true, or issue: and its code   [example]"),
        ("{row: {}, issue: requird}", "test.yaml:12:22: unknown check 'requird'\n  hint: did you mean 'required'?   [unknown-check]"),
    ],
    ids=["column", "no near column", "path", "nested path", "no near path", "dynamic", "twice", "list", "empty", "code"],
)  # fmt: skip
def test_an_example_that_cannot_hold_is_refused_with_its_place(example: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(MappingError) as caught:
        tried(tmp_path, FIELDS, example)

    assert str(caught.value) == message


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_examples_of_the_mappings_hold(path: Path) -> None:
    trials = try_examples(load_mapping(path))

    assert trials
    assert [trial for trial in trials if not trial.is_right] == []
