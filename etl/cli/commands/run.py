"""`etl run`: read, transform, validate, send, report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from etl.cli import options
from etl.cli.running import carry_out


@click.command(
    epilog="""\b
Examples:
  etl run mappings/contacts.yaml contacts.csv --target sandbox
  etl run mappings/contacts.yaml north.xlsx south.xlsx --fail-over 2%
  etl run mappings/opt_outs.yaml opt_outs.csv --yes --max-deletes 500
  etl run mappings/contacts.yaml contacts.csv --limit 10 --json > summary.json
"""
)
@options.mapping_and_files
@click.option("--dry-run", is_flag=True, help="Send nothing: the same as `etl check`.")
@options.run_flags
def command(mapping: Path, files: tuple[str, ...], *, dry_run: bool, **flags: Any) -> int:
    """Read FILE..., send what is valid, and report what became of every row.

    MAPPING says which column feeds which field; `etl init` drafts one. Without --target, default_target of etl.toml is
    used; the target sandbox always exists and sends nothing beyond this machine.

    Ctrl-C finishes what is in flight and writes the reports; what was not sent is reported as blocked.
    """
    return carry_out("check" if dry_run else "run", mapping, files, flags)
