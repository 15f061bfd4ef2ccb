"""`etl transforms`: the catalogue, each transform with what it makes of an example."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

import click
from rich import box
from rich.table import Table
from rich.text import Text

from etl.cli import options, output
from etl.cli.choosing import chosen

if TYPE_CHECKING:
    from etl.transforms import Example, Transform


@click.command(
    epilog="""\b
Examples:
  etl transforms
  etl transforms number
  etl transforms phone --json
"""
)
@click.argument("name", required=False)
@options.as_json
def command(name: str | None, *, as_json: bool) -> int:
    """Show what can be done to a cell on its way to a field: every transform, or the one called NAME."""
    from etl.transforms import CATALOGUE

    found = [chosen("transform", name, CATALOGUE)] if name else sorted(CATALOGUE.values(), key=lambda one: one.name)
    if as_json:
        output.say_json([_plain(one) for one in found])
    elif name:
        _show_one(found[0])
    else:
        output.say(_table(found), Text(""))
        output.say(Text('"etl transforms NAME" shows one of them: its arguments, and all its examples.', style="dim"))
    return 0


def written(transform: str, example: Example) -> str:
    """Return the transform as a mapping writes it for this example, on one line: `{number: {decimal: ","}}`."""
    if not example.arguments:
        return transform
    inner = ", ".join(f"{name}: {_flow(value)}" for name, value in example.arguments.items())
    return f"{{{transform}: {{{inner}}}}}"


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_flow(key)}: {_flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_flow, value))}]"
    text = str(value)
    return text if text.isidentifier() and text.isascii() else json.dumps(text, ensure_ascii=False)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f"'{output.visible(value)}'"
    return f"[{', '.join(map(_shown, value))}]"


def _table(found: list[Transform]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    table.add_column("transform", no_wrap=True)
    table.add_column("what it does; an example", overflow="fold")
    for one in found:
        example = one.examples[0]
        told = Text(one.summary)
        told.append(f"\n{written(one.name, example)}: {_shown(example.given)} → {_shown(example.result)}", style="cyan")
        table.add_row(Text(one.name, style="bold"), told)
    return table


def _show_one(one: Transform) -> None:
    from etl.transforms.arguments import describe

    kinds = f"  {one.takes} → {one.gives}" if (one.takes, one.gives) != ("text", "text") else ""
    output.say(Text.assemble((one.name, "bold"), (kinds, "dim")))
    for paragraph in inspect.cleandoc(one.call.__doc__ or one.summary).split("\n\n"):
        output.say(Text(" ".join(paragraph.split())), Text(""))
    if one.arguments:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
        for heading in ("argument", "takes", "if left out"):
            table.add_column(heading, overflow="fold")
        for argument in one.arguments:
            left_out = "(must be given)" if argument.required else _default(argument.default)
            table.add_row(Text(argument.name, style="bold"), describe(argument.annotation), left_out)
        output.say(table, Text(""))
    for example in one.examples:
        output.say(Text(written(one.name, example), style="cyan"))
        output.say(Text(f"  {_shown(example.given)} → {_shown(example.result)}"))
    if one.code:
        output.say(Text(f"\nA cell that it cannot convert becomes an issue with the code {one.code}.", style="dim"))


def _default(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"'{value}'" if isinstance(value, str) else str(value)


def _plain(one: Transform) -> dict[str, Any]:
    from etl.transforms.arguments import describe

    return {
        "name": one.name,
        "summary": one.summary,
        "takes": one.takes,
        "gives": one.gives,
        "code": one.code,
        "arguments": [
            {
                "name": argument.name,
                "takes": describe(argument.annotation),
                "required": argument.required,
                "default": None if argument.required else argument.default,
            }
            for argument in one.arguments
        ],
        "examples": [
            {"written": written(one.name, example), "given": example.given, "result": example.result}
            for example in one.examples
        ],
    }
