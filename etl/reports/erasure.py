"""A report and a person → the same report without that person: lines stay, so that counts add up.

A rule says how a kind of report is rewritten; another kind of report is one more line in `RULES`. A file changes at
once or not at all, and whatever is not this person's keeps its bytes.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO

from etl.reports.csv_records import BLOCK_BYTES, blocks, field_of, fields_of, joined, records_in, text_of
from etl.reports.person import FORGOTTEN, Person

STARTED = ".forget-"
"""How a file begins to be called while it is written; one that is found was left by a process that was killed."""
Place = tuple[str, str, str]
"""File, sheet and row, as reports have them, without the apostrophe of a text that looked like a formula."""
Rule = Callable[[Path, Person, set[Place]], int]
"""Rewrites a file without a person, whose rows are at these places; returns how many lines it changed. OSError."""

_EMPTIED = ("payload_sha256", "request_id")
"""An unkeyed hash of a small payload is found again by trying, and a request by whoever keeps a log of it."""
_REPLACED = ("key", "value", "message")


def rows_of(path: Path, person: Person) -> Iterator[Place]:
    """Yield the places of a person's rows, as the column `key` of a results.csv tells them. Raises OSError."""
    with path.open("rb") as stream:
        names: list[str] = []
        for block in blocks(stream):
            if names and not person.may_be_in(block):
                continue
            for record in records_in(block):
                split = fields_of(record)
                if split is None:
                    continue
                cells = [text_of(field) for field in split[0]]
                if not names:
                    names = cells
                elif person.is_key(dict(zip(names, cells, strict=False)).get("key", "")):
                    yield _place(names, cells)


def reports_in(folder: Path) -> list[Path]:
    """Return the reports that a rule rewrites, those last that say whose rows are where."""
    return sorted((folder / name for name, _ in RULES if (folder / name).is_file()), key=is_results)


def unruled_in(folder: Path, key: str) -> list[Path]:
    """Return the reports that no rule rewrites and that hold whoever has this key."""
    found = (path for pattern in UNRULED for path in folder.glob(pattern))
    return sorted(path for path in found if holds(path, key))


def made_in(folder: Path) -> list[Path]:
    """Return the reports that are removed where a person stands in the folder."""
    return sorted(path for pattern in MADE for path in folder.glob(pattern) if path.is_file())


def holds(path: Path, key: str) -> bool:
    """Tell whether a file holds the key, in capital letters or not, or packed; False where it cannot be read."""
    wanted = key.strip().lower().encode()
    with suppress(OSError, zipfile.BadZipFile):
        if not zipfile.is_zipfile(path):
            with path.open("rb") as stream:
                return _is_in(stream, wanted)
        with zipfile.ZipFile(path) as packed:
            for name in packed.namelist():
                with packed.open(name) as part:
                    if _is_in(part, wanted):
                        return True
    return False


def _is_in(stream: IO[bytes], wanted: bytes) -> bool:
    rest = b""
    while block := stream.read(BLOCK_BYTES):
        if wanted in (rest + block).lower():
            return True
        rest = block[-len(wanted) :]
    return False


def rewrite(path: Path, person: Person, places: set[Place]) -> int:
    """Rewrite a report without `person`, whose rows are at `places`; how many lines were changed. Raises OSError."""
    return dict(RULES)[path.name](path, person, places)


def is_results(path: Path) -> bool:
    """Tell whether the file says whose rows are where."""
    return path.name.startswith("results.csv")


def rewrite_lines(path: Path, person: Person, places: set[Place]) -> int:
    """Rewrite a CSV of lines that have a place (`file`, `sheet`, `row`): results.csv, issues.csv.

    Of the person's lines key, value and message become FORGOTTEN, payload's hash and request id nothing; elsewhere the
    address alone is replaced.
    """
    numbers = {row.encode() for _, _, row in places}

    def changed(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
        names: list[str] = []
        for block in blocks(stream):
            if names and not person.may_be_in(block) and not any(b"," + number + b"," in block for number in numbers):
                yield block, 0
                continue
            kept, count = [], 0
            for record in records_in(block):
                split = fields_of(record)
                if split is not None and not names:
                    names = [text_of(field) for field in split[0]]
                    kept.append(record)
                    continue
                made = _torn(record, person) if split is None else _line(*split, names, person, places)
                count += made != record
                kept.append(made)
            yield b"".join(kept), count

    return _rewritten(path, changed)


def rewrite_keys(path: Path, person: Person, _places: set[Place]) -> int:
    """Rewrite a CSV whose lines are told by their key alone: in missing.csv the places are those of earlier files."""
    return rewrite_lines(path, person, set())


def rewrite_text(path: Path, person: Person, _places: set[Place]) -> int:
    """Rewrite a text: FORGOTTEN stands for each address."""

    def changed(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
        for line in stream:
            made = _torn(line, person)
            yield made, int(made != line)

    return _rewritten(path, changed)


RULES: tuple[tuple[str, Rule], ...] = (
    ("results.csv", rewrite_lines),
    ("results.csv.ordered", rewrite_lines),
    ("issues.csv", rewrite_lines),
    ("missing.csv", rewrite_keys),
    ("summary.json", rewrite_text),
    ("summary.json.part", rewrite_text),
)
"""The reports, by name: a run may have been told to write them among files that are none of ours."""
MADE = ("annotated*.xlsx", "to_fix*", "report*.html", "results*.parquet")
"""Reports that are made of the others and of the spreadsheet: they are removed, not rewritten."""
UNRULED = ("plan.json",)
"""Reports that no rule rewrites; a plan that is changed is refused, so it is better removed."""


def _place(names: list[str], cells: list[str]) -> Place:
    line = dict(zip(names, cells, strict=False))
    return _bare(line.get("file", "")), _bare(line.get("sheet", "")), line.get("row", "")


def _bare(text: str) -> str:
    return text.removeprefix("'")


def _line(fields: list[bytes], end: bytes, names: list[str], person: Person, places: set[Place]) -> bytes:
    cells = [text_of(field) for field in fields]
    own = _place(names, cells) in places or person.is_key(dict(zip(names, cells, strict=False)).get("key", ""))
    made = list(fields)
    for number, cell in enumerate(cells):
        name = names[number] if number < len(names) else ""
        if own and name in _REPLACED and cell:
            made[number] = FORGOTTEN.encode()
        elif own and name in _EMPTIED:
            made[number] = b""
        elif person.occurs_in(cell):
            made[number] = field_of(person.without(cell))
    return joined(made, end)


def _torn(record: bytes, person: Person) -> bytes:
    """Return bytes that are no whole record, or no record at all, without the address."""
    text = record.decode("utf-8", "surrogateescape")
    return person.without(text).encode("utf-8", "surrogateescape") if person.occurs_in(text) else record


def _rewritten(path: Path, changed: Callable[[BinaryIO], Iterator[tuple[bytes, int]]]) -> int:
    """Put what `changed` yields in the place of the file once all of it is on the disk; untouched without a change."""
    total, at = 0, 0
    target: BinaryIO | None = None
    started: Path | None = None
    try:
        with path.open("rb") as stream:
            for part, count in changed(stream):
                total += count
                if count and target is None:
                    handle, name = tempfile.mkstemp(prefix=STARTED, dir=path.parent)
                    started, target = Path(name), os.fdopen(handle, "wb")
                    _copy(path, target, at)
                if target is not None:
                    target.write(part)
                at += len(part)
        if target is None or started is None:
            return 0
        target.flush()
        os.fsync(target.fileno())
        target.close()
        shutil.copymode(path, started)
        started.replace(path)
        _sync(path.parent)
    except BaseException:
        if target is not None:
            with suppress(OSError):
                target.close()
        if started is not None:
            started.unlink(missing_ok=True)
        raise
    return total


def _copy(path: Path, target: BinaryIO, size: int) -> None:
    """Copy the first `size` bytes."""
    with path.open("rb") as source:
        while size > 0:
            block = source.read(min(size, BLOCK_BYTES))
            if not block:
                return
            target.write(block)
            size -= len(block)


def _sync(folder: Path) -> None:
    """Put the new name on the disk too, where a folder can be synced."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
