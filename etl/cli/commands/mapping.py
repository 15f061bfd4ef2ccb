"""`etl mapping`: mappings are code, so they have tests, and differences that can be read before they are used."""

from __future__ import annotations

import click

from etl.cli.commands import mapping_changes, mapping_examples


@click.group(
    commands=[mapping_examples.command, mapping_changes.command],
    epilog="""\b
Examples:
  etl mapping test mappings/contacts.yaml
  etl mapping diff mappings/contacts.yaml new/contacts.yaml contacts.csv
""",
)
def command() -> None:
    """Try the examples of a mapping, or see what another version of it would send differently."""
