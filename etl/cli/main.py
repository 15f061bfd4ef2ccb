"""The group of commands, and the border at which everything that went wrong becomes one message and an exit code."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from etl.cli.choosing import is_table, shown_table
from etl.cli.faults import write_fault
from etl.cli.output import abandon_stdout, complain, is_gone
from etl.errors import EtlError, render
from etl.release import program_version

COMMANDS = {
    "run": "Read, check and send; account for every row.",
    "check": "Everything but sending.",
    "plan": "A check kept as a plan, which a run then carries out or refuses.",
    "preview": "The first payloads, beside the rows they come from.",
    "init": "Draft a mapping from a file's headers and values.",
    "inspect": "What is in a file: format, columns, types, personal data.",
    "mapping": "Try a mapping's examples; compare two versions of it.",
    "fields": "The contract: every field, its type, its limits.",
    "transforms": "Every transform, with an example.",
    "watch": "Take files as they come into a folder, and archive them by outcome.",
    "runs": "The runs that were made, and how they ended.",
    "report": "The reports of a run again, with less of people in them.",
    "show": "One run, or what was sent for one person, and why.",
    "resume": "Go on with a run that stopped, was interrupted or died.",
    "retry": "Send the failed and unknown rows of a run again.",
    "forget": "Remove a person from the journal and from kept reports.",
    "sandbox": "A local server that keeps the same contract.",
    "notify": "Who is told how a run ended; try whether it arrives.",
    "doctor": "Is this machine ready: settings, credentials, clock, endpoint.",
}
"""The commands and what they do. They stand here, so that `etl --help` loads none of them."""
_MODULES = {"inspect": "inspect_file"}
"""Where a command is, if not in the module of its name: one of the standard library has that."""
INTERRUPTED = 130
FAULT_OF_OURS = 4


class Commands(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of that name; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"etl.cli.commands.{_MODULES.get(cmd_name, cmd_name)}").command
        assert isinstance(command, click.Command)  # noqa: S101 - for the type checker
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; where there is none, say which was probably meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=COMMANDS, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Start here:
  etl init contacts.csv --out contacts.yaml               draft a mapping
  etl check contacts.yaml contacts.csv                    what is wrong?
  etl run contacts.yaml contacts.csv --target sandbox     send, but not far

\b
Exit codes:
  0  every row delivered or rightly left alone
  1  some rows invalid, rejected, failed or unknown
  2  command, mapping, settings or file are wrong; nothing was sent
  3  stopped by a guard: a threshold, a delete limit, an endpoint that is down
  4  a fault of ours; the message names a log file
  130 (Ctrl-C), 143 (SIGTERM) and 129 (SIGHUP)  interrupted
""",
)
@click.version_option(
    program_version() or "(a copy that is not installed)", "--version", prog_name="etl", message="%(prog)s %(version)s"
)
def cli() -> None:
    """Spreadsheets into SALESmanago: mapped, checked, delivered, and every row accounted for."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; no traceback leaves this function."""
    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        # A letter that the terminal's encoding lacks must not end a run.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    code = _run(list(sys.argv[1:] if arguments is None else arguments))
    try:
        sys.stdout.flush()
    except OSError as error:
        if not is_gone(error):
            raise
        abandon_stdout()
    return code


def _open_streams() -> None:
    """Let go nowhere what was closed (`>&-`, some services): else the next file that is opened would be stdout."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # It takes the lowest number that is free.
            os.open(os.devnull, os.O_RDWR)
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _run(arguments: list[str]) -> int:
    try:
        outcome = cli.main(args=arguments, prog_name="etl", standalone_mode=False)
    except EtlError as error:
        complain(str(error))
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        complain(_usage(error))
        return error.exit_code
    except click.Abort:
        complain("interrupted   [interrupted]")
        return INTERRUPTED
    except SystemExit as exit_:
        # click ends the process itself where nobody reads its output any more.
        abandon_stdout()
        return exit_.code if isinstance(exit_.code, int) else 1
    except Exception as error:  # noqa: BLE001 - the border
        return _fault(error, arguments)
    return outcome if isinstance(outcome, int) else 0


def _usage(error: click.ClickException) -> str:
    """Return click's complaint in our form: what, where, what to do."""
    context = getattr(error, "ctx", None)
    where = context.command_path if context else "etl"
    hint = f'"{where} --help" shows how it is used'
    near = getattr(error, "possibilities", None)
    if near:
        hint = f"did you mean '{near[0]}'? {hint}"
    known = isinstance(error, click.NoSuchOption | click.NoSuchCommand)
    message = (error.message if known else error.format_message()).rstrip(".")
    # click lists choices on lines of their own.
    message = re.sub(r"\.?\s*Choose from:\s*", ": ", message)
    message = re.sub(r",?\s*\n\s*", ", ", message)
    first = context.params.get("mapping") if context and isinstance(error, click.MissingParameter) else None
    if first is not None and is_table(first):
        message, hint = "the mapping is missing", f"{where} MAPPING {shown_table(first)}"
    return render(message[:1].lower() + message[1:], "usage", where, hint)


def _fault(error: Exception, arguments: list[str]) -> int:
    command = next((word for word in arguments if word in COMMANDS), "")
    path = write_fault(error, command)
    reason = f"{type(error).__name__}"
    if isinstance(error, OSError) and error.errno is not None:
        reason = f"{os.strerror(error.errno)}{f', {error.filename}' if error.filename else ''}"
    place = f"the details are in {path}" if path else "the details could not be written down"
    complain(f"a fault of the program, not of your files ({reason}); {place}   [internal-error]")
    return FAULT_OF_OURS
