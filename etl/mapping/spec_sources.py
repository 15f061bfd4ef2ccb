"""The source of a spec: column, template, constant, several specs, or many columns; checked, and as the model's node.

Which kinds of source a field can have is decided here; its rules (transforms, blanks) are `specs`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from etl.contract import Field, FieldType
from etl.mapping.braces import TextError
from etl.mapping.model import AllSource, ColumnSource, DynamicSource, FieldSpec, Source, TemplateSource, ValueSource
from etl.mapping.nearest import listed
from etl.mapping.parser import BROKEN, Loc
from etl.mapping.report import Report
from etl.mapping.syntax import WrittenSpec, shape
from etl.mapping.template import parse_template

Place = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """What a spec feeds. `field`: None for an attribute, the group key, and where the action is unknown.

    `kind`: "field", "attribute", "group_key", or "part" for one of several specs of a list.
    """

    path: str
    field: Field | None
    kind: str = "field"

    @property
    def whole_dynamic(self) -> bool:
        """Whether this is a Dynamic field itself, not one of its keys."""
        return self.field is not None and self.field.type is FieldType.DYNAMIC and self.path == self.field.path

    @property
    def takes_list(self) -> bool:
        """Whether a list can be sent for it."""
        if self.kind == "group_key":
            return False
        return self.kind in {"attribute", "part"} or self.field is None or self.field.type is FieldType.LIST


@dataclass(slots=True)
class Written:
    """A spec as it was read. `loc`: where it stands; `short`: whether it is a lone string or list."""

    spec: WrittenSpec
    raw: dict[str, object]
    loc: Loc
    short: bool
    dropped: frozenset[str]
    report: Report

    def at(self, key: str) -> Loc:
        """Return where the value of `key` stands."""
        return self.loc if self.short else (*self.loc, key)

    def node(self, key: str) -> Place:
        """Return line and column of the value of `key`, for a node of the model."""
        line, column = self.report.document.place(self.at(key))
        return {"line": line, "column": column}

    def given(self, *keys: str) -> list[str]:
        """Return those of `keys` that are written, refused or not."""
        return [key for key in keys if key in self.raw]


SOURCES = ("column", "template", "value", "constant", "all", "columns", "columns_like")


def source_of(written: Written, goal: Goal, part: Callable[[object, Loc], FieldSpec | None]) -> Source | None:
    """Return the one source that is written, or None with a problem told; `part` resolves a spec of `all`."""
    given = written.given(*SOURCES)
    kinds = ["columns" if one == "columns_like" else one for one in given]
    if not given:
        _refuse_none(written, goal)
        return None
    if len(set(kinds)) > 1:
        message = (
            f"{listed(given, 'and')} are two sources"
            if len(given) == 2
            else f"{listed(given, 'and')} are several sources"
        )
        written.report.add_at_key((*written.loc, given[1]), message, "two-sources", "keep one of them")
        return None
    _refuse_misplaced(written, given)
    if goal.whole_dynamic != (kinds[0] == "columns") and not (goal.field is None and goal.kind == "field"):
        _refuse_kind(written, goal, given[0])
        return None
    if given[0] in written.dropped:
        return None
    match kinds[0]:
        case "column":
            return _column(written)
        case "template":
            return _template(written)
        case "value" | "constant":
            return _value(written, given[0])
        case "all":
            return _all(written, goal, part)
    return _dynamic(written)


def _refuse_none(written: Written, goal: Goal) -> None:
    if written.dropped:
        return
    written.report.add_at_key(
        written.loc, f"'{goal.path}' has no source", "no-source",
        "name a column, a template, a value, or all" if not goal.whole_dynamic else "write columns or columns_like",
    )  # fmt: skip


def _refuse_misplaced(written: Written, given: list[str]) -> None:
    for key, source in (("blank_parts", "template"), ("keys", "columns_like")):
        if written.given(key) and source not in given:
            written.report.add_at_key(
                (*written.loc, key), f"'{key}' without '{source}'", "misplaced-key", f"{key} belongs to {source}"
            )


def _refuse_kind(written: Written, goal: Goal, source: str) -> None:
    if goal.whole_dynamic:
        name = written.spec.column[0] if written.spec.column else "Column"
        hint = f"write {goal.path}.KEY: {name}, or {goal.path}: {{columns: {{{name}: key}}}}"
        message = f"'{goal.path}' holds many values, each under a key of its own"
    else:
        hint = "name one column, or put them into a template"
        message = f"'{source}' serves properties and dictionaryProperties alone"
    written.report.add(written.at(source), message, "wrong-source", hint)


def _column(written: Written) -> Source | None:
    names = written.spec.column or ()
    if not names:
        return None
    if written.short:
        for place, name in enumerate(names):
            if "{" in name and "}" in name:
                loc = (*written.loc, place) if len(names) > 1 else written.loc
                written.report.add(
                    loc, f"'{name}' has braces, and a lone text is a column's name", "braces-in-column",
                    f'write {{template: "{name}"}}; a column that is really called so: {{column: "{name}"}}',
                )  # fmt: skip
                return None
    return ColumnSource(names=names, **written.node("column"))


def _template(written: Written) -> Source | None:
    text = written.spec.template or ""
    loc = written.at("template")
    try:
        parts = parse_template(text)
    except TextError as error:
        written.report.add_in_text(loc, error.offset, error.message, "template", error.hint)
        return None
    if not any(part.is_column for part in parts):
        hint = f'write {{value: "{text}"}}' if text.strip() else "write column names into it: {First name}"
        written.report.add(loc, "the template names no column", "template", hint)
        return None
    place = written.node("template")
    placed = tuple(part.model_copy(update=place) for part in parts)
    return TemplateSource(parts=placed, blank_parts=written.spec.blank_parts or "all", **place)


def _value(written: Written, key: str) -> Source | None:
    text = written.spec.value if key == "value" else written.spec.constant
    text = text or ""
    if not text.strip() and written.spec.blank != "clear":
        hint = "write the text; to clear the field in every row add blank: clear"
        written.report.add(written.at(key), f"'{key}' is blank", "blank-value", hint)
        return None
    return ValueSource(value=text, **written.node(key))


def _all(written: Written, goal: Goal, part: Callable[[object, Loc], FieldSpec | None]) -> Source | None:
    loc = written.at("all")
    if goal.kind == "part":
        written.report.add_at_key(loc, "'all' inside 'all'", "wrong-source", "put its parts into the outer list")
        return None
    items = written.report.items(written.raw["all"], loc, "'all'")
    if written.raw["all"] == []:
        written.report.add(loc, "'all' is an empty list", "wrong-value", "name the columns to be joined")
    specs = [part(item, here) for here, item in items]
    whole = tuple(spec for spec in specs if spec is not None)
    return AllSource(specs=whole, **written.node("all")) if whole and len(whole) == len(specs) else None


def _dynamic(written: Written) -> Source | None:
    columns = _pairs(written) if "columns" in written.raw else ()
    patterns = written.spec.columns_like or ()
    star = written.spec.keys == "*"
    for pattern in patterns:
        stars = pattern.count("*")
        loc = written.at("columns_like")
        if not stars:
            hint = f"write columns: [{pattern}], or a star where names differ"
            written.report.add(loc, f"the pattern '{pattern}' has no star", "pattern", hint)
            return None
        if star and stars > 1:
            hint = "one star alone can be the key; leave out keys to take the whole header"
            written.report.add(loc, f"the pattern '{pattern}' has {stars} stars", "pattern", hint)
            return None
    if columns is None:
        return None
    key = "columns" if "columns" in written.raw else "columns_like"
    return DynamicSource(
        columns=columns, columns_like=patterns, keys="star" if star else "whole", **written.node(key)
    )  # fmt: skip


def _pairs(written: Written) -> tuple[tuple[str, str], ...] | None:
    """Return header and key of each of `columns`, or None with a problem told."""
    raw, loc, report = written.raw["columns"], written.at("columns"), written.report
    entries: list[tuple[Loc, str, object]] = []
    match raw:
        case dict():
            entries = [((*loc, name), name, key) for name, key in raw.items() if key is not BROKEN]
        case list():
            entries = [
                ((*loc, place), str(item) if isinstance(item, str) else "", item) for place, item in enumerate(raw)
            ]
        case str():
            report.add(loc, f"'columns' must be a list or a table, not '{raw}'", "wrong-form", f"write [{raw}]")
            return None
    if not entries:
        report.add(loc, "'columns' names no column", "wrong-value", "write columns: {Shop: favourite_shop}")
        return None
    pairs: dict[str, str] = {}
    sound = True
    for here, name, key in entries:
        if key is BROKEN:
            continue
        if not isinstance(key, str) or not key.strip() or not name.strip():
            told = shape(key) if not isinstance(key, str) else "a blank"
            report.add(here, f"a key is expected here, not {told}", "wrong-value", "write {Column name: key}")
            sound = False
        elif key.strip() in pairs.values():
            report.add(
                here, f"the key '{key.strip()}' is given twice", "key-twice", "give each column a key of its own"
            )
            sound = False
        else:
            pairs[name.strip()] = key.strip()
    return tuple(pairs.items()) if sound else None
