"""`examples:` of a mapping → Example*: rows and what must come of them, checked against the mapping's own names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from etl.codes import CODES
from etl.contract import FieldType
from etl.mapping.binding import Header, is_like_a_pattern, named_columns
from etl.mapping.model import Example, Mapping
from etl.mapping.nearest import did_you_mean, nearest
from etl.mapping.parser import BROKEN, Loc
from etl.mapping.report import Report
from etl.mapping.syntax import WrittenExample

_Value = str | tuple[str, ...]


def read_examples(report: Report, raw: object) -> tuple[Example, ...]:
    """Return the examples; what has not the form of one is told."""
    return tuple(_example(report, item, loc) for loc, item in report.items(raw, ("examples",), "'examples'"))


def check_examples(report: Report, mapping: Mapping, raw: object) -> None:
    """Tell of columns and fields that the examples name and the mapping does not know, each with its place."""
    columns = [name for names in named_columns(mapping) for name in names]
    header = Header(columns)
    for loc, item in report.items(raw, ("examples",), "'examples'"):
        table: dict[str, Any] = item if isinstance(item, dict) else {}
        row = table.get("row")
        for name in row if isinstance(row, dict) else ():
            if not header.matches(name) and not is_like_a_pattern(mapping, name):
                hint = f"did you mean '{near}'?" if (near := header.nearest(name)) else "write a column that it takes"
                report.add_at_key((*loc, "row", name), f"no field takes the column '{name}'", "unknown-column", hint)
        for path, _, here in _given(table.get("gives"), (*loc, "gives")):
            _check_path(report, mapping, path, here)


def _example(report: Report, raw: object, loc: Loc) -> Example:
    written, dropped = report.read_level(WrittenExample, raw, loc, "an example")
    table: dict[str, Any] = raw if isinstance(raw, dict) else {}
    row = report.table(table.get("row"), (*loc, "row"), "'row'")
    for name, cell in row.items():
        if not isinstance(cell, str):
            report.add((*loc, "row", name), f"the cell '{name}' must be text", "wrong-form")
    if "row" not in table and not dropped:
        report.add(loc, "the example has no row", "missing-key", "write row: {Column name: cell}")
    _check_ends(report, table, written, loc, is_whole=not dropped)
    line, column = report.document.place(loc)
    cells = {name: cell for name, cell in row.items() if isinstance(cell, str)}
    gives = _gives(report, table["gives"], (*loc, "gives")) if "gives" in table else None
    return Example(
        row=cells, gives=gives, issue=written.issue, skipped=bool(written.skipped), line=line, column=column
    )  # fmt: skip


def _check_ends(report: Report, table: dict[str, Any], written: WrittenExample, loc: Loc, *, is_whole: bool) -> None:
    ends = [key for key in ("gives", "issue", "skipped") if key in table]
    if len(ends) != 1 and is_whole:
        said = "nothing" if not ends else " and ".join(ends)
        report.add(
            loc, f"the example expects {said}", "example", "write one of gives: {..}, issue: code, skipped: true"
        )
    if written.skipped is False:
        report.add((*loc, "skipped"), "skipped: false says nothing", "example", "write skipped: true, or gives")
    if written.issue is not None and written.issue not in CODES:
        hint = did_you_mean(written.issue, CODES, "codes stand at the end of each message, in brackets")
        report.add((*loc, "issue"), f"unknown check '{written.issue}'", "unknown-check", hint)


def _gives(report: Report, raw: object, loc: Loc) -> tuple[dict[str, _Value], ...]:
    """Return the records that the example gives, one where it is no list."""
    is_list = isinstance(raw, list)
    items = report.items(raw, loc, "'gives'") if is_list else [(loc, raw)]
    if is_list and not raw:
        report.add(loc, "the example gives no record", "example", "write skipped: true, or issue: and its code")
    records = []
    for here, item in items:
        report.table(item, here, "'gives'")
        found: dict[str, _Value] = {}
        for path, value, place in _leaves(item, here):
            if path in found:
                report.add_at_key(place, f"'{path}' is given twice", "duplicate-key", "keep one of them")
            found[path] = _value(report, path, value, place)
        records.append(found)
    return tuple(records)


def _value(report: Report, path: str, value: object, loc: Loc) -> _Value:
    if isinstance(value, str):
        return value
    items = value if isinstance(value, list) else []
    if any(not isinstance(item, str) and item is not BROKEN for item in items):
        report.add(loc, f"'{path}' must be text, or a list of texts", "wrong-form")
    return tuple(item for item in items if isinstance(item, str))


def _given(raw: object, loc: Loc) -> Iterator[tuple[str, object, Loc]]:
    items = [((*loc, place), item) for place, item in enumerate(raw)] if isinstance(raw, list) else [(loc, raw)]
    for here, item in items:
        yield from _leaves(item, here)


def _leaves(raw: object, loc: Loc, start: str = "") -> Iterator[tuple[str, object, Loc]]:
    """Yield dotted path, value and place of every entry: a payload may stand nested, as `etl preview` shows it."""
    for key, value in raw.items() if isinstance(raw, dict) else ():
        if isinstance(value, dict):
            yield from _leaves(value, (*loc, key), f"{start}{key}.")
        elif value is not BROKEN:
            yield start + key, value, (*loc, key)


def _check_path(report: Report, mapping: Mapping, path: str, loc: Loc) -> None:
    if path == "group_key" and mapping.group_key is not None:
        return
    actions = {record.action.name: record.action for record in mapping.records}
    own = [spec.path for record in mapping.records for spec in (*record.fields, *record.attributes)]
    fields = [field for action in actions.values() if (field := action.field(path)) is not None]
    if any(field.type is FieldType.DYNAMIC and field.path == path for field in fields):
        report.add_at_key(loc, f"'{path}' holds values by key", "unknown-field", f"write {path}.KEY")
    elif not fields and path not in own:
        known = [*own, *(field.path for action in actions.values() for field in action.fields)]
        near = nearest(path, known)
        hint = f"did you mean '{near}'?" if near else f'"etl fields {next(iter(actions))}" lists its fields'
        report.add_at_key(
            loc, f"{' and '.join(actions)} {_have(len(actions))} no field '{path}'", "unknown-field", hint
        )


def _have(count: int) -> str:
    return "has" if count == 1 else "have"
