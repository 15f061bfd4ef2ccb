"""One line of JSON as cells: keys joined by dots, numbers exactly as they are written. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.records import Mask

JOINS = ";"
"""Stands between the items of a list of plain values."""


class Number(str):
    """A number, as it stands in the file."""

    __slots__ = ()


_TEXTS = frozenset({str, Number, type(None)})
_TYPED = frozenset({Number, bool})
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
_DEEPEST = 100
_KINDS = {list: "a list", str: "a text", bool: "a boolean", type(None): "null"}


class _Pairs(dict[str, Any]):
    """An object; `repeated`: the first key that it holds more than once."""

    repeated: str | None = None


@dataclass(frozen=True, slots=True)
class LineFault:
    """What is wrong with a line or a cell: a code of `etl.codes`, and what its message quotes."""

    code: str
    value: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """The cells of one line, by path, and what is wrong with the line as a whole.

    A cell is text, a Number, a boolean, None, or a list of these; what is nested deeper is JSON text again.
    """

    cells: dict[str, Any]
    faults: tuple[LineFault, ...] = ()

    @property
    def is_blank(self) -> bool:
        """Whether the line is a row without a value (a broken line is not)."""
        return not self.faults and all(
            not (value if isinstance(value, str) else cell_of(value, [None], 0)).strip()
            for value in self.cells.values()
        )


def parse_line(line: str) -> ParsedLine:
    r"""Return the cells of `line`; a blank line has none. A line that is no JSON object is a fault, never an exception.

    Half a character (`\ud800` alone) becomes U+FFFD, a NUL goes, and both are faults.
    """
    if not line or line.isspace():
        return ParsedLine({})
    try:
        found = _DECODER.decode(line)
        if not isinstance(found, _Pairs):
            return _broken(f"it is {_KINDS.get(type(found), 'a number')}")
        faults: list[LineFault] = []
        if "\\u" in line and _ESCAPED.search(line):
            found = _mended(found, faults)
        return _flat(found, faults)
    except json.JSONDecodeError as error:
        if error.pos >= len(line.rstrip()):
            return _broken("it ends in the middle")
        return _broken(f"character {error.pos + 1} is not what JSON has there")
    except _NoJsonError as error:
        return _broken(f"{error} is no JSON")
    except RecursionError:
        return _broken("its objects or lists are nested too deeply")


@dataclass(frozen=True, slots=True)
class Column:
    """`text`: large_string without nulls; `typed`: which values the file holds as numbers or booleans.

    `faults`: by place, what is wrong with a cell.
    """

    text: pa.Array
    typed: Mask
    faults: tuple[tuple[int, LineFault], ...] = ()


def column_of(values: list[Any]) -> Column:
    """Return the cells of one key, None where a line has none."""
    kinds = set(map(type, values))
    typed = np.zeros(len(values), dtype=np.bool_)
    if not kinds.isdisjoint(_TYPED):
        typed = np.fromiter((type(value) in _TYPED for value in values), np.bool_, len(values))
    if kinds <= _TEXTS:
        return Column(pc.fill_null(pa.array(values, pa.large_string()), ""), typed)
    told: list[LineFault | None] = [None] * len(values)
    texts = [cell_of(value, told, place) for place, value in enumerate(values)]
    faults = tuple((place, fault) for place, fault in enumerate(told) if fault is not None)
    return Column(pa.array(texts, pa.large_string()), typed, faults)


def cell_of(value: Any, faults: list[LineFault | None], place: int) -> str:
    """Return the text of one value; a fault of the cell is written into `faults` at `place`.

    null is "", booleans are TRUE and FALSE, a list is joined by JOINS.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    items = [cell_of(item, faults, place) for item in value]
    holds = next((item for item in items if JOINS in item), None)
    if holds is not None:
        faults[place] = LineFault("list-item", holds)
    return JOINS.join(items)


def as_json(value: Any) -> str:
    """Return a parsed value as JSON text, its numbers as they were written."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{as_json(key)}: {as_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


class _NoJsonError(Exception):
    """NaN or Infinity, which Python's own parser would let pass."""


def _refuse_constant(text: str) -> None:
    raise _NoJsonError(text)


def _pairs(pairs: list[tuple[str, Any]]) -> _Pairs:
    made = _Pairs(pairs)
    if len(made) != len(pairs):
        made.repeated = Counter(key for key, _ in pairs).most_common(1)[0][0]
    return made


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=Number, parse_int=Number, parse_constant=_refuse_constant
)


def _broken(detail: str) -> ParsedLine:
    return ParsedLine({}, (LineFault("json-line", detail=detail),))


def _flat(found: _Pairs, faults: list[LineFault]) -> ParsedLine:
    if found.repeated is None and _NESTED.isdisjoint(map(type, found.values())):
        return ParsedLine(found, tuple(faults))
    cells: dict[str, Any] = {}
    repeated: str | None = None
    for path, value, key in _leaves(found, "", 0):
        repeated = repeated or key or (path if path in cells else None)
        if value is not _NOTHING:
            cells[path] = as_json(value) if _is_deep(value) else value
    if repeated is not None:
        faults.append(LineFault("json-key-repeated", repeated, f"'{repeated}'"))
    return ParsedLine(cells, tuple(faults))


_NOTHING = object()
_NESTED = frozenset({_Pairs, list})


def _is_deep(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(item, (list, dict)) for item in value)
    )


def _leaves(found: _Pairs, prefix: str, depth: int) -> Iterator[tuple[str, Any, str | None]]:
    """Yield (path, value, key that its object repeats) of all that is no object; deeper than _DEEPEST: as it is."""
    if found.repeated is not None:
        yield prefix, _NOTHING, prefix + found.repeated
    for key, value in found.items():
        if isinstance(value, _Pairs) and depth < _DEEPEST:
            yield from _leaves(value, f"{prefix}{key}.", depth + 1)
        else:
            yield prefix + key, value, None


def _mended(found: _Pairs, faults: list[LineFault]) -> _Pairs:
    """Return the object with texts that can be written: whole characters, no NULs."""
    codes: set[str] = set()

    def mend(value: Any) -> Any:
        if isinstance(value, _Pairs):
            made = _Pairs((mend(key), mend(item)) for key, item in value.items())
            made.repeated = value.repeated
            return made
        if isinstance(value, list):
            return [mend(item) for item in value]
        if type(value) is not str:
            return value
        if _SURROGATE.search(value):
            codes.add("half-character")
            value = _SURROGATE.sub("\ufffd", value)
        if "\0" in value:
            codes.add("nul-character")
            value = value.replace("\0", "")
        return value

    made: _Pairs = mend(found)
    faults += [LineFault(code) for code in sorted(codes)]
    return made
