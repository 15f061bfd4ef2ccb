"""Reports of earlier runs: which folders they are in, and what results.csv says of one person's rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from etl.errors import impersonal
from etl.journal.model import RunRecord
from etl.records import POSITION_BITS
from etl.reports.csv_records import blocks, fields_of, records_in, text_of
from etl.reports.person import Person
from etl.settings import REPORTS_FOLDER
from etl.view import View

RESULTS = ("results.csv", "results.csv.ordered")
_ROW_MASK = (1 << POSITION_BITS) - 1

Place = tuple[str, str, int]
"""File, sheet ("" in a text file) and row number, as results.csv has them."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a results.csv, as far as it is told: where the row stands, and what became of it."""

    file: str
    sheet: str
    row: str
    action: str
    status: str
    code: str
    message: str


def place_of(record: RunRecord, position: int) -> Place:
    """Return file, sheet and row number of a position in a run; the file is "" where the run does not say."""
    index, row = position >> POSITION_BITS, position & _ROW_MASK
    if record.new.tables and index >= len(record.new.tables):
        # Who was missing from the file stands in no row of it.
        return "missing.csv", "", 0
    file, sheet = record.new.tables[index] if index < len(record.new.tables) else ("", "")
    return file, sheet, row


def folder_of(record: RunRecord) -> Path | None:
    """Return where the reports of a run are; None where they are gone, or only another run's are there.

    A later run into the same folder moves the earlier ones into a folder of their run's name.
    """
    out = Path(record.new.out)
    owner = owner_of(out)
    if owner == record.id:
        return out
    if (out / record.id).is_dir():
        return out / record.id
    return out if owner is None and any((out / name).exists() for name in RESULTS) else None


def folders_of(record: RunRecord, *, shared: bool) -> list[Path]:
    """Return every folder in which lines of a run may be: an earlier sitting's are moved aside by a later one.

    `shared`: other runs had the same folder, so that what tells no run's name may be theirs.
    """
    out = Path(record.new.out)
    owners = [(folder, owner_of(folder)) for folder in (out, *_folders_in(out))]
    mine = [folder for folder, owner in owners if owner == record.id or (owner is None and not shared)]
    newest = folder_of(record)
    return mine if newest is None or newest in mine else [*mine, newest]


def all_folders(records: Iterable[RunRecord], home: Path) -> list[Path]:
    """Return every folder in which reports may be: the runs', those moved aside in them, and those beside them.

    Checks leave reports too, and no journal knows of them: they are found below `etl-reports`, in `home` (the folder of
    etl.toml) and wherever a run had one.
    """
    outs = {Path(record.new.out) for record in records}
    shelves = {home / REPORTS_FOLDER, *(out.parent for out in outs if out.parent.name == REPORTS_FOLDER)}
    found = outs | {child for shelf in shelves for child in _folders_in(shelf)}
    found |= {child for out in list(found) for child in _folders_in(out) if not child.name.startswith(".")}
    return sorted(folder.resolve() for folder in found if folder.is_dir())


def lines_of(path: Path, person: Person) -> Iterator[Line]:
    """Yield a person's lines of a results.csv, in the order of the file. Raises OSError."""
    with path.open("rb") as stream:
        header: list[str] = []
        for block in blocks(stream):
            if header and not person.may_be_in(block):
                continue
            for raw in records_in(block):
                split = fields_of(raw)
                if split is None:
                    continue
                cells = [text_of(field) for field in split[0]]
                if not header:
                    header = cells
                    continue
                line = dict(zip(header, cells, strict=False))
                if person.is_key(line.get("key", "")):
                    yield Line(
                        line.get("file", ""), line.get("sheet", ""), line.get("row", ""), line.get("action", ""),
                        line.get("status", ""), line.get("code", ""), impersonal(line.get("message", "")),
                    )  # fmt: skip


def owner_of(folder: Path) -> str | None:
    """Return the id of the run whose reports are in the folder, None where none says so: it was killed."""
    try:
        return str(json.loads((folder / "summary.json").read_text(encoding="utf-8"))["id"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def view_of(folder: Path, run: str) -> View | None:
    """Return what the reports of a run in the folder show of people; None where there are none of it."""
    try:
        table = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        return View(table["view"]) if table["id"] == run else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _folders_in(folder: Path) -> list[Path]:
    try:
        return [child for child in folder.iterdir() if child.is_dir()]
    except OSError:
        return []
