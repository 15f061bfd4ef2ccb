"""The two wire forms: `fields` nests as the page does, `envelope` is `{"data": {flat}, "group_key": ...}`."""

from __future__ import annotations

import pyarrow as pa

from etl.columns import Column
from etl.contract import FieldType, Wire
from etl.payloads import json_columns

_Tree = dict[str, "pa.Array | _Tree"]


def bodies(columns: list[Column], rows: int, wire: Wire, group_keys: pa.Array | None = None) -> pa.Array:
    """Return the JSON bodies (string, one per row) of a record's columns; absent values are left out.

    `group_keys`: string, one per row; with `envelope` alone. Order of the members: as in `columns`.
    """
    if wire == "fields":
        return _object(_nested(columns), rows, keep_empty=True)
    data = json_columns.objects([(c.name, _json(c)) for c in columns], rows, keep_empty=True)
    members = [("data", data)]
    if group_keys is not None:
        members.append(("group_key", json_columns.strings(group_keys)))
    return json_columns.objects(members, rows, keep_empty=True)


def _json(column: Column) -> pa.Array:
    if column.is_list:
        return json_columns.arrays(column.values)
    if column.is_float:
        return json_columns.decimals(column.values)
    return json_columns.strings(column.values)


def _nested(columns: list[Column]) -> _Tree:
    root: _Tree = {}
    for column in columns:
        node = root
        *parents, leaf = _parts(column)
        for parent in parents:
            child = node.setdefault(parent, {})
            if not isinstance(child, dict):
                raise AssertionError(f"BUG: {column.path} is inside a value")
            node = child
        node[leaf] = _json(column)
    return root


def _parts(column: Column) -> list[str]:
    if column.field is not None and column.field.type is FieldType.DYNAMIC:
        return list(column.path.partition("."))[::2]
    return column.path.split(".")


def _object(tree: _Tree, rows: int, *, keep_empty: bool = False) -> pa.Array:
    members = [(name, _object(v, rows) if isinstance(v, dict) else v) for name, v in tree.items()]
    return json_columns.objects(members, rows, keep_empty=keep_empty)
