"""`etl preview`: the first payloads, beside the rows they come from."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from etl.cli import options, output
from etl.cli.choosing import mapping_there
from etl.cli.reading import how_read
from etl.cli.running import refuse_swapped

if TYPE_CHECKING:
    from etl.first_rows import Preview


@click.command(
    epilog="""\b
Examples:
  etl preview mappings/contacts.yaml contacts.csv
  etl preview mappings/contacts.yaml contacts.xlsx --sheet Customers -n 20
  etl preview mappings/contacts.yaml contacts.csv --target production --json
"""
)
@click.argument("mapping", type=click.Path(path_type=Path))
@click.argument("file")
@click.option(
    "--limit", "-n", type=options.Number(1, 10_000), default=3, show_default=True, metavar="N", help="Rows to show."
)
@options.sheet
@options.target
@options.as_json
@options.config
def command(
    mapping: Path, file: str, *, limit: int, sheet: str | None, target: str | None, as_json: bool, config: Path | None
) -> int:
    """Show what becomes of the first rows of FILE: cells on the left, the payload on the right. Nothing is sent."""
    from etl.first_rows import first_rows, open_preview

    refuse_swapped("preview", mapping, [file])
    job = open_preview(mapping_there(mapping), file, limit=limit, sheet=sheet, target=target, config=config)
    found = first_rows(job)
    if as_json:
        output.say_json([asdict(one) for one in found])
        return 0
    output.say_lines([*(Text(output.visible(f"Read {how_read(bound.table)}")) for bound in job.tables), Text("")])
    if not found:
        output.say(Text("There are no rows below the header."))
    for one in found:
        output.say(_shown(one))
    # The words of mapping.model.Duplicates.
    if found and any(record.duplicates != "all" for record in job.plan.mapping.records):
        output.say(Text("Duplicates are judged by `etl check` alone.", style="dim"))
    return 0


def _shown(one: Preview) -> RenderableType:
    head = Text.assemble((f"row {one.row}", "bold"), f"  {one.action}", (f"  {one.status}", _style(one.status)))
    if one.message:
        head.append(f": {one.message}")
    parts: list[RenderableType] = [head]
    if one.payload is not None or one.issues:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim", expand=True)
        table.add_column("cells", ratio=2, overflow="fold")
        table.add_column("payload", ratio=3, overflow="fold")
        table.add_row(_cells(one), _payload(one.payload))
        parts.append(Padding(table, (0, 0, 0, 2)))
    parts += [Padding(issue, (0, 0, 0, 2)) for issue in _issues(one)]
    if one.stored_tags and list(one.stored_tags) != _sent_tags(one.payload):
        parts.append(
            Padding(Text(output.visible(f"tags will be stored as: {', '.join(one.stored_tags)}")), (0, 0, 0, 2))
        )
    return Group(*parts, Text(""))


def _cells(one: Preview) -> Text:
    lines = [
        Text.assemble((f"{output.visible(name)}: ", "dim"), output.visible(value).replace("\n", "\\n"))
        for name, value in one.cells.items()
        if value
    ]
    return Text("\n").join(lines)


def _payload(payload: Any) -> Text:
    if payload is None:
        return Text("none: it would not be sent", style="dim")
    return Text(output.visible(json.dumps(payload, indent=2, ensure_ascii=False)))


def _sent_tags(payload: Any) -> Any:
    return payload.get("tags") or payload.get("data", {}).get("tags")


def _issues(one: Preview) -> list[Text]:
    found = []
    for severity, field, message, hint in one.issues:
        text = Text(severity, style=_style(severity))
        text.append(output.visible(f"  {field + ': ' if field else ''}{message}"), style="default")
        text.append(output.visible(f" ({hint})") if hint else "", style="dim")
        found.append(text)
    return found


def _style(word: str) -> str:
    return {"planned": "green", "invalid": "red", "error": "red", "warning": "yellow"}.get(word, "dim")
