"""`etl check`: everything but sending."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from etl.cli import options
from etl.cli.running import carry_out


@click.command(
    epilog="""\b
Examples:
  etl check mappings/contacts.yaml contacts.csv
  etl check mappings/contacts.yaml contacts.xlsx --sheet May --limit 1000
  etl check mappings/contacts.yaml contacts.csv --fail-over 2% --quiet
  etl check mappings/contacts.yaml contacts.csv --json | jq .counts
"""
)
@options.mapping_and_files
@options.run_flags
def command(mapping: Path, files: tuple[str, ...], **flags: Any) -> int:
    """Read and judge FILE... as a run would, and send nothing: no connection is opened.

    What it plans is what `etl run` sends, byte for byte. With --target, payloads take that target's wire form.
    --rate, --concurrency and --yes are taken, so that a run can be tried by its own flags; they change nothing here.
    """
    return carry_out("check", mapping, files, flags)
