"""Columns of Parquet as the text that stands for them, whole arrays at once. Pure.

Numbers are the shortest decimals that mean them, never with an exponent; dates and times are ISO, with the offset where
the column has a time zone; booleans TRUE and FALSE; null is "".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from etl.records import Mask
from etl.sources.cell_text import cell_text

JOINS = ";"
"""Stands between the items of a list."""
_TEXT = pa.large_string()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A column of the table: the top column of the file that holds it, and the places of its fields in structs."""

    name: str
    top: int
    path: tuple[int, ...]
    type: pa.DataType


@dataclass(frozen=True, slots=True)
class TextColumn:
    """`text`: large_string without nulls; `faults`: (place, code, value) of the cells that are no text."""

    text: pa.Array
    faults: tuple[tuple[int, str, str], ...] = ()


def leaves_of(schema: pa.Schema) -> Iterator[Leaf]:
    """Yield the columns in order; the fields of a struct are columns of their own, named with dots."""
    for top, field in enumerate(schema):
        yield from _leaves(field.name, field.type, top, ())


def leaf_array(column: pa.Array, path: tuple[int, ...]) -> pa.Array:
    """Return the array of a leaf of `column`; null where a struct around it is."""
    for place in path:
        column = _storage(column).flatten()[place]
    return _storage(column)


def is_typed(kind: pa.DataType) -> bool:
    """Whether cells of this type are numbers, dates or booleans, so that their text is ours."""
    if pt.is_dictionary(kind):
        return is_typed(kind.value_type)
    return bool(pt.is_primitive(kind) or pt.is_decimal(kind))


def text_of(column: pa.Array) -> TextColumn:
    """Return the text of every cell of an array of any type but struct."""
    column = _storage(column)
    kind = column.type
    if pt.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if _is_bytes(kind):
        return _from_bytes(column)
    if _is_list(kind):
        return TextColumn(pc.fill_null(_plain(column), "")) if pt.is_nested(kind.value_type) else _from_lists(column)
    return TextColumn(pc.fill_null(_plain(column), ""))


def present(column: pa.Array) -> Mask:
    """Return which cells are not null."""
    found: Mask = column.is_valid().to_numpy(zero_copy_only=False)
    return found


def _leaves(name: str, kind: pa.DataType, top: int, path: tuple[int, ...]) -> Iterator[Leaf]:
    if not pt.is_struct(kind):
        yield Leaf(name, top, path, kind)
        return
    for place, field in enumerate(kind.fields):
        yield from _leaves(f"{name}.{field.name}", field.type, top, (*path, place))


def _storage(column: pa.Array) -> pa.Array:
    return column.storage if isinstance(column, pa.ExtensionArray) else column


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(
        pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind) or pt.is_binary(kind)
        or pt.is_large_binary(kind) or pt.is_binary_view(kind) or pt.is_fixed_size_binary(kind)
    )  # fmt: skip


def _is_list(kind: pa.DataType) -> bool:
    return bool(pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind))


def _from_bytes(column: pa.Array) -> TextColumn:
    """Return text as it is; bytes where they are UTF-8 (older writers mark no text as such), else a fault."""
    text = column if pt.is_string(column.type) or pt.is_large_string(column.type) else column.cast(pa.large_binary())
    try:
        text = text.cast(_TEXT)
        text.validate(full=True)
        return TextColumn(pc.fill_null(text, ""))
    except pa.ArrowInvalid:
        cells, faults = [], []
        for place, value in enumerate(column.cast(pa.large_binary()).to_pylist()):
            try:
                cells.append((value or b"").decode())
            except UnicodeDecodeError:
                cells.append("")
                faults.append((place, "binary-cell", ""))
        return TextColumn(pa.array(cells, _TEXT), tuple(faults))


def _from_lists(column: pa.Array) -> TextColumn:
    if pt.is_fixed_size_list(column.type):
        column = column.cast(pa.large_list(column.type.value_type))
    items = text_of(column.flatten())
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    text = pc.binary_join(pa.ListArray.from_arrays(offsets, items.text.cast(pa.string())), JOINS).cast(_TEXT)
    owners = np.repeat(np.arange(len(column)), lengths)
    held = pc.match_substring(items.text, JOINS).to_numpy(zero_copy_only=False)
    faults = {int(owners[n]): (int(owners[n]), "list-item", items.text[n].as_py()) for n in np.flatnonzero(held)[::-1]}
    faults |= {int(owners[n]): (int(owners[n]), code, value) for n, code, value in items.faults}
    return TextColumn(pc.fill_null(text, ""), tuple(faults[place] for place in sorted(faults)))


def _plain(column: pa.Array) -> pa.Array:
    kind = column.type
    if pt.is_null(kind):
        return pa.nulls(len(column), _TEXT)
    if pt.is_integer(kind):
        return column.cast(_TEXT)
    if pt.is_boolean(kind):
        return pc.if_else(column, pa.scalar("TRUE", _TEXT), pa.scalar("FALSE", _TEXT))
    if pt.is_floating(kind):
        return _by_value(column, _float_text, column.to_numpy(zero_copy_only=False).dtype.type)
    if pt.is_decimal(kind):
        return _by_value(column, lambda value: format(value, "f"))
    if pt.is_date(kind):
        return column.cast(pa.date32()).cast(_TEXT)
    if pt.is_timestamp(kind):
        return _moments(column)
    if pt.is_time(kind):
        return _without_zeros(column.cast(_TEXT))
    if pt.is_duration(kind):
        return _by_value(column.cast(pa.duration("us"), safe=False), _duration)
    return _by_value(column, _as_json)


def _by_value(column: pa.Array, tell: Callable[[Any], str], kind: Callable[[Any], Any] | None = None) -> pa.Array:
    """Return the text of each value, told once for each distinct one where they can be told apart."""
    if kind is not None or not pt.is_nested(column.type):
        encoded = column.dictionary_encode()
        values = [tell(kind(v) if kind else v) for v in encoded.dictionary.to_pylist()]
        return pa.array(values, _TEXT).take(encoded.indices)
    return pa.array([None if value is None else tell(value) for value in column.to_pylist()], _TEXT)


def _float_text(value: np.floating[Any]) -> str:
    text = np.format_float_positional(value, unique=True, trim="-")
    return "0" if text == "-0" else text


def _duration(value: timedelta) -> str:
    return cell_text(value)


def _moments(column: pa.Array) -> pa.Array:
    zone = column.type.tz
    if zone is None:
        return _without_zeros(column.cast(_TEXT))
    try:
        local = pc.local_timestamp(column)
        offset = pc.strftime(column, format="%z").cast(_TEXT)
    except (pa.ArrowInvalid, OSError):  # a zone, or a data base of zones, that this machine does not have
        local = column.cast(pa.timestamp(column.type.unit))
        offset = pc.if_else(column.is_valid(), pa.scalar("+0000", _TEXT), pa.scalar(None, _TEXT))
    offset = pc.replace_substring_regex(offset, r"([0-9]{2})$", r":\1")
    return pc.binary_join_element_wise(_without_zeros(local.cast(_TEXT)), offset, pa.scalar("", _TEXT))


def _without_zeros(text: pa.Array) -> pa.Array:
    """Return times without the zeros at the end of their fractions."""
    return pc.replace_substring_regex(pc.replace_substring_regex(text, r"(\.[0-9]*?)0+$", r"\1"), r"\.$", "")


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_told)


def _told(value: Any) -> Any:
    return format(value, "f") if isinstance(value, Decimal) else str(value)
