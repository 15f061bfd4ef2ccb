"""A written record → the model's RecordSpec: action, condition, fields, key, policies; every problem told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from etl.codes import CODES
from etl.contract import ACTIONS, Action, FieldType
from etl.mapping.braces import TextError
from etl.mapping.expressions import Expression, parse
from etl.mapping.model import Blank, Duplicates, DynamicSource, FieldSpec, Missing, RecordSpec, Unknown
from etl.mapping.nearest import did_you_mean, listed, nearest
from etl.mapping.parser import BROKEN, Loc
from etl.mapping.report import Report
from etl.mapping.spec_sources import Goal
from etl.mapping.specs import SpecReader
from etl.mapping.syntax import WrittenRecord, shape
from etl.records import Severity


@dataclass(slots=True)
class RecordReader:
    """Resolves records. `checks`: those of the whole mapping; `notes`: what is worth saying and no mistake."""

    report: Report
    specs: SpecReader
    checks: dict[str, Severity]
    notes: list[str] = field(default_factory=list)

    def read(self, raw: object, loc: Loc, number: int) -> RecordSpec | None:
        """Return the `number`-th record, or None where it has no meaning; then problems were told."""
        written, dropped = self.report.read_level(WrittenRecord, raw, loc, "a record")
        if "*" in dropped:
            return None
        table: dict[str, Any] = raw if isinstance(raw, dict) else {}
        action = self._action(written, dropped, loc)
        when = self._when(written, loc)
        fields = self._fields(table, loc, action)
        attributes = self._attributes(table, loc)
        checks = {**self.checks, **read_checks(self.report, table.get("checks"), (*loc, "checks"))}
        if action is None:
            return None
        key = self._key(written, dropped, loc, action, fields)
        self._refuse_policies(written, loc, action, key)
        self._refuse_clashes(fields, attributes, loc)
        self._note_identity(action, fields, key, number)
        line, column = self.report.document.place(loc)
        when_line, when_column = self.report.document.place((*loc, "when"))
        default_unknown = Unknown.RETRY if action.idempotent else Unknown.HOLD
        return RecordSpec(
            number=number, action=action, name=written.name or "", when=when,
            when_line=when_line, when_column=when_column, key=key,
            duplicates=Duplicates(written.duplicates or action.duplicates),
            unknown=Unknown(written.unknown) if written.unknown else default_unknown,
            revive=bool(written.revive), missing=Missing(written.missing) if written.missing else None,
            checks=checks, fields=tuple(_whole(fields)), attributes=tuple(_whole(attributes)), line=line, column=column,
        )  # fmt: skip

    def _action(self, written: WrittenRecord, dropped: frozenset[str], loc: Loc) -> Action | None:
        if written.action is None:
            if "action" not in dropped:
                hint = f"write action: {listed(ACTIONS)}"
                self.report.add(loc, "the record has no action", "missing-key", hint)
            return None
        action = ACTIONS.get(written.action)
        if action is None:
            hint = did_you_mean(written.action, ACTIONS, f"the actions are {listed(ACTIONS, 'and')}")
            self.report.add((*loc, "action"), f"unknown action '{written.action}'", "unknown-action", hint)
        return action

    def _when(self, written: WrittenRecord, loc: Loc) -> Expression | None:
        if written.when is None:
            return None
        try:
            return parse(written.when)
        except TextError as error:
            self.report.add_in_text((*loc, "when"), error.offset, error.message, "condition", error.hint)
            return None

    # ---- fields

    def _fields(self, table: dict[str, Any], loc: Loc, action: Action | None) -> dict[str, FieldSpec | None]:
        """Return the specs by path; None for one that was refused."""
        here = (*loc, "fields")
        raw = table.get("fields")
        if raw is None:
            self.report.add(loc, "the record has no fields", "missing-key", "write fields: {contact.email: E-mail}")
            return {}
        found: dict[str, FieldSpec | None] = {}
        meant: set[str] = set()
        for path, spec in self.report.table(raw, here, "'fields'").items():
            if action is not None and (action.field(path) is None or _lacks_key(path)):
                meant |= self._refuse_path(path, spec, (*here, path), action)
                continue
            goal = Goal(path, None if action is None else action.field(path))
            found[path] = self.specs.read(spec, (*here, path), goal)
        if action is not None and isinstance(raw, dict):
            broken = {path for path, spec in raw.items() if spec is BROKEN}
            self._require(action, found.keys() | meant | broken, here)
            self._refuse_key_twice(found)
        return found

    def _refuse_path(self, path: str, spec: object, loc: Loc, action: Action) -> set[str]:
        """Tell that the action has no such field; return the paths that were probably meant."""
        paths = [one.path for one in action.fields]
        if isinstance(spec, dict) and any(known.startswith(f"{path}.") for known in paths):
            inner = [f"{path}.{key}" for key in spec]
            example = next((one for one in inner if one in paths), None) or next(
                known for known in paths if known.startswith(f"{path}.")
            )
            hint = f"write the dotted path, one line a field: {example}: Column"
            self.report.add_at_key(loc, f"'{path}' is no field, but the start of some", "nested-field", hint)
            return {known for known in paths if known.startswith(f"{path}.")}
        near = nearest(path, paths)
        otherwise = f'"etl fields {action.name}" lists its fields'
        dynamic = {one.path for one in action.fields if one.type is FieldType.DYNAMIC}
        if path.rstrip(". ") in dynamic:
            hint = f"write {path.rstrip('. ')}.KEY"
        elif near in dynamic:
            hint = f"did you mean '{near}.{path.partition('.')[2] or 'KEY'}'?"
        else:
            hint = f"did you mean '{near}'?" if near else otherwise
        self.report.add_at_key(loc, f"{action.name} has no field '{path}'", "unknown-field", hint)
        return {near} if near else set()

    def _require(self, action: Action, mapped: set[str], loc: Loc) -> None:
        for one in action.fields:
            if one.required and one.path not in mapped:
                hint = f"add {one.path}: and the column's name"
                self.report.add_at_key(loc, f"{action.name} needs the field '{one.path}'", "required-field", hint)

    def _refuse_key_twice(self, found: dict[str, FieldSpec | None]) -> None:
        """Tell of dynamic keys that are given by `properties.KEY` and by `properties: {columns: ..}` both."""
        for path, spec in found.items():
            if spec is None or not isinstance(spec.source, DynamicSource):
                continue
            for name, key in spec.source.columns:
                if f"{path}.{key}" in found:
                    loc = self._loc_of(spec)
                    message = f"'{path}.{key}' is given twice, by a line of its own and by the column '{name}'"
                    self.report.add_at_key(loc, message, "key-twice", "keep one of them")

    def _loc_of(self, spec: FieldSpec) -> Loc:
        place = (spec.line, spec.column)
        return next(loc for loc, known in self.report.document.keys.items() if known == place)

    def _attributes(self, table: dict[str, Any], loc: Loc) -> dict[str, FieldSpec | None]:
        here = (*loc, "attributes")
        found: dict[str, FieldSpec | None] = {}
        for name, spec in self.report.table(table.get("attributes"), here, "'attributes'").items():
            if not name.strip():
                self.report.add_at_key((*here, name), "an attribute without a name", "wrong-value", "name it")
                continue
            found[name] = self.specs.read(spec, (*here, name), Goal(f"attributes.{name}", None, "attribute"))
        return found

    # ---- what holds for the record as a whole

    def _key(
        self,
        written: WrittenRecord,
        dropped: frozenset[str],
        loc: Loc,
        action: Action,
        fields: dict[str, FieldSpec | None],
    ) -> tuple[str, ...]:
        if written.key is None:
            key: tuple[str, ...] = (action.key,) if action.key in fields and "key" not in dropped else ()
        else:
            key = written.key
        for place, path in enumerate(key):
            here = (*loc, "key", place) if (*loc, "key", place) in self.report.document.values else (*loc, "key")
            self._refuse_key(path, here, action, fields)
        return tuple(path for path in key if path in fields)

    def _refuse_key(self, path: str, here: Loc, action: Action, fields: dict[str, FieldSpec | None]) -> None:
        if path not in fields:
            hint = did_you_mean(path, fields, "a key is one of the record's fields")
            self.report.add(here, f"the key '{path}' is not mapped", "unmapped-key", hint)
            return
        known, spec = action.field(path), fields[path]
        if known is not None and known.type in {FieldType.LIST, FieldType.DYNAMIC} and path == known.path:
            message = f"'{path}' holds many values and can't be a key"
            self.report.add(here, message, "unmapped-key", "a key is a field of one text")
        elif spec is not None and spec.blank is Blank.CLEAR and known is not None and known.clearable:
            message = f"'{path}' is a key, and a key can't be cleared"
            blank = (*self._loc_of(spec), "blank")
            self.report.add_at_key(blank, message, "not-clearable", "use skip, default or error")

    def _refuse_policies(self, written: WrittenRecord, loc: Loc, action: Action, key: tuple[str, ...]) -> None:
        if written.duplicates not in {None, "all"} and not key and written.key is None:
            hint = f"add key: and the fields that make two rows the same one, or map {action.key}"
            message = f"duplicates: {written.duplicates} without a key"
            self.report.add_at_key((*loc, "duplicates"), message, "no-key", hint)
        if written.revive and action.name != "contact.upsert":
            hint = "it belongs to contact.upsert"
            self.report.add_at_key((*loc, "revive"), f"{action.name} revives nothing", "misplaced-key", hint)
        if written.missing and action.name != "contact.upsert":
            hint = "it belongs to contact.upsert"
            self.report.add_at_key((*loc, "missing"), f"{action.name} misses nobody", "misplaced-key", hint)
        elif written.missing and not key and written.key is None:
            hint = f"add key: and the fields that tell one contact from another, or map {action.key}"
            self.report.add_at_key((*loc, "missing"), f"missing: {written.missing} without a key", "no-key", hint)
        elif written.missing == "delete" and key and key != (action.person,):
            hint = f"remove key:, or write missing: report; a contact is deleted by its {action.person} alone"
            message = f"missing: delete needs the key {action.person}"
            self.report.add_at_key((*loc, "missing"), message, "misplaced-key", hint)

    def _refuse_clashes(
        self, fields: dict[str, FieldSpec | None], attributes: dict[str, FieldSpec | None], loc: Loc
    ) -> None:
        """Tell of outgoing names that meet, where one is an `as:` or an attribute: these mean the envelope."""
        taken: dict[str, FieldSpec] = {}
        specs = [*_whole(fields), *_whole(attributes)]
        for spec in specs:
            for name in outgoing_names(spec):
                other = taken.setdefault(name, spec)
                if other is spec or not (_is_chosen(spec) or _is_chosen(other)):
                    continue
                message = f"'{other.path}' and '{spec.path}' both go out as '{name}'"
                self.report.add_at_key(
                    self._loc_of(spec), message, "name-clash", "give one of them another name with as:"
                )

    def _note_identity(
        self, action: Action, fields: dict[str, FieldSpec | None], key: tuple[str, ...], number: int
    ) -> None:
        start = f"record {number} ({action.name})"
        if action.person not in fields:
            self.notes.append(
                f"{start}: no field says whose event it is; map '{action.person}' if your account's contract takes it"
            )
        if not key:
            self.notes.append(
                f"{start}: no key, so rows given twice are not noticed; map '{action.key}', or write key:"
            )


def read_checks(report: Report, raw: object, loc: Loc) -> dict[str, Severity]:
    """Return the severities that `checks` sets; what it can't set is told."""
    found: dict[str, Severity] = {}
    for code, severity in report.table(raw, loc, "'checks'").items():
        here = (*loc, code)
        if code not in CODES:
            hint = did_you_mean(code, CODES, "codes stand at the end of each message, in brackets")
            report.add_at_key(here, f"unknown check '{code}'", "unknown-check", hint)
        elif severity not in ("error", "warning"):  # a list, too, which a set would not take
            hint = did_you_mean(severity, ("error", "warning")) if isinstance(severity, str) else ""
            report.add(here, f"'{code}' must be error or warning, not {shape(severity)}", "wrong-value", hint)
        elif CODES[code].fixed and severity == "warning":
            report.add(here, f"'{code}' can't be turned into a warning", "fixed-check", "remove the line")
        else:
            found[code] = Severity(severity)
    return found


def outgoing_names(spec: FieldSpec) -> list[str]:
    """Return the names under which `spec` goes out in the wire form `envelope`, as far as no header is needed."""
    if isinstance(spec.source, DynamicSource):
        return [key for _, key in spec.source.columns]
    return [spec.outgoing_name]


def _lacks_key(path: str) -> bool:
    _, dot, key = path.partition(".")
    return bool(dot) and not key.strip()


def _is_chosen(spec: FieldSpec) -> bool:
    return spec.as_name is not None or spec.path.startswith("attributes.")


def _whole(specs: dict[str, FieldSpec | None]) -> Iterator[FieldSpec]:
    return (spec for spec in specs.values() if spec is not None)
