"""What a mapping must keep in the wire form of its target."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from etl.contract import Wire
from etl.errors import Problem
from etl.mapping.model import FieldSpec, Mapping, RecordSpec
from etl.mapping.record_reader import outgoing_names


@dataclass(frozen=True, slots=True)
class WireFindings:
    """`problems`: the mapping can't be used with this wire form; `notes`: worth saying, and no mistake."""

    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def check_wire(mapping: Mapping, wire: Wire, *, has_group_key_setting: bool) -> WireFindings:
    """Return what does not go with `wire`; `has_group_key_setting`: whether the target's settings give a group key."""
    if wire == "fields":
        return WireFindings(tuple(_refused_with_fields(mapping)), tuple(_ignored_with_fields(mapping)))
    return WireFindings(tuple(_refused_with_envelope(mapping, has_group_key_setting)))


def _refused_with_fields(mapping: Mapping) -> Iterator[Problem]:
    hint = 'send it to a target with wire = "envelope", or remove it'
    if mapping.group_key is not None:
        place = mapping.group_key.line, mapping.group_key.column
        yield Problem("a group_key can't be sent in the wire form fields", "wire-form", *place, hint)
    for record in mapping.records:
        for spec in record.attributes:
            message = f"the attribute '{spec.path.partition('.')[2]}' can't be sent in the wire form fields"
            yield Problem(message, "wire-form", spec.line, spec.column, hint)


def _ignored_with_fields(mapping: Mapping) -> Iterator[str]:
    for record in mapping.records:
        for spec in record.fields:
            if spec.as_name is not None:
                reason = f"in the wire form fields '{spec.path}' keeps its name"
                yield f"line {spec.line}: as: {spec.as_name} is ignored; {reason}"


def _refused_with_envelope(mapping: Mapping, has_group_key_setting: bool) -> Iterator[Problem]:
    if mapping.group_key is None and not has_group_key_setting:
        hint = "add group_key to the target in etl.toml, or to the mapping"
        yield Problem("the wire form envelope needs a group key", "wire-form", hint=hint)
    for record in mapping.records:
        yield from _clashes(record)


def _clashes(record: RecordSpec) -> Iterator[Problem]:
    taken: dict[str, FieldSpec] = {}
    for spec in (*record.fields, *record.attributes):
        for name in outgoing_names(spec):
            other = taken.setdefault(name, spec)
            if other is not spec:
                message = f"'{other.path}' and '{spec.path}' both go out as '{name}'"
                hint = "give one of them another name with as:"
                yield Problem(message, "name-clash", spec.line, spec.column, hint)
