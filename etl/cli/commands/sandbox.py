"""`etl sandbox`: a local server that keeps the contract, with faults on demand."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from etl.cli import options, output, signals
from etl.cli.request_counter import LOOK_SECONDS, counting_on, told
from etl.errors import SettingsError

if TYPE_CHECKING:
    from etl.sandbox import Sandbox, SandboxOptions

DEFAULT_PORT = 8765
QUERIES = (
    "SELECT email, name, tags FROM contacts",
    "SELECT received_at, method, path, person, status, fault FROM requests",
)
SECRET_VARIABLE = "SANDBOX_SECRET"  # noqa: S105 - the name of the variable


@click.command(
    epilog="""\b
Examples:
  etl sandbox
  etl sandbox --port 0 --database .etl/mine.db
  etl sandbox --fault 429:rate=0.1,retry_after=1 --fault lost:nth=3+7
  etl sandbox --latency 0.2 --fault "503:first=20,route=POST /events" --seed 7
  AWS_ACCESS_KEY_ID=me AWS_SECRET_ACCESS_KEY=secret etl sandbox --auth sigv4

\b
Kinds of faults:
  a status such as 429, 500 or 503; latency, limit, reset, lost,
  reset-mid-body, truncated, truncated-silent, hang, drip, close, huge,
  not-json, html, redirect, success-false, expired

\b
When they fire (several are joined by commas):
  rate=0.1  first=N  nth=3+7  every=N  after=N  count=N
  route=POST /events  person=anna@example.com
"""
)
@click.option(
    "--port",
    type=options.Number(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    metavar="N",
    help="0: any free one.",
)
@click.option(
    "--database",
    type=click.Path(path_type=Path),
    default=Path(".etl/sandbox.db"),
    show_default=True,
    metavar="FILE",
    help="SQLite file for what arrives; an old one is gone on with.",
)
@click.option(
    "--latency",
    type=options.Number(0, 600, fractions=True),
    default=0,
    metavar="SECONDS",
    help="Delay of every answer.",
)
@click.option("--fault", "faults", multiple=True, metavar="KIND:WHEN", help="What goes wrong, and when; repeatable.")
@click.option(
    "--wire",
    type=click.Choice(["either", "fields", "envelope"]),
    default="either",
    show_default=True,
    metavar="FORM",
    help="Accept payloads as fields, envelope or either.",
)
@click.option(
    "--auth",
    type=click.Choice(["none", "sigv4", "api_key", "bearer"]),
    default="none",
    show_default=True,
    metavar="KIND",
    help="Ask for none, sigv4 (by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), "
    f"api_key or bearer (both by {SECRET_VARIABLE}).",
)
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="The same seed, the same faults.")
def command(faults: tuple[str, ...], **flags: Any) -> int:
    """Serve the integration's three actions on this machine, strictly, until Ctrl-C.

    Payloads are validated as the real endpoint would; contacts, events and every request are kept in SQLite.
    """
    from etl.sandbox import Faults, Sandbox, SandboxOptions, parse_fault

    rules = tuple(parse_fault(text) for text in faults)
    _make_room(flags["database"])
    setup = SandboxOptions(
        port=flags["port"],
        database=flags["database"],
        wire=flags["wire"],
        auth=flags["auth"],
        faults=Faults(rules=rules),
        seed=flags["seed"],
        latency_seconds=flags["latency"],
        **_credentials(flags["auth"], os.environ),
    )
    with signals.ending() as ended, Sandbox(setup) as sandbox:
        _greet(sandbox, setup)
        with counting_on(sys.stderr) as counter:
            while not ended.wait(LOOK_SECONDS):
                counter.show(sandbox.stats())
    stats = sandbox.stats()
    output.say(Text(told(stats)))
    if stats.by_fault:
        output.say(Text("faults: " + ", ".join(f"{count:,} {kind}" for kind, count in stats.by_fault.items())))
    return 0


def _make_room(database: Path) -> None:
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"the sandbox cannot store here: {error.strerror}", code="sandbox-database", where=str(database),
            hint="give another file with --database",
        ) from error  # fmt: skip


def _credentials(auth: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what the sandbox is to accept, by the environment; SettingsError where it is not there."""
    from etl.sandbox import Credentials

    if auth == "none":
        return {}
    if auth != "sigv4":
        return {"secret": _variable(SECRET_VARIABLE, auth, environ)}
    key = _variable("AWS_ACCESS_KEY_ID", auth, environ)
    secret = _variable("AWS_SECRET_ACCESS_KEY", auth, environ)
    return {"credentials": (Credentials(key, secret, environ.get("AWS_SESSION_TOKEN") or None),)}


def _variable(name: str, auth: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise SettingsError(
            f"the environment variable {name} is not set or empty; --auth {auth} needs it", code="no-secret",
            where="etl sandbox", hint="set it to what the sandbox is to accept; any text will do",
        )  # fmt: skip
    return value


def _greet(sandbox: Sandbox, setup: SandboxOptions) -> None:
    database = output.shown_path(sandbox.database)
    extra = [f'wire = "{setup.wire}"'] if setup.wire == "envelope" else []
    extra += [f'auth = "{setup.auth}"'] if setup.auth != "none" else []
    lines = [
        Text.assemble("The sandbox listens on ", (sandbox.url, "bold"), ". Ctrl-C ends it."),
        Text(""),
        Text("To send to it, in etl.toml:", style="dim"),
        Text("  [targets.local]"),
        Text(f'  url = "{sandbox.url}"'),
        *(Text(f"  {line}") for line in extra),
        Text.assemble(("and then:", "dim"), " etl run MAPPING FILE --target local"),
        Text("To see what arrived:", style="dim"),
        *(Text(f'  sqlite3 {database} "{query}"') for query in QUERIES),
    ]
    output.say_lines(lines)
