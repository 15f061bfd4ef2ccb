"""`etl doctor`: is this machine ready."""

from __future__ import annotations

import os
import sys
import textwrap
from pathlib import Path

import click
from rich.text import Text

from etl.cli import options, output


@click.command(
    epilog="""\b
Examples:
  etl doctor
  etl doctor --target production
  etl doctor --target sandbox
  etl doctor --target production --json
"""
)
@options.target
@options.as_json
@options.config
def command(target: str | None, *, as_json: bool, config: Path | None) -> int:
    """Look whether a run can work here: libraries, settings, folders; and for a target its credentials and endpoint.

    The endpoint is asked with one signed GET, which changes nothing there. Secrets are never shown.
    Ends with 0 if all is well, else with 2.
    """
    from etl.doctor import examine
    from etl.finding import State

    found = []
    for finding in examine(config=config, target=target, environ=os.environ, folder=Path.cwd()):
        found.append(finding)
        if not as_json:
            output.say_lines(_lines(finding.state.value, finding.subject, finding.message, finding.hint))
    failed = [finding for finding in found if finding.state is State.FAILED]
    if as_json:
        plain = [
            {"state": one.state.value, "subject": one.subject, "message": one.message, "hint": one.hint}
            for one in found
        ]
        output.say_json({"ready": not failed, "findings": plain})
    elif failed:
        output.say(Text(""), Text(f"Not ready: {', '.join(one.subject for one in failed)}.", style="bold red"))
    else:
        output.say(Text(""), Text("Ready.", style="bold green"))
    return 2 if failed else 0


def _lines(state: str, subject: str, message: str, hint: str) -> list[Text]:
    width = max(output.console(sys.stdout).width, 60)
    indent = " " * 21
    style = {"ok": "green", "failed": "red", "warning": "yellow"}.get(state, "dim")
    first, *rest = [
        line
        for paragraph in output.visible(message).splitlines() or [""]
        for line in textwrap.wrap(paragraph, width - len(indent), break_long_words=False) or [""]
    ]
    lines = [Text.assemble((f"{state:9}", style), f"{subject:12}", first)]
    lines += [Text(indent + line) for line in rest]
    hints = textwrap.wrap(output.visible(hint), width - len(indent), break_long_words=False)
    return lines + [Text(indent + line, style="dim") for line in hints]
