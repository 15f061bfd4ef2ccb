"""How a file was read → a line for people: encoding, separator, sheet, header row. Knows no terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl.wording import plural

if TYPE_CHECKING:
    from etl.sources.base import Table

_NAMED_COLUMNS = frozenset({"JSON lines", "Parquet"})
"""Formats whose columns have their names without a header."""
_SEPARATORS = {"comma": "commas", "semicolon": "semicolons", "tab": "tabs", "pipe": "pipes"}


def how_read(table: Table) -> str:
    """Return `contacts.csv: UTF-8, semicolons, header in row 1`."""
    return f"{Path(table.ref.file).name}: {described(table.header_row, table.facts)}"


def how_all_were_read(files: Sequence[Mapping[str, Any]]) -> str:
    """Return the same for the files of a report: the first, and what is to be said of the others; "" of none."""
    told = [
        (Path(str(one["file"])).name, "; ".join(described(table["header_row"], table) for table in one["tables"]))
        for one in files
    ]
    if not told:
        return ""
    (name, first), *others = told
    if not others:
        return f"{name}: {first}"
    rest = f"{len(others):,} more {plural(len(others), 'file')}"
    if all(described == first for _, described in others):
        return f"{name} and {rest}: {first}"
    return f"{name}: {first}; {rest}: see summary.json"


def described(header_row: int, facts: Mapping[str, Any]) -> str:
    """Return `UTF-8, semicolons, header in row 1`."""
    has_names = facts.get("format") in _NAMED_COLUMNS
    parts = [str(facts["format"])] if has_names else []
    parts += [f"sheet {facts['sheet']}"] if facts.get("sheet") else []
    if "encoding" in facts:
        encoding = str(facts["encoding"]).removesuffix("-sig")
        parts.append(encoding.upper() if encoding.lower().startswith(("utf", "iso")) else encoding)
    if "delimiter" in facts:
        parts.append(_separator(str(facts["delimiter"])))
    if not has_names:
        parts.append(f"header in row {header_row:,}" if header_row else "no header")
    return ", ".join(parts)


def may_be_private(files: Sequence[str]) -> bool:
    """Return whether the settings let https:// lead to private addresses; looked up where it matters alone."""
    from etl.settings import load_settings
    from etl.sources.addresses import is_url

    return any(map(is_url, files)) and load_settings(None, os.environ, Path.cwd()).sources.allow_private


def _separator(name: str) -> str:
    if name.startswith("none"):
        return "one column"
    return _SEPARATORS.get(name, f"separated by '{name}'")
