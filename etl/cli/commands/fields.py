"""`etl fields`: the contract, for people and programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click
from rich import box
from rich.table import Table
from rich.text import Text

from etl.cli import options, output
from etl.cli.choosing import chosen
from etl.contract import ACTIONS, Action, Field, FieldType

EXAMPLES = {
    "contact.upsert": (
        "contact.email: {column: E-mail, transform: [strip, lower], required: true}",
        'contact.name: {template: "{First name} {Last name}"}',
        'tags: {column: Segments, transform: [{split: ";"}, tag]}',
        "properties.shoe_size: Shoe size",
    ),
    "contact.delete": ("email: {column: E-mail, transform: [strip, lower], required: true}",),
    "event.create": (
        "contactExtEventType: {value: PURCHASE}",
        'value: {column: Total, transform: [{number: {decimal: ","}}]}',
        "externalId: Order no.",
    ),
}
"""Lines as they stand under `fields:` in a mapping, by action."""


@click.command(
    epilog="""\b
Examples:
  etl fields
  etl fields contact.upsert
  etl fields event.create --json
"""
)
@click.argument("action", required=False)
@options.as_json
def command(action: str | None, *, as_json: bool) -> int:
    """Show what can be sent: every field of ACTION (default: of all three), its type and its limits."""
    actions = [chosen("action", action, ACTIONS)] if action else list(ACTIONS.values())
    if as_json:
        output.say_json([_plain(one) for one in actions])
        return 0
    for one in actions:
        title = Text.assemble((one.name, "bold"), f"  {one.endpoint.method} {one.endpoint.path}")
        output.say(title, Text(one.description, style="dim"), Text(""), _table(one), Text(""))
        if action:
            output.say(Text("In a mapping, under `fields:`", style="dim"))
            output.say_lines([Text(f"  {line}") for line in EXAMPLES[one.name]])
    if not action:
        output.say(Text('"etl fields ACTION" shows one of them, with lines for a mapping.', style="dim"))
    return 0


def _table(action: Action) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    table.add_column("  field", no_wrap=True)
    table.add_column("type", no_wrap=True)
    table.add_column("at most", no_wrap=True)
    table.add_column("what it is", overflow="fold")
    for names, field in _grouped(action.fields):
        limit = f"{field.max_length:,}" if field.max_length else ""
        if field.type in {FieldType.DYNAMIC, FieldType.LIST}:
            limit = f"{limit} each"
        table.add_row(f"  {names}", field.type.value, limit, _described(field, is_series=names != field.path))
    return table


def _described(field: Field, *, is_series: bool) -> Text:
    text = Text()
    if field.required:
        text.append("required; ", style="bold")
    text.append(field.description.rstrip("0123456789 ") if is_series else field.description)
    if field.values:
        text.append(f": {', '.join(field.values)}")
    if field.extension:
        text.append("; extension: sent only when mapped", style="dim")
    return text


def _grouped(fields: tuple[Field, ...]) -> list[tuple[str, Field]]:
    """Return the fields with their names; those of one series that are alike (`detail1 ...`) as one."""
    runs: list[list[Field]] = []
    for field in fields:
        series = field.path.rstrip("0123456789")
        last = runs[-1][-1] if runs else None
        alike = last is not None and series != field.path and (series, field.max_length, field.extension) == (
            last.path.rstrip("0123456789"), last.max_length, last.extension,
        )  # fmt: skip
        if alike:
            runs[-1].append(field)
        else:
            runs.append([field])
    return [(run[0].path if len(run) == 1 else f"{run[0].path} ... {run[-1].path}", run[0]) for run in runs]


def _plain(action: Action) -> dict[str, Any]:
    return {
        "action": action.name,
        "method": action.endpoint.method,
        "path": action.endpoint.path,
        "description": action.description,
        "key": action.key,
        "duplicates": action.duplicates,
        "fields": [asdict(field) | {"type": field.type.value} for field in action.fields],
        "examples": list(EXAMPLES[action.name]),
    }
