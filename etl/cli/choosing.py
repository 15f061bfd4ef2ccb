"""A name that somebody typed → the thing of that name, or the nearest name. Loads nothing but names of files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from etl.errors import MappingError, Problem, SettingsError

Thing = TypeVar("Thing")
TABLE_ENDINGS = frozenset(
    {".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".parquet", ".jsonl", ".gz", ".zst", ".zip"}
)
MAPPING_ENDINGS = (".yaml", ".yml")
SHOWN_MAPPINGS = 5
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
"""As a path keeps the beginning of an address; a drive has one letter."""


def chosen(kind: str, name: str, things: Mapping[str, Thing]) -> Thing:
    """Return `things[name]`; SettingsError with the nearest name, or all of them, where there is none."""
    if name in things:
        return things[name]
    near = get_close_matches(name.lower(), things, n=1)
    known = f"the {kind}s are: {', '.join(things)}" if len(things) < 12 else f'"etl {kind}s" lists all of them'
    hint = f"did you mean '{near[0]}'? {known}" if near else known
    raise SettingsError(f"unknown {kind} '{name}'", code=f"unknown-{kind}", hint=hint)


def is_table(path: Path) -> bool:
    """Whether the name is one of a spreadsheet, or an address, at which no mapping lies."""
    return path.suffix.lower() in TABLE_ENDINGS or _ADDRESS.match(str(path)) is not None


def shown_table(path: Path) -> str:
    """Return what was given in the place of the mapping as messages show it: an address without its secrets."""
    if not _ADDRESS.match(str(path)):
        return str(path)
    from etl.sources.addresses import shown_name

    # A path has lost one of the slashes of an address.
    return shown_name(str(path).replace(":/", "://", 1))


def mapping_there(path: Path) -> Path:
    """Return `path` if it is there; MappingError with the nearest mapping of its folder and of ./mappings if not."""
    if path.exists():
        return path
    there = [found for folder in (path.parent, Path("mappings")) for found in sorted(folder.glob("*.y*ml"))]
    by_name = {found.stem.casefold(): found for found in reversed(there)}
    near = get_close_matches(path.stem.casefold(), by_name, n=1)
    if near:
        hint = f"did you mean '{by_name[near[0]]}'?"
    elif there:
        names = list(dict.fromkeys(map(str, there)))
        more = f" and {len(names) - SHOWN_MAPPINGS} more" if len(names) > SHOWN_MAPPINGS else ""
        hint = f"check the name; there are {', '.join(names[:SHOWN_MAPPINGS])}{more}"
    else:
        hint = "check the name, or draft one: etl init FILE --out MAPPING"
    problem = Problem("the mapping can't be read: no such file or directory", "unreadable-mapping", hint=hint)
    raise MappingError(str(path), (problem,))
