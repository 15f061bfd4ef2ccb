"""A body as it is sent → its values as text, by the path that the mapping writes on the left. For people and tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from etl.contract import Wire
from etl.errors import MappingError
from etl.mapping import Binding, Mapping, check_wire, dynamic_clashes
from etl.mapping.model import DynamicSource, RecordSpec

Value = str | tuple[str, ...]


def wire_of(mapping: Mapping) -> Wire:
    """Return the wire form that takes all that the mapping makes: `fields`, or `envelope` where only that does.

    Raises MappingError where neither does.
    """
    if not check_wire(mapping, "fields", has_group_key_setting=True).problems:
        return "fields"
    problems = check_wire(mapping, "envelope", has_group_key_setting=True).problems
    if problems:
        raise MappingError(mapping.file, problems)
    return "envelope"


def refuse_clashes(mapping: Mapping, wire: Wire, binding: Binding) -> None:
    """Raise MappingError where two columns of this header would go out under one name."""
    problems = dynamic_clashes(mapping, binding) if wire == "envelope" else ()
    if problems:
        raise MappingError(mapping.file, problems)


def flat(body: str, spec: RecordSpec, binding: Binding, wire: Wire) -> dict[str, Value]:
    """Return the values of a body: text (a number as it is written, a list as a tuple) by dotted path."""
    payload = json.loads(body, parse_float=str, parse_int=str)
    if wire == "fields":
        return dict(_leaves(payload))
    paths = _paths(spec, binding)
    found = {paths.get(name, name): _value(value) for name, value in payload["data"].items()}
    return found | ({"group_key": payload["group_key"]} if "group_key" in payload else {})


def _leaves(tree: dict[str, Any], start: str = "") -> Iterator[tuple[str, Value]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{start}{name}.")
        else:
            yield start + name, _value(value)


def _value(value: Any) -> Value:
    return tuple(value) if isinstance(value, list) else str(value)


def _paths(spec: RecordSpec, binding: Binding) -> dict[str, str]:
    """Return the paths by the names that go out in the envelope."""
    found: dict[str, str] = {}
    for one in (*spec.fields, *spec.attributes):
        if isinstance(one.source, DynamicSource):
            found |= {key: f"{one.path}.{key}" for key, _ in binding.dynamic(one.source)}
        else:
            found[one.outgoing_name] = one.path
    return found
