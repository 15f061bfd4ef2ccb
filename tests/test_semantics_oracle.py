"""Every issue, told once and of the right cell: the pipeline against a plain Python reading of the mapping language.

The oracle below goes cell by cell and knows no pandas, no pandera and no Arrow.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support import mapping_of, write_rows

from etl.job import open_job
from etl.pipeline import prepare
from etl.records import STATUSES

HEADER = ("E-mail", "First", "Last", "Spent", "P1", "P2", "T", "Type", "Flag", "Age")
LONG = "L" * 2049
POOLS: dict[str, list[str]] = {
    "E-mail": ["a@example.com", "B@example.com", "bad", "x" * 65 + "@example.com", "a@gmial.com", "", " ", "a b@@"],
    "First": ["", "Ann", "  ", "\u00a0", "NA", " Zoë "],
    "Last": ["", "Kot", "null", LONG],
    "Spent": ["", " ", "1.5", "1.234", "x", "12345678901234567890.123", "0.10", "+7", "-0.25", "1e5"],
    "P1": ["", "7", "x", "\u00a0", "0042"],
    "P2": ["", "8", "y"],
    "T": ["", "a", "a|b", "a|z", "z|q", "|", "a| |a", "c|C"],
    "Type": ["", "PURCHASE", "purchase"],
    "Flag": ["yes", "yes", "no", ""],
    "Age": ["18", "", "old", "3.5"],
}
BLANKS = ["skip", "clear", "error", "default"]
CHECKS = [
    "not-a-number", "not-an-integer", "not-in-map", "too-long", "email-typo", "too-many-decimals", "too-many-digits",
    "tag-collision",
]  # fmt: skip
USUAL = {
    "email-typo": "warning", "too-long": "warning", "too-many-decimals": "warning", "too-many-digits": "warning",
    "tag-collision": "warning",
}  # fmt: skip
TAGS = {"a": "A", "b": "B", "c": "new tag", "C": "NEW TAG"}

Told = tuple[int, int, str, str, str, tuple[str, ...]]


def rule(blank: str, default: str) -> str:
    return f"default: {default}" if blank == "default" else f"blank: {blank}"


def mapping_text(blanks: dict[str, str], checks: dict[str, str], when: bool) -> str:
    condition = "    when: \"Flag != 'no' and Age != 7\"\n" if when else ""
    return f"""\
version: 1
name: oracle
checks: {json.dumps(checks)}
records:
  - action: contact.upsert
{condition}    fields:
      contact.email: E-mail
      contact.name: {{template: "{{First}} {{Last}}", {rule(blanks["name"], "friend")}}}
      contact.fax: {{column: Fax, optional: true, {rule(blanks["fax"], "none")}}}
      properties.spent: {{column: Spent, transform: [{{number: {{decimal: "."}}}}], {rule(blanks["spent"], "zero")}}}
      properties: {{columns: {{P1: p1, P2: p2}}, transform: [integer], {rule(blanks["dynamic"], "none")}}}
      tags: {{all: [{{column: T, transform: [{{split: "|"}}, {{map: {{values: {json.dumps(TAGS)}}}}}]}}, Type], {rule(blanks["tags"], "NONE")}}}
  - action: event.create
    key: email
    fields:
      email: E-mail
      value: Spent
      contactExtEventType: Type
      description: {{column: Last, {rule(blanks["description"], "nothing")}}}
"""


class Oracle:
    """What one row must become, one record at a time."""

    def __init__(self, blanks: dict[str, str], checks: dict[str, str], when: bool) -> None:
        self.blanks, self.checks, self.when = blanks, checks, when
        self.told: list[Told] = []

    def issue(self, code: str, field: str, columns: tuple[str, ...], *, firm: bool = False) -> bool:
        """Tell an issue; return whether it is an error."""
        severity = "error" if firm else self.checks.get(code, USUAL.get(code, "error"))
        self.told.append((self.row, self.record, field, code, severity, columns))
        return severity == "error"

    def row_of(self, row: int, cells: dict[str, str]) -> list[tuple[str, Any]]:
        self.row = row
        if not any(cell.strip() for cell in cells.values()):
            return [("skipped", None), ("skipped", None)]
        found = []
        for record, make in ((1, self.contact), (2, self.event)):
            self.record = record
            before = len(self.told)
            if record == 1 and self.when and not self.passes(cells):
                found.append(("invalid" if len(self.told) > before else "skipped", None))
                continue
            body = make(cells)
            bad = any(told[4] == "error" for told in self.told[before:])
            if not bad and not body:
                bad = self.issue("empty-record", "", (), firm=True)
            found.append(("invalid", None) if bad else ("planned", body))
        return found

    def passes(self, cells: dict[str, str]) -> bool:
        age = cells["Age"]
        if cells["Flag"] == "no":
            return False
        if age == "old":
            self.issue("condition-failed", "", ("Age",))
            return False
        return age != "7"

    # ---- fields

    def contact(self, cells: dict[str, str]) -> dict[str, Any]:
        body: dict[str, Any] = {"contact": {}, "properties": {}}
        body["contact"]["email"] = self.address("contact.email", cells, required=True)
        parts = [cells[name] if cells[name].strip() else "" for name in ("First", "Last")]
        name = " ".join(parts).strip() if any(parts) else ""
        body["contact"]["name"] = self.settled("contact.name", name, "name", "friend", ("First", "Last"))
        if self.blanks["fax"] == "default":
            body["contact"]["fax"] = "none"
        body["properties"]["spent"] = self.number("properties.spent", cells["Spent"], "spent")
        for column, key in (("P1", "p1"), ("P2", "p2")):
            body["properties"][key] = self.integer(f"properties.{key}", cells[column], column)
        body["tags"] = self.tags(cells)
        return pruned(body)

    def event(self, cells: dict[str, str]) -> dict[str, Any]:
        body: dict[str, Any] = {"email": self.address("email", cells, required=False)}
        body["value"] = self.amount(cells["Spent"])
        kind = cells["Type"] or None
        if kind == "purchase":
            self.issue("not-in-enumeration", "contactExtEventType", ("Type",))
        body["contactExtEventType"] = kind
        text = self.settled("description", cells["Last"], "description", "nothing", ("Last",))
        if text and len(text) > 2048:
            self.issue("too-long", "description", ("Last",))
        body["description"] = text
        return pruned(body)

    def address(self, field: str, cells: dict[str, str], *, required: bool) -> str | None:
        value = cells["E-mail"]
        if not value.strip():
            if required:
                self.issue("required", field, ("E-mail",))
            return None
        code = {"bad": "email-syntax", "a b@@": "email-syntax", "a@gmial.com": "email-typo"}.get(value)
        if value.startswith("xxx"):
            code = "email-too-long"
        if code:
            self.issue(code, field, ("E-mail",))
        return value

    def settled(self, field: str, value: str, policy: str, default: str, columns: tuple[str, ...]) -> str | None:
        if value.strip():
            return value
        match self.blanks[policy]:
            case "clear":
                return ""
            case "default":
                return default
            case "error":
                self.issue("required", field, columns, firm=True)
        return None

    def number(self, field: str, cell: str, policy: str) -> str | None:
        plain = {"+7": "7", "0.10": "0.1"}.get(cell, cell)
        if cell in {"x", "1e5"}:
            self.issue("not-a-number", field, ("Spent",), firm=self.blanks[policy] == "error")
            return None
        return self.settled(field, plain, policy, "zero", ("Spent",))

    def integer(self, field: str, cell: str, column: str) -> str | None:
        if cell in {"x", "y"}:
            self.issue("not-an-integer", field, (column,), firm=self.blanks["dynamic"] == "error")
            return None
        return self.settled(field, {"0042": "42"}.get(cell, cell), "dynamic", "none", (column,))

    def amount(self, cell: str) -> Decimal | None:
        if not cell.strip():
            return None
        if cell in {"x", "1e5"}:
            self.issue("not-a-number", "value", ("Spent",))
            return None
        codes = {"1.234": ["too-many-decimals"], "12345678901234567890.123": ["too-many-digits", "too-many-decimals"]}
        severities = {code: self.checks.get(code, "warning") for code in codes.get(cell, [])}
        graver = [code for code, severity in severities.items() if severity == "error"]
        if severities:
            self.issue((graver or list(severities))[0], "value", ("Spent",))
        return Decimal(cell)

    def tags(self, cells: dict[str, str]) -> list[str] | None:
        firm = self.blanks["tags"] == "error"
        items = [item.strip() for item in cells["T"].split("|") if item.strip()]
        if any(item not in TAGS for item in items):
            self.issue("not-in-map", "tags", ("T",), firm=firm)
            return None
        tags = list(dict.fromkeys([TAGS[item] for item in items] + ([cells["Type"]] if cells["Type"] else [])))
        if not tags:
            match self.blanks["tags"]:
                case "clear":
                    return []
                case "default":
                    return ["NONE"]
                case "error":
                    self.issue("required", "tags", ("T", "Type"), firm=True)
            return None
        if len({tag.upper() for tag in tags}) < len(tags):
            self.issue("tag-collision", "tags", ("T", "Type"))
        return tags


def pruned(body: dict[str, Any]) -> dict[str, Any]:
    kept = {key: pruned(value) if isinstance(value, dict) else value for key, value in body.items()}
    return {key: value for key, value in kept.items() if value is not None and value != {}}


ROWS = st.lists(st.fixed_dictionaries({name: st.sampled_from(pool) for name, pool in POOLS.items()}), max_size=25)
POLICIES = st.fixed_dictionaries(
    {name: st.sampled_from(BLANKS) for name in ("name", "fax", "spent", "dynamic", "tags", "description")}
)
OVERRIDES = st.dictionaries(st.sampled_from(CHECKS), st.sampled_from(["error", "warning"]))


@settings(max_examples=25, deadline=None)
@given(ROWS, POLICIES, OVERRIDES, st.booleans(), st.sampled_from([1, 4, 1000]))
def test_every_cell_ends_as_a_plain_reading_of_the_language_says(rows, blanks, checks, when, size):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mapping = mapping_of(mapping_text(blanks, checks, when), folder)
        file = write_rows(folder / "s.csv", [HEADER, *[[row[column] for column in HEADER] for row in rows]])
        job = open_job(mapping, [file], None)
        oracle = Oracle(blanks, checks, when)
        expected = [oracle.row_of(number, row) for number, row in enumerate(rows, 2)]
        found: list[list[tuple[str, Any]]] = []
        told: list[Told] = []
        for bound, chunk in job.chunks(size):
            prepared = prepare(chunk, bound.plan, bound.binding)
            found += outcomes(prepared)
            told += issues(prepared, HEADER)
    assert Counter(told) == Counter(oracle.told)
    assert found == expected


def outcomes(prepared: Any) -> list[list[tuple[str, Any]]]:
    per_record = []
    for record in prepared.records:
        bodies = {
            place: json.loads(body, parse_float=Decimal)
            for place, body in zip(record.places.tolist(), record.bodies.to_pylist(), strict=True)
        }
        per_record.append([(STATUSES[s].value, bodies.get(place)) for place, s in enumerate(record.status)])
    return [list(row) for row in zip(*per_record, strict=True)]


def issues(prepared: Any, header: tuple[str, ...]) -> list[Told]:
    return [
        (
            int(prepared.chunk.rows[place]), batch.record, batch.field, batch.code, batch.severity.value,
            tuple(header[position] for position in batch.columns),
        )
        for batch in prepared.issues
        for place in batch.places.tolist()
    ]  # fmt: skip
