"""Flags that several commands share, each defined once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
_PATH = click.Path(path_type=Path)

target = click.option("--target", metavar="NAME", help="Where to: a target of etl.toml, or sandbox.")
config = click.option("--config", type=_PATH, metavar="FILE", help="Settings to use.  [default: ./etl.toml, if there]")
sheet = click.option("--sheet", metavar="NAME", help="The workbook's sheet.  [default: found by the mapping's columns]")
as_json = click.option("--json", "as_json", is_flag=True, help="JSON on stdout; everything else goes to stderr.")

_RUN = (
    target,
    click.option("--out", type=_PATH, metavar="DIR", help="Folder for the reports.  [default: a new one in ./etl-reports]"),
    click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Take the first N rows alone."),
    sheet,
    click.option(
        "--rate", type=click.FloatRange(min=0.1, max=10_000), metavar="N", help="Requests a second, over all connections."
    ),
    click.option("--concurrency", type=click.IntRange(min=1, max=256), metavar="N", help="Connections at once."),
    click.option("--fail-over", metavar="N|N%", help="Send nothing if more rows than this are invalid."),
    click.option("--max-deletes", metavar="N|N%", help="Send nothing if more contacts than this would be deleted."),
    click.option("--max-clears", metavar="N|N%", help="Send nothing if more fields than this would be cleared."),
    click.option("--yes", is_flag=True, help="Delete without asking."),
    click.option("--quiet", is_flag=True, help="Only errors and the paths of the reports."),
    as_json,
    config,
)


def run_flags(function: Command) -> Command:
    """Add the flags that `run` and `check` share."""
    for option in reversed(_RUN):
        function = option(function)
    return function


def mapping_and_files(function: Command) -> Command:
    """Add the arguments MAPPING FILE..."""
    function = click.argument("files", nargs=-1, required=True, type=_PATH, metavar="FILE...")(function)
    return click.argument("mapping", type=_PATH)(function)
