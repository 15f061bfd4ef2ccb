"""`etl run`: read, transform, validate, send, report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from etl.cli import options
from etl.cli.planned import planned_call
from etl.cli.running import carry_out


@click.command(
    epilog="""\b
Examples:
  etl run mappings/contacts.yaml contacts.csv --target sandbox
  etl run mappings/contacts.yaml north.xlsx south.xlsx --fail-over 2%
  etl run mappings/opt_outs.yaml opt_outs.csv --yes --max-deletes 500
  etl run mappings/contacts.yaml contacts.csv --limit 10 --json > summary.json
  etl run --plan plan.json
  etl run mappings/contacts.yaml contacts.csv --deadline 06:00
"""
)
@click.argument("mapping", type=click.Path(path_type=Path), required=False)
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option(
    "--plan",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Send what this plan says (see etl plan), or nothing.",
)
@click.option("--dry-run", is_flag=True, help="Send nothing: the same as `etl check`.")
@options.run_flags
def command(mapping: Path | None, files: tuple[str, ...], *, plan: Path | None, dry_run: bool, **flags: Any) -> int:
    """Read FILE..., send what is valid, and report what became of every row.

    MAPPING says which column feeds which field; `etl init` drafts one. Without --target, default_target of etl.toml is
    used; the target sandbox always exists and sends nothing beyond this machine.

    Ctrl-C finishes what is in flight and writes the reports; what was not sent is reported as blocked.
    """
    if plan is not None:
        if dry_run:
            raise click.UsageError("--plan and --dry-run exclude each other")
        agreed, mapping, files = planned_call(plan, mapping, files, flags)
        return carry_out("run", mapping, files, flags, agreed=(agreed, plan))
    if mapping is None or not files:
        missing = "files" if mapping else "mapping"
        raise click.MissingParameter(param=next(one for one in command.params if one.name == missing))
    return carry_out("check" if dry_run else "run", mapping, files, flags)
