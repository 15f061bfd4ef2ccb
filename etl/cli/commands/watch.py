"""`etl watch`: files are taken as they come into a folder, one after the other, and archived by outcome."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from etl.cli import bars, options, output, signals
from etl.cli.faults import write_fault
from etl.errors import SettingsError
from etl.interrupt import Interrupt
from etl.settings.watch import WatchRule
from etl.wording import sentence, stop_sentence

if TYPE_CHECKING:
    from etl.logs import Log
    from etl.options import Options
    from etl.report import RunReport
    from etl.watch.watcher import Voice, Ways


@click.command(
    epilog="""\b
Examples:
  etl watch incoming
  etl watch incoming --mapping contacts.yaml --pattern "contacts*.csv"
  etl watch incoming --mapping mappings/opt_outs.yaml --yes --max-deletes 500
  etl watch incoming --marker .done --once
  etl watch incoming --dry-run

\b
Archive, in DIR, by the exit code of the run; each file has a folder there
with its reports:
  done/       0  every row delivered or rightly left alone
  attention/  1  some rows invalid, rejected, failed or unknown
  refused/    2  the file is not what its mapping says
  stopped/    3  stopped by a guard, such as --max-deletes
"""
)
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--mapping", type=click.Path(path_type=Path), metavar="FILE",
    help="The mapping of all files.  [default: as [[watch]] in etl.toml says]",
)  # fmt: skip
@click.option("--pattern", default="*", metavar="GLOB", help="With --mapping: the names it is for.  [default: all]")
@click.option(
    "--settle", type=options.Number(0, 86_400, fractions=True), default=5.0, metavar="SECONDS",
    help="A file is finished when it has not changed for so long.  [default: 5]",
)  # fmt: skip
@click.option("--marker", metavar="ENDING", help="A file is finished when one named so stands beside it: .done")
@click.option(
    "--interval", type=options.Number(0.05, 86_400, fractions=True), default=2.0, metavar="SECONDS",
    help="Between two looks.  [default: 2]",
)  # fmt: skip
@click.option("--once", is_flag=True, help="Take what is there and finished, then end with the worst exit code.")
@click.option("--dry-run", is_flag=True, help="Check each file, send and archive nothing; reports are in checked/.")
@options.watch_flags
def command(folder: Path, **flags: Any) -> int:
    """Take files as they come into DIR, one after the other, and archive them by outcome.

    A file is taken once it is finished: nobody has written to it for --settle seconds, and its name is not that of an
    unfinished one (.part, .tmp, hidden). One that no rule is for stays. Nothing is asked: deletions need --yes, or
    yes = true in their rule.

    If the endpoint is down, or something else is wrong that is not about the file, it stays, and its run goes on after
    a pause. After a kill, the next start resumes the run that was under way. Ctrl-C and SIGTERM finish what is in
    flight; the file stays, and the next start goes on with it.
    """
    given = _ways(flags)
    interrupt = Interrupt()
    with signals.stopping(interrupt) as stopper, _logged(flags) as log:
        # It loads pandas: whoever asks for help need not wait for it.
        from etl.watch.archive import Archive
        from etl.watch.folder import watched
        from etl.watch.watcher import Watcher

        stopper.last_word = _last_word
        voice = _voice(stopper, log, is_quiet=flags["quiet"])

        def warn(text: str) -> None:
            voice.say("journal-not-told", text, is_trouble=True, reason=text)

        with watched(folder) as held:
            voice.say("watching", f"watching {folder}{' (dry run)' if given.dry_run else ''}", place=str(folder))
            archive = Archive(held, given.config, given.marker, warn)
            code = Watcher(held, archive, given, _options(flags, interrupt), interrupt, voice).watch()
            voice.wait("")
            voice.say("watching-ended", "stopped watching", exit_code=code)
            return code


@contextlib.contextmanager
def _logged(flags: dict[str, Any]) -> Iterator[Log]:
    """Yield the log of what is no run's. On a terminal its events are shown as sentences instead."""
    from etl.logs import LogWish, open_log
    from etl.settings import load_settings

    settings = load_settings(flags["config"], os.environ, Path.cwd())
    stream = None if sys.stderr.isatty() else sys.stderr
    wish = LogWish(flags["log_level"], flags["log_file"], stream, is_quiet=flags["quiet"])
    with contextlib.closing(open_log(wish, settings.log, settings.folder)) as log:
        yield log


def _ways(flags: dict[str, Any]) -> Ways:
    """Return how to watch, with rules that can be carried out. Raises EtlError."""
    from etl.mapping import load_mapping
    from etl.settings import load_settings
    from etl.watch.watcher import Ways

    settings = load_settings(flags["config"], os.environ, Path.cwd())
    rules = settings.watch
    if flags["mapping"] is not None:
        rules = (WatchRule(pattern=flags["pattern"], mapping=str(flags["mapping"])),)
    if not rules:
        raise SettingsError(
            "no mapping is given for the files that come", code="no-watch-rule", where="etl watch",
            hint="add --mapping FILE, or rules to etl.toml: [[watch]], pattern = \"contacts*.csv\", mapping = ...",
        )  # fmt: skip
    rules = tuple(rule.with_flags(flags) for rule in rules)
    for rule in rules:
        # Whoever starts it is still there; at night nobody is.
        load_mapping(Path(rule.mapping))
        if rule.target or settings.default_target or not flags["dry_run"]:
            target = settings.target(rule.target)
            if not flags["dry_run"]:
                settings.credentials(target)
    return Ways(
        rules, flags["config"], flags["settle"], flags["interval"], flags["marker"] or None,
        once=flags["once"], dry_run=flags["dry_run"],
    )  # fmt: skip


def _options(flags: dict[str, Any], interrupt: Interrupt) -> Callable[[WatchRule, Path], Options]:
    """Return what makes the options of a run, by the file's rule and the folder of its reports."""
    from etl.cli.running import options_of
    from etl.guards import Guards, parse_limit

    def made(rule: WatchRule, out: Path) -> Options:
        guards = Guards(
            fail_over=parse_limit(rule.fail_over, "--fail-over"),
            max_deletes=parse_limit(rule.max_deletes, "--max-deletes"),
            max_clears=parse_limit(rule.max_clears, "--max-clears"),
        )
        return replace(
            options_of(flags, guards, interrupt), out=out, sheet=rule.sheet, only_changed=rule.only_changed,
            revive=rule.revive, yes=rule.yes, tell=lambda _: None,
            progress=bars.bars_on(sys.stderr, quiet=flags["quiet"]),
        )  # fmt: skip

    return made


def _voice(stopper: signals.Stopper, log: Log, *, is_quiet: bool) -> Voice:
    from etl.watch.watcher import Voice

    is_read = sys.stderr.isatty()

    def say(event: str, text: str, *, is_trouble: bool = False, **fields: object) -> None:
        (log.logger.warning if is_trouble else log.logger.info)(event, **fields)
        if is_trouble if is_quiet else is_read:
            _tell(text)

    def idle(seconds: float) -> None:
        with stopper.question():
            time.sleep(seconds)

    def wait(text: str) -> None:
        if is_read and not is_quiet:
            _show(text)

    return Voice(say, wait, idle, _sentence, _fault)


def _tell(text: str) -> None:
    """Print a line of log, with its time; on a terminal in the place of what is waited for."""
    _show("")
    output.tell(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S}  {text}")


def _show(text: str) -> None:
    """Show what is waited for, on a line that the next one takes the place of."""
    if sys.stderr.isatty():
        width = output.console(sys.stderr).width
        sys.stderr.write(f"\r\x1b[K{output.visible(text)[: width - 1]}")
        sys.stderr.flush()


def _sentence(report: RunReport) -> str:
    return " ".join(filter(None, (sentence(report), stop_sentence(report))))


def _fault(error: Exception) -> str:
    path = write_fault(error, "watch")
    place = f"the details are in {path}" if path else "the details could not be written down"
    return f"a fault of the program, not of the file ({type(error).__name__}); {place}"


def _last_word() -> str:
    return "ended at once; the next `etl watch` goes on with what was in flight   [interrupted]"
