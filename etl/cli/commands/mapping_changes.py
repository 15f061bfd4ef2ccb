"""`etl mapping diff`: what another version of a mapping would send differently."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from etl.cli import bars, options, output
from etl.cli.choosing import is_table, mapping_there
from etl.errors import SettingsError
from etl.wording import plural

if TYPE_CHECKING:
    from etl.mapping_diff import ChangedRow, MappingDiff

SHOWN_FIELDS = 30
_LONGEST = 60
"""Characters of a value that are shown."""


@click.command(
    "diff",
    epilog="""\b
Examples:
  etl mapping diff mappings/contacts.yaml new/contacts.yaml contacts.csv
  etl mapping diff old.yaml new.yaml contacts.xlsx --sheet May --limit 1000
  etl mapping diff old.yaml new.yaml contacts.csv --json
""",
)
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--limit", type=options.Number(1, options.MANY), metavar="N", help="Take the first N rows alone.")
@click.option(
    "--rows", type=options.Number(0, 100_000), default=20, show_default=True, metavar="N", help="Rows to show."
)
@options.sheet
@options.as_json
def command(
    old: Path, new: Path, files: tuple[str, ...], *, limit: int | None, rows: int, sheet: str | None, as_json: bool
) -> int:
    """Show what the mapping NEW would send differently from OLD, for the rows of FILE... Nothing is sent.

    Rows are compared one by one, before duplicates are marked; "etl check" tells which of a key is sent. The exit code
    is 0 if nothing changes, 1 if something does.
    """
    for mapping in (old, new):
        if is_table(mapping):
            raise SettingsError(
                "two mappings come first, then the files", code="usage", where="etl mapping diff",
                hint="etl mapping diff OLD NEW FILE",
            )  # fmt: skip
    found = _compared(old, new, files, limit=limit, shown=rows, sheet=sheet, is_quiet=as_json)
    if as_json:
        output.say_json(_plain(found))
    else:
        _show(found, old, new)
    return 0 if found.is_empty else 1


def _compared(
    old: Path, new: Path, files: tuple[str, ...], *, limit: int | None, shown: int, sheet: str | None, is_quiet: bool
) -> MappingDiff:
    from etl.cli.reading import may_be_private
    from etl.mapping import load_mapping
    from etl.mapping_diff import compare_mappings

    loaded = [load_mapping(mapping_there(path)) for path in (old, new)]
    progress = bars.progress_on(sys.stderr, quiet=is_quiet, records=1)
    return compare_mappings(
        loaded[0], loaded[1], files, sheet=sheet, limit=limit, shown=shown, progress=progress,
        allow_private=may_be_private(files),
    )  # fmt: skip


def _plain(found: MappingDiff) -> dict[str, Any]:
    statuses = [
        {"before": before, "after": after, "records": count} for (before, after), count in found.statuses.most_common()
    ]
    fields = [
        {"action": action, "path": path, "rows": one.rows, "example": asdict(one)}
        for (action, path), one in _by_rows(found)
    ]
    for one in fields:
        one["example"].pop("rows")
    counts = ("rows", "same", "changed", "only_old", "only_new", "unsent")
    return {name: getattr(found, name) for name in counts} | {
        "statuses": statuses,
        "fields": fields,
        "first": [asdict(row) for row in found.first],
        "notes": list(found.notes),
    }


def _by_rows(found: MappingDiff) -> list[Any]:
    return sorted(found.fields.items(), key=lambda item: -item[1].rows)


def _show(found: MappingDiff, old: Path, new: Path) -> None:
    for note in found.notes:
        output.tell_note(note)
    output.say(Text(_sentence(found, old, new), style="bold"))
    if found.is_empty:
        return
    output.say(Text(""), _counts(found))
    if found.fields:
        output.say(Text(""), _fields(found))
        rest = len(found.fields) - SHOWN_FIELDS
        if rest > 0:
            output.say(Text(f"  and {rest:,} more {plural(rest, 'field')}: --json has all of them", style="dim"))
    if found.first:
        output.say(Text(""), _first(found))


def _sentence(found: MappingDiff, old: Path, new: Path) -> str:
    rows = f"{found.rows:,} {plural(found.rows, 'row')}"
    if found.is_empty:
        return output.visible(f"{old.name} and {new.name} send the same for {rows}.")
    changed = found.changed + sum(found.statuses.values())
    total = changed + found.same + found.unsent
    noun = plural(total, "row" if total == found.rows else "record")
    changes = "changes" if changed == 1 else "change"
    which = f"all {total:,}" if changed == total > 1 else f"{changed:,} of {total:,}"
    return output.visible(f"With {new.name} instead of {old.name}, {which} {noun} {changes}.")


def _counts(found: MappingDiff) -> RenderableType:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right")
    table.add_column()
    said = [
        (found.changed, "sent by both, and not alike", "yellow"),
        (found.same, "sent by both, and alike", ""),
        (found.only_old, "sent by the old mapping alone", "red"),
        (found.only_new, "sent by the new mapping alone", "green"),
        (found.unsent, "sent by neither", "dim"),
    ]
    for count, words, style in said:
        if count:
            table.add_row(Text(f"{count:,}", style=style), words)
    for (before, after), count in found.statuses.most_common():
        table.add_row(Text(f"{count:,}", style="dim"), Text(f"{before} -> {after}", style="dim"))
    return Padding(table, (0, 0, 0, 2))


def _fields(found: MappingDiff) -> RenderableType:
    table = _table("field", "rows", "for example", "before", "after")
    table.columns[1].justify = "right"
    several = len({action for action, _ in found.fields}) > 1
    for (action, path), one in _by_rows(found)[:SHOWN_FIELDS]:
        name = f"{action} {path}" if several else path
        table.add_row(output.visible(name), f"{one.rows:,}", f"row {one.row}", *_both(one.before, one.after))
    return Padding(table, (0, 0, 0, 2))


def _first(found: MappingDiff) -> RenderableType:
    table = _table("row", "key", "field", "before", "after")
    several = len({(row.file, row.sheet) for row in found.first}) > 1
    for row in found.first:
        where = f"{Path(row.file).name} {row.sheet} {row.row}".replace("  ", " ") if several else str(row.row)
        for start, cells in _cells(row):
            table.add_row(*((where, output.visible(row.key)) if start else ("", "")), *cells)
    return Padding(table, (0, 0, 0, 2))


def _cells(row: ChangedRow) -> Iterator[tuple[bool, tuple[RenderableType, ...]]]:
    if not row.changes:
        yield True, (Text(row.action, style="dim"), Text(row.before, style="red"), Text(row.after, style="green"))
    for place, change in enumerate(row.changes):
        yield place == 0, (output.visible(change.path), *_both(change.before, change.after))


def _table(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _both(before: Any, after: Any) -> tuple[Text, Text]:
    return Text(_shown(before), style="red"), Text(_shown(after), style="green")


def _shown(value: str | tuple[str, ...] | None) -> str:
    return output.quoted(value, longest=_LONGEST, absent="(not sent)")
