"""`etl inspect`: what is in a file, as a table that a person likes to look at, or as JSON.

The keys of --json are the names in `etl.inspection`: FileFacts, TableFacts, ColumnFacts, Found.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from etl.cli import bars, options, output
from etl.cli.choosing import MAPPING_ENDINGS
from etl.errors import SettingsError

if TYPE_CHECKING:
    from etl.inspection import FileFacts


@click.command(
    "inspect",
    epilog="""\b
Examples:
  etl inspect contacts.csv
  etl inspect contacts.xlsx --sheet May
  etl inspect contacts.csv --json | jq '.files[].tables[].columns[].name'
""",
)
@click.argument("file")
@click.option("--sheet", metavar="NAME", help="This sheet of the workbook alone.  [default: all that are visible]")
@click.option(
    "--rows", type=options.Number(1, options.MANY), metavar="N", help="Read the first N rows of each table alone."
)
@options.as_json
def command(file: str, *, sheet: str | None, rows: int | None, as_json: bool) -> int:
    """Show what is in FILE: its format, sheets and columns, and of each column what it holds and how full it is.

    The whole file is read. Rows, filled cells and up to 10,000 different values are counted; what a column holds is
    judged by its name and a sample of its different values.
    """
    if Path(file).suffix.lower() in MAPPING_ENDINGS:
        raise SettingsError("this is a mapping, and no spreadsheet", code="usage", where=file, hint="etl inspect FILE")
    found = _inspected(file, sheet, rows, is_quiet=as_json)
    if as_json:
        output.say_json({"files": [asdict(one) for one in found], "judged_by_sample": ["kind", "personal"]})
        return 0
    from etl.cli.inspection_view import show_file

    for place, one in enumerate(found):
        show_file(one, is_first=place == 0)
    from etl.sources.addresses import shown_name

    # `init` takes one table, and standard input is there once.
    if len(found) == 1 and file != "-":
        output.tell(f"next:  etl init {shown_name(file)}")
    return 0


def _inspected(file: str, sheet: str | None, rows: int | None, *, is_quiet: bool) -> list[FileFacts]:
    from etl.cli.reading import may_be_private
    from etl.inspection import inspect_files

    progress = bars.progress_on(sys.stderr, quiet=is_quiet, records=1)
    return inspect_files([file], sheet=sheet, limit=rows, progress=progress, allow_private=may_be_private([file]))
